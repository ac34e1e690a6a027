/* {outlier: [TX_AMOUNT, night], by: CUSTOMER_ID}: how unlike those before it an event's vector is.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "features/fading.h"
#include "features/outlier.h"

struct outlier_options {
    struct conf_texts outlier, by;
    int64_t events, trees, depth, seed;
    const char *as;
};

#define AT(field) offsetof(struct outlier_options, field)

static const struct conf_option outlier_table_options[] = {
    {.name = "outlier",
     .type = CONF_TEXTS,
     .at = AT(outlier),
     .required = true,
     .help = "the columns that are looked at, by their names: numbers that items above it make; up "
             "to 64"},
    {.name = "by",
     .type = CONF_TEXTS,
     .at = AT(by),
     .help = "whose events an event is compared with: a field of type entity, or two for each pair "
             "of them; all events, unless given"},
    {.name = "events",
     .type = CONF_INT,
     .at = AT(events),
     .fallback = "0",
     .min = 0,
     .max = OUTLIER_WINDOW_MAX,
     .help = "how many make a window, which is counted before its counts tell. The first window "
             "finds the columns' "
             "ranges, the second is counted; until it is full there is no number. 0: 64, and 32 "
             "with `by`"},
    {.name = "trees",
     .type = CONF_INT,
     .at = AT(trees),
     .fallback = "0",
     .min = 0,
     .max = OUTLIER_TREES_MAX,
     .help = "trees. Each takes two bytes times two to the power of `depth`, or four for `events` "
             "above 255. 0: 20, and 10 with `by`"},
    {.name = "depth",
     .type = CONF_INT,
     .at = AT(depth),
     .fallback = "0",
     .min = 0,
     .max = OUTLIER_DEPTH_MAX,
     .help = "questions that a tree asks. 0: 6, and 4 with `by`"},
    {.name = "seed",
     .type = CONF_INT,
     .at = AT(seed),
     .fallback = "0",
     .min = 0,
     .max = 9007199254740992,
     .help = "of what is drawn: the trees"},
    {.name = "as",
     .type = CONF_TEXT,
     .at = AT(as),
     .help = "the column's name, instead of `outlier` or outlier.by.ENTITY"},
    CONF_END};

static const struct conf_table outlier_table = {
    "outlier", "How unlike the events before it an event is: from 0 to 1, which is far out.",
    outlier_table_options, sizeof(struct outlier_options)};

struct outlier_item {
    struct unit unit; /* whose events; without `by` nobody's, and `everyone` is the record's id */
    struct key128 everyone;
    struct outlier outlier;
    uint64_t seed;
    int64_t warm; /* events before it do not know it */
    uint32_t column;
    uint32_t inputs[OUTLIER_COLUMNS_MAX];
};

static void outlier_drop(void *dropped)
{
    struct outlier_item *item = dropped;
    outlier_done(&item->outlier);
    unit_drop(&item->unit);
}

/* Making. */

static void find_inputs(const struct item *read, const struct conf_texts *names,
                        struct outlier_item *ret)
{
    if (names->n < 1 || names->n > OUTLIER_COLUMNS_MAX) {
        complain(read, "outlier", "expected 1 to %d columns", OUTLIER_COLUMNS_MAX);
        return;
    }
    for (size_t i = 0; i < names->n; i++)
        if (!columns_find_dense(read->making->columns, names->items[i], &ret->inputs[i])) {
            const char *nearest = columns_nearest_dense(read->making->columns, names->items[i]);
            complain(read, "outlier", "no item above makes a column \"%s\"%s%s%s", names->items[i],
                     nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                     nearest ? "\"?" : "");
        }
    ret->outlier.n_columns = names->n;
}

/* Whose record, and its name: "outlier/AS", which is the column's too. */
static void bind(const struct item *read, const struct outlier_options *options, struct unit *ret)
{
    struct buf name = {0};
    if (options->by.n > 0)
        window_bind(read, "by", "events", ret);
    else
        ret->bindings = calloc(read->making->schema->n_streams + 1, sizeof *ret->bindings);
    if (!ret->bindings)
        abort();
    buf_printf(&name, "outlier/%s", options->as ? options->as : "outlier");
    for (size_t i = 0; i < options->by.n && !options->as; i++)
        buf_printf(&name, "%s%s", i > 0 ? "+" : ".by.", options->by.items[i]);
    buf_byte(&name, 0);
    ret->name = name.data;
}

static struct outlier sizes_of(const struct outlier_options *options)
{
    bool all = options->by.n == 0;
    return (struct outlier){.trees = options->trees > 0 ? (size_t)options->trees
                                     : all              ? 20
                                                        : 10,
                            .depth = options->depth > 0 ? (size_t)options->depth
                                     : all              ? 6
                                                        : 4,
                            .window = options->events > 0 ? (size_t)options->events
                                      : all               ? 64
                                                          : 32};
}

