/*
 * Tests of models/delong.h, and of models/auc.h on the same rows.
 *
 * Known without running it: the variances of a few rows by hand; scikit-learn's, SciPy's and the
 * paper's figures of made-up scores (tests/data/judge/make_golden.py); and laws: a model differs
 * from itself by nothing, exchanging the two turns the sign, a rising map of the scores and another
 * order of the rows change nothing, and under no true difference p below 0.05 is met in about one
 * of twenty.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/auc.h"
#include "models/delong.h"

enum { ROWS_MAX = 5000 };

struct rows {
    size_t n;
    float label[ROWS_MAX], weight[ROWS_MAX], score[2][ROWS_MAX];
};

static struct delong compare(const struct rows *rows)
{
    struct delong judged;
    cr_assert(eq(int, delong_compare(rows->score[0], rows->score[1], rows->label, rows->n, &judged),
                 ST_OK));
    return judged;
}

/* Two 1s and two 0s. First model: .9 .4 | .6 .1: placements 1, .5 | .5, 1. Second: all in order. */
Test(delong, a_case_by_hand)
{
    struct rows rows = {4, {1, 1, 0, 0}, {0}, {{.9f, .4f, .6f, .1f}, {.9f, .8f, .2f, .1f}}};
    struct delong judged = compare(&rows);
    cr_expect(epsilon_eq(dbl, judged.auc[0], 0.75, 1e-15));
    cr_expect(epsilon_eq(dbl, judged.auc[1], 1, 1e-15));
    /* Both labels: mean .75, squares 2 * .25^2, over (2 - 1) and 2 rows. */
    cr_expect(epsilon_eq(dbl, judged.variance[0], 0.125, 1e-15));
    cr_expect(epsilon_eq(dbl, judged.variance[1], 0, 1e-15));
    cr_expect(epsilon_eq(dbl, judged.error, sqrt(0.125), 1e-15));
    cr_expect(epsilon_eq(dbl, judged.lower, 0.25 - 1.959963984540054 * sqrt(0.125), 1e-14));
    cr_expect(epsilon_eq(dbl, judged.p, 0.4795001221869535, 1e-12)); /* erfc(1/2) */
}

Test(delong, what_is_not_defined_is_nan)
{
    struct rows none = {.n = 0}, ones = {.n = 2, .label = {1, 1}};
    struct rows one = {2, {1, 0}, {0}, {{.9f, .1f}, {.1f, .9f}}};
    cr_expect(isnan(compare(&none).auc[0]) && isnan(compare(&ones).difference));
    struct delong judged = compare(&one);
    cr_expect(judged.auc[0] == 1 && judged.auc[1] == 0 && judged.difference == -1);
    cr_expect(isnan(judged.error) && isnan(judged.lower) && isnan(judged.p));
}

/* The file's first line of a case; see make_golden.py. */
struct golden {
    char name[32];
    size_t n;
    double variance[2], covariance, difference, error, lower, upper, p;
    struct {
        double auc, precision, loss, weighted_auc, weighted_precision, weighted_loss;
    } of[2];
    double calibration, psi;
};

static bool read_golden(FILE *file, struct golden *g, struct rows *rows)
{
    double f[22];
    if (fscanf(file, "%31s %zu", g->name, &g->n) != 2)
        return false;
    cr_assert(g->n <= ROWS_MAX);
    for (size_t i = 0; i < 22; i++)
        cr_assert(eq(int, fscanf(file, "%lf", &f[i]), 1));
    memcpy(g->variance, f, sizeof f);
    rows->n = g->n;
    for (size_t i = 0; i < g->n; i++)
        cr_assert(eq(int,
                     fscanf(file, "%f %f %f %f", &rows->label[i], &rows->weight[i],
                            &rows->score[0][i], &rows->score[1][i]),
                     4));
    return true;
}

static void expect_near(const char *name, const char *what, double got, double want)
{
    cr_expect(epsilon_eq(dbl, got, want, 1e-10 * (1 + fabs(want))), "%s: %s: %.17g, not %.17g",
              name, what, got, want);
}

