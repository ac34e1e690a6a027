/* From an item of the config to what it reads, and its family of state. */
#include <stdlib.h>

#include "features/stl_feature.h"

void stl_item_drop(void *dropped)
{
    struct stl_item *item = dropped;
    stl_buckets_done(&item->buckets);
    unit_drop(&item->unit);
}

/* Reading. */

static void read_takes(const struct item *read, const struct conf_texts *names, bool *ret)
{
    for (size_t t = 0; t < STL_TAKES; t++)
        ret[t] = names->n == 0;
    for (size_t i = 0; i < names->n; i++) {
        size_t t = 0;
        while (t < STL_TAKES && strcmp(names->items[i], stl_take_names[t]) != 0)
            t++;
        if (t < STL_TAKES)
            ret[t] = true;
        else
            complain(read, "take",
                     "\"%s\" is nothing to take; expected trend, seasonal, remainder, z, strength "
                     "or open",
                     names->items[i]);
    }
}

static void check_times(const struct item *read, const struct stl_options *options)
{
    int64_t points = options->period / options->bucket;
    if (options->period % options->bucket != 0 || points < 2 || points > STL_ONLINE_PERIOD_MAX)
        complain(read, "period", "expected 2 to %d times `bucket`, without a rest",
                 STL_ONLINE_PERIOD_MAX);
    if (!stl_buckets_fit(options->bucket, read->making->lateness))
        complain(read, "bucket", "expected at least 1/%d of time.lateness", STL_OPEN_MAX - 1);
}

static void check_fold(const struct item *read, const struct stl_options *options,
                       const struct unit *unit)
{
    if (unit->source == SOURCE_LABEL)
        complain(read, "stl", "labels come too late for buckets; see {window: label}");
    else if (unit->source != SOURCE_NUMBER && options->fold != STL_COUNT)
        complain(read, "fold", "\"%s\" holds no numbers; expected fold: count", options->stl);
    if (options->where && !options->as)
        complain(read, "where", "an stl with `where:` needs a name of its own: add `as:`");
}

/* Names. */

static void put_stem(struct buf *name, const struct stl_options *options, const char *bucket)
{
    if (options->as) {
        buf_text(name, options->as);
        return;
    }
    buf_printf(name, "%s.by.%s", options->stl, options->by.items[0]);
    if (options->by.n > 1)
        buf_printf(name, "+%s", options->by.items[1]);
    buf_printf(name, ".stl.%s.%s", bucket, stl_fold_names[options->fold]);
}

static void add_columns(struct stl_item *item, const struct making *making,
                        const struct conf_node *node, const bool *takes, const char *stem)
{
    for (uint32_t t = 0; t < STL_TAKES; t++) {
        if (!takes[t])
            continue;
        struct buf name = {0};
        buf_printf(&name, "%s.%s", stem, stl_take_names[t]);
        buf_byte(&name, 0);
        item->columns[item->n_columns].take = t;
        item->columns[item->n_columns++].column =
            columns_add_dense(making->columns, making->errors, node, name.data);
        buf_done(&name);
    }
}

static void set_up(struct stl_item *item, const struct making *making,
                   const struct stl_options *options)
{
    size_t period = (size_t)(options->period / options->bucket);
    item->params = stl_online_params_default(period);
    item->params.init_points = (size_t)options->init * period;
    item->buckets = (struct stl_buckets){
        .width = options->bucket,
        .lateness = making->lateness,
        .fold = (enum stl_fold)options->fold,
        .zeros = options->empty == 1 || (options->empty == 0 && options->fold != STL_MEAN)};
}

void stl_item_add(struct part *part, const struct making *making, const void *read,
                  const struct conf_node *node)
{
    const struct stl_options *options = read;
    struct window_options window = {
        .window = options->stl, .by = options->by, .where = options->where, .zone = options->zone};
    struct item item = {making, node, &window, {0}, making->errors->n};
    struct unit unit = {.node = node};
    bool takes[STL_TAKES];
    read_takes(&item, &options->take, takes);
    check_times(&item, options);
    window_bind(&item, "stl", options->stl, &unit);
    if (right_so_far(&item))
        check_fold(&item, options, &unit);
    if (!right_so_far(&item)) {
        unit_drop(&unit);
        return;
    }
    struct buf name = {0};
    buf_text(&name, "stl/");
    put_stem(&name, options, conf_text(conf_get(node, "bucket")));
    buf_byte(&name, 0);
    unit.name = name.data;
    struct stl_item *made = part_add_item(part);
    made->unit = unit;
    set_up(made, making, options);
    add_columns(made, making, node, takes, strchr(name.data, '/') + 1);
}

/* State. */

static void put_shape(const struct stl_item *item, const struct schema *schema, struct buf *ret)
{
    char text[64];
    const struct stl_buckets *buckets = &item->buckets;
    unit_put_source(&item->unit, schema, ret);
    buf_printf(ret, "bucket %.*s\n", (int)duration_format(buckets->width, text), text);
    buf_printf(ret, "period %zu\nfold %s\n", item->params.period, stl_fold_names[buckets->fold]);
    buf_printf(ret, "empty %s\ninit %zu\n", stl_empty_names[buckets->zeros ? 1 : 2],
               item->params.init_points / item->params.period);
    buf_byte(ret, '\0');
}

static enum status claim_family(struct stl_item *item, const struct making *making)
{
    /* To the ledger it is a window over what it collects before it begins. */
    struct series series = {.n_windows = 1};
    series.over[0] = item->buckets.width * (int64_t)item->params.init_points;
    series.keep = series.over[0];
    struct buf shape = {0};
    struct ledger_claim claim;
    put_shape(item, making->schema, &shape);
    enum status st = ledger_claim(making->ledger, item->unit.name, shape.data, &series, &claim);
    buf_done(&shape);
    if (st == ST_EVERSION)
        unit_complain_changed(&item->unit,
                              claim.stored[0] ? claim.stored : "a newer freshet's format", making);
    if (st < 0)
        return st;
    item->buckets.family = claim.family;
    if (claim.is_new && making->watch)
        making->watch->added(making->watch->arg, strchr(item->unit.name, '/') + 1, claim.warm[0]);
    return ST_OK;
}

enum status stl_item_ready(struct stl_item *item, const struct making *making)
{
    if (!making->state)
        return ST_OK;
    TRY(stl_buckets_ready(&item->buckets, &item->params));
    return claim_family(item, making);
}
