/*
 * features/boxcox.h -- the Box-Cox transform, which makes a season that grows with its level one
 * that does not.
 *
 *     x = (y^lambda - 1) / lambda,     lambda 0: log y
 *
 * Box & Cox, J. Royal Statistical Society B 26 (1964), 211-252. y must be above 0. NaN, a value
 * that is not known, stays and says nothing in estimates.
 */
#ifndef FEATURES_BOXCOX_H
#define FEATURES_BOXCOX_H

#include <stddef.h>

#include "base/status.h"

double boxcox(double y, double lambda);
/* The way back. Beyond what any y can reach (lambda * x <= -1): 0, or NaN for lambda < 0. */
double boxcox_inverse(double x, double lambda);

/* The lambda in [-5, 5] under which y[0..n) is most likely to be normal, to about 1e-7; scipy's
 * boxcox() looks for the same. A constant has 1. Returns ST_EINVAL if a value is not above 0, or
 * there is none. Cost: some 60 exponentials a value. */
STATUS_CHECKED enum status boxcox_likelihood(const double *y, size_t n, double *ret);

/* The lambda in [-1, 2] under which the spread within groups of `period` values depends least on
 * their mean (Guerrero, J. Forecasting 12 (1993), 37-48): what R's mstl() takes. Groups end with
 * the series; those with gaps are left out. Returns ST_EINVAL also if there are fewer than two
 * groups with a spread. */
STATUS_CHECKED enum status boxcox_guerrero(const double *y, size_t n, size_t period, double *ret);

#endif
