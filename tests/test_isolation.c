/*
 * Tests of models/isolation.h.
 *
 * What is known without running it: c(n) in closed form; scores of rows that can be parted in one
 * way only, whatever is drawn; a column's unit, or rows beyond what a tree takes, change nothing;
 * what is the same everywhere is never asked; what lies far out scores highest; rows are drawn
 * evenly, or by their weights.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/isolation.h"
#include "models/isolation_sample.h"

static const struct isolation_options usual = {
    .trees = 100, .samples = 256, .max_features = 1, .seed = 7};

static struct isolation *make(const struct isolation_options *options, const float *values,
                              size_t n_columns, size_t n)
{
    struct isolation *isolation = NULL;
    struct isolation_rows rows = {values, NULL, n};
    cr_assert(eq(int, isolation_create(options, n_columns, &isolation), ST_OK));
    cr_assert(eq(int, isolation_fit(isolation, &rows), ST_OK));
    return isolation;
}

/* Bell-shaped; some of it missing. */
static float *make_rows(size_t n, size_t n_columns, double missing)
{
    struct rng rng = rng_of(3);
    float *values = calloc(n * n_columns, sizeof *values);
    for (size_t i = 0; i < n * n_columns; i++)
        values[i] = rng_uniform(&rng) < missing ? NAN : (float)rng_normal(&rng, 10, 3);
    return values;
}

struct path_case {
    size_t n;
    double path;
};

