/*
 * Tests of base/quantile.h.
 *
 * Known without running it: while all numbers fit, the answers are exact; the points' weights add
 * up to the stream's length as far as whole strides go; the same calls give the same bytes; and the
 * worst rank of all is off by less than 4 / k in 99 of 100 sketches, whatever the distribution and
 * its order, merged or not. The last is checked on 100 sketches of each kind against sorted arrays.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantile.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / (double)(UINT64_C(1) << 53);
}

static struct quantile *make(uint32_t k, uint64_t seed)
{
    struct quantile *q = malloc(quantile_size(k));
    quantile_init(q, k, seed);
    return q;
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

Test(quantile, is_exact_while_all_fits)
{
    struct quantile *q = make(64, 1);
    float order[] = {5, 3, 9, 1, 7, 3, 3};
    for (size_t i = 0; i < LEN(order); i++)
        quantile_add(q, order[i]);
    struct quantile_point points[512];
    cr_assert(quantile_points_max(q) <= LEN(points));
    size_t n = quantile_points(q, points);
    struct quantile_point want[] = {{1, 0, 1}, {3, 0, 3}, {5, 0, 1}, {7, 0, 1}, {9, 0, 1}};
    cr_assert(eq(sz, n, LEN(want)));
    for (size_t i = 0; i < n; i++) {
        cr_expect(eq(flt, points[i].value, want[i].value));
        cr_expect(eq(u64, points[i].weight, want[i].weight));
    }
    cr_expect(eq(flt, quantile_at(points, n, 0), 1));
    cr_expect(eq(flt, quantile_at(points, n, 0.5), 3));
    cr_expect(eq(flt, quantile_at(points, n, 0.6), 5));
    cr_expect(eq(flt, quantile_at(points, n, 1), 9));
    cr_expect(eq(flt, q->min, 1));
    cr_expect(eq(flt, q->max, 9));
    free(q);
}

Test(quantile, nothing_at_all_has_no_points)
{
    struct quantile *q = make(64, 1);
    struct quantile_point points[512];
    cr_expect(eq(sz, quantile_points(q, points), 0));
    cr_expect(quantile_is_sound(q, 64));
    free(q);
}

/* Streams of several shapes and orders. */

enum shape { UNIFORM, SKEWED, STEPS, RISING, FALLING, MOSTLY_ZERO, ALL_SHAPES };

static float number(enum shape shape, size_t i, uint64_t *seed)
{
    double u = noise(seed);
    switch (shape) {
    case UNIFORM:
        return (float)u;
    case SKEWED:
        return (float)exp(10 * u);
    case STEPS:
        return (float)floor(-5 * log(1 - u));
    case RISING:
        return (float)i;
    case FALLING:
        return -(float)i;
    default:
        return u < 0.97 ? 0 : (float)(u - 0.97);
    }
}

/* The worst difference, over all points, of the share up to it by the sketch and by sorting. */
static double worst_error(const struct quantile *q, float *numbers, size_t n)
{
    struct quantile_point *points = malloc(quantile_points_max(q) * sizeof *points);
    size_t n_points = quantile_points(q, points), below = 0;
    double total = 0, sum = 0, worst = 0;
    qsort(numbers, n, sizeof *numbers, by_value);
    for (size_t i = 0; i < n_points; i++)
        total += (double)points[i].weight;
    for (size_t i = 0; i < n_points; i++) {
        sum += (double)points[i].weight;
        while (below < n && numbers[below] <= points[i].value)
            below++;
        double error = fabs(sum / total - (double)below / (double)n);
        worst = error > worst ? error : worst;
    }
    free(points);
    return worst;
}

struct error_case {
    char name[24];
    int shape;
    uint32_t k;
    size_t n, parts; /* sketched in so many parts, then merged */
};

ParameterizedTestParameters(quantile, ranks_are_as_good_as_promised)
{
    static struct error_case cases[] = {
        {"uniform", UNIFORM, 128, 8000, 1},      {"skewed", SKEWED, 128, 8000, 1},
        {"steps", STEPS, 128, 8000, 1},          {"rising", RISING, 128, 8000, 1},
        {"falling", FALLING, 128, 8000, 1},      {"mostly 0", MOSTLY_ZERO, 128, 8000, 1},
        {"short", UNIFORM, 128, 500, 1},         {"long", UNIFORM, 64, 40000, 1},
        {"merged", UNIFORM, 128, 8000, 7},       {"merged steps", STEPS, 128, 8000, 3},
        {"merged rising", RISING, 128, 8000, 2},
    };
    return cr_make_param_array(struct error_case, cases, LEN(cases));
}

