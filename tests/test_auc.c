/*
 * Tests of models/auc.h.
 *
 * Known without running it: the four figures of a few rows by hand; what is undefined; that no
 * order of the rows and no rising map of the scores changes AUC and average precision (laws); and
 * that the streaming form comes within its stated error of the exact one.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdlib.h>

#include "models/auc.h"

enum { ROWS = 10 };

struct exact_case {
    char name[32];
    size_t n;
    float scores[ROWS], labels[ROWS];
    double auc, average_precision, log_loss, calibration_error; /* -1: not looked at */
};

ParameterizedTestParameters(auc, exact)
{
    static struct exact_case cases[] = {
        {"all in order", 4, {.1f, .2f, .8f, .9f}, {0, 0, 1, 1}, 1, 1, -1, -1},
        {"all in wrong order", 4, {.1f, .2f, .8f, .9f}, {1, 1, 0, 0}, 0, 5.0 / 12, -1, -1},
        /* Pairs: .8 beats both 0s, .3 beats one of two. Precision 1 at the first, 2/3 at the
           second. */
        {"one out of order", 4, {.8f, .5f, .3f, .1f}, {1, 0, 1, 0}, .75, (1 + 2.0 / 3) / 2, -1, -1},
        {"all tied", 4, {.5f, .5f, .5f, .5f}, {1, 0, 0, 0}, .5, .25, 0.6931471805599453, -1},
        /* The 1 at .7 ties with one 0 and beats the other: (1/2 + 1) / 2. */
        {"a tie", 3, {.7f, .7f, .2f}, {1, 0, 0}, .75, .5, -1, -1},
        /* -(log .75 + log .5) / 2 */
        {"loss", 2, {.75f, .5f}, {1, 0}, 1, 1, 0.49041462650586314, -1},
        /* Ten rows, a tenth each: the mean of |score - label|. */
        {"calibration",
         10,
         {.25f, .25f, .25f, .25f, .25f, .75f, .75f, .75f, .75f, .75f},
         {0, 0, 0, 0, 0, 1, 1, 1, 1, 1},
         1,
         1,
         -1,
         .25},
    };
    return cr_make_param_array(struct exact_case, cases, sizeof cases / sizeof cases[0]);
}

static void expect_near(double got, double want, double error, const char *name, const char *what)
{
    if (want >= 0)
        cr_expect(epsilon_eq(dbl, got, want, error), "%s: %s", name, what);
}

ParameterizedTest(struct exact_case *c, auc, exact)
{
    struct score_figures exact, streamed;
    struct prequential *stream = NULL;
    cr_assert(eq(int, score_figures_exact(c->scores, c->labels, c->n, &exact), ST_OK));
    cr_assert(eq(int, prequential_create(&stream), ST_OK));
    for (size_t i = 0; i < c->n; i++)
        prequential_add(stream, c->scores[i], c->labels[i]);
    streamed = prequential_figures(stream);
    prequential_free(stream);
    /* The scores lie far apart, so both forms must see the same order. */
    struct score_figures figures[] = {exact, streamed};
    for (size_t i = 0; i < 2; i++) {
        const char *form = i == 0 ? "exact" : "streamed";
        expect_near(figures[i].auc, c->auc, 1e-12, c->name, form);
        expect_near(figures[i].average_precision, c->average_precision, 1e-12, c->name, form);
        expect_near(figures[i].log_loss, c->log_loss, 1e-7, c->name, form);
        expect_near(figures[i].calibration_error, c->calibration_error, 1e-7, c->name, form);
        cr_expect(eq(u64, figures[i].positives + figures[i].negatives, c->n));
    }
}

Test(auc, what_is_not_defined_is_nan)
{
    float score = 0.5f, one = 1, zero = 0;
    struct score_figures f;
    cr_assert(eq(int, score_figures_exact(NULL, NULL, 0, &f), ST_OK));
    cr_expect(isnan(f.auc) && isnan(f.average_precision) && isnan(f.log_loss) &&
              isnan(f.calibration_error));
    cr_assert(eq(int, score_figures_exact(&score, &one, 1, &f), ST_OK));
    cr_expect(isnan(f.auc) && f.average_precision == 1);
    cr_assert(eq(int, score_figures_exact(&score, &zero, 1, &f), ST_OK));
    cr_expect(isnan(f.auc) && isnan(f.average_precision) && !isnan(f.log_loss));
    prequential_free(NULL);
}

