/* Trees: made from the window, or taken from a saved model. */
#include <math.h>
#include <stdlib.h>

#include "models/gbdt.h"

static uint32_t find(const struct gbdt *gbdt, const char *name)
{
    return (uint32_t)chosen_find(&gbdt->chosen, name, strlen(name));
}

/* A feature that this model does not have is always missing. */
static uint32_t *bind(const struct gbdt *gbdt, const struct forest *forest)
{
    uint32_t *place = calloc(forest->n_features + 1, sizeof *place);
    for (size_t i = 0; place && i < forest->n_features; i++)
        place[i] = forest->names ? find(gbdt, forest->names[i]) : (uint32_t)i;
    return place;
}

static enum status check_columns(const struct gbdt *gbdt, const struct forest *forest,
                                 struct buf *why)
{
    if (!forest->names && forest->n_features != gbdt->chosen.n) {
        buf_printf(why, "it has %zu features without names, the model %zu columns",
                   forest->n_features, gbdt->chosen.n);
        return ST_EINVAL;
    }
    if (forest->n_features > VECTOR_DENSE_MAX) {
        buf_printf(why, "it has more than %d features", VECTOR_DENSE_MAX);
        return ST_EINVAL;
    }
    return ST_OK;
}

enum status gbdt_take_booster(struct gbdt *gbdt, struct slice booster, struct buf *why)
{
    struct forest *forest = NULL;
    TRY(forest_read(booster, why, &forest));
    enum status st = check_columns(gbdt, forest, why);
    uint32_t *place = st == ST_OK ? bind(gbdt, forest) : NULL;
    if (st == ST_OK && !place)
        st = ST_ENOMEM;
    if (st < 0) {
        forest_release(forest);
        return st;
    }
    forest_release(gbdt->forest);
    free(gbdt->place);
    gbdt->forest = forest;
    gbdt->place = place;
    return ST_OK;
}

void gbdt_share_forest(const struct gbdt *from, struct gbdt *to)
{
    to->prior = from->prior;
    to->offset = from->offset;
    if (to->forest == from->forest)
        return;
    forest_release(to->forest);
    free(to->place);
    to->forest = forest_hold(from->forest);
    to->place = to->forest ? bind(to, to->forest) : NULL;
    if (to->forest && !to->place)
        abort();
}

struct counts {
    size_t positives, negatives;
};

static struct counts count_labels(const struct gbdt_window *window)
{
    struct counts counts = {0, 0};
    for (size_t i = window->first; i < window->first + window->n; i++) {
        counts.positives += window->weights[i] > 0 && window->labels[i] >= 0.5f;
        counts.negatives += window->weights[i] > 0 && window->labels[i] < 0.5f;
    }
    return counts;
}

static int64_t newest(const struct gbdt_window *window)
{
    int64_t time = INT64_MIN;
    for (size_t i = window->first; i < window->first + window->n; i++)
        time = window->times[i] > time ? window->times[i] : time;
    return time;
}

static struct booster_options options_of(const struct gbdt *gbdt,
                                         const struct gbdt_balance *balance)
{
    const struct gbdt_options *options = &gbdt->options;
    return (struct booster_options){
        .rounds = (unsigned)options->rounds,
        .max_depth = (unsigned)options->depth,
        .learning_rate = options->learning_rate,
        .subsample = options->subsample,
        .colsample = options->colsample,
        .min_child_weight = options->min_child_weight,
        .reg_lambda = options->lambda,
        .scale_pos_weight = options->scale_pos_weight * balance->weight,
        .seed = options->seed,
    };
}

/* Trees are added until there are too many; then all are made anew. */
static bool continues(const struct gbdt *gbdt)
{
    return gbdt->options.how == GBDT_CONTINUE && gbdt->forest &&
           gbdt->forest->n_trees + (size_t)gbdt->options.rounds <= (size_t)gbdt->options.trees_max;
}

static enum status train(struct gbdt *gbdt, struct buf *why)
{
    const struct gbdt_window *window = &gbdt->window;
    struct gbdt_balance balance;
    TRY(gbdt_rebalance(gbdt, &balance));
    struct booster_options options = options_of(gbdt, &balance);
    struct booster_rows rows = {
        .values = window->values + window->first * window->n_columns,
        .labels = window->labels + window->first,
        .weights = window->weights + window->first,
        .n = window->n + balance.made,
        .n_columns = window->n_columns,
        .names = (const char *const *)gbdt->chosen.names,
    };
    struct slice from = continues(gbdt) ? buf_slice(&gbdt->booster) : (struct slice){0};
    struct buf made = {0};
    enum status st = booster_train(&options, &rows, from, &gbdt->cancelled, why, &made);
    if (st == ST_OK)
        st = gbdt_take_booster(gbdt, buf_slice(&made), why);
    if (st < 0) {
        buf_done(&made);
        return st;
    }
    buf_done(&gbdt->booster);
    gbdt->booster = made;
    gbdt->offset = balance.offset;
    return ST_OK;
}

enum status gbdt_fit(struct model *model, struct buf *why)
{
    struct gbdt *gbdt = gbdt_of(model);
    struct gbdt_window *window = &gbdt->window;
    if (gbdt->options.file)
        return ST_OK;
    int64_t now = newest(window), from;
    if (window->n > 0 && !__builtin_sub_overflow(now, gbdt->options.window, &from))
        gbdt_window_drop_before(window, from);
    struct counts counts = count_labels(window);
    if (!gbdt->forest)
        gbdt->prior = log(((double)counts.positives + 1) / ((double)counts.negatives + 1));
    if (counts.positives < GBDT_POSITIVES_MIN || counts.negatives == 0)
        return gbdt->cancelled ? ST_ESTOPPED : ST_OK;
    return train(gbdt, why);
}
