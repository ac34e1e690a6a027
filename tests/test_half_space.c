/*
 * Tests of models/half_space.h.
 *
 * What is known without running it: the scores of a tree of one question, whatever is drawn; a
 * column's unit does not matter; where rows come more often, scores are lower, and they follow
 * where rows come elsewhere; what is far out, missing, infinite or off a constant has a score in
 * (0, 1); a copy learns to the same bits.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "models/half_space.h"

static struct half_space *make(size_t trees, size_t depth, size_t window, size_t n_columns)
{
    struct half_space_options options = {trees, depth, window, 5};
    struct half_space *ret = NULL;
    cr_assert(eq(int, half_space_create(&options, n_columns, &ret), ST_OK));
    return ret;
}

static float score(const struct half_space *trees, const float *row)
{
    float unit_row[16];
    float score = half_space_score(trees, row, unit_row);
    cr_assert(score > 0 && score < 1, "%g", (double)score);
    return score;
}

/* One column, one question: the middle of its work range lies between 0 and 1. */
Test(half_space, one_question_by_hand)
{
    const float ranges[] = {0, 1, 1, 0}, rows[] = {0, 0, 0, 1};
    struct half_space *trees = make(7, 1, 4, 1);
    for (size_t i = 0; i < 4; i++)
        half_space_learn(trees, &ranges[i], 1);
    for (size_t i = 0; i < 4; i++) {
        cr_expect(eq(flt, score(trees, &rows[i]), 0.5f), "nothing is counted yet");
        half_space_learn(trees, &rows[i], 1);
    }
    cr_expect(eq(flt, score(trees, &rows[0]), (float)(1 / (1 + 3.0 * 2 / 4))));
    cr_expect(eq(flt, score(trees, &rows[3]), (float)(1 / (1 + 1.0 * 2 / 4))));
    for (size_t i = 0; i < 4; i++)
        half_space_learn(trees, &rows[0], 2);
    cr_expect(eq(flt, score(trees, &rows[0]), (float)(1 / (1 + 8.0 * 2 / 8))), "weights count");
    cr_expect(gt(flt, score(trees, &rows[3]), 0.999f), "nothing came there");
    half_space_free(trees);
    half_space_free(NULL);
}

Test(half_space, refuses_options_out_of_bounds)
{
    struct half_space_options bad[] = {
        {0, 5, 10, 0}, {1001, 5, 10, 0}, {5, 0, 10, 0}, {5, 16, 10, 0}, {5, 5, 1, 0}};
    struct half_space *trees = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect(eq(int, half_space_create(&bad[i], 1, &trees), ST_EINVAL), "%zu", i);
    cr_expect(eq(int, half_space_create(&(struct half_space_options){5, 5, 10, 0}, 0, &trees),
                 ST_EINVAL));
}

static void learn_bell(struct half_space *trees, struct rng *rng, size_t n, double mean,
                       const float *scale)
{
    float row[2];
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < 2; j++)
            row[j] = (float)rng_normal(rng, mean, 1) * scale[j];
        half_space_learn(trees, row, 1);
    }
}

static const float even[2] = {1, 1};

Test(half_space, the_unit_of_a_column_does_not_matter)
{
    const float scale[2] = {0x1p30f, 0x1p-30f};
    struct half_space *a = make(10, 8, 100, 2), *b = make(10, 8, 100, 2);
    struct rng x = rng_of(1), y = rng_of(1);
    learn_bell(a, &x, 1050, 0, even);
    learn_bell(b, &y, 1050, 0, scale);
    for (float v = -5; v < 5; v += 0.25f)
        cr_assert(eq(flt, score(a, (float[]){v, v / 2}),
                     score(b, (float[]){v * scale[0], v / 2 * scale[1]})));
    half_space_free(a);
    half_space_free(b);
}

Test(half_space, follows_where_rows_come)
{
    struct half_space *trees = make(25, 10, 250, 2);
    struct rng rng = rng_of(2);
    const float here[2] = {0, 0}, there[2] = {9, 9};
    learn_bell(trees, &rng, 2000, 0, even);
    cr_expect(gt(flt, score(trees, there), 5 * score(trees, here)));
    learn_bell(trees, &rng, 5000, 9, even);
    cr_expect(gt(flt, score(trees, here), 5 * score(trees, there)));
    half_space_free(trees);
}

