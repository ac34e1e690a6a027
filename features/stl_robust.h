/*
 * features/stl_robust.h -- robustness weights, and what a decomposition explains.
 */
#ifndef FEATURES_STL_ROBUST_H
#define FEATURES_STL_ROBUST_H

#include <stddef.h>

/* Bisquare weights of y - trend - seasonal (Cleveland et al. 1990, section 2.2) into ret; 0 where y
 * is NaN. y is scaled to magnitudes of about 1. scratch: n doubles. */
void stl_robust_weights(const double *y, const double *trend, const double *seasonal, size_t n,
                        double *scratch, double *ret);

/* The k-th smallest of values[0..n), which are put into another order. */
double stl_select(double *values, size_t n, size_t k);

#endif