static void expect_figures(const struct golden *g, const struct rows *rows, int i)
{
    struct score_figures plain, weighted;
    struct score_tenth tenths[SCORE_TENTHS];
    const float *scores = rows->score[i];
    cr_assert(eq(int, score_figures_exact(scores, rows->label, rows->n, &plain), ST_OK));
    cr_assert(eq(
        int, score_figures_weighted(scores, rows->label, rows->weight, rows->n, &weighted, tenths),
        ST_OK));
    expect_near(g->name, "auc", plain.auc, g->of[i].auc);
    expect_near(g->name, "average precision", plain.average_precision, g->of[i].precision);
    expect_near(g->name, "log loss", plain.log_loss, g->of[i].loss);
    expect_near(g->name, "weighted auc", weighted.auc, g->of[i].weighted_auc);
    expect_near(g->name, "weighted precision", weighted.average_precision,
                g->of[i].weighted_precision);
    expect_near(g->name, "weighted loss", weighted.log_loss, g->of[i].weighted_loss);
    if (i == 0 && !isnan(g->calibration))
        expect_near(g->name, "calibration", plain.calibration_error, g->calibration);
}

Test(delong, as_others_say)
{
    static struct rows rows;
    struct golden g;
    FILE *file = fopen(TEST_DATA "/judge/golden.txt", "r");
    cr_assert(ne(ptr, file, NULL));
    int cases = 0;
    for (; read_golden(file, &g, &rows); cases++) {
        struct delong judged = compare(&rows);
        for (int i = 0; i < 2; i++) {
            expect_near(g.name, "variance", judged.variance[i], g.variance[i]);
            expect_figures(&g, &rows, i);
        }
        expect_near(g.name, "covariance", judged.covariance, g.covariance);
        expect_near(g.name, "difference", judged.difference, g.difference);
        expect_near(g.name, "error", judged.error, g.error);
        expect_near(g.name, "lower", judged.lower, g.lower);
        expect_near(g.name, "upper", judged.upper, g.upper);
        expect_near(g.name, "p", judged.p, g.p);
    }
    fclose(file);
    cr_expect(eq(int, cases, 7));
}

static double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / (double)(UINT64_C(1) << 53);
}

/* Two models that see the same truth through noise of their own. */
static void make_rows(struct rows *rows, size_t n, double rate, uint64_t seed)
{
    rows->n = n;
    for (size_t i = 0; i < n; i++) {
        double truth = noise(&seed) + noise(&seed);
        rows->label[i] = truth > 2 * (1 - rate) - 0.3 + 0.6 * noise(&seed);
        for (int j = 0; j < 2; j++)
            rows->score[j][i] = (float)((truth + noise(&seed)) / 3.001);
    }
}

Test(delong, laws)
{
    static struct rows rows, other;
    make_rows(&rows, 3000, 0.3, 7);
    struct delong judged = compare(&rows);
    other = rows;
    memcpy(other.score[1], other.score[0], sizeof other.score[0]);
    struct delong self = compare(&other);
    cr_expect(self.difference == 0 && self.error == 0 && self.p == 1 && self.lower == 0);
    for (size_t i = 0; i < rows.n; i++) { /* exchanged, turned round, and mapped */
        size_t at = rows.n - 1 - i;
        other.label[i] = rows.label[at];
        other.score[0][i] = rows.score[1][at] * rows.score[1][at] - 1; /* some below 0 */
        other.score[1][i] = rows.score[0][at] * 1000;
    }
    struct delong turned = compare(&other);
    cr_expect(epsilon_eq(dbl, turned.difference, -judged.difference, 1e-12));
    cr_expect(epsilon_eq(dbl, turned.error, judged.error, 1e-9));
    cr_expect(epsilon_eq(dbl, turned.lower, -judged.upper, 1e-9));
    cr_expect(epsilon_eq(dbl, turned.p, judged.p, 1e-7));
}

/* Of 400 pairs of models that are alike, about 20 show p below 0.05; 4.4 standard deviations. */
Test(delong, alarms_falsely_once_in_twenty)
{
    static struct rows rows;
    int alarms = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        make_rows(&rows, 300, 0.3, seed * 77);
        alarms += compare(&rows).p < 0.05;
    }
    cr_expect(alarms >= 4 && alarms <= 39, "%d alarms", alarms);
}
