/* What a `gbdt` is made of: its options and its columns by name; scoring and learning. */
#include "models/gbdt.h"

#include <math.h>
#include <stdlib.h>

#include "models/logistic.h"
#include "models/reasons.h"
#include "models/smote.h"

static enum status import(struct gbdt *gbdt, const struct conf_node *node,
                          struct conf_errors *errors)
{
    const char *file = gbdt->options.file;
    struct buf why = {0};
    enum status st = booster_import(file, &why, &gbdt->booster);
    if (st == ST_OK)
        st = gbdt_take_booster(gbdt, buf_slice(&gbdt->booster), &why);
    for (size_t i = 0; st == ST_OK && i < gbdt->forest->n_features; i++)
        if (gbdt->place[i] == gbdt->chosen.n && st == ST_OK) {
            buf_printf(&why, "its feature \"%s\" is none of the features' columns",
                       gbdt->forest->names[i]);
            st = ST_EINVAL;
        }
    if (st < 0) {
        conf_complain(errors, conf_get(node, "file"), "%s: %.*s", file, (int)why.len, why.data);
        st = ST_EINVAL;
    }
    buf_done(&why);
    return st;
}

static void free_gbdt(struct model *model)
{
    struct gbdt *gbdt = gbdt_of(model);
    if (!gbdt)
        return;
    chosen_done(&gbdt->chosen);
    free(gbdt->place);
    forest_release(gbdt->forest);
    gbdt_window_done(&gbdt->window);
    buf_done(&gbdt->booster);
    free(gbdt);
}

static enum status create(const void *options, const struct vector_schema *schema,
                          const struct conf_node *node, struct conf_errors *errors,
                          struct model **ret)
{
    struct gbdt *gbdt = calloc(1, sizeof *gbdt);
    if (!gbdt)
        return ST_ENOMEM;
    size_t mistakes = errors->n;
    gbdt->head.ops = &gbdt_ops;
    gbdt->options = *(const struct gbdt_options *)options;
    enum status st = chosen_init(&gbdt->chosen, gbdt_ops.name, &gbdt->options.columns,
                                 &gbdt->options.exclude, schema, node, errors);
    gbdt->balance = balance_read(gbdt->options.class_weight, errors);
    gbdt->options.class_weight = NULL; /* the configuration's: it may be gone after this */
    if (st == ST_OK && errors->n > mistakes)
        st = ST_EINVAL;
    gbdt->window.n_columns = gbdt->chosen.n;
    gbdt->window.rows_max = (size_t)gbdt->options.rows;
    if (st == ST_OK && gbdt->options.file)
        st = import(gbdt, node, errors);
    if (st < 0)
        free_gbdt(&gbdt->head);
    else
        *ret = &gbdt->head;
    return st;
}

/* The row as the forest sees it. */
static void look(const struct gbdt *gbdt, const struct vector *vector, float *ret)
{
    for (size_t i = 0; i < gbdt->forest->n_features; i++) {
        uint32_t place = gbdt->place[i];
        ret[i] =
            place == gbdt->chosen.n ? NAN : gbdt_finite(vector->dense[gbdt->chosen.column[place]]);
    }
}

static void score(const struct model *model, const struct vector *rows, size_t n, float *ret)
{
    const struct gbdt *gbdt = gbdt_of(model);
    float row[VECTOR_DENSE_MAX];
    for (size_t i = 0; i < n; i++) {
        double logit = gbdt->prior;
        if (gbdt->forest) {
            look(gbdt, &rows[i], row);
            logit = (double)forest_logit(gbdt->forest, row) - gbdt->offset;
        }
        ret[i] = (float)logistic(logit);
    }
}

static double explain(const struct model *model, const struct vector *vector, struct reasons *ret)
{
    const struct gbdt *gbdt = gbdt_of(model);
    float row[VECTOR_DENSE_MAX];
    double all[VECTOR_DENSE_MAX] = {0};
    if (!gbdt->forest)
        return gbdt->prior;
    look(gbdt, vector, row);
    forest_explain(gbdt->forest, row, all);
    for (size_t i = 0; i < gbdt->forest->n_features; i++)
        if (gbdt->place[i] < gbdt->chosen.n)
            reasons_offer(ret, gbdt->chosen.names[gbdt->place[i]], all[i]);
    return gbdt->forest->bias - gbdt->offset;
}

