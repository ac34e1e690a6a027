/*
 * Tests of models/forest.h and models/booster.h.
 *
 * What is known without running them: XGBoost's own prediction, which the flattened trees must give
 * to 1e-6 for any rows, missing values among them; contributions and bias add up to the logit; a
 * model cut anywhere is refused, and one with any bytes changed is refused or scores all the same,
 * without a fault.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "models/booster.h"
#include "models/forest.h"
#include "models/logistic.h"

enum { COLUMNS = 7, ROWS = 1500 };

static const char *const names[COLUMNS] = {"a", "b", "c", "d", "e", "f", "g"};
static const _Atomic bool never = false;

struct table {
    float values[ROWS * COLUMNS], labels[ROWS], weights[ROWS];
    struct booster_rows rows;
};

/* Few distinct values, so that thresholds are met exactly; some are missing, some huge. */
static struct table *make_table(uint64_t seed)
{
    struct table *table = calloc(1, sizeof *table);
    struct rng rng = rng_part(seed, 0);
    for (size_t i = 0; i < ROWS; i++) {
        float *row = table->values + i * COLUMNS;
        for (size_t j = 0; j < COLUMNS; j++)
            row[j] = rng_below(&rng, 6) == 0    ? NAN
                     : rng_below(&rng, 50) == 0 ? 3e38f
                                                : (float)rng_below(&rng, 40) / 4 - 5;
        double logit = (isnan(row[0]) ? 1 : (double)row[0]) * (row[1] > 0 ? 1 : -1);
        table->labels[i] = (double)rng_below(&rng, 1000) / 1000 < logistic(logit) ? 1 : 0;
        table->weights[i] = 1 + (float)rng_below(&rng, 3);
    }
    table->rows =
        (struct booster_rows){table->values, table->labels, table->weights, ROWS, COLUMNS, names};
    return table;
}

static struct buf make_booster(const struct table *table, unsigned rounds, unsigned depth)
{
    struct booster_options options = {.rounds = rounds,
                                      .max_depth = depth,
                                      .learning_rate = 0.3,
                                      .subsample = 0.8,
                                      .colsample = 0.9,
                                      .min_child_weight = 0.5,
                                      .reg_lambda = 1,
                                      .scale_pos_weight = 2,
                                      .seed = 7};
    struct buf booster = {0}, why = {0};
    enum status st =
        booster_train(&options, &table->rows, (struct slice){0}, &never, &why, &booster);
    cr_assert(eq(int, st, ST_OK), "%.*s", (int)why.len, why.data);
    buf_done(&why);
    return booster;
}

static struct forest *make_forest(struct slice booster)
{
    struct forest *forest = NULL;
    struct buf why = {0};
    cr_assert(eq(int, forest_read(booster, &why, &forest), ST_OK), "%.*s", (int)why.len, why.data);
    buf_done(&why);
    return forest;
}

TheoryDataPoints(forest, scores_as_xgboost_does) = {
    DataPoints(unsigned, 1, 3, 4, 50),
    DataPoints(unsigned, 1, 6, 10),
};

Theory((unsigned rounds, unsigned depth), forest, scores_as_xgboost_does)
{
    struct table *table = make_table(rounds), *fresh = make_table(1000 + depth);
    struct buf booster = make_booster(table, rounds, depth), why = {0};
    struct forest *forest = make_forest(buf_slice(&booster));
    float expected[ROWS];
    cr_assert(eq(sz, forest->n_trees, rounds));
    cr_assert(eq(sz, forest->n_features, COLUMNS));
    cr_assert(eq(str, forest->names[6], "g"));
    cr_assert(eq(int, booster_predict(buf_slice(&booster), &fresh->rows, &why, expected), ST_OK));
    double worst = 0;
    for (size_t i = 0; i < ROWS; i++) {
        const float *row = fresh->values + i * COLUMNS;
        double score = logistic((double)forest_logit(forest, row));
        worst = fmax(worst, fabs(score - (double)expected[i]));
    }
    cr_expect(le(dbl, worst, 1e-6));
    forest_release(forest);
    buf_done(&booster);
    buf_done(&why);
    free(table);
    free(fresh);
}

