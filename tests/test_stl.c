/*
 * Tests of features/stl.h.
 *
 * What is known of STL without running it: it is exact on a straight line plus a fixed zero-mean
 * season (every smoother in it reproduces straight lines), it is linear in y when not robust, and
 * its parts always add up. So we check exact answers where there are any (parameterised), laws
 * that hold for every input (theories), and then each way it can refuse.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include <math.h>
#include <string.h>

#include "features/stl.h"
#include "tests/stl_run.h"

/* Exact answers. */

struct exact_case {
    char name[24]; /* an array, not a pointer: Criterion copies it into the test's own process */
    size_t period, n;
    double slope;
};

ParameterizedTestParameters(stl, recovers_line_plus_season)
{
    static struct exact_case cases[] = {
        {"flat", 12, 120, 0.0},
        {"rising", 12, 120, 0.05},
        {"falling", 12, 120, -2.0},
        {"shortest season", 2, 64, 0.1},
        {"two seasons only", 24, 48, 0.05},
        {"ragged end", 7, 100, 0.3},
        {"a week of hours", 168, 500, 0.01},
    };
    return cr_make_param_array(struct exact_case, cases, LEN(cases));
}

ParameterizedTest(struct exact_case *c, stl, recovers_line_plus_season)
{
    struct run run;
    fill(&run, c->n, c->period, c->slope, 0.0);
    cr_assert(eq(int, decompose(&run, c->period, 0), ST_OK), "%s", c->name);
    for (size_t i = 0; i < run.n; i++) {
        cr_expect(epsilon_eq(dbl, run.trend[i], 10.0 + c->slope * (double)i, 1e-8), "%s at %zu",
                  c->name, i);
        cr_expect(epsilon_eq(dbl, run.seasonal[i], season_at(i, c->period), 1e-8), "%s at %zu",
                  c->name, i);
    }
}

/* A fixed season cannot tell one year from the next; a growing one can, so this is the test that
 * the smoothed subseries are lined up with the series they came from. */
Test(stl, seasonal_part_follows_a_season_that_grows)
{
    struct run run;
    fill(&run, 240, 24, 0.0, 0.0);
    for (size_t i = 0; i < run.n; i++)
        run.y[i] = (1.0 + (double)i / 24.0) * season_at(i, 24);
    cr_assert(eq(int, decompose(&run, 24, 0), ST_OK));
    for (size_t i = 0; i < run.n; i++)
        cr_expect(epsilon_eq(dbl, run.seasonal[i] + run.trend[i], run.y[i], 0.05), "at %zu", i);
}

/* Laws. */

TheoryDataPoints(stl, parts_add_up_to_the_series) = {
    DataPoints(size_t, 2, 7, 24, 100),     /* period */
    DataPoints(size_t, 4, 48, 101, N_MAX), /* n */
    DataPoints(double, 0.0, 1.0, 1e6),     /* sigma */
    DataPoints(unsigned, 0, 3),            /* robust_loops */
};

Theory((size_t period, size_t n, double sigma, unsigned robust_loops), stl,
       parts_add_up_to_the_series)
{
    cr_assume(n >= 2 * period);
    struct run run;
    fill(&run, n, period, 0.1, sigma);
    cr_assert(eq(int, decompose(&run, period, robust_loops), ST_OK));
    for (size_t i = 0; i < n; i++) {
        double sum = run.trend[i] + run.seasonal[i] + run.remainder[i];
        cr_assert(epsilon_eq(dbl, sum, run.y[i], 1e-12 * (1.0 + fabs(run.y[i]) + sigma)));
    }
}

TheoryDataPoints(stl, is_linear_when_not_robust) = {
    DataPoints(double, -3.0, 0.001, 1.0, 1e4), /* scale */
    DataPoints(double, -1e3, 0.0, 7.0),        /* shift */
};

Theory((double scale, double shift), stl, is_linear_when_not_robust)
{
    struct run a, b;
    fill(&a, 200, 24, 0.02, 1.0);
    fill(&b, 200, 24, 0.02, 1.0);
    for (size_t i = 0; i < b.n; i++)
        b.y[i] = scale * a.y[i] + shift;
    cr_assert(eq(int, decompose(&a, 24, 0), ST_OK));
    cr_assert(eq(int, decompose(&b, 24, 0), ST_OK));

    double eps = 1e-9 * (fabs(scale) + fabs(shift) + 1.0);
    for (size_t i = 0; i < a.n; i++) {
        cr_assert(epsilon_eq(dbl, b.trend[i], scale * a.trend[i] + shift, eps));
        cr_assert(epsilon_eq(dbl, b.seasonal[i], scale * a.seasonal[i], eps));
    }
}

