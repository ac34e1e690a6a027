/* {window: TX_AMOUNT, by: CUSTOMER_ID, over: [1d, 7d], take: [count, mean]}: what was lately. */
#include "features/window.h"

const char *const window_kind_names[] = {"sliding", "tumbling", "tiled", NULL};
const char *const take_names[] = {"count", "sum",      "mean",         "min",   "max",
                                  "std",   "distinct", "since",        "ratio", "gap",
                                  "burst", "velocity", "velocity_sum", NULL};

static const struct conf_option window_table_options[] = {
    {.name = "window",
     .type = CONF_TEXT,
     .at = offsetof(struct window_options, window),
     .required = true,
     .help = "what is looked at: a field, `label` (what events turned out to be) or `events` "
             "alone; the event itself is one of them, unless there is a delay"},
    {.name = "by",
     .type = CONF_TEXTS,
     .at = offsetof(struct window_options, by),
     .required = true,
     .help = "whose events: a field of type entity, or two for each pair of them"},
    {.name = "over",
     .type = CONF_DURATIONS,
     .at = offsetof(struct window_options, over),
     .min = 1,
     .help = "how long back: each is a window (t - delay - over, t - delay]"},
    {.name = "take",
     .type = CONF_TEXTS,
     .at = offsetof(struct window_options, take),
     .required = true,
     .help =
         "what of it: count, sum, mean (of none: 0), min, max (of none: NaN), std (of the "
         "whole window; of one: 0, of none: NaN), distinct (how many different values), since "
         "(seconds since the entry before this one, however long ago), ratio (this value to "
         "the mean; NaN where that is 0), gap (mean seconds between entries; of one: NaN), burst "
         "(of the gaps, (std - mean)/(std + mean): -1 regular, 0 by chance, towards 1 in bursts; "
         "of less than three entries: NaN), velocity, velocity_sum (entries, or their sum, for "
         "each unit of time, to that of the longest `over`, which has no column of it)"},
    {.name = "delay",
     .type = CONF_DURATION,
     .at = offsetof(struct window_options, delay),
     .help = "how long the window ends before the event; for `label` at least, and by default, "
             "labels.delay; else 0s"},
    {.name = "where",
     .type = CONF_TEXT,
     .at = offsetof(struct window_options, where),
     .help = "only events for which this rule holds are entries (see `rule`); needs `as`"},
    {.name = "zone",
     .type = CONF_TEXT,
     .at = offsetof(struct window_options, zone),
     .help = "time zone of the calendar's words in `where`; UTC by default"},
    {.name = "of",
     .type = CONF_TEXT,
     .at = offsetof(struct window_options, of),
     .help = "the field whose values `distinct` counts; by default the window's"},
    {.name = "as",
     .type = CONF_TEXT,
     .at = offsetof(struct window_options, as),
     .help = "instead of FIELD.by.ENTITY at the front of the columns' names; with `where` it is "
             "FIELD.by.ENTITY.where.AS"},
    {.name = "kind",
     .type = CONF_CHOICE,
     .at = offsetof(struct window_options, kind),
     .choices = window_kind_names,
     .fallback = "sliding",
     .help = "sliding: exact, up to entries_max; tumbling: from the last multiple of `over` (since "
             "1970, UTC) on; tiled: entries are merged into tiles from the start, and a window is "
             "off by up to over/(2 tiles) at its ends"},
    {.name = "tiles",
     .type = CONF_INT,
     .at = offsetof(struct window_options, tiles),
     .fallback = "64",
     .min = 1,
     .max = 4096,
     .help = "tiles in a window, where there are tiles"},
    {.name = "entries_max",
     .type = CONF_INT,
     .at = offsetof(struct window_options, entries_max),
     .fallback = "4096",
     .min = 64,
     .max = 1 << 20,
     .help = "entries kept of one entity (16 bytes each) before they are merged into tiles; for "
             "distinct: before they are sampled"},
    CONF_END};

static const struct conf_table window_table = {
    "window", "What an entity's events were lately: counts, sums, means of a window of time.",
    window_table_options, sizeof(struct window_options)};

/* The part. */

