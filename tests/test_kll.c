/*
 * Tests of base/kll.h.
 *
 * What is known without running it: quantiles and ranks of few numbers; the weights of a sketch
 * always add up to how many numbers there were; of long streams, sorted, random or all alike, ranks
 * are as near as promised, at worst and on average, in one sketch and in many read together; equal
 * streams leave equal bytes.
 */
#include "base/kll.h"

#include <math.h>

#include "tests/sketch_fixture.h"

#include <criterion/parameterized.h>

static void read_all(struct kll_union *all, void **memory, const struct made *sketches, size_t n)
{
    void *made = *memory = malloc(kll_union_bytes(sketches[0].size, n));
    cr_assert(made != NULL);
    kll_union_begin(all, *memory);
    for (size_t i = 0; i < n; i++)
        kll_union_merge(all, sketches[i].data, sketches[i].bytes);
}

struct small_case {
    double numbers[6]; /* NaN ends them */
    double q, quantile;
    double v, rank;
};

ParameterizedTestParameters(kll, small)
{
    static struct small_case cases[] = {
        {{NAN}, .5, NAN, 1, NAN},
        {{7, NAN}, .5, 7, 6, 0},
        {{7, NAN}, 0, 7, 7, 1},
        {{7, NAN}, 1, 7, 8, 1},
        {{3, 1, 2, NAN}, .5, 2, 2, 2.0 / 3},
        {{3, 1, 2, NAN}, 1.0 / 3, 1, 1.5, 1.0 / 3},
        {{3, 1, 2, NAN}, 0, 1, 0, 0},
        {{3, 1, 2, NAN}, 1, 3, 3, 1},
        {{4, 1, 3, 2, NAN}, .5, 2, 3, .75},
        {{4, 1, 3, 2, NAN}, .51, 3, 4, 1},
        {{5, 5, 5, 1, NAN}, .25, 1, 1, .25},
        {{5, 5, 5, 1, NAN}, .26, 5, 5, 1},
        {{-1, 0, 1, NAN}, .5, 0, -.5, 1.0 / 3},
        {{INFINITY, 2, NAN}, .5, 2, 2, 1}, /* what is not finite does not count */
    };
    return cr_make_param_array(struct small_case, cases, LEN(cases));
}

ParameterizedTest(struct small_case *c, kll, small)
{
    struct made made = make_sketch(&sketch_kll, 64);
    struct kll_union all;
    void *memory;
    for (size_t i = 0; !isnan(c->numbers[i]); i++)
        add_number(&made, c->numbers[i]);
    read_all(&all, &memory, &made, 1);
    double quantile = kll_union_quantile(&all, c->q), rank = kll_union_rank(&all, c->v);
    cr_expect(isnan(c->quantile) ? isnan(quantile) : quantile == c->quantile, "%g", quantile);
    cr_expect(isnan(c->rank) ? isnan(rank) : rank == c->rank, "%g", rank);
    free(memory);
    free(made.data);
}

enum order { RANDOM, RISING, FALLING, ALIKE, ZIGZAG, ORDERS };

/* Number i of n: all orders but ALIKE hold 0 .. n-1 (RANDOM about so). */
static double number_of(enum order order, uint64_t i, uint64_t n, struct rng *rng)
{
    switch (order) {
    case RANDOM:
        return (double)rng_below(rng, n);
    case RISING:
        return (double)i;
    case FALLING:
        return (double)(n - 1 - i);
    case ZIGZAG:
        return (double)(i % 2 ? n - 1 - i / 2 : i / 2);
    default:
        return 42;
    }
}

Test(kll, weights_add_up)
{
    struct rng rng = rng_of(1);
    for (unsigned size = 8; size <= 64; size *= 2) {
        struct made made = make_sketch(&sketch_kll, size);
        for (uint64_t i = 1; i <= 3000; i++) {
            struct kll_union all;
            void *memory;
            add_number(&made, rng_uniform(&rng));
            cr_assert(sketch_kll.valid(size, made.data, made.bytes));
            read_all(&all, &memory, &made, 1);
            cr_assert(eq(dbl, all.weight, (double)i));
            free(memory);
        }
        cr_expect(made.bytes <= 64 + 4 * (3 * size + 60));
        free(made.data);
    }
}

