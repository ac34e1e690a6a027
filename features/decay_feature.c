/* {decay: TX_AMOUNT, by: CUSTOMER_ID, half_life: [1h, 7d]}: counts and sums that fade. */
#include <math.h>
#include <stdlib.h>

#include "features/decay.h"
#include "features/fading.h"
#include "features/window.h"

enum { DECAY_COUNT, DECAY_SUM, DECAY_MEAN, DECAY_TAKES };

static const char *const decay_take_names[] = {"count", "sum", "mean", NULL};

struct decay_options {
    const char *decay;
    struct conf_texts by;
    struct conf_durations half_life;
    struct conf_texts take;
    const char *where, *zone, *as;
};

static const struct conf_option decay_table_options[] = {
    {.name = "decay",
     .type = CONF_TEXT,
     .at = offsetof(struct decay_options, decay),
     .required = true,
     .help = "what is counted and summed: a field, or `events`; the event itself is one of them"},
    {.name = "by",
     .type = CONF_TEXTS,
     .at = offsetof(struct decay_options, by),
     .required = true,
     .help = "whose events: a field of type entity, or two for each pair of them"},
    {.name = "half_life",
     .type = CONF_DURATIONS,
     .at = offsetof(struct decay_options, half_life),
     .required = true,
     .min = 1,
     .help = "how long until an event weighs half as much; up to 16 of them"},
    {.name = "take",
     .type = CONF_TEXTS,
     .at = offsetof(struct decay_options, take),
     .required = true,
     .help = "count, sum or mean (of none: 0), each event with its weight"},
    {.name = "where",
     .type = CONF_TEXT,
     .at = offsetof(struct decay_options, where),
     .help = "only events for which this rule holds count (see `rule`); needs `as`"},
    {.name = "zone",
     .type = CONF_TEXT,
     .at = offsetof(struct decay_options, zone),
     .help = "time zone of the calendar's words in `where`; UTC by default"},
    {.name = "as",
     .type = CONF_TEXT,
     .at = offsetof(struct decay_options, as),
     .help = "instead of FIELD.by.ENTITY.decay at the front of the columns' names"},
    CONF_END};

static const struct conf_table decay_table = {
    "decay", "An entity's events, counted and summed with weights that fade.", decay_table_options,
    sizeof(struct decay_options)};

struct decay_item {
    struct unit unit;
    struct decay decay;
    int64_t warm; /* events before it do not know it */
    size_t n_columns;
    struct {
        uint32_t column;
        uint16_t take, which;
    } columns[DECAY_MAX * DECAY_TAKES];
};

static void decay_drop(void *item)
{
    unit_drop(&((struct decay_item *)item)->unit);
}

/* Making. */

static bool find_take(const struct item *read, const char *name, const struct unit *unit,
                      uint16_t *ret)
{
    for (unsigned t = 0; t < DECAY_TAKES; t++)
        if (strcmp(name, decay_take_names[t]) == 0) {
            if (t != DECAY_COUNT && unit->source != SOURCE_NUMBER)
                complain(read, "take", "\"%s\" holds no numbers; take count",
                         read->options->window);
            *ret = (uint16_t)t;
            return true;
        }
    complain(read, "take", "\"%s\" is nothing to take; expected count, sum or mean", name);
    return false;
}

static void add_columns(struct decay_item *item, const struct item *read,
                        const struct decay_options *options, const char *stem)
{
    char over[48];
    for (size_t h = 0; h < item->decay.n; h++)
        for (size_t i = 0; i < options->take.n && i < DECAY_TAKES; i++) {
            uint16_t take;
            if (!find_take(read, options->take.items[i], &item->unit, &take))
                continue;
            struct buf name = {0};
            duration_format(item->decay.half_life[h], over);
            buf_printf(&name, "%s.%s.%s", stem, over, decay_take_names[take]);
            buf_byte(&name, 0);
            uint32_t column = columns_add_dense(read->making->columns, read->making->errors,
                                                read->node, name.data);
            item->columns[item->n_columns].column = column;
            item->columns[item->n_columns].take = take;
            item->columns[item->n_columns++].which = (uint16_t)h;
            buf_done(&name);
        }
}

static void decay_add(struct part *part, const struct making *making, const void *read,
                      const struct conf_node *node)
{
    const struct decay_options *options = read;
    struct window_options window = {.window = options->decay,
                                    .by = options->by,
                                    .where = options->where,
                                    .zone = options->zone,
                                    .as = options->as};
    struct item item = {making, node, &window, {0}, making->errors->n};
    struct decay_item made = {.unit = {.node = node}};
    if (options->half_life.n < 1 || options->half_life.n > DECAY_MAX)
        complain(&item, "half_life", "expected 1 to %d half-lives", DECAY_MAX);
    fading_bind(&item, "decay", &made.unit);
    if (right_so_far(&item)) {
        made.unit.name = fading_name(&item, "decay", "");
        made.decay.n = options->half_life.n;
        memcpy(made.decay.half_life, options->half_life.items,
               made.decay.n * sizeof *made.decay.half_life);
        add_columns(&made, &item, options, strchr(made.unit.name, '/') + 1);
    }
    if (right_so_far(&item))
        *(struct decay_item *)part_add_item(part) = made;
    else
        unit_drop(&made.unit);
}