Test(forest, contributions_and_bias_add_up_to_the_logit)
{
    struct table *table = make_table(3);
    struct buf booster = make_booster(table, 40, 5);
    struct forest *forest = make_forest(buf_slice(&booster));
    double mean = 0, mean_absolute[COLUMNS] = {0};
    for (size_t i = 0; i < ROWS; i++) {
        const float *row = table->values + i * COLUMNS;
        double all[COLUMNS] = {0}, sum = forest->bias;
        forest_explain(forest, row, all);
        for (size_t j = 0; j < COLUMNS; j++) {
            sum += all[j];
            mean_absolute[j] += fabs(all[j]) / ROWS;
        }
        cr_assert(lt(dbl, fabs(sum - (double)forest_logit(forest, row)), 1e-4));
        mean += sum / ROWS;
    }
    for (size_t j = 2; j < COLUMNS; j++) /* labels follow the first two columns alone */
        cr_expect(lt(dbl, mean_absolute[j], mean_absolute[0]));
    cr_expect(lt(dbl, fabs(mean - forest->bias), 1), "the bias is about the mean logit");
    forest_release(forest);
    buf_done(&booster);
    free(table);
}

/* The same rows and options give the same bytes; trees are added to those there are. */
Test(forest, training_is_repeatable_and_can_go_on)
{
    struct table *table = make_table(4);
    struct buf a = make_booster(table, 10, 4), b = make_booster(table, 10, 4), more = {0},
               why = {0};
    cr_expect(slice_eq(buf_slice(&a), buf_slice(&b)));
    struct booster_options options = {.rounds = 5,
                                      .max_depth = 3,
                                      .learning_rate = 0.1,
                                      .subsample = 1,
                                      .colsample = 1,
                                      .scale_pos_weight = 1};
    cr_assert(
        eq(int, booster_train(&options, &table->rows, buf_slice(&a), &never, &why, &more), ST_OK));
    struct forest *first = make_forest(buf_slice(&a)), *second = make_forest(buf_slice(&more));
    cr_expect(eq(sz, second->n_trees, 15));
    cr_expect(memcmp(first->nodes, second->nodes, first->n_nodes * sizeof *first->nodes) == 0,
              "the first ten are the same");
    const _Atomic bool at_once = true;
    buf_reset(&more);
    cr_expect(eq(int, booster_train(&options, &table->rows, buf_slice(&a), &at_once, &why, &more),
                 ST_ESTOPPED));
    cr_expect(eq(sz, more.len, 0));
    forest_release(first);
    forest_release(second);
    buf_done(&a);
    buf_done(&b);
    buf_done(&more);
    buf_done(&why);
    free(table);
}

static void expect_some_outcome(struct slice bytes, const float *row)
{
    struct forest *forest = NULL;
    struct buf why = {0};
    enum status st = forest_read(bytes, &why, &forest);
    cr_assert(st == ST_OK || st == ST_ECORRUPT || st == ST_EINVAL);
    bool accepted = st == ST_OK, reason = why.len > 0;
    cr_assert(accepted != reason, "what is refused has a reason");
    float wide[300];
    for (size_t i = 0; i < 300; i++)
        wide[i] = row[i % COLUMNS];
    if (st == ST_OK && forest->n_features <= 300) {
        double all[300] = {0};
        (void)forest_logit(forest, wide);
        forest_explain(forest, wide, all);
    }
    forest_release(forest);
    buf_done(&why);
}

Test(forest, refuses_what_is_cut_and_survives_what_is_bent)
{
    struct table *table = make_table(5);
    struct buf booster = make_booster(table, 2, 3);
    struct rng rng = rng_part(1, 0);
    for (size_t len = 0; len < booster.len; len++) {
        struct forest *forest = NULL;
        struct buf why = {0};
        cr_assert(
            eq(int, forest_read((struct slice){booster.data, len}, &why, &forest), ST_ECORRUPT));
        buf_done(&why);
    }
    for (int i = 0; i < 20000; i++) {
        size_t at = rng_below(&rng, booster.len);
        char was = booster.data[at];
        booster.data[at] = (char)rng_below(&rng, 256);
        expect_some_outcome(buf_slice(&booster), table->values);
        booster.data[at] = was;
    }
    buf_done(&booster);
    free(table);
}

Test(forest, is_freed_with_its_last_holder)
{
    struct table *table = make_table(6);
    struct buf booster = make_booster(table, 1, 1);
    struct forest *forest = make_forest(buf_slice(&booster));
    cr_expect(forest_hold(forest) == forest);
    forest_release(forest);
    cr_expect(isfinite(forest_logit(forest, table->values)));
    forest_release(forest);
    forest_release(NULL);
    cr_expect(forest_hold(NULL) == NULL);
    buf_done(&booster);
    free(table);
}