static double error_of(const struct error_case *c, uint64_t seed, float *numbers)
{
    struct quantile *q = make(c->k, seed);
    uint64_t stream = seed * 977 + 5;
    for (size_t part = 0, i = 0; part < c->parts; part++) {
        struct quantile *own = part == 0 ? q : make(c->k, seed + 1000 * part);
        /* Parts of very different lengths, so that their strides differ. */
        size_t end = c->n * (part + 1) * (part + 1) / (c->parts * c->parts);
        for (; i < end; i++)
            quantile_add(own, numbers[i] = number((enum shape)c->shape, i, &stream));
        if (own != q) {
            quantile_merge(q, own);
            free(own);
        }
    }
    cr_expect(eq(u64, q->n, c->n));
    cr_expect(quantile_is_sound(q, c->k));
    double error = worst_error(q, numbers, c->n);
    free(q);
    return error;
}

ParameterizedTest(struct error_case *c, quantile, ranks_are_as_good_as_promised)
{
    enum { SKETCHES = 100 };
    float *numbers = malloc(c->n * sizeof *numbers);
    size_t bad = 0;
    double sum = 0;
    for (uint64_t seed = 1; seed <= SKETCHES; seed++) {
        double error = error_of(c, seed, numbers);
        bad += error > 4.0 / c->k;
        sum += error;
    }
    cr_expect(bad <= SKETCHES / 100, "%s: %zu of %d sketches", c->name, bad, SKETCHES);
    cr_expect(sum / SKETCHES < 2.2 / c->k, "%s: mean of the worst ranks' errors is %g / k", c->name,
              sum / SKETCHES * c->k);
    free(numbers);
}

/* A fifth of the stream is one value: the sketch must see about a fifth. */
Test(quantile, frequent_values_keep_their_share)
{
    struct quantile *q = make(256, 3);
    uint64_t seed = 4;
    for (size_t i = 0; i < 50000; i++)
        quantile_add(q, noise(&seed) < 0.2 ? 0.5f : (float)noise(&seed));
    struct quantile_point points[2048];
    size_t n = quantile_points(q, points);
    double total = 0, half = 0;
    for (size_t i = 0; i < n; i++) {
        total += (double)points[i].weight;
        half += points[i].value == 0.5f ? (double)points[i].weight : 0;
    }
    cr_expect(epsilon_eq(dbl, half / total, 0.2, 0.02));
    free(q);
}

Test(quantile, the_same_calls_give_the_same_bytes)
{
    struct quantile *a = make(64, 7), *b = make(64, 7), *other = make(64, 8);
    uint64_t seed = 9;
    for (size_t i = 0; i < 30000; i++) {
        float v = (float)noise(&seed);
        quantile_add(a, v);
        quantile_add(b, v);
        quantile_add(other, v);
    }
    cr_expect(memcmp(a, b, quantile_size(64)) == 0);
    cr_expect(memcmp(a, other, quantile_size(64)) != 0, "the seed does nothing");
    /* A copy goes on as the original does. */
    memcpy(other, a, quantile_size(64));
    for (size_t i = 0; i < 30000; i++) {
        float v = (float)noise(&seed);
        quantile_add(a, v);
        quantile_add(other, v);
    }
    cr_expect(memcmp(a, other, quantile_size(64)) == 0);
    free(a);
    free(b);
    free(other);
}

Test(quantile, weights_add_up_to_the_stream)
{
    struct quantile *q = make(64, 7);
    struct quantile_point points[512];
    for (size_t i = 1; i <= 100000; i++) {
        quantile_add(q, (float)(i % 1009));
        if (i % 9973 != 0)
            continue;
        uint64_t total = 0;
        size_t n = quantile_points(q, points);
        for (size_t j = 0; j < n; j++)
            total += points[j].weight;
        double off = fabs((double)total - (double)i) / (double)i;
        cr_expect(off < 0.02, "%zu numbers weigh %llu", i, (unsigned long long)total);
    }
    free(q);
}

/* Bytes from a file may be anything: what would be read out of bounds is refused. */
Test(quantile, unsound_bytes_are_refused)
{
    struct quantile *q = make(64, 7);
    for (size_t i = 0; i < 5000; i++)
        quantile_add(q, (float)i);
    cr_expect(quantile_is_sound(q, 64));
    cr_expect(not(quantile_is_sound(q, 128)));
    struct quantile sound = *q;
#define REFUSED(change)                                                                            \
    do {                                                                                           \
        change;                                                                                    \
        cr_expect(not(quantile_is_sound(q, 64)), #change);                                         \
        memcpy(q, &sound, sizeof sound);                                                           \
    } while (0)
    REFUSED(q->n_levels = 0);
    REFUSED(q->n_levels = QUANTILE_LEVELS + 1);
    REFUSED(q->stride = 0);
    REFUSED(q->stride = 3);
    REFUSED(q->cap++);
    REFUSED(q->at[1] = q->at[2] + 1);
    REFUSED(q->at[QUANTILE_LEVELS] = 1U << 30);
    REFUSED(q->at[0] = UINT32_MAX);
    cr_expect(quantile_is_sound(q, 64));
    q->items[q->at[2]] = NAN;
    cr_expect(not(quantile_is_sound(q, 64)));
    free(q);
}
