/*
 * What a decomposition costs: five periods of data, periods of 24, 168 and 1440 samples, plain and
 * robust, with the defaults, which are those of statsmodels. One thread; processor time, the best
 * of several runs.
 *
 *     bench_stl
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "features/stl.h"

enum { PERIODS = 5, LONGEST = 1440 };

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / (double)(UINT64_C(1) << 53) - 0.5;
}

struct bench {
    double y[PERIODS * LONGEST], trend[PERIODS * LONGEST], seasonal[PERIODS * LONGEST],
        remainder[PERIODS * LONGEST];
};

static void fill(struct bench *bench, size_t period)
{
    uint64_t seed = 1;
    for (size_t i = 0; i < PERIODS * period; i++)
        bench->y[i] =
            10 + 0.01 * (double)i + sin(2 * M_PI * (double)i / (double)period) + 0.3 * noise(&seed);
}

/* The best of so many runs, in us; below 0: failed. */
static double measure(struct bench *bench, const struct stl_params *params, size_t runs)
{
    size_t n = PERIODS * params->period;
    struct stl_parts parts = {bench->trend, bench->seasonal, bench->remainder, NULL};
    struct stl *stl = NULL;
    double best = INFINITY;
    if (stl_create(params, n, &stl) < 0)
        return -1;
    for (size_t i = 0; i < runs; i++) {
        double before = now_us();
        if (stl_decompose(stl, bench->y, n, &parts) < 0)
            best = -1;
        best = fmin(best, now_us() - before);
    }
    stl_free(stl);
    return best;
}

int main(void)
{
    static struct bench bench;
    const size_t periods[] = {24, 168, LONGEST};
    puts("  decomposition of five periods, us       plain      robust");
    for (size_t i = 0; i < 3; i++) {
        struct stl_params plain = stl_params_default(periods[i]), robust = plain;
        robust.inner_loops = 2;
        robust.robust_loops = 15;
        size_t runs = periods[i] < 1000 ? 50 : 5;
        fill(&bench, periods[i]);
        printf("    period %-6zu               %14.1f %11.1f\n", periods[i],
               measure(&bench, &plain, runs), measure(&bench, &robust, runs));
    }
    return 0;
}
