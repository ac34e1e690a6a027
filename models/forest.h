/*
 * models/forest.h -- gradient-boosted trees, laid out for scoring one row at a time.
 *
 * XGBoost's own prediction costs some tens of microseconds a call before it looks at the first
 * tree. Here trees are read from a model that XGBoost saved (UBJSON) into one array of nodes: a
 * tree's nodes level by level, the two children of a node side by side, so that a step down is one
 * load, one comparison and one addition.
 *
 * A row's logit is summed in floats in the order of the trees, as XGBoost does.
 *
 * Contributions are those of the path (Saabas 2014, "Interpreting random forests"): a step down
 * counts for the feature asked, as much as it changes the mean of the leaves below, weighted by
 * what each had learnt from (its hessian). They and the bias, the mean of all leaves, add up to the
 * logit.
 *
 * Immutable once made, and counted: copies of a model share it.
 */
#ifndef MODELS_FOREST_H
#define MODELS_FOREST_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

struct forest_node {
    float threshold;  /* below it: left; of a leaf, its value */
    uint32_t feature; /* times 2, plus 1 where what is missing goes left */
    uint32_t left;    /* the right child comes behind it; 0: a leaf */
};

struct forest {
    _Atomic unsigned holders;
    size_t n_features, n_trees, n_nodes;
    float base; /* logit without any tree */
    double bias;
    uint32_t *roots;
    struct forest_node *nodes;
    float *means; /* a node: mean of the leaves below it */
    char **names; /* n_features; NULL where the model does not name them */
};

/* Trees of a binary classifier, as XGBSaveModelToBuffer writes them (format "ubj"). Returns
 * ST_ECORRUPT, or ST_EINVAL for a model of another sort; why says what is the matter. */
STATUS_CHECKED enum status forest_read(struct slice ubjson, struct buf *why, struct forest **ret);
/* One more holder; NULL-safe. */
struct forest *forest_hold(struct forest *forest);
/* Frees it with its last holder; NULL-safe. */
void forest_release(struct forest *forest);

/* Logit of a row of n_features numbers; NaN is missing. Some 5 ns a tree and level where the trees
 * are in the cache. */
float forest_logit(const struct forest *forest, const float *row);
/* What each feature contributes to it, added to ret[n_features]. */
void forest_explain(const struct forest *forest, const float *row, double *ret);

#endif
