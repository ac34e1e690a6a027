/* {stl: TX_AMOUNT, by: CUSTOMER_ID, bucket: 1d, period: 7d}: an entity's past as trend, season and
 * what neither explains. */
#include "features/stl_feature.h"

#include <math.h>

const char *const stl_take_names[] = {"trend",    "seasonal", "remainder", "z",
                                      "strength", "open",     NULL};
const char *const stl_fold_names[] = {"sum", "count", "mean", NULL};
const char *const stl_empty_names[] = {"auto", "zero", "gap", NULL};

static const struct conf_option stl_table_options[] = {
    {.name = "stl",
     .type = CONF_TEXT,
     .at = offsetof(struct stl_options, stl),
     .required = true,
     .help = "what is put into buckets: a field, or `events`"},
    {.name = "by",
     .type = CONF_TEXTS,
     .at = offsetof(struct stl_options, by),
     .required = true,
     .help = "whose events: a field of type entity, or two for each pair of them"},
    {.name = "bucket",
     .type = CONF_DURATION,
     .at = offsetof(struct stl_options, bucket),
     .required = true,
     .min = 1e6,
     .help = "length of a bucket of event time; buckets begin at its multiples since 1970, UTC"},
    {.name = "period",
     .type = CONF_DURATION,
     .at = offsetof(struct stl_options, period),
     .required = true,
     .min = 2e6,
     .help = "length of the season, a multiple of `bucket`: 7d for a week"},
    {.name = "take",
     .type = CONF_TEXTS,
     .at = offsetof(struct stl_options, take),
     .help =
         "which columns, by default all: trend, seasonal, remainder (of the last bucket that is "
         "over; they add up to it), z (that remainder over the scale of those before it), "
         "strength (how much of what is not trend the season explains, 0 to 1), open (what the "
         "open bucket has so far, this event included, less the part of its forecast that "
         "should be there by now; of a mean less all of it)"},
    {.name = "fold",
     .type = CONF_CHOICE,
     .at = offsetof(struct stl_options, fold),
     .choices = stl_fold_names,
     .fallback = "sum",
     .help = "what a bucket is: sum, count or mean of its events' values; for anything but a "
             "number: count"},
    {.name = "empty",
     .type = CONF_CHOICE,
     .at = offsetof(struct stl_options, empty),
     .choices = stl_empty_names,
     .fallback = "auto",
     .help = "what a bucket without events is: zero, or gap (unknown); auto: zero for sum and "
             "count, gap for mean"},
    {.name = "init",
     .type = CONF_INT,
     .at = offsetof(struct stl_options, init),
     .fallback = "4",
     .min = 2,
     .max = 100,
     .help = "periods of an entity's buckets that are collected first; until then its columns are "
             "unknown"},
    {.name = "where",
     .type = CONF_TEXT,
     .at = offsetof(struct stl_options, where),
     .help = "only events for which this rule holds count (see `rule`); needs `as`"},
    {.name = "zone",
     .type = CONF_TEXT,
     .at = offsetof(struct stl_options, zone),
     .help = "time zone of the calendar's words in `where`; UTC by default"},
    {.name = "as",
     .type = CONF_TEXT,
     .at = offsetof(struct stl_options, as),
     .help = "instead of FIELD.by.ENTITY.stl.BUCKET.FOLD at the front of the columns' names"},
    CONF_END};

static const struct conf_table stl_table = {
    "stl", "An entity's past, bucket by bucket, as trend, season and what neither explains.",
    stl_table_options, sizeof(struct stl_options)};

/* The part. */

static enum status stl_ready(struct part *part, const struct making *making)
{
    struct stl_item *items = part->items;
    enum status refused = ST_OK;
    for (size_t i = 0; i < part->n; i++) {
        enum status st = stl_item_ready(&items[i], making);
        if (st < 0 && st != ST_EVERSION)
            return st;
        refused = st < 0 ? st : refused;
    }
    return refused;
}

/* The event's own value; false if it does not count. */
static bool value_of(const struct stl_item *item, const struct event *event, double *ret)
{
    const struct unit *unit = &item->unit;
    const struct unit_binding *binding = &unit->bindings[event->stream];
    *ret = 0;
    if (!binding->enters || (unit->where && !where_holds(unit->where, event)))
        return false;
    if (unit->source == SOURCE_EVENTS)
        return true;
    const union value *value = &event->values[binding->field];
    if (unit->source == SOURCE_ENTITY)
        return !key_is_none(value->entity);
    if (unit->source == SOURCE_CATEGORY)
        return value->category != 0;
    *ret = value->number;
    return isfinite(value->number);
}

