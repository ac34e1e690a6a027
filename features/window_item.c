/* From an item of the config to units and their columns. */
#include <stdlib.h>

#include "features/window.h"

/* Reading. */

static void read_takes(struct item *item)
{
    const struct conf_texts *names = &item->options->take;
    for (size_t i = 0; i < names->n; i++) {
        int found = -1;
        for (int t = 0; t < TAKES; t++)
            found = strcmp(names->items[i], take_names[t]) == 0 ? t : found;
        const char *nearest = conf_nearest(names->items[i], take_names);
        if (found >= 0)
            item->takes[found] = true;
        else
            complain(item, "take",
                     "\"%s\" is nothing to take%s%s%s; expected count, sum, mean, min, "
                     "max, std, distinct, since, ratio, gap, burst, velocity or velocity_sum",
                     names->items[i], nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                     nearest ? "\"?" : "");
    }
}

/* The takes that an item's own series serves; `distinct` has one for itself. */
static bool takes_any(const struct item *item, bool distinct)
{
    for (int t = 0; t < TAKES; t++)
        if (item->takes[t] && (t == TAKE_DISTINCT) == distinct)
            return true;
    return false;
}

static bool takes_windows(const struct item *item)
{
    for (int t = 0; t < TAKES; t++)
        if (item->takes[t] && t != TAKE_SINCE)
            return true;
    return false;
}

static bool needs_numbers(int take)
{
    return (take >= TAKE_SUM && take <= TAKE_STD) || take == TAKE_RATIO ||
           take == TAKE_VELOCITY_SUM;
}

static bool is_of_gaps(int take)
{
    return take == TAKE_GAP || take == TAKE_BURST;
}

static bool is_velocity(int take)
{
    return take == TAKE_VELOCITY || take == TAKE_VELOCITY_SUM;
}

static void check_takes(const struct item *item, enum unit_source source)
{
    const char *name = item->options->window;
    bool numeric = source == SOURCE_NUMBER || source == SOURCE_LABEL;
    for (int t = 0; t < TAKES; t++) {
        if (!item->takes[t])
            continue;
        if (!numeric && needs_numbers(t))
            complain(item, "take",
                     "\"%s\" of \"%s\" is nothing: it holds no numbers; take count, "
                     "distinct, since, gap, burst or velocity",
                     take_names[t], name);
        else if (t == TAKE_RATIO && source == SOURCE_LABEL)
            complain(item, "take", "`ratio` of `label` is nothing: an event has no label yet");
        else if (is_of_gaps(t) && source == SOURCE_LABEL)
            complain(item, "take", "`%s` of `label` is nothing; take it of `events`",
                     take_names[t]);
    }
}

static int64_t delay_of(const struct item *item, enum unit_source source)
{
    const struct label_schema *labels = &item->making->schema->labels;
    int64_t delay = item->options->delay;
    if (source != SOURCE_LABEL)
        return delay;
    if (!conf_get(item->node, "delay"))
        return labels->delay;
    if (delay < labels->delay) {
        char text[48];
        duration_format(labels->delay, text);
        complain(item, "delay", "labels are known only after labels.delay; expected at least %s",
                 text);
    }
    return delay;
}

/* Units. */

static void put_by(struct buf *name, const struct window_options *options, const char *source)
{
    buf_printf(name, "%s.by.%s", source, options->by.items[0]);
    if (options->by.n > 1)
        buf_printf(name, "+%s", options->by.items[1]);
}

/* What two items must have in common to share a series. */
static char *unit_name(const struct item *item, const char *source, bool distinct, int64_t delay)
{
    const struct window_options *options = item->options;
    struct buf name = {0};
    char text[64];
    buf_text(&name, "window/");
    put_by(&name, options, source);
    if (distinct)
        buf_text(&name, " distinct");
    if (options->kind != KIND_SLIDING)
        buf_printf(&name, " %s", window_kind_names[options->kind]);
    if (delay > 0)
        buf_printf(&name, " delay %.*s", (int)duration_format(delay, text), text);
    if (options->where)
        buf_printf(&name, " where %s", options->where);
    if (options->where && options->zone)
        buf_printf(&name, " zone %s", options->zone);
    buf_byte(&name, 0);
    return name.data;
}

