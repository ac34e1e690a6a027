/*
 * Tests of models/bins.h.
 *
 * Known without running it: where edges must lie for small lists of points (exact answers); that
 * bins never exceed their number, edges rise, every point falls into one bin and a value as
 * frequent as a bin shares it with nothing (laws over random points); and that overlaps add up to
 * the points.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <stdlib.h>

#include "models/bins.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

enum { POINTS = 12, EDGES = 12 };

struct exact_case {
    char name[32];
    size_t n, bins;
    struct quantile_point points[POINTS];
    size_t n_edges;
    float edges[EDGES];
};

ParameterizedTestParameters(bins, make_exact)
{
    static struct exact_case cases[] = {
        {"no points", 0, 4, {{0, 0, 0}}, 0, {0}},
        {"one value", 1, 4, {{5, 0, 9}}, 0, {0}},
        {"one bin", 3, 1, {{1, 0, 1}, {2, 0, 1}, {3, 0, 1}}, 0, {0}},
        {"as many values as bins", 3, 3, {{1, 0, 1}, {2, 0, 1}, {3, 0, 1}}, 2, {1, 2}},
        {"equal shares",
         8,
         4,
         {{1, 0, 1}, {2, 0, 1}, {3, 0, 1}, {4, 0, 1}, {5, 0, 1}, {6, 0, 1}, {7, 0, 1}, {8, 0, 1}},
         3,
         {2, 4, 6}},
        /* 0 is heavy; the other four share three bins by weight 4 / 3 and up. */
        {"a heavy value first",
         5,
         4,
         {{0, 0, 96}, {1, 0, 1}, {2, 0, 1}, {3, 0, 1}, {4, 0, 1}},
         2,
         {0, 2}},
        {"a heavy value between",
         5,
         4,
         {{1, 0, 1}, {2, 0, 1}, {3, 0, 96}, {4, 0, 1}, {5, 0, 1}},
         2,
         {2, 3}},
    };
    return cr_make_param_array(struct exact_case, cases, LEN(cases));
}

ParameterizedTest(struct exact_case *c, bins, make_exact)
{
    float edges[BINS_MAX];
    bins_make(c->points, c->n, c->bins, edges);
    size_t n = 0;
    while (n < bins_edges_size(c->bins) && !isinf(edges[n]))
        n++;
    cr_expect(eq(sz, n, c->n_edges), "%s", c->name);
    for (size_t i = 0; i < n && i < c->n_edges; i++)
        cr_expect(eq(flt, edges[i], c->edges[i]), "%s: edge %zu", c->name, i);
}

Test(bins, find_counts_the_edges_below)
{
    float edges[8] = {1, 2, 2.5f, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY};
    struct {
        float v;
        unsigned bin;
    } cases[] = {{-INFINITY, 1}, {0, 1}, {1, 1},     {1.5f, 2},     {2, 2},
                 {2.25f, 3},     {3, 4}, {-0.0f, 1}, {INFINITY, 4}, {NAN, 0}};
    for (size_t i = 0; i < LEN(cases); i++)
        cr_expect(eq(uint, bins_find(edges, 8, cases[i].v), cases[i].bin), "%g",
                  (double)cases[i].v);
    bins_clear(edges, 8);
    cr_expect(eq(uint, bins_find(edges, 8, 1e30f), 1));
}

static double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / (double)(UINT64_C(1) << 53);
}

/* Rising values; weights from equal to wildly different. */
static size_t random_points(struct quantile_point *points, size_t n, uint64_t *seed)
{
    double wild = 12 * noise(seed);
    float v = -10;
    for (size_t i = 0; i < n; i++) {
        v += 0.001f + (float)noise(seed);
        points[i] = (struct quantile_point){v, 0, 1 + (uint64_t)exp(wild * noise(seed))};
    }
    return n;
}

Test(bins, laws_of_random_points)
{
    enum { MANY = 600 };
    struct quantile_point points[MANY];
    uint64_t seed = 1;
    for (size_t round = 0; round < 500; round++) {
        size_t n = random_points(points, 1 + (size_t)((MANY - 1) * noise(&seed)), &seed);
        size_t bins = 1 + (size_t)(40 * noise(&seed)), size = bins_edges_size(bins);
        float edges[BINS_MAX];
        bins_make(points, n, bins, edges);
        double total = 0, weight[BINS_MAX + 1] = {0};
        for (size_t i = 0; i < n; i++)
            total += (double)points[i].weight;
        for (size_t i = 0; i + 1 < size; i++)
            cr_assert(isinf(edges[i + 1]) || edges[i] < edges[i + 1]);
        cr_assert(isinf(edges[bins - 1]), "more bins than allowed");
        size_t count[BINS_MAX + 1] = {0};
        for (size_t i = 0; i < n; i++) {
            unsigned bin = bins_find(edges, size, points[i].value);
            cr_assert(bin >= 1 && bin <= bins);
            weight[bin] += (double)points[i].weight;
            count[bin]++;
        }
        /* Well above the share of a bin, a value is alone (close to it, room may be lacking). */
        for (size_t i = 0; i < n && bins > 1; i++)
            if ((double)points[i].weight > 4 * total / (double)bins)
                cr_assert(eq(sz, count[bins_find(edges, size, points[i].value)], 1));
    }
}

Test(bins, overlaps_add_up)
{
    enum { N = 300, BINS = 7, CELLS = BINS + 1 };
    struct quantile_point points[N];
    uint64_t seed = 5;
    random_points(points, N, &seed);
    float from[8], to[8];
    double overlap[CELLS * CELLS], total = 0, sum = 0;
    bins_make(points, N / 2, BINS, from);
    bins_make(points, N, BINS, to);
    bins_overlap(points, N, BINS, from, to, overlap);
    for (size_t i = 0; i < N; i++)
        total += (double)points[i].weight;
    for (size_t i = 0; i < CELLS * CELLS; i++)
        sum += overlap[i];
    cr_expect(eq(dbl, sum, total + 1), "all points, and 1 for missing");
    cr_expect(eq(dbl, overlap[0], 1));
    for (size_t i = 0; i < N; i++)
        cr_expect(overlap[bins_find(to, 8, points[i].value) * CELLS +
                          bins_find(from, 8, points[i].value)] >= (double)points[i].weight);
}
