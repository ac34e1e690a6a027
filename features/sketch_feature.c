/* {sketch: TERMINAL_ID, by: CUSTOMER_ID, over: 30d, take: [distinct, top]}: what an entity's values
 * were lately, in bounded memory. */
#include "features/sketch_feature.h"

#include <math.h>

#include "base/count_min.h"
#include "base/hll.h"
#include "base/kll.h"
#include "base/space_saving.h"

static const struct conf_option sketch_table_options[] = {
    {.name = "sketch",
     .type = CONF_TEXT,
     .at = offsetof(struct sketch_options, sketch),
     .required = true,
     .help = "the field whose values are looked at; the event's own is one of them"},
    {.name = "by",
     .type = CONF_TEXTS,
     .at = offsetof(struct sketch_options, by),
     .required = true,
     .help = "whose events: a field of type entity, or two for each pair of them"},
    {.name = "over",
     .type = CONF_DURATION,
     .at = offsetof(struct sketch_options, over),
     .required = true,
     .min = 1,
     .help = "how long back, to within a pane"},
    {.name = "take",
     .type = CONF_TEXTS,
     .at = offsetof(struct sketch_options, take),
     .required = true,
     .help = "what of it: distinct (how many different values), p50, p99.9 (the value that so many "
             "percent are not above), rank (the share that is not above this event's), top (the "
             "share of the most frequent value), share (of this event's value), times (how often "
             "that came, at most)"},
    {.name = "panes",
     .type = CONF_INT,
     .at = offsetof(struct sketch_options, panes),
     .fallback = "8",
     .min = 1,
     .max = PANES_MAX,
     .help = "in how many pieces a window moves on: it looks back up to over/panes less than "
             "`over`; memory grows with it"},
    {.name = "size",
     .type = CONF_INT,
     .at = offsetof(struct sketch_options, size),
     .fallback = "0",
     .min = 0,
     .max = COUNT_MIN_SIZE_MAX,
     .help = "how large a sketch is. distinct: 256 registers, a standard error of 104 % / "
             "sqrt(size). p.., rank: 64, off by 133 % / size^0.9 of the count once in 100. top, "
             "share: 16 "
             "counters, at most the pane's count / size too high. times: 64, too high by more than "
             "2.7 / size of the count once in 55. 0: these"},
    {.name = "where",
     .type = CONF_TEXT,
     .at = offsetof(struct sketch_options, where),
     .help = "only events for which this rule holds count (see `rule`); needs `as`"},
    {.name = "zone",
     .type = CONF_TEXT,
     .at = offsetof(struct sketch_options, zone),
     .help = "time zone of the calendar's words in `where`; UTC by default"},
    {.name = "as",
     .type = CONF_TEXT,
     .at = offsetof(struct sketch_options, as),
     .help = "instead of FIELD.by.ENTITY.sketch.OVER at the front of the columns' names"},
    CONF_END};

static const struct conf_table sketch_table = {
    "sketch", "An entity's values lately, however many, in little memory and with a stated error.",
    sketch_table_options, sizeof(struct sketch_options)};

static enum status sketch_ready(struct part *part, const struct making *making)
{
    struct sketch_item *items = part->items;
    enum status refused = ST_OK;
    for (size_t i = 0; i < part->n; i++) {
        enum status st = sketch_item_ready(&items[i], making);
        if (st < 0 && st != ST_EVERSION)
            return st;
        refused = st < 0 ? st : refused;
    }
    return refused;
}

/* Reading a window: its sketches, and the event's own value (NULL: it has none). */

struct found {
    size_t n;
    struct pane panes[PANES_MAX];
    const struct slot *own;
};

static void read_hll(const struct sketch_item *item, const struct found *found, double *dense)
{
    struct hll_union *all = item->memory;
    hll_union_begin(all, item->panes.size);
    for (size_t i = 0; i < found->n; i++)
        hll_union_merge(all, found->panes[i].data, found->panes[i].bytes);
    if (found->own)
        hll_union_add(all, found->own->hash);
    for (size_t i = 0; i < item->n_columns; i++)
        dense[item->columns[i].column] = hll_union_estimate(all);
}

static void read_kll(const struct sketch_item *item, const struct found *found, double *dense)
{
    struct kll_union all;
    kll_union_begin(&all, item->memory);
    for (size_t i = 0; i < found->n; i++)
        kll_union_merge(&all, found->panes[i].data, found->panes[i].bytes);
    if (found->own)
        kll_union_add(&all, found->own->value);
    for (size_t i = 0; i < item->n_columns; i++) {
        const struct sketch_column *column = &item->columns[i];
        double *to = &dense[column->column];
        if (column->take == SKETCH_QUANTILE)
            *to = kll_union_quantile(&all, column->q);
        else
            *to = found->own ? kll_union_rank(&all, found->own->value) : NAN;
    }
}

