/*
 * models/bins.h -- a number as one of a few bins that follow its distribution.
 *
 * Edges are quantiles of what was seen, so that each bin holds about as many rows as any other; a
 * value so frequent that it would fill a bin gets one to itself (a count of 0, a risk of 0), and
 * the rest is divided among the bins that are left. Bin 0 is for missing numbers (NaN); bin 1 + i
 * holds what lies in (edge[i - 1], edge[i]].
 *
 * When the edges move, what was learnt of the old bins is carried over: a new bin's weight is the
 * mean of the old ones' over the rows it takes from them.
 */
#ifndef MODELS_BINS_H
#define MODELS_BINS_H

#include <math.h>

#include "base/quantile.h"

enum { BINS_MAX = 256 };

/* Floats that the edges of up to `bins` bins take: whole vectors, those unused hold +infinity. */
static inline size_t bins_edges_size(size_t bins)
{
    return (bins + 7) & ~(size_t)7;
}

/* Of no numbers at all: everything falls into bin 1. */
void bins_clear(float *edges, size_t bins);
/* points: of a sketch. bins: the most that there may be, 1 to BINS_MAX. */
void bins_make(const struct quantile_point *points, size_t n, size_t bins, float *ret_edges);

/* The points behind which it cuts, by rising index, at most bins - 1 of them; returns how many.
 * Looks at weights alone. */
size_t bins_cut(const struct quantile_point *points, size_t n, size_t bins, uint32_t *ret_last);

/* 0 to bins. size: bins_edges_size(bins). Two vector compares for 16 bins. */
static inline unsigned bins_find(const float *edges, size_t size, float v)
{
    int below = 0;
    for (size_t i = 0; i < size; i++)
        below += edges[i] < v;
    return isnan(v) ? 0 : 1 + (unsigned)below;
}

/* How old bins (of `from`) and new ones (of `to`) share the points' weight: ret[new * (bins + 1) +
 * old] is the weight in both. Missing stays missing. ret: (bins + 1)^2. */
void bins_overlap(const struct quantile_point *points, size_t n, size_t bins, const float *from,
                  const float *to, double *ret);

#endif