Test(half_space, one_wild_row_does_not_spoil_a_range)
{
    struct half_space *trees = make(25, 10, 250, 2);
    struct rng rng = rng_of(2);
    const float usual[2] = {0, 0}, far[2] = {12, -12};
    learn_bell(trees, &rng, 1000, 0, even);
    half_space_learn(trees, (float[]){1e30f, 3.4028234e38f}, 1);
    half_space_learn(trees, (float[]){-1e30f, -3.4028234e38f}, 1);
    learn_bell(trees, &rng, 1000, 0, even);
    cr_expect(gt(flt, score(trees, far), 2 * score(trees, usual)));
    half_space_free(trees);
}

Test(half_space, takes_any_number)
{
    const float odd[] = {NAN, 3.4028234e38f, -3.4028234e38f, 0, -0.0f, 1e-44f, 7, 1e20f};
    struct half_space *trees = make(25, 6, 8, 2);
    for (size_t i = 0; i < 400; i++) {
        const float row[2] = {odd[i * 5 % 8], odd[i * 3 / 8 % 8]};
        half_space_learn(trees, row, 1);
        score(trees, row);
    }
    half_space_free(trees);
}

Test(half_space, off_a_constant_is_far_out)
{
    struct half_space *trees = make(25, 6, 50, 1);
    for (size_t i = 0; i < 200; i++)
        half_space_learn(trees, (float[]){7}, 1);
    float usual = score(trees, (float[]){7});
    cr_expect(lt(flt, usual, 0.1f));
    cr_expect(gt(flt, score(trees, (float[]){7.001f}), usual));
    cr_expect(gt(flt, score(trees, (float[]){6.999f}), usual));
    half_space_free(trees);
}

/* A copy in the middle of a window, and one that only scores. */
Test(half_space, copies_go_on_to_the_same_bits)
{
    struct half_space *a = make(10, 8, 100, 2), *b = make(10, 8, 100, 2), *c = make(10, 8, 100, 2);
    struct rng x = rng_of(1);
    learn_bell(a, &x, 730, 0, even);
    half_space_copy(a, b);
    struct rng y = x;
    learn_bell(a, &x, 500, 2, even);
    learn_bell(b, &y, 500, 2, even);
    half_space_copy_reference(b, c);
    for (float v = -5; v < 5; v += 0.25f) {
        cr_assert(eq(flt, score(a, (float[]){v, -v}), score(b, (float[]){v, -v})));
        cr_assert(eq(flt, score(a, (float[]){v, -v}), score(c, (float[]){v, -v})));
    }
    half_space_reset(a);
    cr_expect(eq(flt, score(a, (float[]){0, 0}), 0.5f));
    half_space_free(a);
    half_space_free(b);
    half_space_free(c);
}

/* ---- questions (half_space_tree.h) */

enum { TREES = 50, INNER = 15, TWO = 2 };

Test(half_space, what_is_missing_goes_to_the_side_that_was_drawn_with_the_question)
{
    const struct half_space_range ranges[TWO] = {{0, 1}, {0, 1}};
    const float row[TWO] = {NAN, 0.5f};
    float unit[2 * (TWO + 1)];
    size_t sides[2] = {0, 0};
    half_space_to_unit(ranges, TWO, row, unit);
    for (size_t tree = 0; tree < TREES; tree++) {
        struct half_space_node nodes[INNER];
        half_space_tree_draw(1, tree, TWO, INNER, nodes);
        for (size_t at = 0; at < INNER; at++) {
            bool left = nodes[at].feature % 2 == 1;
            if (nodes[at].feature / 2 != 0)
                continue;
            cr_assert(
                eq(sz, half_space_step(&nodes[at], at, unit), left ? 2 * at + 1 : 2 * at + 2));
            sides[left]++;
        }
    }
    cr_expect(gt(sz, sides[0], 50));
    cr_expect(gt(sz, sides[1], 50));
}