static void remember(struct gbdt *gbdt, const struct example *row)
{
    float values[VECTOR_DENSE_MAX];
    for (size_t i = 0; i < gbdt->chosen.n; i++)
        values[i] = gbdt_finite(row->vector.dense[gbdt->chosen.column[i]]);
    if (row->correction)
        gbdt_window_retract(&gbdt->window, values, row->time);
    gbdt_window_add(&gbdt->window, values, row);
}

static void recall(struct model *model, const struct example *rows, size_t n)
{
    struct gbdt *gbdt = gbdt_of(model);
    for (size_t i = 0; !gbdt->options.file && i < n; i++)
        remember(gbdt, &rows[i]);
}

static void learn(struct model *model, const struct example *rows, size_t n)
{
    recall(model, rows, n);
    gbdt_of(model)->learnt += n;
}

static uint64_t recalls_from(const struct model *model)
{
    const struct gbdt_window *window = &gbdt_of(model)->window;
    return window->n > 0 ? window->items[window->first] : UINT64_MAX;
}

static void cancel(struct model *model)
{
    gbdt_of(model)->cancelled = true;
}

static void publish(struct model *from, struct model *to)
{
    gbdt_share_forest(gbdt_of(from), gbdt_of(to));
}

/* The window stays: it is of the log, not of the trees. */
static void copy(struct model *from, struct model *to)
{
    struct buf *booster = &gbdt_of(to)->booster;
    gbdt_share_forest(gbdt_of(from), gbdt_of(to));
    buf_reset(booster);
    buf_append(booster, gbdt_of(from)->booster.data, gbdt_of(from)->booster.len);
}

static void describe(const struct model *model, struct buf *ret)
{
    const struct gbdt *gbdt = gbdt_of(model);
    buf_printf(ret, "%llu rows, %zu in the window, %zu trees, %zu nodes",
               (unsigned long long)gbdt->learnt, gbdt->window.n,
               gbdt->forest ? gbdt->forest->n_trees : 0, gbdt->forest ? gbdt->forest->n_nodes : 0);
}

/* Options. */

static const char *const hows[] = {"refit", "continue", NULL};

#define AT(field) offsetof(struct gbdt_options, field)

