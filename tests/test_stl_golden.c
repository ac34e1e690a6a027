/*
 * Tests of features/stl.h against others' numbers (tests/data/stl/README.md says whose).
 *
 * Known: the authors' Fortran in seven scenarios, to a relative 1e-7; statsmodels on made-up series
 * with all kinds of spans, degrees and jumps, robust and not, to 1e-9 of the series' range.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "features/stl.h"

#define N_MAX  400
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct run {
    struct stl_params params;
    size_t n;
    double y[N_MAX], trend[N_MAX], seasonal[N_MAX], remainder[N_MAX], weights[N_MAX];
};

static void decompose(struct run *run)
{
    struct stl_parts parts = {run->trend, run->seasonal, run->remainder, run->weights};
    struct stl *stl = NULL;
    cr_assert(eq(int, stl_create(&run->params, run->n, &stl), ST_OK));
    cr_assert(eq(int, stl_decompose(stl, run->y, run->n, &parts), ST_OK));
    stl_free(stl);
}

static FILE *open_data(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/stl/%s", TEST_DATA, name);
    FILE *file = fopen(path, "r");
    cr_assert(ne(ptr, file, NULL), "%s", path);
    return file;
}

static void read_co2(struct run *run)
{
    FILE *file = open_data("stl_co2.csv");
    run->n = 0;
    while (run->n < N_MAX && fscanf(file, "%lf", &run->y[run->n]) == 1)
        run->n++;
    fclose(file);
    cr_assert(eq(sz, run->n, 348));
}

static void expect_near(const char *what, size_t at, double is, double want, double eps)
{
    cr_expect(le(dbl, fabs(is - want), eps), "%s at %zu: %.17g, not %.17g", what, at, is, want);
}

/* The Fortran. */

struct scenario {
    char name[24];
    size_t n;
    unsigned inner, robust;
    size_t trend_jump, low_pass_jump;
};

ParameterizedTestParameters(stl_golden, equals_the_fortran)
{
    static struct scenario scenarios[] = {
        {"baseline", 348, 1, 2, 2, 2},     {"short", 347, 1, 2, 2, 2},
        {"nljump-1", 348, 1, 2, 2, 1},     {"ntjump-1", 348, 1, 2, 1, 2},
        {"stlez", 348, 2, 0, 2, 2},        {"nljump-1-ntjump-1", 348, 1, 2, 1, 1},
        {"stlez-robust", 348, 1, 2, 2, 2},
    };
    return cr_make_param_array(struct scenario, scenarios, LEN(scenarios));
}

ParameterizedTest(struct scenario *s, stl_golden, equals_the_fortran)
{
    static struct run run;
    char line[256], name[32];
    double season, trend, weight;
    size_t at, rows = 0;
    read_co2(&run);
    run.n = s->n;
    run.params = (struct stl_params){12,    35,   19, 13, s->inner,      s->robust,
                                     1,     1,    1,  4,  s->trend_jump, s->low_pass_jump,
                                     false, false};
    decompose(&run);
    FILE *file = open_data("stl_test_results.csv");
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, " %31[^ ,] , %zu , %lf , %lf , %lf", name, &at, &season, &trend,
                   &weight) != 5 ||
            strcmp(name, s->name) != 0)
            continue;
        rows++;
        expect_near("season", at, run.seasonal[at], season, 1e-7 * fabs(season));
        expect_near("trend", at, run.trend[at], trend, 1e-7 * fabs(trend));
        expect_near("weight", at, run.weights[at], weight, 1e-7 * fabs(weight));
    }
    fclose(file);
    cr_assert(eq(sz, rows, s->n), "%s", s->name);
}

/* statsmodels. */

static bool read_case(FILE *file, char *name, struct run *run)
{
    struct stl_params *p = &run->params;
    char kind[16];
    int periodic;
    *p = (struct stl_params){0};
    int got = fscanf(file, "%15s %31s %zu %zu %zu %zu %zu %u %u %u %u %u %zu %zu %zu %d", kind,
                     name, &run->n, &p->period, &p->seasonal_span, &p->trend_span,
                     &p->low_pass_span, &p->inner_loops, &p->robust_loops, &p->seasonal_degree,
                     &p->trend_degree, &p->low_pass_degree, &p->seasonal_jump, &p->trend_jump,
                     &p->low_pass_jump, &periodic);
    p->periodic = periodic;
    return got == 16 && strcmp(kind, "stl") == 0;
}

static double range(const double *y, size_t n)
{
    double low = y[0], high = y[0];
    for (size_t i = 1; i < n; i++) {
        low = fmin(low, y[i]);
        high = fmax(high, y[i]);
    }
    return high - low;
}

Test(stl_golden, equals_statsmodels)
{
    static struct run run;
    static double want[3][N_MAX];
    char name[32];
    size_t cases = 0;
    FILE *file = open_data("statsmodels.txt");
    for (; read_case(file, name, &run); cases++) {
        for (size_t i = 0; i < run.n; i++)
            cr_assert(eq(
                int,
                fscanf(file, "%lf %lf %lf %lf", &run.y[i], &want[0][i], &want[1][i], &want[2][i]),
                4));
        decompose(&run);
        double eps = 1e-9 * range(run.y, run.n);
        for (size_t i = 0; i < run.n; i++) {
            expect_near(name, i, run.trend[i], want[0][i], eps);
            expect_near(name, i, run.seasonal[i], want[1][i], eps);
            expect_near(name, i, run.weights[i], want[2][i], 1e-8);
        }
    }
    fclose(file);
    cr_assert(eq(sz, cases, 14));
}

Test(stl_golden, the_defaults_are_those_of_statsmodels)
{
    struct stl_params hours = stl_params_default(24), week = stl_params_default(7);
    cr_expect(eq(sz, hours.trend_span, 47));
    cr_expect(eq(sz, hours.low_pass_span, 25));
    cr_expect(eq(sz, week.trend_span, 15));
    cr_expect(eq(sz, week.low_pass_span, 9));
    cr_expect(eq(sz, stl_trend_span_default(12, 0), 19));
}
