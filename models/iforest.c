/* What an `iforest` is made of: its options, its window, the fit and the score. */
#include "models/iforest.h"

#include <math.h>
#include <stdlib.h>

static void free_iforest(struct model *model)
{
    struct iforest *iforest = iforest_of(model);
    if (!iforest)
        return;
    chosen_done(&iforest->chosen);
    forest_release(iforest->forest);
    gbdt_window_done(&iforest->window);
    free(iforest);
}

static enum status create(const void *options, const struct vector_schema *schema,
                          const struct conf_node *node, struct conf_errors *errors,
                          struct model **ret)
{
    struct iforest *iforest = calloc(1, sizeof *iforest);
    if (!iforest)
        return ST_ENOMEM;
    iforest->head.ops = &iforest_ops;
    iforest->options = *(const struct iforest_options *)options;
    enum status st = chosen_init(&iforest->chosen, iforest_ops.name, &iforest->options.columns,
                                 &iforest->options.exclude, schema, node, errors);
    iforest->window.n_columns = iforest->chosen.n;
    iforest->window.rows_max = (size_t)iforest->options.rows;
    if (st < 0)
        free_iforest(&iforest->head);
    else
        *ret = &iforest->head;
    return st;
}

/* The row as the trees see it; behind it one that is always missing. */
static void look(const struct iforest *iforest, const struct vector *vector, float *ret)
{
    const struct chosen *chosen = &iforest->chosen;
    for (size_t i = 0; i < chosen->n; i++)
        ret[i] = gbdt_finite(vector->dense[chosen->column[i]]);
    ret[chosen->n] = NAN;
}

static void score(const struct model *model, const struct vector *rows, size_t n, float *ret)
{
    const struct iforest *iforest = iforest_of(model);
    float row[VECTOR_DENSE_MAX + 1];
    for (size_t i = 0; i < n; i++) {
        ret[i] = 0.5f;
        if (!iforest->forest)
            continue;
        look(iforest, &rows[i], row);
        ret[i] = isolation_score(iforest->forest, row);
    }
}

/* A correction is a row that was here before: only its label is another. */
static void recall(struct model *model, const struct example *rows, size_t n)
{
    struct iforest *iforest = iforest_of(model);
    float values[VECTOR_DENSE_MAX + 1];
    for (size_t i = 0; i < n; i++) {
        if (rows[i].correction || !(rows[i].weight > 0))
            continue;
        look(iforest, &rows[i].vector, values);
        gbdt_window_add(&iforest->window, values, &rows[i]);
    }
}

static void learn(struct model *model, const struct example *rows, size_t n)
{
    recall(model, rows, n);
    iforest_of(model)->learnt += n;
}

static bool weigh_the_same(const float *weights, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (weights[i] != weights[0])
            return false;
    return true;
}

static struct isolation_rows rows_of(const struct gbdt_window *window)
{
    const float *weights = window->weights + window->first;
    return (struct isolation_rows){
        .values = window->values + window->first * window->n_columns,
        .weights = weigh_the_same(weights, window->n) ? NULL : weights,
        .n = window->n,
    };
}

static enum status make_trees(struct iforest *iforest)
{
    const struct iforest_options *options = &iforest->options;
    struct isolation_options isolation_options = {
        .trees = (size_t)options->n_estimators,
        .samples = (size_t)options->max_samples,
        .max_features = options->max_features,
        .bootstrap = options->bootstrap,
        .seed = (uint64_t)options->random_state,
    };
    struct isolation_rows rows = rows_of(&iforest->window);
    struct isolation *isolation = NULL;
    TRY(isolation_create(&isolation_options, iforest->chosen.n, &isolation));
    enum status st = isolation_fit(isolation, &rows);
    if (st == ST_OK) {
        forest_release(iforest->forest);
        iforest->forest = forest_hold(isolation_forest(isolation));
    }
    isolation_free(isolation);
    return st;
}

static void drop_old(struct gbdt_window *window, int64_t span)
{
    int64_t newest = INT64_MIN, from;
    for (size_t i = window->first; i < window->first + window->n; i++)
        newest = window->times[i] > newest ? window->times[i] : newest;
    if (window->n > 0 && !__builtin_sub_overflow(newest, span, &from))
        gbdt_window_drop_before(window, from);
}

