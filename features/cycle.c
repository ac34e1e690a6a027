/* {cycle: hour}, {cycle: 7d, terms: 3}: when an event happens, as points of a circle. */
#include "features/cycle.h"

#include <math.h>

#include "features/calendar.h"
#include "features/kind.h"

/* Arithmetic. */

struct cycle_point cycle_at(uint64_t phase, uint64_t period, uint32_t k)
{
    static const double quarter_turn = 1.5707963267948966; /* pi / 2 */
    uint64_t quarters = 4 * (k * phase % period);
    double angle = quarter_turn * ((double)(quarters % period) / (double)period);
    double s = sin(angle), c = cos(angle);
    switch (quarters / period) {
    case 0:
        return (struct cycle_point){s, c};
    case 1:
        return (struct cycle_point){c, -s};
    case 2:
        return (struct cycle_point){-s, -c};
    default:
        return (struct cycle_point){-c, s};
    }
}

static int64_t floor_mod(int64_t a, int64_t b)
{
    int64_t rest = a % b;
    return rest < 0 ? rest + b : rest;
}

static int64_t local_time(int64_t time, const struct zone *zone)
{
    struct civil civil = civil_of(time, zone);
    int64_t days = civil_days(civil.year, civil.month, civil.day);
    int64_t seconds = ((days * 24 + civil.hour) * 60 + civil.minute) * 60 + civil.second;
    return seconds * SECOND_US + floor_mod(time, SECOND_US);
}

uint64_t cycle_phase(int64_t time, int64_t period, const struct zone *zone)
{
    return (uint64_t)floor_mod(zone ? local_time(time, zone) : time, period);
}

/* The kind. */

struct cycle_options {
    const char *cycle;
    int64_t terms;
    const char *zone;
    const char *as;
};

static const struct conf_option cycle_table_options[] = {
    {.name = "cycle",
     .type = CONF_TEXT,
     .at = offsetof(struct cycle_options, cycle),
     .required = true,
     .help = "what comes round again: hour (of 24), weekday (of 7, from Monday), month (of 12), in "
             "whole steps; or a duration, such as 1d, 7d or 365d6h, smoothly, from 1970-01-01, a "
             "Thursday, on"},
    {.name = "terms",
     .type = CONF_INT,
     .at = offsetof(struct cycle_options, terms),
     .fallback = "1",
     .min = 1,
     .max = CYCLE_TERMS_MAX,
     .help = "how many pairs of sin and cos: the k-th comes round k times as often; of hour up to "
             "11, of weekday 3, of month 5"},
    {.name = "zone",
     .type = CONF_TEXT,
     .at = offsetof(struct cycle_options, zone),
     .help = "time zone by its name in the tz database, such as Europe/Berlin; UTC by default"},
    {.name = "as",
     .type = CONF_TEXT,
     .at = offsetof(struct cycle_options, as),
     .help = "instead of cycle.hour, at the front of the columns' names: cycle.hour.sin, "
             "cycle.hour.cos, cycle.hour.sin2, ..."},
    CONF_END};

static const struct conf_table cycle_table = {
    "cycle", "When an event happens, as points of a circle: the Fourier terms of a period.",
    cycle_table_options, sizeof(struct cycle_options)};

/* What goes in whole steps. */
static const struct word {
    const char *name;
    enum calendar what;
    int first; /* where it begins */
    uint64_t steps;
} words[] = {{"hour", CALENDAR_HOUR, 0, 24},
             {"weekday", CALENDAR_WEEKDAY, 0, 7},
             {"month", CALENDAR_MONTH, 1, 12}};

enum { WORDS = sizeof words / sizeof *words };

struct cycle_item {
    const struct word *word; /* NULL: a duration */
    int64_t period;          /* us, or steps */
    uint32_t terms;
    uint32_t column; /* of the first sin; the others follow */
    const struct zone *zone;
};

static bool read_cycle(const struct making *making, const struct conf_node *node, const char *text,
                       struct cycle_item *ret)
{
    static const char *const names[] = {"hour", "weekday", "month", NULL};
    for (size_t i = 0; i < WORDS; i++)
        if (strcmp(text, words[i].name) == 0)
            ret->word = &words[i];
    if (ret->word) {
        ret->period = (int64_t)ret->word->steps;
        return true;
    }
    if (duration_parse(slice_of(text), &ret->period) == ST_OK && ret->period >= 2 &&
        ret->period <= CYCLE_PERIOD_MAX)
        return true;
    const char *nearest = conf_nearest(text, names);
    conf_complain(making->errors, conf_get(node, "cycle"),
                  "\"%s\" does not come round; expected hour, weekday, month or a duration up to "
                  "36525d%s%s%s",
                  text, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                  nearest ? "\"?" : "");
    return false;
}

static void add_columns(struct cycle_item *item, const struct making *making,
                        const struct conf_node *node, const struct cycle_options *options)
{
    for (uint32_t k = 1; k <= item->terms; k++)
        for (int c = 0; c < 2; c++) {
            struct buf name = {0};
            buf_printf(&name, "%s%s.%s", options->as ? "" : "cycle.",
                       options->as ? options->as : options->cycle, c ? "cos" : "sin");
            if (k > 1)
                buf_printf(&name, "%u", k);
            buf_byte(&name, 0);
            uint32_t at = columns_add_dense(making->columns, making->errors, node, name.data);
            item->column = k == 1 && c == 0 ? at : item->column;
            buf_done(&name);
        }
}

static void cycle_add(struct part *part, const struct making *making, const void *read,
                      const struct conf_node *node)
{
    const struct cycle_options *options = read;
    struct cycle_item item = {.terms = (uint32_t)options->terms};
    if (!read_cycle(making, node, options->cycle, &item) ||
        !kind_zone(making, node, options->zone, &item.zone))
        return;
    if (item.word && 2 * options->terms >= item.period) {
        conf_complain(making->errors, conf_get(node, "terms"),
                      "expected at most %d terms of %s: it has %d steps",
                      (int)(item.period - 1) / 2, item.word->name, (int)item.period);
        return;
    }
    add_columns(&item, making, node, options);
    *(struct cycle_item *)part_add_item(part) = item;
}

static uint64_t phase_of(const struct cycle_item *item, int64_t time)
{
    if (!item->word)
        return cycle_phase(time, item->period, item->zone);
    return (uint64_t)(int)calendar_value(item->word->what, time, item->zone) -
           (uint64_t)item->word->first;
}

static void cycle_extract(struct part *part, struct state *state, const struct event *event,
                          double *dense, struct sparse_row *sparse)
{
    const struct cycle_item *items = part->items;
    (void)state, (void)sparse;
    for (size_t i = 0; i < part->n; i++) {
        uint64_t phase = phase_of(&items[i], event->time);
        double *to = &dense[items[i].column];
        for (uint32_t k = 1; k <= items[i].terms; k++) {
            struct cycle_point point = cycle_at(phase, (uint64_t)items[i].period, k);
            *to++ = point.sin;
            *to++ = point.cos;
        }
    }
}

const struct feature_kind kind_cycle = {
    .key = "cycle",
    .scope = SCOPE_EVENT,
    .of_clock = true,
    .options = &cycle_table,
    .item_bytes = sizeof(struct cycle_item),
    .add = cycle_add,
    .extract = cycle_extract,
};
