/*
 * tests/stl_run.h -- a series and its decomposition, for tests of features/stl.h.
 */
#ifndef TESTS_STL_RUN_H
#define TESTS_STL_RUN_H

#include <math.h>
#include <string.h>

#include "features/stl.h"

#define N_MAX  512
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* One decomposition with everything it needs, so that a test body is only the question it asks. */
struct run {
    double y[N_MAX], trend[N_MAX], seasonal[N_MAX], remainder[N_MAX], weights[N_MAX];
    struct stl_parts parts;
    size_t n;
};

static inline double season_at(size_t i, size_t period)
{
    return sin(2.0 * M_PI * (double)(i % period) / (double)period);
}

/* The same noise for the same seed everywhere: a test must not depend on libc's rand(). */
static inline double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / (double)(UINT64_C(1) << 53) - 0.5;
}

static inline void fill(struct run *run, size_t n, size_t period, double slope, double sigma)
{
    uint64_t seed = 42;
    run->n = n;
    run->parts = (struct stl_parts){run->trend, run->seasonal, run->remainder, run->weights};
    for (size_t i = 0; i < n; i++)
        run->y[i] = 10.0 + slope * (double)i + season_at(i, period) + sigma * noise(&seed);
}

static inline enum status decompose_as(struct run *run, const struct stl_params *params)
{
    struct stl *stl = NULL;
    enum status st = stl_create(params, N_MAX, &stl);
    if (st == ST_OK)
        st = stl_decompose(stl, run->y, run->n, &run->parts);
    stl_free(stl);
    return st;
}

static inline enum status decompose(struct run *run, size_t period, unsigned robust_loops)
{
    struct stl_params params = stl_params_default(period);
    params.robust_loops = robust_loops;
    return decompose_as(run, &params);
}

#endif
