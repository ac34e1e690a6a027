/*
 * features/stl.h -- seasonal-trend decomposition by loess (STL).
 *
 * Splits an evenly spaced series into three that add up to it again:
 *
 *     y[i] = trend[i] + seasonal[i] + remainder[i]
 *
 * The trend moves slowly, the seasonal part repeats every `period` samples and may change shape
 * slowly, and the remainder is what neither explains: that is the part the models score. Method:
 * Cleveland, Cleveland, McRae & Terpenning, "STL", J. Official Statistics 6 (1990), 3-73, as its
 * authors' Fortran computes it. Several seasons at once: mstl.h.
 *
 *     struct stl_params params = stl_params_default(24);       // hourly buckets, daily season
 *     struct stl *stl = NULL;
 *     TRY(stl_create(&params, 24 * 28, &stl));                 // once per worker
 *     TRY(stl_decompose(stl, y, n, &parts));                   // once per closed window
 *     stl_free(stl);
 *
 * Pure arithmetic: no I/O, no clock, no logging, no randomness. The same y gives the same parts,
 * bit for bit, on one machine and one build. The series is first moved and scaled (by a power of
 * two) into [-1, 1], so that neither its magnitude nor its level costs digits.
 *
 * Gaps. With params.gaps a NaN in y is a value that is not known. It weighs nothing in any loess;
 * windows keep their place and width. The seasonal loess of the known values of its phase fills
 * it in, so that the low-pass filter sees a whole series; trend and seasonal are given there too,
 * and the remainder is NaN. Where a loess has no known value in its window, the line between the
 * nearest fits to both sides stands in, or the nearest fit.
 */
#ifndef FEATURES_STL_H
#define FEATURES_STL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

#define STL_N_MAX ((size_t)1 << 30) /* samples in a series */
#define STL_Y_MAX 1e300             /* |y|: beyond it the parts themselves might not be numbers */

/* Spans are loess widths in samples, all odd. Start from stl_params_default() and change fields. */
struct stl_params {
    size_t period;         /* samples in one season, >= 2 */
    size_t seasonal_span;  /* seasons the seasonal shape is smoothed over, odd >= 7 */
    size_t trend_span;     /* odd >= 3, and > period or the trend will follow the season */
    size_t low_pass_span;  /* odd >= 3; the least odd number >= period in the paper */
    unsigned inner_loops;  /* passes that refine seasonal and trend, >= 1 */
    unsigned robust_loops; /* reweighting passes against outliers; 0 is plain least squares */

    /* Degrees of the polynomials that are fitted: 0 or 1. */
    unsigned seasonal_degree, trend_degree, low_pass_degree;
    /* A loess is fitted at each jump-th sample and at the last, with lines between; >= 1. */
    size_t seasonal_jump, trend_jump, low_pass_jump;
    /* The season never changes shape: each phase is its mean, which is what spans and degree 0 tend
     * to as the span grows. seasonal_span, _degree and _jump then say nothing. */
    bool periodic;
    bool gaps; /* NaN in y is a value that is not known, rather than a mistake */
};

/* Where the parts are written. The caller owns all arrays, each at least n long; none may
 * overlap y or another. */
struct stl_parts {
    double *trend;
    double *seasonal;
    double *remainder;
    double *weights; /* robustness weights in [0, 1], 0 in gaps; or NULL: not wanted */
};

/* Parameters and scratch memory for series up to a fixed length. One thread at a time may use it:
 * make one per worker rather than sharing one behind a lock. */
struct stl;

/* The defaults of statsmodels for a period, not robust: seasonal_span 7, trend_span the least odd
 * >= 1.5 * period / (1 - 1.5 / seasonal_span), low_pass_span the least odd > period, inner_loops 5,
 * degrees and jumps 1. Its robust defaults are the same with inner_loops 2 and robust_loops 15. */
struct stl_params stl_params_default(size_t period);

/* The trend span that stl_params_default() would take for this season; seasonal_span 0: periodic.
 */
size_t stl_trend_span_default(size_t period, size_t seasonal_span);

/* What is wrong with params for series of n samples, in words; NULL if nothing is. */
const char *stl_params_wrong(const struct stl_params *params, size_t n);

/* Makes a decomposer for series of at most n_max samples; nothing is allocated after this.
 * On failure *ret is left as it was. About 13 * n_max doubles.
 *
 * Returns ST_EINVAL if params break a rule written beside their fields, ST_ENOMEM. */
STATUS_CHECKED enum status stl_create(const struct stl_params *params, size_t n_max,
                                      struct stl **ret);

/* Frees what stl_create() made. NULL is allowed and does nothing. */
void stl_free(struct stl *stl);

/* Decomposes y[0..n) into ret's arrays. Cost is O(n * span) for each inner pass.
 *
 * Robustness weights are the bisquare of the remainder against six times its median magnitude, as
 * in the paper; where that median is below what rounding leaves, all that lies above is an outlier.
 *
 * Returns ST_EINVAL if n is less than two periods or more than n_max, or if y holds an infinity, a
 * magnitude above STL_Y_MAX, or a NaN without params.gaps; with them if a phase of the season is
 * never known. On failure ret's arrays hold nothing useful. */
STATUS_CHECKED enum status stl_decompose(struct stl *stl, const double *y, size_t n,
                                         const struct stl_parts *ret);

/* How much of the de-trended variance the season explains, in [0, 1]: a feature by itself. A
 * series with no variance left, but for rounding, has strength 0. Gaps are left out. After Wang,
 * Smith & Hyndman, Data Mining and Knowledge Discovery 13 (2006), 335-364. */
double stl_seasonal_strength(const struct stl_parts *parts, size_t n);
/* The same of the trend, against the de-seasonalised variance. */
double stl_trend_strength(const struct stl_parts *parts, size_t n);

#endif
