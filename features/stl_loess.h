/*
 * features/stl_loess.h -- loess over consecutive samples, the one smoother that STL is made of.
 *
 * At sample x a line (or a constant) is fitted to the `span` samples around it, weighted by the
 * tricube (1 - |d / h|^3)^3 of their distance d, h being the distance of the farthest in the
 * window, and by robustness weights. At the ends the window stays inside the series. Cleveland et
 * al. 1990, section 3; in windows, bounds and the order of things this is their Fortran.
 *
 * Such a fit is a weighted sum, alpha * sum(w v) + beta * sum(w d v), where v are the robustly
 * weighted samples, and alpha and beta follow from the weights alone:
 *
 *     loess_weigh(&loess, n, robust);            // once for each set of robustness weights
 *     loess_smooth(&loess, z, v, ret);           // once for each series under them
 *
 * All windows that do not touch an end share their tricube weights, which are kept. Everything
 * inner is a sum of products over consecutive memory.
 */
#ifndef FEATURES_STL_LOESS_H
#define FEATURES_STL_LOESS_H

#include <stdbool.h>
#include <stddef.h>

/* Tricube weights of a window as seen from one sample: w, w * d and w * d * d, d the signed
 * distance from that sample. */
struct loess_weights {
    double *w, *wd, *wdd;
};

/* Which samples are fitted, and how far away the tricube is 0. */
struct loess_window {
    size_t first, count;
    double at;    /* where the fit is wanted, from the window's first sample; may lie outside it */
    double reach; /* h */
    bool centred; /* the tricube weights are those of all inner windows */
};

struct loess {
    size_t span, jump;
    unsigned degree;
    size_t n;                   /* of the last loess_weigh() */
    bool robust;                /* there were robustness weights */
    double *alpha, *beta;       /* by sample; alpha 0: nothing in its window has a weight */
    struct loess_weights inner; /* of a window in the middle */
    struct loess_weights edge;  /* scratch: of another */
};

/* How many doubles loess_init() wants for series of at most n_max samples. */
size_t loess_doubles(size_t span, size_t n_max);
void loess_init(struct loess *loess, size_t span, unsigned degree, size_t jump, size_t n_max,
                double *memory);

/* Prepares for n >= 2 samples under these robustness weights, 0 for a gap; NULL: all are 1. */
void loess_weigh(struct loess *loess, size_t n, const double *robust);

/* Smooths z[0..n), NaN in gaps, into ret. v: robust[i] * z[i], 0 in gaps; z itself where there are
 * no weights. Where nothing in a window has a weight the sample itself stands in, or, in a gap, the
 * line between the nearest fits. ret may not overlap. */
void loess_smooth(const struct loess *loess, const double *z, const double *v, double *ret);

/* The parts, for the seasonal smoother, which fits many series at once. */

/* The window of sample `at` in a series of n. */
struct loess_window loess_window_of(size_t span, size_t n, size_t at);
/* The same samples, seen from elsewhere. */
void loess_window_look(struct loess_window *window, size_t span, size_t n, double at);
/* Fills in w, and wd and wdd unless they are NULL. */
void loess_tricube(const struct loess_window *window, const struct loess_weights *ret);
/* alpha and beta out of sum(w), sum(w d), sum(w d d); n: how long the series is. */
void loess_line(unsigned degree, size_t n, const double sums[3], double *ret_alpha,
                double *ret_beta);
/* Replaces NaN by the line between its neighbours, or by the nearest of them; looks at every
 * step-th of n, and the last. False: all of them are NaN. */
bool loess_bridge(double *values, size_t n, size_t step);

#endif
