/*
 * online/bin_column.h -- a column of numbers and a column of events, as a table of bins.
 *
 *     struct bin_column *work = NULL;
 *     TRY(bin_column_create(rows, prebins, bins, &work));
 *     TRY(bin_column_make(work, &options, values, events, rows, &table));
 */
#ifndef ONLINE_BIN_COLUMN_H
#define ONLINE_BIN_COLUMN_H

#include <stdbool.h>

#include "models/binning.h"

struct bin_table {
    struct binning_table bins;
    double edges[BINNING_BINS_MAX]; /* bin i holds (edges[i - 1], edges[i]], the last all above */
};

struct bin_column;

/* For columns of up to so many rows; see binning_create(). */
STATUS_CHECKED enum status bin_column_create(size_t rows, size_t prebins, size_t bins,
                                             struct bin_column **ret);
void bin_column_free(struct bin_column *column);
/* Pre-bins have these edges, rising, from now on, in place of quantiles; fewer than `prebins`. */
void bin_column_set_edges(struct bin_column *column, const double *edges, size_t n);

/* values: NaN is missing. ST_EINVAL if there are no events, or nothing else. */
STATUS_CHECKED enum status bin_column_make(struct bin_column *column,
                                           const struct binning_options *options,
                                           const double *values, const bool *events, size_t rows,
                                           struct bin_table *ret);

#endif