/* After four half-lives 15/16 of what is to be known is. */
static enum status ready_item(struct decay_item *item, const struct making *making)
{
    struct buf shape = {0};
    int64_t longest = 0;
    for (size_t i = 0; i < item->decay.n; i++) {
        int64_t half_life = item->decay.half_life[i];
        buf_printf(&shape, "half_life %lld\n", (long long)half_life);
        longest = half_life > longest ? half_life : longest;
    }
    longest = longest < INT64_MAX / 8 ? 4 * longest : INT64_MAX / 2;
    enum status st =
        fading_claim(&item->unit, making, &shape, longest, &item->decay.family, &item->warm);
    buf_done(&shape);
    return st;
}

static enum status decay_ready(struct part *part, const struct making *making)
{
    struct decay_item *items = part->items;
    enum status refused = ST_OK;
    for (size_t i = 0; i < part->n; i++) {
        enum status st = ready_item(&items[i], making);
        if (st < 0 && st != ST_EVERSION)
            return st;
        refused = st < 0 ? st : refused;
    }
    return refused;
}

/* At work. */

static double taken(const struct decay_sum *sum, uint16_t take)
{
    if (take == DECAY_COUNT)
        return sum->count;
    return take == DECAY_SUM ? sum->sum : sum->count > 0 ? sum->sum / sum->count : 0;
}

static void extract_item(const struct decay_item *item, struct state *state,
                         const struct event *event, double *dense)
{
    struct key128 key = unit_key(&item->unit, event);
    struct decay_sum sums[DECAY_MAX];
    struct slot own;
    bool known = !key_is_none(key) && event->time >= item->warm;
    if (known) {
        bool counts = unit_entry(&item->unit, event, &own);
        decay_read(&item->decay, state_find(state, item->decay.family, key), event->time,
                   counts ? &own.value : NULL, sums);
    }
    for (size_t i = 0; i < item->n_columns; i++)
        dense[item->columns[i].column] =
            known ? taken(&sums[item->columns[i].which], item->columns[i].take) : NAN;
}

static void decay_extract(struct part *part, struct state *state, const struct event *event,
                          double *dense, struct sparse_row *sparse)
{
    const struct decay_item *items = part->items;
    (void)sparse;
    for (size_t i = 0; i < part->n; i++)
        extract_item(&items[i], state, event, dense);
}

static void decay_observe_all(struct part *part, struct state *state, const struct event *event)
{
    const struct decay_item *items = part->items;
    struct slot own;
    for (size_t i = 0; i < part->n; i++) {
        struct key128 key = unit_key(&items[i].unit, event);
        if (!key_is_none(key) && unit_entry(&items[i].unit, event, &own))
            decay_observe(&items[i].decay, state, key, event->time, own.value);
    }
}

static void decay_prefetch(const struct part *part, struct state *state, const struct event *event,
                           enum plan_prefetch stage)
{
    const struct decay_item *items = part->items;
    for (size_t i = 0; i < part->n; i++)
        fading_prefetch(items[i].decay.family, state, unit_key(&items[i].unit, event), stage);
}

static enum status decay_describe_rec(const struct part *part, struct record *rec, struct buf *ret)
{
    const struct decay_item *items = part->items;
    for (size_t i = 0; i < part->n; i++) {
        int64_t newest;
        if (items[i].decay.family != rec->family)
            continue;
        fading_put_family(&items[i].unit, ret);
        if (decay_describe(&items[i].decay, rec, &newest)) {
            struct decay_sum sums[DECAY_MAX];
            decay_read(&items[i].decay, rec, newest, NULL, sums);
            unit_put_time(ret, "to", newest);
            unit_put_number(ret, "count", sums[0].count);
            unit_put_number(ret, "sum", sums[0].sum);
        }
        buf_byte(ret, '}');
        return ST_OK;
    }
    return ST_ENOTFOUND;
}

const struct feature_kind kind_decay = {
    .key = "decay",
    .scope = SCOPE_ENTITY,
    .options = &decay_table,
    .item_bytes = sizeof(struct decay_item),
    .add = decay_add,
    .drop = decay_drop,
    .ready = decay_ready,
    .extract = decay_extract,
    .observe = decay_observe_all,
    .prefetch = decay_prefetch,
    .describe = decay_describe_rec,
};
