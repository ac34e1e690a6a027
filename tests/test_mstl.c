/*
 * Tests of features/mstl.h, boxcox.h and stl_period.h.
 *
 * Known: R's decomposition of 3,600 hours of electricity demand, at the precision it was published
 * with; estimates of lambda by scipy and statsmodels; that one season is STL; that seasons without
 * noise are told apart; that the way back from Box and Cox is the way there; which period a sine
 * has.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "features/boxcox.h"
#include "features/mstl.h"
#include "features/stl_period.h"

#define N_MAX  3600
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct run {
    size_t n;
    double y[N_MAX], trend[N_MAX], seasonal[3][N_MAX], remainder[N_MAX];
};

static struct run run;

static double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / (double)(UINT64_C(1) << 53) - 0.5;
}

static enum status decompose(const struct mstl_params *params)
{
    struct mstl_parts parts = {
        run.trend, {run.seasonal[0], run.seasonal[1], run.seasonal[2]}, run.remainder, NULL};
    struct mstl *mstl = NULL;
    enum status st = mstl_create(params, run.n, &mstl);
    if (st == ST_OK)
        st = mstl_decompose(mstl, run.y, run.n, &parts);
    mstl_free(mstl);
    return st;
}

static FILE *open_data(const char *name)
{
    char path[512], line[256];
    snprintf(path, sizeof path, "%s/stl/%s", TEST_DATA, name);
    FILE *file = fopen(path, "r");
    cr_assert(ne(ptr, file, NULL), "%s", path);
    if (strstr(name, ".csv"))
        cr_assert(ne(ptr, fgets(line, sizeof line, file), NULL));
    return file;
}

static void read_demand(void)
{
    FILE *file = open_data("mstl_elec_vic.csv");
    run.n = 0;
    while (run.n < N_MAX && fscanf(file, " %*[^,],%lf", &run.y[run.n]) == 1)
        run.n++;
    fclose(file);
    cr_assert(eq(sz, run.n, N_MAX));
}

static void expect_published(const char *what, size_t at, double is, double want)
{
    cr_expect(le(dbl, fabs(is - want), 1e-7 * fabs(want)), "%s at %zu: %.15g, not %.15g", what, at,
              is, want);
}

Test(mstl, equals_r_on_electricity_demand)
{
    struct mstl_params params;
    double want[5];
    size_t rows = 0;
    read_demand();
    cr_assert(eq(int, mstl_params_default((size_t[]){24, 168}, 2, &params), ST_OK));
    for (size_t i = 0; i < 2; i++) {
        params.seasons[i].seasonal_degree = 0;
        params.seasons[i].inner_loops = 2;
    }
    cr_assert(eq(int, decompose(&params), ST_OK));
    FILE *file = open_data("mstl_test_results.csv");
    for (;
         fscanf(file, "%lf,%lf,%lf,%lf,%lf", &want[0], &want[1], &want[2], &want[3], &want[4]) == 5;
         rows++) {
        expect_published("trend", rows, run.trend[rows], want[1]);
        expect_published("daily", rows, run.seasonal[0][rows], want[2]);
        expect_published("weekly", rows, run.seasonal[1][rows], want[3]);
        expect_published("remainder", rows, run.remainder[rows], want[4]);
    }
    fclose(file);
    cr_assert(eq(sz, rows, N_MAX));
}

Test(mstl, the_defaults_are_the_papers)
{
    struct mstl_params params;
    cr_assert(eq(int, mstl_params_default((size_t[]){24, 168}, 2, &params), ST_OK));
    cr_expect(eq(sz, params.seasons[0].seasonal_span, 11));
    cr_expect(eq(sz, params.seasons[1].seasonal_span, 15));
    cr_expect(eq(sz, params.seasons[1].trend_span, 281));
    cr_expect(eq(int, (int)params.iterations, 2));
    cr_expect(eq(int, mstl_params_default((size_t[]){24, 24}, 2, &params), ST_EINVAL));
    cr_expect(eq(int, mstl_params_default((size_t[]){24}, 0, &params), ST_EINVAL));
}

Test(mstl, one_season_is_stl)
{
    static double trend[N_MAX], seasonal[N_MAX], remainder[N_MAX];
    struct mstl_params params;
    struct stl *stl = NULL;
    read_demand();
    run.n = 500;
    cr_assert(eq(int, mstl_params_default((size_t[]){24}, 1, &params), ST_OK));
    cr_assert(eq(int, decompose(&params), ST_OK));
    cr_assert(eq(int, stl_create(&params.seasons[0], run.n, &stl), ST_OK));
    struct stl_parts parts = {trend, seasonal, remainder, NULL};
    cr_assert(eq(int, stl_decompose(stl, run.y, run.n, &parts), ST_OK));
    stl_free(stl);
    cr_expect(eq(int, memcmp(trend, run.trend, run.n * sizeof *trend), 0));
    cr_expect(eq(int, memcmp(seasonal, run.seasonal[0], run.n * sizeof *trend), 0));
    cr_expect(eq(int, memcmp(remainder, run.remainder, run.n * sizeof *trend), 0));
}

static double wave(size_t i, size_t period)
{
    return sin(2 * M_PI * (double)(i % period) / (double)period);
}

TheoryDataPoints(mstl, seasons_are_told_apart) = {
    DataPoints(bool, false, true),    /* gaps */
    DataPoints(unsigned, 0, 3),       /* robust_loops */
    DataPoints(double, 1, 1e-6, 1e9), /* scale */
};