static void write_columns(const struct stl_item *item, const struct stl_reading *reading,
                          double *dense)
{
    const double parts[STL_TAKES] = {reading->trend, reading->seasonal, reading->remainder,
                                     reading->score, reading->strength, reading->open};
    for (size_t i = 0; i < item->n_columns; i++)
        dense[item->columns[i].column] = parts[item->columns[i].take];
}

static void extract_item(const struct stl_item *item, struct state *state,
                         const struct event *event, double *dense)
{
    struct key128 key = unit_key(&item->unit, event);
    struct record *rec = key_is_none(key) ? NULL : state_find(state, item->buckets.family, key);
    struct stl_reading reading;
    double self;
    bool counts = value_of(item, event, &self);
    stl_buckets_read(&item->buckets, rec, event->time, counts ? &self : NULL, &reading);
    write_columns(item, &reading, dense);
}

static void stl_extract(struct part *part, struct state *state, const struct event *event,
                        double *dense, struct sparse_row *sparse)
{
    const struct stl_item *items = part->items;
    (void)sparse;
    for (size_t i = 0; i < part->n; i++)
        extract_item(&items[i], state, event, dense);
}

static void stl_observe(struct part *part, struct state *state, const struct event *event)
{
    const struct stl_item *items = part->items;
    for (size_t i = 0; i < part->n; i++) {
        struct key128 key = unit_key(&items[i].unit, event);
        double self;
        if (!key_is_none(key) && value_of(&items[i], event, &self))
            stl_buckets_observe(&items[i].buckets, state, key, event->time, self);
    }
}

static void prefetch_item(const struct stl_item *item, struct state *state, struct key128 key,
                          enum plan_prefetch stage)
{
    const struct stl_buckets *buckets = &item->buckets;
    if (key_is_none(key))
        return;
    if (stage == PLAN_NEEDS)
        state_need(state, buckets->family, key);
    else if (stage == PLAN_SLOTS)
        state_prefetch(state, buckets->family, key);
    else if (stage == PLAN_RECORDS)
        state_prefetch_record(state, buckets->family, key);
    /* What comes behind is read in order: the processor sees it coming. */
}

static void stl_prefetch(const struct part *part, struct state *state, const struct event *event,
                         enum plan_prefetch stage)
{
    const struct stl_item *items = part->items;
    for (size_t i = 0; i < part->n; i++)
        prefetch_item(&items[i], state, unit_key(&items[i].unit, event), stage);
}

/* {"family":"...","from":"...","to":"...","begun":true,"parts":{...}}: the last bucket fed. */

static void describe_item(const struct stl_item *item, struct record *rec, struct buf *ret)
{
    int64_t open, newest;
    const void *state;
    struct stl_online_point last;
    buf_text(ret, "{\"family\":\"");
    for (const char *c = item->unit.name; *c; c++)
        buf_printf(ret, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    buf_byte(ret, '"');
    if (stl_buckets_describe(&item->buckets, rec, &open, &newest, &state)) {
        unit_put_time(ret, "open", open);
        unit_put_time(ret, "to", newest);
        buf_printf(ret, ",\"begun\":%s", stl_online_is_live(state) ? "true" : "false");
        stl_online_last(state, &last);
        unit_put_number(ret, "trend", last.trend);
        unit_put_number(ret, "seasonal", last.seasonal);
        unit_put_number(ret, "remainder", last.remainder);
        unit_put_number(ret, "z", last.score);
        unit_put_number(ret, "strength", stl_online_strength(state));
        unit_put_number(ret, "forecast", stl_online_forecast(state, 1));
    }
    buf_byte(ret, '}');
}

static enum status stl_describe(const struct part *part, struct record *rec, struct buf *ret)
{
    const struct stl_item *items = part->items;
    for (size_t i = 0; i < part->n; i++)
        if (items[i].buckets.family == rec->family) {
            describe_item(&items[i], rec, ret);
            return ST_OK;
        }
    return ST_ENOTFOUND;
}

const struct feature_kind kind_stl = {
    .key = "stl",
    .scope = SCOPE_ENTITY,
    .options = &stl_table,
    .item_bytes = sizeof(struct stl_item),
    .add = stl_item_add,
    .drop = stl_item_drop,
    .ready = stl_ready,
    .extract = stl_extract,
    .observe = stl_observe,
    .prefetch = stl_prefetch,
    .describe = stl_describe,
};