/* Quick enough to be cancelled only before it begins. */
static enum status fit(struct model *model, struct buf *why)
{
    struct iforest *iforest = iforest_of(model);
    if (iforest->cancelled)
        return ST_ESTOPPED;
    drop_old(&iforest->window, iforest->options.window);
    if (iforest->window.n == 0)
        return ST_OK;
    enum status st = make_trees(iforest);
    if (st < 0)
        buf_printf(why, "%zu rows: %s", iforest->window.n, status_text(st));
    return st;
}

static void cancel(struct model *model)
{
    iforest_of(model)->cancelled = true;
}

static uint64_t recalls_from(const struct model *model)
{
    const struct gbdt_window *window = &iforest_of(model)->window;
    return window->n > 0 ? window->items[window->first] : UINT64_MAX;
}

/* The window stays: it is of the log, not of the trees. */
static void share(struct model *from, struct model *to)
{
    struct forest *forest = forest_hold(iforest_of(from)->forest);
    forest_release(iforest_of(to)->forest);
    iforest_of(to)->forest = forest;
}

static void describe(const struct model *model, struct buf *ret)
{
    const struct iforest *iforest = iforest_of(model);
    buf_printf(ret, "%llu rows, %zu in the window, %zu trees, %zu nodes",
               (unsigned long long)iforest->learnt, iforest->window.n,
               iforest->forest ? iforest->forest->n_trees : 0,
               iforest->forest ? iforest->forest->n_nodes : 0);
}

/* Options. */

#define AT(field) offsetof(struct iforest_options, field)

static const struct conf_option options[] = {
    {.name = "window",
     .type = CONF_DURATION,
     .at = AT(window),
     .fallback = "30d",
     .min = 1e6,
     .max = 36500 * 86400e6,
     .help = "Trees are made from the examples of events of so much time."},
    {.name = "rows",
     .type = CONF_INT,
     .at = AT(rows),
     .fallback = "100000",
     .min = 1,
     .max = 1e9,
     .help = "And from this many at most, the newest. Each takes 4 bytes a column and 24."},
    {.name = "n_estimators",
     .type = CONF_INT,
     .at = AT(n_estimators),
     .fallback = "100",
     .min = 1,
     .max = ISOLATION_TREES_MAX,
     .help = "Trees. This and the next are named as in scikit-learn."},
    {.name = "max_samples",
     .type = CONF_INT,
     .at = AT(max_samples),
     .fallback = "256",
     .min = 1,
     .max = ISOLATION_SAMPLES_MAX,
     .help = "Rows that each tree is made from; all, where there are fewer."},
    {.name = "max_features",
     .type = CONF_REAL,
     .at = AT(max_features),
     .fallback = "1",
     .min = 1e-6,
     .max = 1,
     .help = "Share of the columns that each tree is made from; at least one column."},
    {.name = "bootstrap",
     .type = CONF_BOOL,
     .at = AT(bootstrap),
     .fallback = "false",
     .help = "Whether a row may be drawn more than once for a tree."},
    {.name = "random_state",
     .type = CONF_INT,
     .at = AT(random_state),
     .fallback = "0",
     .min = 0,
     .max = 9007199254740992,
     .help = "Seed of all that is drawn. The same window gives the same trees."},
    {.name = "columns",
     .type = CONF_TEXTS,
     .at = AT(columns),
     .help = "The only columns to look at; all numbers, unless given."},
    {.name = "exclude", .type = CONF_TEXTS, .at = AT(exclude), .help = "Columns not to look at."},
    CONF_END,
};

static const struct conf_table table = {
    "iforest",
    "An isolation forest, made anew at each publication from a window of the examples. Labels are "
    "not looked at. Scores say how far out a row is (above 0.5: farther than usual); they are no "
    "probabilities. See docs/outliers.md.",
    options, sizeof(struct iforest_options)};

const struct model_ops iforest_ops = {
    .name = "iforest",
    .help = "An isolation forest: what is unlike the rest, without labels.",
    .options = &table,
    .create = create,
    .free = free_iforest,
    .score = score,
    .learn = learn,
    .publish = share,
    .save = iforest_save,
    .load = iforest_load,
    .copy = share,
    .describe = describe,
    .fit = fit,
    .cancel = cancel,
    .recalls_from = recalls_from,
    .recall = recall,
    .publish_every = "1d",
    .unlabelled = true,
};