Theory((bool gaps, unsigned robust_loops, double scale), mstl, seasons_are_told_apart)
{
    struct mstl_params params;
    run.n = 1000;
    cr_assert(eq(int, mstl_params_default((size_t[]){12, 84}, 2, &params), ST_OK));
    for (size_t i = 0; i < 2; i++) {
        params.seasons[i].gaps = gaps;
        params.seasons[i].robust_loops = robust_loops;
    }
    for (size_t i = 0; i < run.n; i++)
        run.y[i] = gaps && i % 13 == 5 ? NAN : scale * (5 + 2 * wave(i, 12) + wave(i, 84));
    cr_assert(eq(int, decompose(&params), ST_OK));
    for (size_t i = 0; i < run.n; i++) {
        cr_assert(epsilon_eq(dbl, run.seasonal[0][i] / scale, 2 * wave(i, 12), 0.02), "%zu", i);
        cr_assert(epsilon_eq(dbl, run.seasonal[1][i] / scale, wave(i, 84), 0.03), "%zu", i);
        cr_assert(epsilon_eq(dbl, run.trend[i] / scale, 5, 0.02), "%zu", i);
    }
}

Test(mstl, refuses)
{
    struct mstl_params params;
    struct mstl *mstl = NULL;
    size_t season;
    cr_assert(eq(int, mstl_params_default((size_t[]){12, 84}, 2, &params), ST_OK));
    cr_expect(eq(int, mstl_create(&params, 167, &mstl), ST_EINVAL));
    cr_expect(ne(ptr, (void *)mstl_params_wrong(&params, 167, &season), NULL));
    cr_expect(eq(sz, season, 1));
    params.iterations = 0;
    cr_expect(eq(int, mstl_create(&params, 500, &mstl), ST_EINVAL));
    params.iterations = 1;
    params.seasons[1].period = 12;
    cr_expect(eq(int, mstl_create(&params, 500, &mstl), ST_EINVAL));
    cr_expect(eq(ptr, mstl, NULL));
    mstl_free(NULL);
}

/* A season and a level that stay: so does the forecast. On a slope it goes on, ever more slowly,
 * to at most the rise of 1.5 seasons. */
Test(mstl, forecast_repeats_seasons_and_damps_the_slope)
{
    struct mstl_params params;
    double ahead[240];
    cr_assert(eq(int, mstl_params_default((size_t[]){12}, 1, &params), ST_OK));
    for (int rising = 0; rising < 2; rising++) {
        run.n = 121;
        for (size_t i = 0; i < run.n; i++)
            run.y[i] = 5 + 2 * wave(i, 12) + 0.5 * (double)(rising * (int)i);
        cr_assert(eq(int, decompose(&params), ST_OK));
        struct mstl_parts parts = {run.trend, {run.seasonal[0]}, run.remainder, NULL};
        mstl_forecast(&params, &parts, run.n, 240, ahead);
        for (size_t i = 0; i < 240 && !rising; i++)
            cr_assert(epsilon_eq(dbl, ahead[i], 5 + 2 * wave(run.n + i, 12), 1e-9));
        if (!rising)
            continue;
        cr_expect(epsilon_eq(dbl, ahead[0], 5 + 2 * wave(121, 12) + 0.5 * 121, 0.05));
        cr_expect(gt(dbl, ahead[11], ahead[0]));
        cr_expect(lt(dbl, ahead[239] - 2 * wave(360, 12), 5 + 60 + 1.5 * 6));
    }
}

/* Box and Cox. */

Test(boxcox, estimates_equal_scipy_and_statsmodels)
{
    char word[32], name[32];
    size_t n, period, cases = 0;
    double likelihood, guerrero, lambda = 0;
    FILE *file = open_data("statsmodels.txt");
    while (fscanf(file, "%31s", word) == 1) {
        if (strcmp(word, "boxcox") != 0)
            continue;
        cr_assert(
            eq(int, fscanf(file, "%31s %zu %zu %lf %lf", name, &n, &period, &likelihood, &guerrero),
               5));
        for (size_t i = 0; i < n; i++)
            cr_assert(eq(int, fscanf(file, "%lf", &run.y[i]), 1));
        cr_assert(eq(int, boxcox_likelihood(run.y, n, &lambda), ST_OK));
        cr_expect(epsilon_eq(dbl, lambda, likelihood, 1e-6), "%s", name);
        cr_assert(eq(int, boxcox_guerrero(run.y, n, period, &lambda), ST_OK));
        cr_expect(epsilon_eq(dbl, lambda, guerrero, 1e-6), "%s", name);
        cases++;
    }
    fclose(file);
    cr_assert(eq(sz, cases, 4));
}