static void outlier_add(struct part *part, const struct making *making, const void *read,
                        const struct conf_node *node)
{
    const struct outlier_options *options = read;
    struct window_options window = {.window = "events", .by = options->by, .as = options->as};
    struct item item = {making, node, &window, {0}, making->errors->n};
    struct outlier_item made = {.unit = {.node = node, .source = SOURCE_EVENTS},
                                .outlier = sizes_of(options),
                                .seed = (uint64_t)options->seed};
    if (options->events == 1)
        complain(&item, "events", "expected at least 2");
    find_inputs(&item, &options->outlier, &made);
    bind(&item, options, &made.unit);
    if (options->by.n == 0)
        made.everyone = hash_entity(slice_of("outlier"), slice_of(""));
    made.column =
        columns_add_dense(making->columns, making->errors, node, strchr(made.unit.name, '/') + 1);
    if (right_so_far(&item))
        *(struct outlier_item *)part_add_item(part) = made;
    else
        unit_drop(&made.unit);
}

static enum status ready_item(struct outlier_item *item, const struct making *making)
{
    const struct outlier *outlier = &item->outlier;
    struct buf shape = {0};
    TRY(outlier_ready(&item->outlier, item->seed));
    for (size_t i = 0; i < outlier->n_columns; i++)
        buf_printf(&shape, "column %s\n", making->columns->dense.items[item->inputs[i]]);
    buf_printf(&shape, "trees %zu\ndepth %zu\nevents %zu\nseed %" PRIu64 "\n", outlier->trees,
               outlier->depth, outlier->window, item->seed);
    enum status st =
        fading_claim(&item->unit, making, &shape, 0, &item->outlier.family, &item->warm);
    buf_done(&shape);
    return st;
}

static enum status outlier_make_ready(struct part *part, const struct making *making)
{
    struct outlier_item *items = part->items;
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

static struct key128 key_of(const struct outlier_item *item, const struct event *event)
{
    return key_is_none(item->everyone) ? unit_key(&item->unit, event) : item->everyone;
}

/* The columns rounded, as models see them. False: all are missing, and the event is passed over. */
static bool look(const struct outlier_item *item, const double *dense, float *ret)
{
    bool any = false;
    for (size_t i = 0; i < item->outlier.n_columns; i++) {
        ret[i] = (float)dense[item->inputs[i]];
        any = any || !isnan(ret[i]);
    }
    return any;
}

static void outlier_extract(struct part *part, struct state *state, const struct event *event,
                            double *dense, struct sparse_row *sparse)
{
    const struct outlier_item *items = part->items;
    float row[OUTLIER_COLUMNS_MAX];
    (void)sparse;
    for (size_t i = 0; i < part->n; i++) {
        struct key128 key = key_of(&items[i], event);
        bool known = !key_is_none(key) && event->time >= items[i].warm;
        dense[items[i].column] =
            known && look(&items[i], dense, row)
                ? outlier_read(&items[i].outlier, state_find(state, items[i].outlier.family, key),
                               row)
                : NAN;
    }
}

static void outlier_observe_vector(struct part *part, struct state *state,
                                   const struct event *event, const double *dense)
{
    const struct outlier_item *items = part->items;
    float row[OUTLIER_COLUMNS_MAX];
    for (size_t i = 0; i < part->n; i++) {
        struct key128 key = key_of(&items[i], event);
        if (!key_is_none(key) && look(&items[i], dense, row))
            outlier_observe(&items[i].outlier, state, key, row);
    }
}

static void outlier_prefetch(const struct part *part, struct state *state,
                             const struct event *event, enum plan_prefetch stage)
{
    const struct outlier_item *items = part->items;
    for (size_t i = 0; i < part->n; i++)
        fading_prefetch(items[i].outlier.family, state, key_of(&items[i], event), stage);
}

static enum status outlier_describe_rec(const struct part *part, struct record *rec,
                                        struct buf *ret)
{
    const struct outlier_item *items = part->items;
    for (size_t i = 0; i < part->n; i++) {
        uint64_t windows, rows;
        if (items[i].outlier.family != rec->family)
            continue;
        fading_put_family(&items[i].unit, ret);
        if (outlier_describe(&items[i].outlier, rec, &windows, &rows)) {
            unit_put_number(ret, "windows", (double)windows);
            unit_put_number(ret, "rows", (double)rows);
        }
        buf_byte(ret, '}');
        return ST_OK;
    }
    return ST_ENOTFOUND;
}

const struct feature_kind kind_outlier = {
    .key = "outlier",
    .scope = SCOPE_GLOBAL,
    .options = &outlier_table,
    .item_bytes = sizeof(struct outlier_item),
    .add = outlier_add,
    .drop = outlier_drop,
    .ready = outlier_make_ready,
    .extract = outlier_extract,
    .observe_vector = outlier_observe_vector,
    .prefetch = outlier_prefetch,
    .describe = outlier_describe_rec,
};
