/*
 * models/booster.h -- XGBoost's C API, as far as `gbdt` needs it: rows in, a saved model out.
 *
 * A model is bytes (UBJSON, as XGBoost saves it), which any XGBoost reads; forest.h scores it.
 * Training runs in the caller's thread alone and is the same to the last bit for the same rows,
 * options and version of the library.
 *
 * Where XGBoost is left out of a build (booster_none.c) all of it returns ST_EINVAL and says so.
 */
#ifndef MODELS_BOOSTER_H
#define MODELS_BOOSTER_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/* As XGBoost's parameters of these names, objective binary:logistic, tree_method hist. */
struct booster_options {
    unsigned rounds, max_depth;
    double learning_rate, subsample, colsample, min_child_weight, reg_lambda, scale_pos_weight;
    int64_t seed;
};

struct booster_rows {
    const float *values; /* n * n_columns; NaN is missing; none is infinite */
    const float *labels, *weights;
    size_t n, n_columns;
    const char *const *names; /* n_columns */
};

/* Adds options->rounds trees to the model `from` (empty: to none). cancel: looked at after each
 * tree; once it is true, ST_ESTOPPED. Cost: about rows * columns * depth * rounds nanoseconds, and
 * 10 bytes of memory for each value beside those given. Fails with ST_EINVAL: why says what
 * XGBoost complains of. */
STATUS_CHECKED enum status booster_train(const struct booster_options *options,
                                         const struct booster_rows *rows, struct slice from,
                                         const _Atomic bool *cancel, struct buf *why,
                                         struct buf *ret);
/* A file that XGBoost wrote (JSON or UBJSON), as UBJSON. ST_EINVAL, ST_EIO. */
STATUS_CHECKED enum status booster_import(const char *path, struct buf *why, struct buf *ret);
/* Probabilities by XGBoost itself, for tests and measurements. */
STATUS_CHECKED enum status booster_predict(struct slice model, const struct booster_rows *rows,
                                           struct buf *why, float *ret);

#endif