ParameterizedTestParameters(isolation, path_lengths)
{
    static struct path_case cases[] = {
        {0, 0}, {1, 0}, {2, 1}, {3, 1.207392357589623}, {256, 10.244770920119917}};
    return cr_make_param_array(struct path_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct path_case *c, isolation, path_lengths)
{
    cr_expect(lt(dbl, fabs(isolation_path(c->n) - c->path), 1e-14), "c(%zu)", c->n);
}

/* One column; of each value the questions it takes, those that a leaf's rows count for included. */
struct tree_case {
    char what[32];
    size_t n;
    float values[4];
    double questions[4];
    double unit; /* c(n) */
};

ParameterizedTestParameters(isolation, scores_of_rows_that_part_in_one_way)
{
    static struct tree_case cases[] = {
        {"two rows", 2, {1, 5}, {1, 1}, 1},
        {"one apart from two alike", 3, {0, 0, 100}, {2, 2, 1}, 1.207392357589623},
        {"one missing", 3, {4, 4, NAN}, {2, 2, 1}, 1.207392357589623},
        {"one apart from three",
         4,
         {9, 9, 9, -3},
         {1 + 1.207392357589623, 0, 0, 1},
         1.8516559071392855},
        {"all alike", 4, {2, 2, 2, 2}, {1.8516559071392855, 0, 0, 0}, 1.8516559071392855},
        {"all missing", 3, {NAN, NAN, NAN}, {1, 1, 1}, 1},
        {"one row", 1, {3}, {1}, 1},
        {"the largest numbers", 3, {3.4e38f, -3.4e38f, 3.4e38f}, {2, 1, 2}, 1.207392357589623},
    };
    return cr_make_param_array(struct tree_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct tree_case *c, isolation, scores_of_rows_that_part_in_one_way)
{
    for (uint64_t seed = 0; seed < 5; seed++)
        for (size_t trees = 1; trees <= 9; trees += 4) {
            struct isolation_options options = {trees, 256, 1, false, seed};
            struct isolation *isolation = make(&options, c->values, 1, c->n);
            for (size_t i = 0; i < c->n; i++) {
                double expected = exp2(-c->questions[i] / c->unit);
                float score = isolation_score(isolation_forest(isolation), &c->values[i]);
                if (c->questions[i] > 0)
                    cr_expect(lt(dbl, fabs((double)score - expected), 1e-6), "%s, row %zu: %g, %g",
                              c->what, i, (double)score, expected);
            }
            isolation_free(isolation);
        }
}

Test(isolation, refuses_no_rows_and_options_out_of_bounds)
{
    struct isolation *isolation = NULL;
    struct isolation_rows none = {NULL, NULL, 0};
    struct isolation_options bad[] = {{0, 256, 1, false, 0},     {1, 0, 1, false, 0},
                                      {1, 256, 0, false, 0},     {1, 256, 1.5, false, 0},
                                      {10001, 256, 1, false, 0}, {1, 65537, 1, false, 0},
                                      {1, 256, NAN, false, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect(eq(int, isolation_create(&bad[i], 1, &isolation), ST_EINVAL), "%zu", i);
    cr_expect(eq(int, isolation_create(&usual, 0, &isolation), ST_EINVAL));
    cr_assert(eq(int, isolation_create(&usual, 1, &isolation), ST_OK));
    cr_expect(eq(int, isolation_fit(isolation, &none), ST_EINVAL));
    cr_expect(eq(flt, isolation_score(isolation_forest(isolation), (float[]){1}), 0.5f));
    isolation_free(isolation);
    isolation_free(NULL);
}

/* Two forests score these rows to the same bits; the second sees them times `scale`. */
static void expect_same(const struct isolation *a, const struct isolation *b, const float *values,
                        size_t n_columns, size_t n, const float *scale)
{
    float row[8];
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n_columns; j++)
            row[j] = values[i * n_columns + j] * scale[j];
        float x = isolation_score(isolation_forest(a), values + i * n_columns);
        float y = isolation_score(isolation_forest(b), row);
        cr_assert(memcmp(&x, &y, sizeof x) == 0, "row %zu: %g, %g", i, (double)x, (double)y);
    }
}

Test(isolation, the_unit_of_a_column_does_not_matter)
{
    enum { N = 600, COLUMNS = 3 };
    const float scale[COLUMNS] = {0x1p40f, 0x1p-60f, 4};
    float *values = make_rows(N, COLUMNS, 0.05), *scaled = make_rows(N, COLUMNS, 0.05);
    for (size_t i = 0; i < N * COLUMNS; i++)
        scaled[i] *= scale[i % COLUMNS];
    struct isolation *a = make(&usual, values, COLUMNS, N);
    struct isolation *b = make(&usual, scaled, COLUMNS, N);
    expect_same(a, b, values, COLUMNS, N, scale);
    isolation_free(a);
    isolation_free(b);
    free(values);
    free(scaled);
}

Test(isolation, fewer_rows_than_max_samples_are_all_taken)
{
    float *values = make_rows(40, 2, 0);
    struct isolation_options few = usual;
    few.samples = 40;
    struct isolation *a = make(&usual, values, 2, 40), *b = make(&few, values, 2, 40);
    expect_same(a, b, values, 2, 40, (const float[]){1, 1});
    for (size_t tree = 0; tree < 100; tree++) {
        size_t end =
            tree == 99 ? isolation_forest(a)->n_nodes : isolation_forest(a)->roots[tree + 1];
        cr_assert(le(sz, end - isolation_forest(a)->roots[tree], 79), "2 n - 1 nodes at most");
    }
    isolation_free(a);
    isolation_free(b);
    free(values);
}

Test(isolation, a_constant_column_is_never_asked)
{
    float *values = make_rows(500, 3, 0);
    for (size_t i = 0; i < 500; i++)
        values[3 * i + 1] = i % 2 ? 5 : 5.0f;
    for (size_t i = 0; i < 500; i++)
        values[3 * i + 2] = NAN;
    struct isolation *isolation = make(&usual, values, 3, 500);
    const struct forest *forest = isolation_forest(isolation);
    for (size_t i = 0; i < forest->n_nodes; i++)
        if (forest->nodes[i].left)
            cr_assert(eq(u32, forest->nodes[i].feature >> 1, 0));
    isolation_free(isolation);
    free(values);
}

struct variant {
    double max_features, missing;
    bool bootstrap;
};

ParameterizedTestParameters(isolation, what_lies_far_out_scores_highest)
{
    static struct variant cases[] = {{1, 0, false},   {0.5, 0, false}, {0.01, 0, false},
                                     {1, 0.2, false}, {1, 0, true},    {0.5, 0.2, true}};
    return cr_make_param_array(struct variant, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct variant *c, isolation, what_lies_far_out_scores_highest)
{
    enum { N = 2000, COLUMNS = 4 };
    float *values = make_rows(N, COLUMNS, c->missing);
    struct isolation_options options = {100, 256, c->max_features, c->bootstrap, 1};
    struct isolation *isolation = make(&options, values, COLUMNS, N);
    const float far[COLUMNS] = {60, -40, 60, 60};
    float most = isolation_score(isolation_forest(isolation), far), sum = 0;
    cr_expect(gt(flt, most, 0.6f));
    for (size_t i = 0; i < N; i++) {
        float score = isolation_score(isolation_forest(isolation), values + i * COLUMNS);
        cr_assert(score > 0 && score <= most, "row %zu: %g", i, (double)score);
        sum += score / N;
    }
    cr_expect(sum > 0.35f && sum < 0.55f, "mean %g", (double)sum);
    isolation_free(isolation);
    free(values);
}

Test(isolation, the_same_seed_gives_the_same_trees_and_another_others)
{
    float *values = make_rows(1000, 2, 0.1);
    struct isolation_options other = usual;
    other.seed = 8;
    struct isolation *a = make(&usual, values, 2, 1000), *b = make(&usual, values, 2, 1000);
    struct isolation *c = make(&other, values, 2, 1000);
    const struct forest *x = isolation_forest(a), *y = isolation_forest(b),
                        *z = isolation_forest(c);
    cr_assert(eq(sz, x->n_nodes, y->n_nodes));
    cr_expect(memcmp(x->nodes, y->nodes, x->n_nodes * sizeof *x->nodes) == 0);
    cr_expect(memcmp(x->nodes, z->nodes, 100 * sizeof *x->nodes) != 0);
    cr_assert(eq(int, isolation_fit(a, &(struct isolation_rows){values, NULL, 1000}), ST_OK));
    cr_expect(memcmp(x->nodes, y->nodes, x->n_nodes * sizeof *x->nodes) == 0, "a second fit");
    isolation_free(a);
    isolation_free(b);
    isolation_free(c);
    free(values);
}

/* Sampling. */

static void count_draws(const struct isolation_rows *rows, size_t n, bool again, size_t *ret)
{
    struct isolation_sample sample;
    struct rng rng = rng_of(11);
    cr_assert(eq(int, isolation_sample_init(&sample, n), ST_OK));
    for (size_t draw = 0; draw < 10000; draw++) {
        const uint32_t *drawn = isolation_sample_draw(&sample, rows, n, again, &rng);
        uint64_t seen = 0;
        for (size_t i = 0; i < n; i++) {
            cr_assert(lt(u32, drawn[i], rows->n));
            cr_assert(again || !(seen >> drawn[i] & 1), "a row came twice");
            seen |= UINT64_C(1) << drawn[i];
            ret[drawn[i]]++;
        }
    }
    isolation_sample_done(&sample);
}

Test(isolation, rows_are_drawn_evenly)
{
    for (size_t n = 1; n <= 10; n += 3)
        for (int again = 0; again < 2; again++) {
            size_t counts[10] = {0};
            count_draws(&(struct isolation_rows){NULL, NULL, 10}, n, again, counts);
            for (size_t i = 0; i < 10; i++) /* 1000 n, five deviations */
                cr_expect(lt(dbl, fabs((double)counts[i] - 1000.0 * (double)n),
                             5 * sqrt(1000.0 * (double)n)),
                          "%zu of 10: row %zu %zu times", n, i, counts[i]);
        }
}

Test(isolation, rows_are_drawn_by_their_weights)
{
    const float weights[4] = {1, 3, 4, 2};
    struct isolation_rows rows = {NULL, weights, 4};
    for (int again = 0; again < 2; again++) {
        size_t counts[4] = {0};
        count_draws(&rows, 1, again, counts);
        for (size_t i = 0; i < 4; i++)
            cr_expect(lt(dbl, fabs((double)counts[i] - 1000.0 * (double)weights[i]), 250),
                      "row %zu %zu times", i, counts[i]);
    }
    size_t counts[4] = {0};
    count_draws(&rows, 3, false, counts);

    cr_expect(counts[2] > counts[1] && counts[1] > counts[3] && counts[3] > counts[0]);
    cr_expect(eq(sz, counts[0] + counts[1] + counts[2] + counts[3], 30000));
}
