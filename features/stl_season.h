/*
 * features/stl_season.h -- the loess of each phase of a season: all Januaries, all Februaries, ...
 *
 * A series of n samples is a table of one row a season and one column a phase, whose last row may
 * be short. Each column is smoothed by itself, and carried on by one season at both ends. Columns
 * of one length have the same windows, so that a row is fitted at once: a sum of rows.
 */
#ifndef FEATURES_STL_SEASON_H
#define FEATURES_STL_SEASON_H

#include "features/stl.h"
#include "features/stl_loess.h"

struct season {
    size_t period, span, jump;
    unsigned degree;
    bool periodic;
    struct loess_weights weights; /* scratch: of one window */
    double *column;               /* scratch: one phase */
};

size_t season_doubles(const struct stl_params *params, size_t n_max);
void season_init(struct season *season, const struct stl_params *params, size_t n_max,
                 double *memory);

/* Smooths z[0..n), NaN in gaps, into ret[0..n + 2 * period), which begins a season earlier.
 * robust: weights, 0 in gaps, and v = robust * z, 0 in gaps; both NULL: all are 1. Each phase must
 * have a sample that is there. */
void season_smooth(const struct season *season, const double *z, size_t n, const double *robust,
                   const double *v, double *ret);

#endif
