/*
 * What a point costs a streaming STL, by period: a noisy season with a level that jumps now and
 * then, of one key.
 *
 *     bench_stl_online [points]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "features/stl_online.h"

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* A period of values, noise included, and a jump every 500 points: made beforehand. */
static double *make_series(size_t period, size_t n)
{
    double *series = malloc(n * sizeof *series);
    uint64_t seed = 1;
    if (!series)
        abort();
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        double noise = (double)(seed >> 40) / (double)(1 << 24) - .5;
        double turn = 6.283185307179586 * (double)(i % period) / (double)period;
        series[i] = sin(turn) + .2 * noise + (double)(i / 500 % 3);
    }
    return series;
}

static void measure(size_t period, size_t points)
{
    struct stl_online_params params = stl_online_params_default(period);
    struct stl_online *stl;
    if (stl_online_create(&params, &stl) < 0)
        abort();
    size_t bytes = stl_online_bytes_max(stl), n = params.init_points + points;
    void *state = calloc(1, bytes);
    double *series = make_series(period, n), sum = 0;
    struct stl_online_point point;
    int64_t start = now_ns();
    for (size_t i = 0; i < params.init_points; i++)
        stl_online_add(stl, state, series[i], &point);
    int64_t live = now_ns();
    for (size_t i = params.init_points; i < n; i++) {
        stl_online_add(stl, state, series[i], &point);
        sum += point.score;
    }
    double took = (double)(now_ns() - live);
    printf("%8zu %14.0f %16.2f %10zu %10zu%s\n", period, took / (double)points,
           (double)(live - start) / 1e6, stl_online_bytes_next(stl, state), bytes,
           isnan(sum) ? " (NaN)" : "");
    free(series);
    free(state);
    stl_online_free(stl);
}

int main(int argc, char **argv)
{
    size_t points = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    static const size_t periods[] = {24, 96, 168, 720, 1440, 4800, 12800};
    printf("%8s %14s %16s %10s %10s\n", "period", "ns a point", "ms to begin", "bytes", "at most");
    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++)
        measure(periods[i], points);
    return 0;
}