Test(stl, robust_fit_leaves_an_outlier_in_the_remainder)
{
    const size_t at = 100;
    struct run plain, robust;
    fill(&plain, 240, 24, 0.0, 0.1);
    fill(&robust, 240, 24, 0.0, 0.1);
    plain.y[at] += 50.0;
    robust.y[at] += 50.0;
    cr_assert(eq(int, decompose(&plain, 24, 0), ST_OK));
    cr_assert(eq(int, decompose(&robust, 24, 6), ST_OK));
    cr_assert(lt(dbl, plain.remainder[at], 40.0), "plain least squares should absorb some of it");
    cr_assert(gt(dbl, robust.remainder[at], 49.0));
}

Test(stl, seasonal_strength_tells_season_from_noise)
{
    struct run season, mixed;
    fill(&season, 240, 24, 0.1, 0.0);
    fill(&mixed, 240, 24, 0.1, 20.0);
    cr_assert(eq(int, decompose(&season, 24, 0), ST_OK));
    cr_assert(eq(int, decompose(&mixed, 24, 0), ST_OK));
    cr_expect(gt(dbl, stl_seasonal_strength(&season.parts, season.n), 0.999));
    cr_expect(lt(dbl, stl_seasonal_strength(&mixed.parts, mixed.n), 0.7));
}

/* A season that repeats and nothing else leaves nothing over, however it is smoothed. */

TheoryDataPoints(stl, pure_season_leaves_no_remainder) = {
    DataPoints(size_t, 2, 5, 12, 60), /* period */
    DataPoints(unsigned, 0, 4),       /* robust_loops */
    DataPoints(bool, false, true),    /* periodic */
};

Theory((size_t period, unsigned robust_loops, bool periodic), stl, pure_season_leaves_no_remainder)
{
    static struct run run;
    fill(&run, 5 * period + 3, period, 0, 0);
    uint64_t seed = 5;
    for (size_t i = 0; i < run.n; i++)
        run.y[i] = 3 + (i < period ? noise(&seed) : run.y[i - period] - 3);
    struct stl_params params = stl_params_default(period);
    params.robust_loops = robust_loops;
    params.periodic = periodic;
    cr_assert(eq(int, decompose_as(&run, &params), ST_OK));
    for (size_t i = 0; i < run.n; i++)
        cr_assert(epsilon_eq(dbl, run.remainder[i], 0, 1e-13));
}

TheoryDataPoints(stl, robust_parts_move_and_scale_with_the_series) = {
    DataPoints(double, -3.0, 1e-300, 1e-9, 1e9, 1e295), /* scale */
    DataPoints(double, -1e3, 0.0, 7.0),                 /* shift, in units of scale */
};

Theory((double scale, double shift), stl, robust_parts_move_and_scale_with_the_series)
{
    static struct run a, b;
    fill(&a, 200, 24, 0.02, 1.0);
    fill(&b, 200, 24, 0.02, 1.0);
    a.y[77] += 30;
    for (size_t i = 0; i < b.n; i++)
        b.y[i] = scale * (a.y[i] + shift);
    cr_assert(eq(int, decompose(&a, 24, 3), ST_OK));
    cr_assert(eq(int, decompose(&b, 24, 3), ST_OK));
    for (size_t i = 0; i < a.n; i++) {
        cr_assert(epsilon_eq(dbl, b.trend[i] / scale, a.trend[i] + shift, 1e-8));
        cr_assert(epsilon_eq(dbl, b.seasonal[i] / scale, a.seasonal[i], 1e-8));
        cr_assert(epsilon_eq(dbl, b.weights[i], a.weights[i], 1e-8));
    }
}

TheoryDataPoints(stl, constant_series_is_all_trend) = {
    DataPoints(double, 0.0, -0.0, 0.1, -1e300, 5e-324, 1e17), /* value */
    DataPoints(unsigned, 0, 2),                               /* robust_loops */
    DataPoints(bool, false, true),                            /* periodic */
};

Theory((double value, unsigned robust_loops, bool periodic), stl, constant_series_is_all_trend)
{
    static struct run run;
    fill(&run, 100, 12, 0, 0);
    for (size_t i = 0; i < run.n; i++)
        run.y[i] = value;
    struct stl_params params = stl_params_default(12);
    params.robust_loops = robust_loops;
    params.periodic = periodic;
    cr_assert(eq(int, decompose_as(&run, &params), ST_OK));
    for (size_t i = 0; i < run.n; i++) {
        cr_assert(eq(dbl, run.trend[i], value));
        cr_assert(eq(dbl, run.seasonal[i], 0));
        cr_assert(eq(int, signbit(run.seasonal[i]), 0), "no -0 either");
        cr_assert(eq(dbl, run.remainder[i], 0));
        cr_assert(eq(dbl, run.weights[i], 1));
    }
    cr_expect(eq(dbl, stl_seasonal_strength(&run.parts, run.n), 0));
    cr_expect(eq(dbl, stl_trend_strength(&run.parts, run.n), 0));
}

/* What the parts explain. */

Test(stl, trend_strength_tells_trend_from_noise)
{
    static struct run rising, flat;
    fill(&rising, 240, 24, 0.5, 1.0);
    fill(&flat, 240, 24, 0, 20.0);
    cr_assert(eq(int, decompose(&rising, 24, 0), ST_OK));
    cr_assert(eq(int, decompose(&flat, 24, 0), ST_OK));
    cr_expect(gt(dbl, stl_trend_strength(&rising.parts, rising.n), 0.999));
    cr_expect(lt(dbl, stl_trend_strength(&flat.parts, flat.n), 0.5));
}