static struct unit *find_unit(struct part *part, const char *name)
{
    struct unit *units = part->items;
    for (size_t i = 0; i < part->n; i++)
        if (strcmp(units[i].name, name) == 0)
            return &units[i];
    return NULL;
}

static enum series_entry entry_kind(const struct unit *unit, bool distinct)
{
    return distinct ? SERIES_HASH : unit->source == SOURCE_LABEL ? SERIES_LABEL : SERIES_VALUE;
}

/* The unit that an item's takes (all but distinct, or distinct) read: a new one, or one that is
 * there. NULL after a complaint. */
static struct unit *obtain_unit(struct part *part, const struct item *item, const char *option,
                                const char *source, bool distinct)
{
    const struct window_options *options = item->options;
    struct unit made = {0};
    window_bind(item, option, source, &made);
    if (distinct && made.source == SOURCE_EVENTS)
        complain(item, "take", "`distinct` of events needs `of:`, a field");
    if (distinct && made.source == SOURCE_LABEL)
        complain(item, "take", "`distinct` of labels is nothing; name a field with `of:`");
    if (!distinct)
        check_takes(item, made.source);
    made.series.entry = entry_kind(&made, distinct);
    made.series.delay = delay_of(item, made.source);
    made.series.absent = item->making->schema->labels.absent.is;
    made.series.tumbling = options->kind == KIND_TUMBLING;
    made.series.tiled = options->kind == KIND_TILED;
    if (!right_so_far(item)) {
        unit_drop(&made);
        return NULL;
    }
    made.name = unit_name(item, source, distinct, made.series.delay);
    struct unit *unit = find_unit(part, made.name);
    if (unit) {
        unit_drop(&made);
    } else {
        made.node = item->node;
        unit = part_add_item(part);
        *unit = made;
    }
    return unit;
}

/* The largest of all items that share it. */
static void widen_unit(struct unit *unit, const struct item *item)
{
    struct series *series = &unit->series;
    const struct window_options *options = item->options;
    unsigned tiles = (unsigned)options->tiles;
    uint32_t entries_max = (uint32_t)options->entries_max;
    series->tiles = tiles > series->tiles ? tiles : series->tiles;
    series->entries_max = entries_max > series->entries_max ? entries_max : series->entries_max;
    series->spread = series->spread || item->takes[TAKE_STD];
    unit->gaps = unit->gaps || item->takes[TAKE_GAP] || item->takes[TAKE_BURST];
    series->extremes = series->extremes || item->takes[TAKE_MIN] || item->takes[TAKE_MAX];
    for (size_t i = 0; i < options->over.n && takes_windows(item); i++)
        if (!series_add_window(series, options->over.items[i]))
            complain(item, "over", "more than %d windows over the same thing", SERIES_WINDOWS_MAX);
}

/* Columns. */

static void put_prefix(struct buf *name, const struct item *item, const char *source)
{
    const struct window_options *options = item->options;
    if (options->as && !options->where)
        buf_text(name, options->as);
    else
        put_by(name, options, source);
    if (options->where)
        buf_printf(name, ".where.%s", options->as);
}

/* `over` as it stands in the file: 7d stays 7d. */
static const char *over_text(const struct item *item, size_t i)
{
    const struct conf_node *over = conf_get(item->node, "over");
    return conf_text(over) ? conf_text(over) : conf_text(conf_item(over, i));
}

static int64_t longest_over(const struct item *item)
{
    const struct conf_durations *over = &item->options->over;
    int64_t longest = 0;
    for (size_t i = 0; i < over->n; i++)
        longest = over->items[i] > longest ? over->items[i] : longest;
    return longest;
}

