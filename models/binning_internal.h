/*
 * models/binning_internal.h -- the inside of binning: binning.c counts, asks and answers,
 * binning_solve.c is the dynamic programme.
 */
#ifndef MODELS_BINNING_INTERNAL_H
#define MODELS_BINNING_INTERNAL_H

#include <stdint.h>

#include "models/binning.h"

enum { BINNING_PHASES = 2 };

struct binning {
    size_t n_max, bins_max, n;
    struct binning_counts *sums; /* before each pre-bin */
    double *gain, *rate;         /* of bin [i, j] at i * n + j; a gain of -1: it may not be */
    uint16_t *by_rate; /* for each place: the bins that end there, then those that begin there */
    double
        *value[BINNING_PHASES][2]; /* of states with an even and an odd number of bins, as gain */
    uint16_t *before[BINNING_PHASES]; /* [k][i][j]: where the bin before begins, and if in phase 0
                                       */
};

/* After gain and rate are filled in. trend: not AUTO. Returns the highest sum of gains of at most
 * bins_max bins that cover all pre-bins, and the last pre-bin of each of them; -1 if there is no
 * way. */
double binning_solve(struct binning *binning, enum binning_trend trend, size_t bins_max,
                     size_t *ret_last, size_t *ret_bins);

#endif