TheoryDataPoints(boxcox, the_way_back_is_the_way_there) = {
    DataPoints(double, 1e-200, 0.01, 1, 7, 1e100),
    DataPoints(double, -1, -0.5, 0, 1e-12, 0.3, 1, 2),
};

Theory((double y, double lambda), boxcox, the_way_back_is_the_way_there)
{
    double x = boxcox(y, lambda);
    cr_assume(fabs(lambda * log(y)) < 20); /* else it rounds away against the 1 */
    cr_assert(epsilon_eq(dbl, boxcox_inverse(x, lambda) / y, 1, 1e-6));
}

Test(boxcox, refuses_what_has_no_logarithm)
{
    double lambda = 7;
    cr_expect(eq(int, boxcox_likelihood((double[]){1, 2, 0}, 3, &lambda), ST_EINVAL));
    cr_expect(eq(int, boxcox_likelihood((double[]){1, 2, -1}, 3, &lambda), ST_EINVAL));
    cr_expect(eq(int, boxcox_likelihood((double[]){1, INFINITY}, 2, &lambda), ST_EINVAL));
    cr_expect(eq(int, boxcox_likelihood((double[]){NAN, NAN}, 2, &lambda), ST_EINVAL));
    cr_expect(eq(int, boxcox_guerrero((double[]){1, 1, 1, 1}, 4, 2, &lambda), ST_EINVAL));
    cr_expect(eq(dbl, lambda, 7));
    cr_expect(eq(int, boxcox_likelihood((double[]){3, 3, 3}, 3, &lambda), ST_OK));
    cr_expect(eq(dbl, lambda, 1));
}

/* Periods. */

TheoryDataPoints(period, is_that_of_the_season) = {
    DataPoints(size_t, 2, 3, 7, 24, 100), /* period */
    DataPoints(double, 0, 0.5),           /* noise */
    DataPoints(double, 0, 0.1, -5),       /* slope */
    DataPoints(double, 1, 1e-300, 1e290), /* scale */
    DataPoints(size_t, 0, 5),             /* one in so many missing */
};

Theory((size_t period, double sigma, double slope, double scale, size_t every), period,
       is_that_of_the_season)
{
    uint64_t seed = 9;
    size_t found = 0;
    double strength = 0;
    for (size_t i = 0; i < 500; i++) {
        double season = period == 2 ? (double)(i % 2) : wave(i, period);
        run.y[i] = scale * (season + sigma * noise(&seed) + slope * (double)i);
        if (every > 0 && i % every == 3)
            run.y[i] = NAN;
    }
    cr_assert(eq(int, stl_period_detect(run.y, 500, 0, &found, &strength), ST_OK));
    /* Noise and gaps move a broad peak a little, and so does the end of the series. */
    bool exact = sigma == 0 && every == 0 && period < 100;
    double away = fabs((double)found - (double)period);
    cr_expect(le(dbl, away, exact ? 0 : 1 + 0.01 * (double)period));
    cr_expect(gt(dbl, strength, 0.3));
}

Test(period, of_noise_a_line_or_a_constant_is_not_found)
{
    uint64_t seed = 4;
    size_t found;
    for (size_t i = 0; i < 500; i++)
        run.y[i] = noise(&seed);
    cr_expect(eq(int, stl_period_detect(run.y, 500, 0, &found, NULL), ST_ENOTFOUND));
    for (size_t i = 0; i < 500; i++)
        run.y[i] = 1e5 + 0.1 * (double)i;
    cr_expect(eq(int, stl_period_detect(run.y, 500, 0, &found, NULL), ST_ENOTFOUND));
    for (size_t i = 0; i < 500; i++)
        run.y[i] = 0.1;
    cr_expect(eq(int, stl_period_detect(run.y, 500, 0, &found, NULL), ST_ENOTFOUND));
    run.y[7] = INFINITY;
    cr_expect(eq(int, stl_period_detect(run.y, 500, 0, &found, NULL), ST_EINVAL));
    cr_expect(eq(int, stl_period_detect(run.y, 3, 0, &found, NULL), ST_EINVAL));
}

Test(period, of_electricity_demand_is_a_day_or_a_week)
{
    size_t found = 0;
    read_demand();
    cr_assert(eq(int, stl_period_detect(run.y, run.n, 100, &found, NULL), ST_OK));
    cr_expect(eq(sz, found, 24));
}
