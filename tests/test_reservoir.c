/*
 * Tests of online/reservoir.h.
 *
 * What is known without running it: a row of weight w and age a is kept in proportion to w and half
 * for each half-life, among those of its label; both labels are drawn as often; what is drawn adds
 * up, weighted, to what has come; what is fresh and forgotten is never drawn again; and one that is
 * saved and loaded goes on as the other does, bit for bit.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <string.h>

#include "ingest/event.h"
#include "online/reservoir.h"

#define N_DENSE 2

static struct reservoir_options options_of(size_t rows)
{
    return (struct reservoir_options){.n_dense = N_DENSE,
                                      .columns = 7,
                                      .rows = rows,
                                      .share = 0.5,
                                      .half_life = DAY_US,
                                      .seed = 1};
}

static struct reservoir *make(struct reservoir_options options)
{
    struct reservoir *reservoir = NULL;
    cr_assert(eq(int, reservoir_create(&options, &reservoir), ST_OK));
    return reservoir;
}

/* Its vector says which it is. */
static void add(struct reservoir *reservoir, uint64_t item, float label, float weight, int64_t time)
{
    float dense[N_DENSE] = {(float)item, NAN};
    struct sparse sparse[2] = {{item + 1, 0, 1}, {item + 2, 1, 0.5f}};
    struct example example = {.vector = {dense, sparse, item % 3},
                              .label = label,
                              .weight = weight,
                              .time = time,
                              .item = item};
    reservoir_add(reservoir, &example);
}

static bool is_whole(const struct example *row)
{
    return row->vector.dense[0] == (float)row->item && isnan(row->vector.dense[1]) &&
           row->vector.n_sparse == row->item % 3 &&
           (row->vector.n_sparse == 0 || row->vector.sparse[0].hash == row->item + 1);
}

Test(reservoir, nothing_is_drawn_of_nothing)
{
    struct reservoir *reservoir = make(options_of(4));
    struct example row;
    for (uint64_t item = 0; item < 100; item++)
        cr_assert(not(reservoir_draw(reservoir, item, &row)));
    add(reservoir, 5, 1, 0, 0);
    cr_expect(eq(sz, reservoir_count(reservoir, 1), 0), "a weight of 0 is nothing");
    reservoir_free(reservoir);
}

Test(reservoir, as_many_are_kept_as_there_is_room_for_and_drawn_as_they_came)
{
    struct reservoir *reservoir = make(options_of(8));
    for (uint64_t item = 0; item < 1000; item++)
        add(reservoir, item, item % 10 == 0, 1, (int64_t)item);
    cr_expect(eq(sz, reservoir_count(reservoir, 0), 8));
    cr_expect(eq(sz, reservoir_count(reservoir, 1), 8));
    for (uint64_t item = 1000; item < 2000; item++) {
        struct example row;
        if (reservoir_draw(reservoir, item, &row))
            cr_assert(is_whole(&row) && row.label == (row.item % 10 == 0) &&
                      row.time == (int64_t)row.item);
    }
    reservoir_free(reservoir);
}

/* 20,000 draws with chance 1/2: four standard deviations are 283. Weights: 90 negatives of weight 2
 * and 10 positives of weight 1 have 190 in 100 examples. */
Test(reservoir, labels_are_drawn_as_often_with_weights_that_add_up)
{
    struct reservoir *reservoir = make(options_of(1000));
    for (uint64_t item = 0; item < 100; item++)
        add(reservoir, item, item % 10 == 0, item % 10 == 0 ? 1 : 2, 0);
    double drawn[2] = {0}, weight[2] = {0};
    for (uint64_t item = 100; item < 20100; item++) {
        struct example row;
        if (!reservoir_draw(reservoir, item, &row))
            continue;
        drawn[row.label > 0]++;
        weight[row.label > 0] += (double)row.weight;
    }
    double all = drawn[0] + drawn[1];
    cr_expect(lt(dbl, fabs(all - 10000), 283), "%g of 20,000", all);
    cr_expect(lt(dbl, fabs(drawn[1] - all / 2), 283), "%g of %g", drawn[1], all);
    cr_expect(lt(dbl, fabs(weight[0] / drawn[0] - 2 * 1.8), 1e-6));
    cr_expect(lt(dbl, fabs(weight[1] / drawn[1] - 2 * 0.1), 1e-6));
    reservoir_free(reservoir);
}

/* How many of 2,000 kept rows are from the first half, of 20,000 that differ by `age` and weight:
 * about w / (1 + w) for w = weight / 2^age where few of many are kept. */
struct share {
    double age, weight; /* days; of the older half, against 1 */
    double expected;
};