/* A line has no season: what is left of one is rounding. */
Test(stl, a_line_has_no_seasonal_strength)
{
    static struct run run;
    fill(&run, 240, 24, 0, 0);
    for (size_t i = 0; i < run.n; i++)
        run.y[i] = 1e6 + 0.1 * (double)i;
    cr_assert(eq(int, decompose(&run, 24, 0), ST_OK));
    cr_expect(eq(dbl, stl_seasonal_strength(&run.parts, run.n), 0));
}

/* Refusals. */

struct refusal_case {
    char why[32];
    struct stl_params params;
    size_t n_max;
};

ParameterizedTestParameters(stl, create_refuses)
{
    static struct refusal_case cases[] = {
        {"no season", {1, 7, 21, 13, 2, 0, 1, 1, 1, 1, 1, 1, 0, 0}, 100},
        {"period 0", {0, 7, 21, 13, 2, 0, 1, 1, 1, 1, 1, 1, 0, 0}, 100},
        {"even seasonal span", {12, 8, 21, 13, 2, 0, 1, 1, 1, 1, 1, 1, 0, 0}, 100},
        {"seasonal span too short", {12, 5, 21, 13, 2, 0, 1, 1, 1, 1, 1, 1, 0, 0}, 100},
        {"trend no wider than season", {12, 7, 11, 13, 2, 0, 1, 1, 1, 1, 1, 1, 0, 0}, 100},
        {"even trend span", {12, 7, 22, 13, 2, 0, 1, 1, 1, 1, 1, 1, 0, 0}, 100},
        {"even low-pass span", {12, 7, 21, 12, 2, 0, 1, 1, 1, 1, 1, 1, 0, 0}, 100},
        {"low-pass span too short", {12, 7, 21, 1, 2, 0, 1, 1, 1, 1, 1, 1, 0, 0}, 100},
        {"no passes", {12, 7, 21, 13, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0}, 100},
        {"seasonal parabola", {12, 7, 21, 13, 2, 0, 2, 1, 1, 1, 1, 1, 0, 0}, 100},
        {"trend parabola", {12, 7, 21, 13, 2, 0, 1, 2, 1, 1, 1, 1, 0, 0}, 100},
        {"low-pass parabola", {12, 7, 21, 13, 2, 0, 1, 1, 2, 1, 1, 1, 0, 0}, 100},
        {"seasonal jump 0", {12, 7, 21, 13, 2, 0, 1, 1, 1, 0, 1, 1, 0, 0}, 100},
        {"trend jump 0", {12, 7, 21, 13, 2, 0, 1, 1, 1, 1, 0, 1, 0, 0}, 100},
        {"low-pass jump 0", {12, 7, 21, 13, 2, 0, 1, 1, 1, 1, 1, 0, 0, 0}, 100},
        {"under two seasons", {12, 7, 21, 13, 2, 0, 1, 1, 1, 1, 1, 1, 0, 0}, 23},
        {"size overflows", {12, 7, 21, 13, 2, 0, 1, 1, 1, 1, 1, 1, 0, 0}, SIZE_MAX},
        {"period overflows", {SIZE_MAX, 7, 21, 13, 2, 0, 1, 1, 1, 1, 1, 1, 0, 0}, 100},
    };
    return cr_make_param_array(struct refusal_case, cases, LEN(cases));
}

ParameterizedTest(struct refusal_case *c, stl, create_refuses)
{
    struct stl *stl = NULL;
    cr_expect(eq(int, stl_create(&c->params, c->n_max, &stl), ST_EINVAL), "%s", c->why);
    cr_expect(eq(ptr, stl, NULL), "%s: wrote its result on failure", c->why);
    cr_expect(ne(ptr, (void *)stl_params_wrong(&c->params, c->n_max), NULL), "%s", c->why);
}

TheoryDataPoints(stl, decompose_refuses_what_is_not_finite) = {
    DataPoints(double, NAN, INFINITY, -INFINITY, 2e300),
    DataPoints(size_t, 0, 50, 99),
};

Theory((double bad, size_t at), stl, decompose_refuses_what_is_not_finite)
{
    struct run run;
    fill(&run, 100, 12, 0.0, 0.0);
    run.y[at] = bad;
    cr_assert(eq(int, decompose(&run, 12, 0), ST_EINVAL));
}

Test(stl, decompose_refuses_lengths_out_of_range)
{
    struct run run;
    fill(&run, 23, 12, 0.0, 0.0);
    cr_expect(eq(int, decompose(&run, 12, 0), ST_EINVAL));
    run.n = N_MAX + 1;
    cr_expect(eq(int, decompose(&run, 12, 0), ST_EINVAL));
}

Test(stl, free_accepts_null)
{
    stl_free(NULL);
}