/* All that does not fit is said at once. */
static enum status window_ready(struct part *part, const struct making *making)
{
    struct unit *units = part->items;
    enum status refused = ST_OK;
    for (size_t i = 0; i < part->n; i++) {
        enum status st = unit_ready(&units[i], making);
        if (st < 0 && st != ST_EVERSION)
            return st;
        refused = st < 0 ? st : refused;
    }
    return refused;
}

static void window_extract(struct part *part, struct state *state, const struct event *event,
                           double *dense, struct sparse_row *sparse)
{
    struct unit *units = part->items;
    (void)sparse;
    for (size_t i = 0; i < part->n; i++)
        unit_extract(&units[i], state, event, dense);
}

static void window_observe(struct part *part, struct state *state, const struct event *event)
{
    struct unit *units = part->items;
    for (size_t i = 0; i < part->n; i++)
        unit_observe(&units[i], state, event);
}

static size_t window_n_label_keys(const struct part *part)
{
    const struct unit *units = part->items;
    size_t n = 0;
    for (size_t i = 0; i < part->n; i++)
        n += units[i].source == SOURCE_LABEL;
    return n;
}

static const char *window_label_key_name(const struct part *part, size_t key)
{
    const struct unit *units = part->items;
    size_t i = 0;
    for (;; i++)
        if (units[i].source == SOURCE_LABEL && key-- == 0)
            return units[i].name;
}

static void window_label_keys(const struct part *part, const struct event *event,
                              struct key128 *ret)
{
    const struct unit *units = part->items;
    for (size_t i = 0; i < part->n; i++)
        if (units[i].source == SOURCE_LABEL)
            *ret++ = unit_label_key(&units[i], event);
}

static void window_label(struct part *part, struct state *state, const struct key128 *keys,
                         int64_t event_time, uint32_t tag, double label)
{
    const struct unit *units = part->items;
    for (size_t i = 0; i < part->n; i++) {
        if (units[i].source != SOURCE_LABEL)
            continue;
        if (!key_is_none(*keys))
            series_label(&units[i].series, state, *keys, event_time, tag, label);
        keys++;
    }
}

static void prefetch_entries(const struct series *series, const struct state *state,
                             struct record *rec)
{
    if (!rec)
        return;
    state_prefetch_change(state, rec);
    series_prefetch(series, rec);
}

static void unit_prefetch(const struct unit *unit, struct state *state, struct key128 key,
                          enum plan_prefetch stage)
{
    if (key_is_none(key))
        return;
    if (stage == PLAN_NEEDS)
        state_need(state, unit->series.family, key);
    else if (stage == PLAN_SLOTS)
        state_prefetch(state, unit->series.family, key);
    else if (stage == PLAN_RECORDS)
        state_prefetch_record(state, unit->series.family, key);
    else
        prefetch_entries(&unit->series, state, series_find(&unit->series, state, key));
}

static void window_prefetch(const struct part *part, struct state *state, const struct event *event,
                            enum plan_prefetch stage)
{
    const struct unit *units = part->items;
    for (size_t i = 0; i < part->n; i++)
        unit_prefetch(&units[i], state, unit_key(&units[i], event), stage);
}

static void window_prefetch_label(const struct part *part, struct state *state,
                                  const struct key128 *keys, enum plan_prefetch stage)
{
    const struct unit *units = part->items;
    for (size_t i = 0; i < part->n; i++)
        if (units[i].source == SOURCE_LABEL)
            unit_prefetch(&units[i], state, *keys++, stage);
}

static enum status window_describe(const struct part *part, struct record *rec, struct buf *ret)
{
    const struct unit *units = part->items;
    for (size_t i = 0; i < part->n; i++)
        if (units[i].series.family == rec->family) {
            unit_describe(&units[i], rec, ret);
            return ST_OK;
        }
    return ST_ENOTFOUND;
}

const struct feature_kind kind_window = {
    .key = "window",
    .scope = SCOPE_ENTITY,
    .options = &window_table,
    .item_bytes = sizeof(struct unit),
    .add = window_add,
    .drop = unit_drop,
    .ready = window_ready,
    .extract = window_extract,
    .observe = window_observe,
    .n_label_keys = window_n_label_keys,
    .label_keys = window_label_keys,
    .label_key_name = window_label_key_name,
    .label = window_label,
    .prefetch = window_prefetch,
    .prefetch_label = window_prefetch_label,
    .describe = window_describe,
};