static void add_column(const struct item *item, struct unit *unit, const char *source,
                       enum take take, size_t over)
{
    struct buf name = {0};
    put_prefix(&name, item, source);
    if (take != TAKE_SINCE)
        buf_printf(&name, ".%s", over_text(item, over));
    buf_printf(&name, ".%s", take_names[take]);
    buf_byte(&name, 0);
    unit->columns = realloc(unit->columns, (unit->n_columns + 1) * sizeof *unit->columns);
    if (!unit->columns)
        abort();
    int64_t span = take == TAKE_SINCE ? 0 : item->options->over.items[over];
    unit->columns[unit->n_columns++] = (struct unit_column){
        .column =
            columns_add_dense(item->making->columns, item->making->errors, item->node, name.data),
        .take = (uint16_t)take,
        .over = span,
        .longest = is_velocity(take) ? longest_over(item) : span,
    };
    buf_done(&name);
}

static const char *distinct_source(const struct window_options *options)
{
    return options->of ? options->of : options->window;
}

/* Window by window, each in the order of `take`; `since`, which has no window, comes last. part's
 * items may move while units are added, so they are looked up by index. */
static void add_columns(const struct item *item, struct unit *unit, struct unit *distinct)
{
    const struct window_options *options = item->options;
    for (size_t w = 0; w < options->over.n; w++)
        for (size_t i = 0; i < options->take.n; i++)
            for (int t = 0; t < TAKES; t++) {
                if (t == TAKE_SINCE || strcmp(options->take.items[i], take_names[t]) != 0)
                    continue;
                if (is_velocity(t) && options->over.items[w] == longest_over(item))
                    continue;
                if (t == TAKE_DISTINCT)
                    add_column(item, distinct, distinct_source(options), TAKE_DISTINCT, w);
                else
                    add_column(item, unit, options->window, (enum take)t, w);
            }
    if (item->takes[TAKE_SINCE])
        add_column(item, unit, options->window, TAKE_SINCE, 0);
}

static bool spans_differ(const struct item *item)
{
    const struct conf_durations *over = &item->options->over;
    for (size_t i = 0; i < over->n; i++)
        if (over->items[i] != longest_over(item))
            return true;
    return false;
}

static void check_options(const struct item *item)
{
    const struct window_options *options = item->options;
    if (options->where && !options->as)
        complain(item, "where", "a window with `where:` needs a name of its own: add `as:`");
    if (takes_windows(item) && options->over.n == 0)
        complain(item, "over", "expected `over:`, such as [1d, 7d]");
    if ((item->takes[TAKE_VELOCITY] || item->takes[TAKE_VELOCITY_SUM]) && !spans_differ(item))
        complain(item, "over",
                 "a velocity compares windows; expected two of them, such as [1h, 7d]");
    if (options->of && !item->takes[TAKE_DISTINCT])
        complain(item, "of", "`of:` is what `distinct` counts, which is not taken");
    if (options->kind == KIND_TILED && item->takes[TAKE_DISTINCT])
        complain(item, "kind", "`distinct` cannot be tiled; it is sampled past entries_max");
}

void window_add(struct part *part, const struct making *making, const void *read,
                const struct conf_node *node)
{
    struct item item = {making, node, read, {0}, making->errors->n};
    const struct window_options *options = read;
    read_takes(&item);
    check_options(&item);
    if (!right_so_far(&item))
        return;
    size_t unit = SIZE_MAX, distinct = SIZE_MAX;
    struct unit *obtained;
    if (takes_any(&item, false)) {
        obtained = obtain_unit(part, &item, "window", options->window, false);
        unit = obtained ? (size_t)(obtained - (struct unit *)part->items) : SIZE_MAX;
    }
    if (takes_any(&item, true) && right_so_far(&item)) {
        obtained =
            obtain_unit(part, &item, options->of ? "of" : "window", distinct_source(options), true);
        distinct = obtained ? (size_t)(obtained - (struct unit *)part->items) : SIZE_MAX;
    }
    if (!right_so_far(&item))
        return;
    struct unit *units = part->items;
    if (unit != SIZE_MAX)
        widen_unit(&units[unit], &item);
    if (distinct != SIZE_MAX)
        widen_unit(&units[distinct], &item);
    if (right_so_far(&item))
        add_columns(&item, unit == SIZE_MAX ? NULL : &units[unit],
                    distinct == SIZE_MAX ? NULL : &units[distinct]);
}
