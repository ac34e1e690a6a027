/*
 * models/smote.h -- SMOTE: positives made up between positives.
 *
 * Chawla, Bowyer, Hall & Kegelmeyer, "SMOTE: Synthetic Minority Over-sampling Technique" (JAIR 16,
 * 2002): each new row lies on the line between a row of the rare class, chosen at random, and one
 * of its k nearest neighbours of that class, at a random place.
 *
 * Distances are Euclidean, of columns divided by their standard deviation among the given rows (the
 * paper's are plain, so that the column of the largest unit decides alone). A number that is
 * missing in one of two rows takes no part in their distance, which is scaled up by the columns
 * left. It stays missing in the new row if it is in the first of the two, and is the first's if it
 * is in the second.
 *
 * A function of rows, options and seed alone.
 */
#ifndef MODELS_SMOTE_H
#define MODELS_SMOTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { SMOTE_NEIGHBOURS_MAX = 32 };

struct smote_options {
    size_t neighbours; /* 1 to SMOTE_NEIGHBOURS_MAX; fewer where there are fewer rows */
    uint64_t seed;
};

/* rows: n * n_columns, all of the rare class; NaN is missing, none infinite. Writes n_new rows like
 * them, and of which row each was made from (NULL: not wanted). Returns ST_EINVAL if there are
 * fewer than 2 rows or an option is off, ST_ENOMEM. Cost: 2 n^2 n_columns ns, and memory for n *
 * neighbours numbers. */
STATUS_CHECKED enum status smote_make(const struct smote_options *options, const float *rows,
                                      size_t n, size_t n_columns, size_t n_new, float *ret_rows,
                                      uint32_t *ret_from);

#endif
