/*
 * models/gbdt.h -- inside `gbdt`: gradient-boosted trees, refit on a window of the example log.
 *
 * XGBoost (Chen, Guestrin, "XGBoost: A Scalable Tree Boosting System", KDD 2016) makes the trees
 * (booster.h), forest.h scores them. Learning an example only puts it into the window; the trees
 * are made at a publication, from the whole window or on top of the trees there are. So a model is
 * {trees, window}; the window is not saved with it but read again from the log.
 *
 *   gbdt.c          options, score, learn, publish
 *   gbdt_window.c   the examples that the next trees are made from
 *   gbdt_fit.c      trees made or imported
 *   gbdt_balance.c  rare positives made more, or heavier
 *   gbdt_file.c     save and load
 */
#ifndef MODELS_GBDT_H
#define MODELS_GBDT_H

#include <stdatomic.h>

#include "models/balance.h"
#include "models/booster.h"
#include "models/chosen.h"
#include "models/forest.h"
#include "models/model.h"

enum { GBDT_POSITIVES_MIN = 10 }; /* before there are so many, no trees are made */

struct gbdt_options {
    int64_t window, rows;
    int64_t rounds, depth, trees_max;
    double learning_rate, subsample, colsample, min_child_weight, lambda, scale_pos_weight;
    int64_t seed;
    double smote;
    int64_t smote_neighbours;
    const struct conf_node *class_weight;
    int how; /* enum gbdt_how */
    const char *file;
    struct conf_texts columns, exclude;
};

enum gbdt_how { GBDT_REFIT, GBDT_CONTINUE };

/* The newest examples, oldest first, without gaps in memory: that is how XGBoost takes them. */
struct gbdt_window {
    size_t n_columns, rows_max;
    size_t first, n, cap; /* rows [first, first + n) are in use */
    float *values;        /* cap * n_columns */
    float *labels, *weights;
    int64_t *times;
    uint64_t *items;
};

struct gbdt {
    struct model head;
    struct gbdt_options options;
    struct chosen chosen;
    struct gbdt_window window;
    uint64_t learnt;
    struct balance balance;
    double prior;          /* logit while there are no trees */
    double offset;         /* by which the trees' logits are too high: their positives count more */
    struct forest *forest; /* NULL: no trees yet */
    uint32_t *place;       /* of each feature of the forest: among the chosen, or chosen.n: none */
    struct buf booster;    /* the same trees, as XGBoost saves them; of a learner only */
    _Atomic bool cancelled;
};

static inline struct gbdt *gbdt_of(const struct model *model)
{
    return (struct gbdt *)(uintptr_t)model;
}

/* What is infinite is as large as can be: XGBoost takes no infinity. NaN stays. */
static inline float gbdt_finite(float v)
{
    return v > 3.4028234e38f ? 3.4028234e38f : v < -3.4028234e38f ? -3.4028234e38f : v;
}

/* A row more; where there is no room, the oldest goes. */
void gbdt_window_add(struct gbdt_window *window, const float *values, const struct example *row);
/* The newest example of that vector at that time counts for nothing any more. What was corrected is
 * put behind it, not in its place: so a window is the same whether it was filled from the beginning
 * or from any later item on. */
void gbdt_window_retract(struct gbdt_window *window, const float *values, int64_t time);
/* Rows from before this time go. */
void gbdt_window_drop_before(struct gbdt_window *window, int64_t time);
/* Room for so many rows behind the last. */
void gbdt_window_reserve(struct gbdt_window *window, size_t more);
void gbdt_window_done(struct gbdt_window *window);

/* What trees are made from, where positives are rare. */
struct gbdt_balance {
    size_t made;   /* positives made up, behind the window's rows */
    double weight; /* of a positive */
    double offset; /* by which logits come out too high */
};
/* There must be some of both classes. Returns ST_ENOMEM. */
STATUS_CHECKED enum status gbdt_rebalance(struct gbdt *gbdt, struct gbdt_balance *ret);

enum status gbdt_fit(struct model *model, struct buf *why);
/* The forest of these bytes, its features bound by name, or by their order if it has no names.
 * ST_EINVAL, ST_ECORRUPT; the model is untouched then. */
STATUS_CHECKED enum status gbdt_take_booster(struct gbdt *gbdt, struct slice booster,
                                             struct buf *why);
/* Shares the forest of another model of the same columns. */
void gbdt_share_forest(const struct gbdt *from, struct gbdt *to);

enum status gbdt_save(const struct model *model, struct tensors *ret);
enum status gbdt_compare(const struct tensors *before, const struct tensors *after,
                         struct moves *ret);
enum status gbdt_load(struct model *model, const struct tensors *tensors);

extern const struct model_ops gbdt_ops;

#endif
