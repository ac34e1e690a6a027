/*
 * features/stl_period.h -- how long the season of a series is, by its autocorrelation.
 *
 * The line through the series is taken off. A season shows as a peak of the autocorrelation, behind
 * its first fall below zero, that chance would hardly make. Multiples of a period peak as well: the
 * first that comes within a tenth of the highest is taken. Where slow movement hides the season the
 * same is tried on the differences of neighbours.
 */
#ifndef FEATURES_STL_PERIOD_H
#define FEATURES_STL_PERIOD_H

#include <stddef.h>

#include "base/status.h"

/* Looks among periods of 2 to `longest` samples (0, or more than half the series: half of it).
 * Values that are NaN are passed over. *ret_strength: the autocorrelation there, or NULL.
 *
 * Returns ST_ENOTFOUND if there is no season, ST_EINVAL if a value is infinite or n < 4, ST_ENOMEM.
 * Allocates; cost O(n log n). */
STATUS_CHECKED enum status stl_period_detect(const double *y, size_t n, size_t longest,
                                             size_t *ret_period, double *ret_strength);

#endif
