/*
 * online/drift.h -- how far each feature has moved: events scored lately against those learnt from.
 *
 * Two samples of vectors, each taken evenly over event time, one row at most in each of equal
 * steps: 2,048 rows of a day's scored events, and 2,048 of a week's released examples. A stream
 * slower than the steps gives rows further back. A whole day on one side and a whole week on the
 * other hold all hours alike, so that a feature that follows the hour does not count as moved.
 * Figures are PSI (models/psi.h), one column at a time, so that no look at them costs much.
 *
 *     if (drift_wants_scored(drift, time))
 *         drift_take_scored(drift, time, dense);
 *     ...
 *     drift_measure(drift);                        // a column, now and then
 *     drift_of(drift, column);
 *
 * Changes nothing that is scored or learnt, depends on the order of events alone, and is not kept
 * over a restart: figures begin again when both samples hold DRIFT_ROWS_MIN rows.
 */
#ifndef ONLINE_DRIFT_H
#define ONLINE_DRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct drift;

enum { DRIFT_COLUMNS_MAX = 256, DRIFT_ROWS = 2048, DRIFT_ROWS_MIN = 256 };

/* The customary line: above it a distribution has moved much. */
#define DRIFT_MUCH 0.25

/* Looks at the first DRIFT_COLUMNS_MAX of n_dense columns; up to 16 KiB each. */
STATUS_CHECKED enum status drift_create(size_t n_dense, struct drift **ret);
void drift_free(struct drift *drift);

/* Whether a row of that event time is one of the sample: of one in thousands, in a fast stream. */
bool drift_wants_scored(const struct drift *drift, int64_t time);
bool drift_wants_learnt(const struct drift *drift, int64_t time);
/* dense: n_dense, copied. */
void drift_take_scored(struct drift *drift, int64_t time, const float *dense);
void drift_take_learnt(struct drift *drift, int64_t time, const float *dense);

size_t drift_columns(const struct drift *drift);
/* Works out the next column anew, in a circle, and returns which. Cost: two sorts of DRIFT_ROWS
 * numbers, about 100 us. */
size_t drift_measure(struct drift *drift);
/* PSI of a column when it was measured last; NaN: not known. */
double drift_of(const struct drift *drift, size_t column);

#endif