ParameterizedTestParameters(reservoir, older_and_lighter_rows_are_kept_less)
{
    static struct share cases[] = {{0, 1, 0.5}, {1, 1, 1.0 / 3}, {3, 1, 1.0 / 9}, {1, 2, 0.5}};
    return cr_make_param_array(struct share, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct share *c, reservoir, older_and_lighter_rows_are_kept_less)
{
    struct reservoir *reservoir = make(options_of(200));
    for (uint64_t item = 0; item < 20000; item++) {
        bool old = item < 10000;
        add(reservoir, item, 0, old ? (float)c->weight : 1,
            old ? 0 : (int64_t)(c->age * (double)DAY_US));
    }
    double drawn = 0, old = 0;
    for (uint64_t item = 20000; item < 60000; item++) {
        struct example row;
        if (!reservoir_draw(reservoir, item, &row))
            continue;
        drawn++;
        old += row.item < 10000;
    }
    double deviation = sqrt(c->expected * (1 - c->expected) / 200);
    cr_expect(lt(dbl, fabs(old / drawn - c->expected), 4 * deviation), "%g, not %g", old / drawn,
              c->expected);
    reservoir_free(reservoir);
}

static void expect_none_from(const struct reservoir *reservoir, uint64_t first)
{
    for (uint64_t item = 0; item < 5000; item++) {
        struct example row;
        if (reservoir_draw(reservoir, item, &row))
            cr_assert(lt(u64, row.item, first));
    }
}

Test(reservoir, what_comes_to_nothing_is_not_drawn_again)
{
    struct reservoir *reservoir = make(options_of(50));
    for (uint64_t item = 0; item < 100; item++)
        add(reservoir, item, item % 2, 1, 0);
    reservoir_settle(reservoir, 100);
    for (uint64_t item = 100; item < 200; item++)
        add(reservoir, item, 1, 1, 0);
    reservoir_forget_fresh(reservoir);
    cr_expect(gt(sz, reservoir_count(reservoir, 1), 10), "about half stay");
    expect_none_from(reservoir, 100);
    struct example row;
    for (uint64_t item = 0; item < 100; item++)
        if (reservoir_draw(reservoir, item, &row))
            cr_expect(eq(flt, row.weight, 1), "50 of 100 are positive, as before");
    reservoir_forget(reservoir, 20);
    expect_none_from(reservoir, 20);
    reservoir_free(reservoir);
}

static struct tensors *saved(const struct reservoir *reservoir)
{
    struct tensors *tensors = tensors_create();
    cr_assert(ne(ptr, tensors, NULL));
    reservoir_save(reservoir, tensors);
    return tensors;
}

static void go_on(struct reservoir *reservoir)
{
    for (uint64_t item = 300; item < 400; item++)
        add(reservoir, item, item % 7 == 0, 1, (int64_t)item * 60 * SECOND_US);
    reservoir_forget_fresh(reservoir);
    for (uint64_t item = 400; item < 500; item++)
        add(reservoir, item, item % 7 == 0, 1, (int64_t)item * 60 * SECOND_US);
}

Test(reservoir, one_that_was_saved_goes_on_as_the_other)
{
    struct reservoir *one = make(options_of(20)), *other = make(options_of(20));
    for (uint64_t item = 0; item < 200; item++)
        add(one, item, item % 7 == 0, 1, (int64_t)item * 60 * SECOND_US);
    reservoir_settle(one, 200);
    for (uint64_t item = 200; item < 300; item++)
        add(one, item, item % 7 == 0, 1, (int64_t)item * 60 * SECOND_US);
    struct tensors *file = saved(one);
    cr_assert(eq(int, reservoir_load(other, file), ST_OK));
    tensors_free(file);
    go_on(one);
    go_on(other);
    for (uint64_t item = 0; item < 1000; item++) {
        struct example a, b;
        bool drawn = reservoir_draw(one, item, &a);
        cr_assert(eq(int, reservoir_draw(other, item, &b), drawn));
        if (drawn)
            cr_assert(a.item == b.item && a.weight == b.weight && is_whole(&b));
    }
    reservoir_free(one);
    reservoir_free(other);
}

/* Nothing of it can be used, and nothing is wrong with it. */
static void expect_empty(const struct tensors *file, struct reservoir_options options)
{
    struct reservoir *reservoir = make(options);
    add(reservoir, 1, 1, 1, 0);
    cr_expect(eq(int, reservoir_load(reservoir, file), ST_OK));
    cr_expect(eq(sz, reservoir_count(reservoir, 0) + reservoir_count(reservoir, 1), 0));
    reservoir_free(reservoir);
}

Test(reservoir, files_of_others_begin_empty)
{
    struct reservoir *reservoir = make(options_of(20));
    for (uint64_t item = 0; item < 50; item++)
        add(reservoir, item, item % 2, 1, 0);
    struct tensors *file = saved(reservoir), *nothing = tensors_create();
    struct reservoir_options options = options_of(20);
    expect_empty(nothing, options);
    options.columns++;
    expect_empty(file, options);
    options = options_of(20);
    options.half_life++;
    expect_empty(file, options);
    expect_empty(file, options_of(19));
    tensors_free(file);
    tensors_free(nothing);
    reservoir_free(reservoir);
}

Test(reservoir, half_of_a_file_is_corrupt)
{
    struct reservoir *reservoir = make(options_of(20));
    for (uint64_t item = 0; item < 50; item++)
        add(reservoir, item, item % 2, 1, 0);
    struct tensors *file = saved(reservoir), *half = tensors_create();
    tensors_put_others(half, file, "replay.1");
    cr_expect(eq(int, reservoir_load(reservoir, half), ST_ECORRUPT));
    cr_expect(eq(sz, reservoir_count(reservoir, 0), 0));
    tensors_free(file);
    tensors_free(half);
    reservoir_free(reservoir);
}
