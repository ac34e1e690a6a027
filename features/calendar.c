/* {calendar: hour, between: [0, 6]}: when an event happens. */
#include "features/calendar.h"

#include <math.h>
#include <stdlib.h>

#include "features/holidays.h"
#include "features/kind.h"

const char *const calendar_names[] = {"hour", "weekday", "weekend", "night",
                                      "day",  "month",   "holiday", NULL};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t calendar_date(int64_t time, const struct zone *zone)
{
    if (!zone)
        return floor_div(time, DAY_US);
    struct civil civil = civil_of(time, zone);
    return civil_days(civil.year, civil.month, civil.day);
}

static int hour_of(int64_t time, const struct zone *zone)
{
    if (zone)
        return civil_of(time, zone).hour;
    return (int)((time - floor_div(time, DAY_US) * DAY_US) / (3600 * SECOND_US));
}

static int weekday_of(int64_t time, const struct zone *zone)
{
    if (zone)
        return civil_of(time, zone).weekday;
    int64_t from_monday = floor_div(time, DAY_US) + 3; /* 1970-01-01 was a Thursday */
    return (int)(from_monday - 7 * floor_div(from_monday, 7));
}

double calendar_value(enum calendar what, int64_t time, const struct zone *zone)
{
    switch (what) {
    case CALENDAR_HOUR:
        return hour_of(time, zone);
    case CALENDAR_WEEKDAY:
        return weekday_of(time, zone);
    case CALENDAR_WEEKEND:
        return weekday_of(time, zone) >= 5;
    case CALENDAR_NIGHT:
        return hour_of(time, zone) <= 6;
    case CALENDAR_DAY:
        return civil_of(time, zone).day;
    case CALENDAR_MONTH:
        return civil_of(time, zone).month;
    case CALENDAR_HOLIDAY:
        break;
    }
    return NAN;
}

struct calendar_options {
    int what;
    struct conf_reals between;
    const char *zone;
    const char *as;
    struct conf_texts days;
    const char *country;
};

static const struct conf_option calendar_table_options[] = {
    {.name = "calendar",
     .type = CONF_CHOICE,
     .at = offsetof(struct calendar_options, what),
     .required = true,
     .choices = calendar_names,
     .help = "what to read off the event's time: hour (0-23), weekday (0 is Monday), weekend "
             "(Saturday, Sunday: 1), night (hours 0 to 6: 1), day (of the month), month, or "
             "holiday (1 on the `days` and the holidays of `country`)"},
    {.name = "between",
     .type = CONF_REALS,
     .at = offsetof(struct calendar_options, between),
     .help = "two bounds, both inclusive: 1 within them, else 0; [22, 5] goes over midnight"},
    {.name = "zone",
     .type = CONF_TEXT,
     .at = offsetof(struct calendar_options, zone),
     .help = "time zone by its name in the tz database, such as Europe/Berlin; UTC by default"},
    {.name = "days",
     .type = CONF_TEXTS,
     .at = offsetof(struct calendar_options, days),
     .help = "holidays, as 2018-12-25; with `country`, more of them"},
    {.name = "country",
     .type = CONF_TEXT,
     .at = offsetof(struct calendar_options, country),
     .help =
         "whose public holidays, by its two letters of ISO 3166, such as DE: those of the whole "
         "country from 2012 to 2035; before and after, NaN"},
    {.name = "as",
     .type = CONF_TEXT,
     .at = offsetof(struct calendar_options, as),
     .help = "the column's name; by default the calendar's, such as hour, with its bounds, such as "
             "hour.0-6"},
    CONF_END};

static const struct conf_table calendar_table = {
    "calendar", "What the calendar says of an event's time: a number, or 0 and 1.",
    calendar_table_options, sizeof(struct calendar_options)};

struct calendar_item {
    enum calendar what;
    uint32_t column;
    bool bounded;
    double from, to; /* inclusive; from > to: over the end and on from the start */
    const struct zone *zone;
    bool country; /* days outside the table of holidays are unknown */
    size_t n_days;
    int64_t *days; /* since 1970, ascending */
};

static void calendar_drop(void *item)
{
    free(((struct calendar_item *)item)->days);
}