static double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / (double)(UINT64_C(1) << 53);
}

struct rows {
    size_t n;
    float *scores, *labels;
};

/* Labels drawn by their scores, which lie around a rate of about `rate`. */
static struct rows random_rows(size_t n, double rate, uint64_t seed)
{
    struct rows rows = {n, calloc(n, sizeof(float)), calloc(n, sizeof(float))};
    for (size_t i = 0; i < n; i++) {
        double logit = log(rate) + 3 * (noise(&seed) + noise(&seed) + noise(&seed) - 1.5);
        double p = 1 / (1 + exp(-logit));
        rows.scores[i] = (float)p;
        rows.labels[i] = noise(&seed) < p ? 1 : 0;
    }
    return rows;
}

static void rows_done(struct rows *rows)
{
    free(rows->scores);
    free(rows->labels);
}

static struct score_figures figures_of(const struct rows *rows)
{
    struct score_figures figures;
    cr_assert(eq(int, score_figures_exact(rows->scores, rows->labels, rows->n, &figures), ST_OK));
    return figures;
}

Test(auc, order_of_rows_and_scale_of_scores_do_not_matter)
{
    struct rows rows = random_rows(3000, 0.1, 1);
    struct score_figures before = figures_of(&rows), after;
    for (size_t i = 0; i < rows.n / 2; i++) {
        float score = rows.scores[i], label = rows.labels[i];
        rows.scores[i] = rows.scores[rows.n - 1 - i];
        rows.labels[i] = rows.labels[rows.n - 1 - i];
        rows.scores[rows.n - 1 - i] = score;
        rows.labels[rows.n - 1 - i] = label;
    }
    for (size_t i = 0; i < rows.n; i++)
        rows.scores[i] = sqrtf(rows.scores[i]);
    after = figures_of(&rows);
    cr_expect(epsilon_eq(dbl, after.auc, before.auc, 1e-12));
    cr_expect(epsilon_eq(dbl, after.average_precision, before.average_precision, 1e-12));
    cr_expect(fabs(after.log_loss - before.log_loss) > 0.01, "the loss should have changed");
    rows_done(&rows);
}

/* All pairs, one by one. */
Test(auc, is_the_share_of_pairs_in_order)
{
    struct rows rows = random_rows(700, 0.2, 2);
    double pairs = 0, right = 0;
    for (size_t i = 0; i < rows.n; i++)
        rows.scores[i] = floorf(rows.scores[i] * 20) / 20 + 0.01f; /* many ties */
    for (size_t i = 0; i < rows.n; i++)
        for (size_t j = 0; j < rows.n; j++)
            if (rows.labels[i] == 1 && rows.labels[j] == 0) {
                pairs++;
                right += rows.scores[i] > rows.scores[j]    ? 1
                         : rows.scores[i] == rows.scores[j] ? 0.5
                                                            : 0;
            }
    cr_expect(epsilon_eq(dbl, figures_of(&rows).auc, right / pairs, 1e-12));
    rows_done(&rows);
}

Test(auc, streaming_comes_close)
{
    double rates[] = {0.3, 0.01, 0.001};
    for (size_t r = 0; r < 3; r++) {
        struct rows rows = random_rows(100000, rates[r], 3 + r);
        struct prequential *stream = NULL;
        cr_assert(eq(int, prequential_create(&stream), ST_OK));
        for (size_t i = 0; i < rows.n; i++)
            prequential_add(stream, rows.scores[i], rows.labels[i]);
        struct score_figures a = figures_of(&rows), b = prequential_figures(stream);
        cr_expect(epsilon_eq(dbl, a.auc, b.auc, 1e-4), "rate %g", rates[r]);
        cr_expect(epsilon_eq(dbl, a.average_precision, b.average_precision, 2e-3), "rate %g",
                  rates[r]);
        cr_expect(epsilon_eq(dbl, a.log_loss, b.log_loss, 1e-9), "rate %g", rates[r]);
        cr_expect(epsilon_eq(dbl, a.calibration_error, b.calibration_error, 1e-3), "rate %g",
                  rates[r]);
        cr_expect(b.calibration_error < 0.02, "labels follow the scores: %g", b.calibration_error);
        prequential_free(stream);
        rows_done(&rows);
    }
}