static const struct conf_option options[] = {
    {.name = "window",
     .type = CONF_DURATION,
     .at = AT(window),
     .fallback = "90d",
     .min = 1e6,
     .max = 36500 * 86400e6,
     .help = "Trees are made from the examples of events of so much time."},
    {.name = "rows",
     .type = CONF_INT,
     .at = AT(rows),
     .fallback = "1000000",
     .min = 100,
     .max = 1e9,
     .help =
         "And from this many at most, the newest. Each takes 4 bytes a column and 24, and while "
         "trees are made some 10 bytes a column more."},
    {.name = "how",
     .type = CONF_CHOICE,
     .at = AT(how),
     .fallback = "refit",
     .choices = hows,
     .help = "At a publication trees are made anew (`refit`), or `rounds` more are added to those "
             "there are (`continue`)."},
    {.name = "rounds",
     .type = CONF_INT,
     .at = AT(rounds),
     .fallback = "100",
     .min = 1,
     .max = 10000,
     .help = "Trees made at a publication."},
    {.name = "trees_max",
     .type = CONF_INT,
     .at = AT(trees_max),
     .fallback = "1000",
     .min = 1,
     .max = 100000,
     .help = "With `how: continue`: where there would be more trees, all are made anew."},
    {.name = "depth",
     .type = CONF_INT,
     .at = AT(depth),
     .fallback = "6",
     .min = 1,
     .max = 16,
     .help = "Questions that a tree asks at most (XGBoost's max_depth)."},
    {.name = "learning_rate",
     .type = CONF_REAL,
     .at = AT(learning_rate),
     .fallback = "0.1",
     .min = 1e-4,
     .max = 1,
     .help = "How much of what a tree finds it says."},
    {.name = "subsample",
     .type = CONF_REAL,
     .at = AT(subsample),
     .fallback = "1",
     .min = 0.01,
     .max = 1,
     .help = "Share of the rows that each tree is made from."},
    {.name = "colsample",
     .type = CONF_REAL,
     .at = AT(colsample),
     .fallback = "1",
     .min = 0.01,
     .max = 1,
     .help = "Share of the columns that each tree is made from (XGBoost's colsample_bytree)."},
    {.name = "min_child_weight",
     .type = CONF_REAL,
     .at = AT(min_child_weight),
     .fallback = "1",
     .min = 0,
     .max = 1e6,
     .help = "Least sum of p(1 - p) over the rows of a leaf."},
    {.name = "lambda",
     .type = CONF_REAL,
     .at = AT(lambda),
     .fallback = "1",
     .min = 0,
     .max = 1e6,
     .help = "L2 penalty of leaves."},
    {.name = "scale_pos_weight",
     .type = CONF_REAL,
     .at = AT(scale_pos_weight),
     .fallback = "1",
     .min = 1e-6,
     .max = 1e6,
     .help = "XGBoost's own class weight. Other than 1, scores are no probabilities any more; "
             "`class_weight` puts them right."},
    {.name = "class_weight",
     .type = CONF_NODE,
     .at = AT(class_weight),
     .write_schema = balance_write_schema,
     .help = BALANCE_HELP},
    {.name = "smote",
     .type = CONF_REAL,
     .at = AT(smote),
     .fallback = "0",
     .min = 0,
     .max = 1,
     .help = "At a publication positives are made up between those of the window (SMOTE) until "
             "there are so many to a negative. Scores are put right for it. 0: none."},
    {.name = "smote_neighbours",
     .type = CONF_INT,
     .at = AT(smote_neighbours),
     .fallback = "5",
     .min = 1,
     .max = SMOTE_NEIGHBOURS_MAX,
     .help = "The nearest positives, one of which a made-up one leans to."},
    {.name = "seed",
     .type = CONF_INT,
     .at = AT(seed),
     .fallback = "0",
     .min = 0,
     .max = 2147483647,
     .help = "Of what is sampled."},
    {.name = "file",
     .type = CONF_TEXT,
     .at = AT(file),
     .help = "A model that XGBoost saved (.json or .ubj), served as it is: nothing is learnt. Its "
             "features are found by name; without names they are the columns in order."},
    {.name = "columns",
     .type = CONF_TEXTS,
     .at = AT(columns),
     .help = "The only columns to learn from; all numbers, unless given."},
    {.name = "exclude",
     .type = CONF_TEXTS,
     .at = AT(exclude),
     .help = "Columns not to learn from."},
    CONF_END,
};

static const struct conf_table table = {
    "gbdt",
    "Gradient-boosted trees, made by XGBoost from a window of the examples at each publication, or "
    "imported. Of numbers alone: categories are passed over.",
    options, sizeof(struct gbdt_options)};

const struct model_ops gbdt_ops = {
    .name = "gbdt",
    .help = "Gradient-boosted trees (XGBoost), refit at each publication or imported.",
    .options = &table,
    .create = create,
    .free = free_gbdt,
    .score = score,
    .learn = learn,
    .publish = publish,
    .save = gbdt_save,
    .load = gbdt_load,
    .copy = copy,
    .compare = gbdt_compare,
    .compared_by = "shares of all splits",
    .describe = describe,
    .explain = explain,
    .explained_by =
        "by the path through each tree: a step counts for the column asked, as much as it changes "
        "the mean of the leaves below. They add up to the logit, with the mean of all leaves.",
    .fit = gbdt_fit,
    .cancel = cancel,
    .recalls_from = recalls_from,
    .recall = recall,
    .publish_every = "1d",
};
