/*
 * Tests of models/standardise.h and models/logistic.h.
 *
 * Known without running it: mean and deviation of a few numbers by hand; that libm agrees with our
 * exp and log within the errors stated; that missing numbers change nothing and read as 0; and that
 * values have mean 0 and deviation 1 in both forms once enough were seen, in whatever unit they
 * come.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include <math.h>
#include <stdlib.h>

#include "models/standardise.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

enum { N = 8 }; /* of which four are used */

struct fixture {
    float front[STANDARDISE_FRONT * N];
    double back[STANDARDISE_BACK * N];
    struct standardise s;
};

static void begin(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->s = standardise_view(N, f->front, f->back);
}

Test(standardise, small_numbers_by_hand)
{
    struct fixture f;
    float rows[][N] = {{1, 5, -1, NAN}, {2, 5, NAN, NAN}, {6, 5, -3, NAN}};
    float linear[N], log[N];
    begin(&f);
    for (size_t i = 0; i < LEN(rows); i++)
        standardise_add(&f.s, rows[i]);
    standardise_renew(&f.s);
    cr_expect(epsilon_eq(dbl, f.s.welford_mean[0], 3, 1e-12));
    cr_expect(epsilon_eq(dbl, f.s.welford_m2[0], 14, 1e-12)); /* 4 + 1 + 9 */
    cr_expect(epsilon_eq(dbl, f.s.welford_mean[2], -2, 1e-12));
    cr_expect(eq(dbl, f.s.count[2], 2));
    cr_expect(eq(dbl, f.s.count[3], 0));
    float x[N] = {6, 7, NAN, 1};
    standardise_row(&f.s, x, linear, log);
    cr_expect(epsilon_eq(flt, linear[0], (float)(3 / sqrt(14.0 / 3)), 1e-6f));
    cr_expect(eq(flt, linear[1], 0), "no deviation, no pull");
    cr_expect(eq(flt, linear[2], 0), "missing");
    cr_expect(eq(flt, linear[3], 0), "never seen");
    for (size_t i = 0; i < N; i++)
        cr_expect(eq(flt, log[i], 0), "no logarithm before it has a scale");
}

Test(standardise, outliers_are_held)
{
    struct fixture f;
    float linear[N], log[N];
    begin(&f);
    for (int i = 0; i < 100; i++)
        standardise_add(&f.s, (float[N]){(float)(i % 2), 0, 0, 0});
    standardise_renew(&f.s);
    standardise_row(&f.s, (float[N]){1e30f, 0, 0, 0}, linear, log);
    cr_expect(eq(flt, linear[0], STANDARDISE_CLIP));
    standardise_row(&f.s, (float[N]){-1e30f, 0, 0, 0}, linear, log);
    cr_expect(eq(flt, linear[0], -STANDARDISE_CLIP));
}

Test(standardise, renewals_are_due_in_proportion)
{
    size_t renewals = 0;
    for (uint64_t rows = 1, last = 0; rows <= 100000; rows++)
        if (standardise_is_due(rows, last)) {
            last = rows;
            renewals++;
        }
    cr_expect(standardise_is_due(1, 0) && standardise_is_due(64, 63));
    cr_expect(renewals > 64 && renewals < 700, "%zu", renewals);
}

static double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / (double)(UINT64_C(1) << 53);
}

TheoryDataPoints(standardise, has_mean_0_and_deviation_1_in_any_unit) = {
    DataPoints(double, 1e-6, 1, 1e9), /* unit */
    DataPoints(double, 0, -3),        /* shift, in units */
};

Theory((double unit, double shift), standardise, has_mean_0_and_deviation_1_in_any_unit)
{
    enum { ROWS = 20000 };
    struct fixture f;
    uint64_t seed = 1;
    struct quantile *q = malloc(quantile_size(256));
    struct quantile_point *points = malloc(2000 * sizeof *points);
    float *v = malloc(ROWS * sizeof *v);
    quantile_init(q, 256, 1);
    begin(&f);
    for (size_t i = 0; i < ROWS; i++) {
        v[i] = (float)(unit * (shift - log(1 - noise(&seed))));
        standardise_add(&f.s, (float[N]){v[i], 0, 0, 0});
        quantile_add(q, v[i]);
    }
    standardise_renew(&f.s);
    cr_assert(quantile_points_max(q) <= 2000);
    standardise_logs(&f.s, 0, points, quantile_points(q, points));
    double sums[2] = {0}, squares[2] = {0};
    for (size_t i = 0; i < ROWS; i++) {
        float linear[N], log[N];
        standardise_row(&f.s, (float[N]){v[i], 0, 0, 0}, linear, log);
        sums[0] += (double)linear[0];
        squares[0] += (double)linear[0] * (double)linear[0];
        sums[1] += (double)log[0];
        squares[1] += (double)log[0] * (double)log[0];
    }
    for (size_t i = 0; i < 2; i++) {
        cr_expect(epsilon_eq(dbl, sums[i] / ROWS, 0, 0.03), "%g %g: form %zu", unit, shift, i);
        cr_expect(epsilon_eq(dbl, squares[i] / ROWS, 1, 0.03), "%g %g: form %zu", unit, shift, i);
    }
    free(q);
    free(points);
    free(v);
}

Test(logistic, exp_is_exp)
{
    for (double v = -700; v <= 700; v += 0.37)
        cr_assert(fabs(logistic_exp(v) / exp(v) - 1) < 1e-13, "%g", v);
    cr_expect(eq(dbl, logistic_exp(0), 1));
}

Test(logistic, log1p_is_log1p)
{
    for (double v = 1e-12; v < 1e30; v *= 1.01) {
        float x[LOGISTIC_LANES] = {[3] = (float)v}, log[LOGISTIC_LANES];
        logistic_log1p(x, log);
        cr_assert(fabs((double)log[3] / log1p((double)x[3]) - 1) < 1e-6, "%g", v);
        cr_expect(eq(flt, log[0], 0));
    }
}

Test(logistic, stays_between_0_and_1)
{
    cr_expect(eq(dbl, logistic(0), 0.5));
    cr_expect(epsilon_eq(dbl, logistic(2), 1 / (1 + exp(-2)), 1e-15));
    double far[] = {1e300, INFINITY, 17, 100};
    for (size_t i = 0; i < LEN(far); i++) {
        float high = (float)logistic(far[i]), low = (float)logistic(-far[i]);
        cr_expect(high < 1 && low > 0, "%g", far[i]);
    }
}