/* The worst of 99 percentiles, as a share of the count. */
static double worst_rank(struct made *sketches, size_t n_sketches, uint64_t n)
{
    struct kll_union all;
    void *memory;
    double worst = 0;
    read_all(&all, &memory, sketches, n_sketches);
    for (int percent = 1; percent < 100; percent++) {
        double v = (double)n * percent / 100;
        double off = fabs(kll_union_rank(&all, v) - percent / 100.0);
        double back = fabs(kll_union_quantile(&all, percent / 100.0) / (double)n - percent / 100.0);
        worst = off > worst ? off : worst;
        worst = back > worst ? back : worst;
    }
    free(memory);
    return worst;
}

/* 20,000 numbers of each order, in one sketch and over eight. */
Test(kll, ranks_are_as_near_as_promised)
{
    enum { N = 20000, SIZE = 64 };
    const double promised = 1.33 / pow(SIZE, .9);
    for (enum order order = RANDOM; order < ORDERS; order++) {
        struct rng rng = rng_of(order);
        struct made one = make_sketch(&sketch_kll, SIZE), many[8];
        for (size_t i = 0; i < LEN(many); i++)
            many[i] = make_sketch(&sketch_kll, SIZE);
        for (uint64_t i = 0; i < N; i++) {
            double v = number_of(order, i, N, &rng);
            add_number(&one, v);
            add_number(&many[i * LEN(many) / N], v);
        }
        if (order == ALIKE) {
            struct kll_union all;
            void *memory;
            read_all(&all, &memory, &one, 1);
            cr_expect(kll_union_quantile(&all, .3) == 42 && kll_union_rank(&all, 41) == 0);
            free(memory);
        } else {
            cr_expect(worst_rank(&one, 1, N) < 3 * promised, "order %d: %g", (int)order,
                      worst_rank(&one, 1, N));
            cr_expect(worst_rank(many, LEN(many), N) < 3 * promised, "order %d: %g", (int)order,
                      worst_rank(many, LEN(many), N));
        }
        for (size_t i = 0; i < LEN(many); i++)
            free(many[i].data);
        free(one.data);
    }
}

/* A sketch that does not sort before it drops every other number, or holds fewer than it may, is
 * off by more than it says on average, though not often by three times as much. */
Test(kll, ranks_are_off_by_the_promised_standard_error)
{
    enum { N = 20000, SIZE = 64, SKETCHES = 100 };
    const double promised = .55 / pow(SIZE, .9);
    double squares = 0;
    for (uint64_t s = 0; s < SKETCHES; s++) {
        struct rng rng = rng_of(100 + s);
        struct made made = make_sketch(&sketch_kll, SIZE);
        struct kll_union all;
        void *memory;
        for (uint64_t i = 0; i < N; i++)
            add_number(&made, rng_uniform(&rng));
        read_all(&all, &memory, &made, 1);
        for (int tenth = 1; tenth < 10; tenth++)
            squares += pow(kll_union_rank(&all, tenth / 10.) - tenth / 10., 2);
        free(memory);
        free(made.data);
    }
    double error = sqrt(squares / (9 * SKETCHES));
    cr_expect(error < promised, "%g, promised is %g", error, promised);
}

Test(kll, equal_streams_leave_equal_bytes)
{
    struct made a = make_sketch(&sketch_kll, 32), b = make_sketch(&sketch_kll, 32);
    struct rng rng = rng_of(9);
    for (int i = 0; i < 5000; i++) {
        double v = rng_uniform(&rng);
        add_number(&a, v);
        add_number(&b, v);
    }
    cr_expect(a.bytes == b.bytes && memcmp(a.data, b.data, a.bytes) == 0);
    free(a.data);
    free(b.data);
}
