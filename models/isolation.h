/*
 * models/isolation.h -- isolation forest: how few random questions set a row apart from the others.
 *
 * Liu, Ting, Zhou, "Isolation Forest", ICDM 2008, with the semantics of scikit-learn's
 * IsolationForest: each tree is made from a sample of the rows, and asks a column drawn among those
 * that still differ at a threshold drawn evenly between its least and largest value, until a row is
 * alone or ceil(log2(samples)) questions are asked. A leaf that n rows of the sample share counts
 * for c(n) questions more. With E the mean over trees of the questions that a row needs,
 *
 *     score = 2^(-E / c(samples))        in (0, 1): 1 is far out, about 0.5 is usual
 *     scikit-learn's score_samples     = -score
 *     scikit-learn's decision_function = 0.5 - score      (contamination "auto": offset -0.5)
 *
 *     struct isolation *isolation = NULL;
 *     TRY(isolation_create(&options, n_columns, &isolation));
 *     TRY(isolation_fit(isolation, &rows));
 *     float score = isolation_score(isolation_forest(isolation), row);
 *     isolation_free(isolation);
 *
 * Where it differs from scikit-learn: its random numbers (base/rng.h), so that trees are others for
 * the same seed; a column differs where its largest value is above its least, not by 1e-7 more, so
 * that the unit of a column does not matter; rows may have weights, as the chance to be drawn; and
 * what is missing (NaN): the range is that of the values there are, and all that is missing goes to
 * one side, drawn at each question; where nothing was missing, to the side of more rows; a column
 * that is one value or missing is asked for that. Infinite values are refused: see
 * gbdt_finite().
 *
 * Trees are a struct forest (forest.h), so that a row is scored as gradient-boosted ones are. Their
 * leaves hold -(questions + c(rows)) / (trees * c(samples)): a forest's sum is log2 of the score.
 *
 * Pure arithmetic, nothing allocated after create: fit makes the trees in place, and must not be
 * called while others hold the forest.
 */
#ifndef MODELS_ISOLATION_H
#define MODELS_ISOLATION_H

#include <stdbool.h>

#include "models/forest.h"

enum { ISOLATION_TREES_MAX = 10000, ISOLATION_SAMPLES_MAX = 65536 };

struct isolation_options {
    size_t trees;        /* n_estimators; 1 to ISOLATION_TREES_MAX */
    size_t samples;      /* max_samples: rows of a tree, all where there are fewer; 1 to
                            ISOLATION_SAMPLES_MAX */
    double max_features; /* share of the columns of a tree, (0, 1]; at least one column */
    bool bootstrap;      /* a row may be drawn more than once for a tree */
    uint64_t seed;       /* random_state */
};

struct isolation_rows {
    const float *values;  /* n * n_columns; no infinities */
    const float *weights; /* n, above 0; NULL: all the same */
    size_t n;
};

struct isolation;

/* Memory: 12 bytes a node, 2 * samples nodes a tree, and one tree's rows. Returns ST_EINVAL for
 * options out of bounds or n_columns 0, ST_ENOMEM. */
STATUS_CHECKED enum status isolation_create(const struct isolation_options *options,
                                            size_t n_columns, struct isolation **ret);
void isolation_free(struct isolation *isolation);

/* Returns ST_EINVAL if there are no rows; the trees are those of before, then. Cost:
 * trees * samples * log2(samples) * about 10 ns, and with weights that differ some 20 ns for each
 * row and tree. */
STATUS_CHECKED enum status isolation_fit(struct isolation *isolation,
                                         const struct isolation_rows *rows);
/* The trees, without any before the first fit; forest_hold() keeps them beyond isolation_free(). */
struct forest *isolation_forest(const struct isolation *isolation);

/* Of a row of n_columns numbers, NaN where missing; in (0, 1), 0.5 without trees. */
float isolation_score(const struct forest *forest, const float *row);

/* c(n): the mean number of comparisons of a search in a tree of n rows that ends at none of them;
 * 0, 1 for n = 1, 2. */
double isolation_path(size_t n);

#endif