static void read_space(const struct sketch_item *item, const struct found *found, double *dense)
{
    struct space_union all;
    space_union_begin(&all, item->memory, item->panes.size, (size_t)item->panes.panes + 1);
    for (size_t i = 0; i < found->n; i++)
        space_union_merge(&all, found->panes[i].data, found->panes[i].bytes);
    if (found->own)
        space_union_add(&all, found->own->hash);
    for (size_t i = 0; i < item->n_columns; i++) {
        const struct sketch_column *column = &item->columns[i];
        double count = column->take == SKETCH_TOP ? space_union_top(&all)
                       : found->own               ? space_union_count(&all, found->own->hash)
                                                  : NAN;
        dense[column->column] = all.total > 0 ? count / all.total : NAN;
    }
}

static void read_count_min(const struct sketch_item *item, const struct found *found, double *dense)
{
    struct count_min_query query = count_min_query_of(found->own ? found->own->hash : 0);
    for (size_t i = 0; i < found->n; i++)
        count_min_query_add(&query, item->panes.size, found->panes[i].data);
    for (size_t i = 0; i < item->n_columns; i++)
        dense[item->columns[i].column] = found->own ? count_min_query_count(&query) + 1 : NAN;
}

static void read_window(const struct sketch_item *item, const struct found *found, double *dense)
{
    const struct sketch_type *type = item->panes.type;
    if (type == &sketch_hll)
        read_hll(item, found, dense);
    else if (type == &sketch_kll)
        read_kll(item, found, dense);
    else if (type == &sketch_space_saving)
        read_space(item, found, dense);
    else
        read_count_min(item, found, dense);
}

static void extract_item(const struct sketch_item *item, struct state *state,
                         const struct event *event, double *dense)
{
    struct key128 key = unit_key(&item->unit, event);
    struct found found;
    struct slot own;
    if (key_is_none(key) || event->time < item->warm) {
        for (size_t i = 0; i < item->n_columns; i++)
            dense[item->columns[i].column] = NAN;
        return;
    }
    found.n = panes_find(&item->panes, state_find(state, item->panes.family, key), event->time,
                         found.panes);
    found.own = unit_entry(&item->unit, event, &own) ? &own : NULL;
    read_window(item, &found, dense);
}

static void sketch_extract(struct part *part, struct state *state, const struct event *event,
                           double *dense, struct sparse_row *sparse)
{
    const struct sketch_item *items = part->items;
    (void)sparse;
    for (size_t i = 0; i < part->n; i++)
        extract_item(&items[i], state, event, dense);
}

static void sketch_observe(struct part *part, struct state *state, const struct event *event)
{
    const struct sketch_item *items = part->items;
    for (size_t i = 0; i < part->n; i++) {
        struct key128 key = unit_key(&items[i].unit, event);
        struct slot own;
        if (key_is_none(key) || !unit_entry(&items[i].unit, event, &own))
            continue;
        union sketch_value value = {.hash = own.hash};
        if (items[i].panes.type->numbers)
            value.number = own.value;
        panes_observe(&items[i].panes, state, key, event->time, value);
    }
}

static void sketch_prefetch(const struct part *part, struct state *state, const struct event *event,
                            enum plan_prefetch stage)
{
    const struct sketch_item *items = part->items;
    for (size_t i = 0; i < part->n; i++)
        fading_prefetch(items[i].panes.family, state, unit_key(&items[i].unit, event), stage);
}

static enum status sketch_describe(const struct part *part, struct record *rec, struct buf *ret)
{
    const struct sketch_item *items = part->items;
    for (size_t i = 0; i < part->n; i++) {
        size_t n;
        int64_t from, to;
        if (items[i].panes.family != rec->family)
            continue;
        fading_put_family(&items[i].unit, ret);
        if (panes_describe(&items[i].panes, rec, &n, &from, &to)) {
            buf_printf(ret, ",\"panes\":%zu,\"bytes\":%u", n, rec->size);
            unit_put_time(ret, "from", from);
            unit_put_time(ret, "to", to);
        }
        buf_byte(ret, '}');
        return ST_OK;
    }
    return ST_ENOTFOUND;
}

const struct feature_kind kind_sketch = {
    .key = "sketch",
    .scope = SCOPE_ENTITY,
    .options = &sketch_table,
    .item_bytes = sizeof(struct sketch_item),
    .add = sketch_item_add,
    .drop = sketch_item_drop,
    .ready = sketch_ready,
    .extract = sketch_extract,
    .observe = sketch_observe,
    .prefetch = sketch_prefetch,
    .describe = sketch_describe,
};