static int compare_days(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void complain_country(const struct making *making, const struct conf_node *node,
                             const char *country)
{
    const char *names[HOLIDAYS_COUNTRIES_MAX];
    struct buf list = {0};
    holidays_countries(names);
    for (size_t i = 0; names[i]; i++)
        buf_printf(&list, "%s%s", i > 0 ? " " : "", names[i]);
    conf_complain(making->errors, conf_get(node, "country"),
                  "the holidays of \"%s\" are not known; expected one of %.*s (or `days`)", country,
                  (int)list.len, list.data);
    buf_done(&list);
}

static void read_country(struct calendar_item *item, const char *country,
                         const struct making *making, const struct conf_node *node)
{
    if (!country)
        return;
    item->country = true;
    item->n_days = holidays_of(country, item->days);
    if (item->n_days == 0)
        complain_country(making, node, country);
}

static void read_days(struct calendar_item *item, const struct conf_texts *days,
                      const struct making *making, const struct conf_node *node)
{
    struct timefmt format;
    if (timefmt_compile(slice_of("%Y-%m-%d"), NULL, &format) < 0)
        abort();
    for (size_t i = 0; i < days->n; i++) {
        int64_t time;
        if (timefmt_parse(&format, slice_of(days->items[i]), &time) < 0) {
            conf_complain(making->errors, conf_get(node, "days"),
                          "\"%s\" is no date such as 2018-12-25", days->items[i]);
            continue;
        }
        item->days[item->n_days++] = floor_div(time, DAY_US);
    }
    qsort(item->days, item->n_days, sizeof *item->days, compare_days);
}

static void read_holidays(struct calendar_item *item, const struct calendar_options *options,
                          const struct making *making, const struct conf_node *node)
{
    item->days = calloc(HOLIDAYS_MAX + options->days.n, sizeof *item->days);
    if (!item->days)
        abort();
    read_country(item, options->country, making, node);
    read_days(item, &options->days, making, node);
}

static void read_bounds(struct calendar_item *item, const struct conf_reals *between,
                        const struct making *making, const struct conf_node *node)
{
    item->bounded = between->n > 0;
    if (between->n == 2) {
        item->from = between->items[0];
        item->to = between->items[1];
    } else if (item->bounded) {
        conf_complain(making->errors, conf_get(node, "between"),
                      "expected two bounds, such as [0, 6], not %zu", between->n);
    }
}

static void name_column(struct calendar_item *item, const struct calendar_options *options,
                        const struct making *making, const struct conf_node *node)
{
    struct buf name = {0};
    if (options->as)
        buf_text(&name, options->as);
    else if (item->bounded)
        buf_printf(&name, "%s.%g-%g", calendar_names[item->what], item->from, item->to);
    else
        buf_text(&name, calendar_names[item->what]);
    buf_byte(&name, 0);
    item->column = columns_add_dense(making->columns, making->errors, node, name.data);
    buf_done(&name);
}

static void calendar_add(struct part *part, const struct making *making, const void *read,
                         const struct conf_node *node)
{
    const struct calendar_options *options = read;
    struct calendar_item *item = part_add_item(part);
    item->what = (enum calendar)options->what;
    kind_zone(making, node, options->zone, &item->zone);
    if ((item->what == CALENDAR_HOLIDAY) != (options->days.n > 0 || options->country))
        conf_complain(
            making->errors, node,
            "`country` or `days` say which are holidays: {calendar: holiday, country: DE, "
            "days: [2018-12-24]}");
    read_bounds(item, &options->between, making, node);
    if (item->what == CALENDAR_HOLIDAY)
        read_holidays(item, options, making, node);
    name_column(item, options, making, node);
}

static double item_value(const struct calendar_item *item, int64_t time)
{
    if (item->what != CALENDAR_HOLIDAY)
        return calendar_value(item->what, time, item->zone);
    int64_t date = calendar_date(time, item->zone);
    if (item->country && (date < holidays_begin() || date >= holidays_end()))
        return NAN;
    return bsearch(&date, item->days, item->n_days, sizeof date, compare_days) != NULL;
}

static void calendar_extract(struct part *part, struct state *state, const struct event *event,
                             double *dense, struct sparse_row *sparse)
{
    const struct calendar_item *items = part->items;
    (void)state, (void)sparse;
    for (size_t i = 0; i < part->n; i++) {
        const struct calendar_item *item = &items[i];
        double v = item_value(item, event->time);
        if (item->bounded && item->from <= item->to)
            v = v >= item->from && v <= item->to;
        else if (item->bounded)
            v = v >= item->from || v <= item->to;
        dense[item->column] = v;
    }
}

const struct feature_kind kind_calendar = {
    .key = "calendar",
    .scope = SCOPE_EVENT,
    .of_clock = true,
    .options = &calendar_table,
    .item_bytes = sizeof(struct calendar_item),
    .add = calendar_add,
    .drop = calendar_drop,
    .extract = calendar_extract,
};
