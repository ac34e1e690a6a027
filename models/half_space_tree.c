#include "models/half_space_tree.h"

#include <math.h>

#include "base/rng.h"

/* Of the part of a range that was not seen in a window this much goes. */
#define NARROWS (1.0 / 32)

/* Beyond all work ranges, which end at -2 and 3. */
#define OUTSIDE 4.0f

/* Questions. */

/* The middle of what the questions above leave of a column's work range, going up from the node:
 * halves are told from the last question to the first, so they are read in reverse. */
static double middle_of(const struct half_space_node *nodes, size_t at, uint32_t column, double low,
                        double high)
{
    unsigned rights = 0, halvings = 0;
    for (size_t i = at; i > 0; i = (i - 1) / 2) {
        if (nodes[(i - 1) / 2].feature >> 1 != column)
            continue;
        rights |= (i % 2 == 0 ? 1U : 0U) << halvings;
        halvings++;
    }
    for (unsigned i = halvings; i-- > 0;) {
        double middle = low + (high - low) / 2;
        if (rights >> i & 1)
            low = middle;
        else
            high = middle;
    }
    return low + (high - low) / 2;
}

/* A column's work range in a tree: around a point drawn in [0, 1], all of [0, 1] and more. Drawn
 * for each (tree, column) by itself, so that it need not be kept. */
static void draw_work_range(uint64_t seed, size_t tree, uint32_t column, double *ret_low,
                            double *ret_high)
{
    struct rng rng = rng_part(seed, (uint64_t)tree << 32 | column);
    double centre = rng_uniform(&rng), reach = 2 * fmax(centre, 1 - centre);
    *ret_low = centre - reach;
    *ret_high = centre + reach;
}

void half_space_tree_draw(uint64_t seed, size_t tree, size_t n_columns, size_t n_inner,
                          struct half_space_node *nodes)
{
    struct rng rng = rng_part(seed, (uint64_t)tree << 32 | UINT32_MAX);
    for (size_t at = 0; at < n_inner; at++) {
        uint32_t column = (uint32_t)rng_below(&rng, n_columns);
        double low, high;
        draw_work_range(seed, tree, column, &low, &high);
        nodes[at].feature = column << 1 | (uint32_t)rng_below(&rng, 2);
        nodes[at].threshold = (float)middle_of(nodes, at, column, low, high);
    }
}

/* Ranges. */

void half_space_forget(struct half_space_range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ranges[i] = (struct half_space_range){INFINITY, -INFINITY};
}

bool half_space_see(const struct half_space_range *usual, struct half_space_range *seen, size_t n,
                    const float *row)
{
    bool wider = false;
    for (size_t i = 0; i < n; i++) {
        double x = (double)row[i], width = usual[i].high - usual[i].low;
        if (!(fabs(x) < 3.4028234e38))
            continue;
        if (width > 0)
            x = fmin(fmax(x, usual[i].low - width), usual[i].high + width);
        wider = wider || x < seen[i].low || x > seen[i].high;
        seen[i].low = fmin(seen[i].low, x);
        seen[i].high = fmax(seen[i].high, x);
    }
    return wider;
}

static void follow(struct half_space_range *range, const struct half_space_range *seen)
{
    if (seen->low > seen->high)
        return;
    if (range->low > range->high) {
        *range = *seen;
        return;
    }
    range->low = fmin(seen->low, range->low + (seen->low - range->low) * NARROWS);
    range->high = fmax(seen->high, range->high + (seen->high - range->high) * NARROWS);
}

void half_space_follow(struct half_space_range *ranges, const struct half_space_range *seen,
                       size_t n)
{
    for (size_t i = 0; i < n; i++)
        follow(&ranges[i], &seen[i]);
}

static float to_unit(const struct half_space_range *range, float x)
{
    double width = range->high - range->low;
    if (isnan(x) || range->low > range->high)
        return NAN;
    if (width > 0)
        return (float)fmin(fmax(((double)x - range->low) / width, -OUTSIDE), OUTSIDE);
    return (double)x == range->low ? 0.5f : (double)x < range->low ? -OUTSIDE : OUTSIDE;
}

void half_space_to_unit(const struct half_space_range *ranges, size_t n, const float *row,
                        float *ret)
{
    for (size_t i = 0; i <= n; i++) {
        float x = i < n ? to_unit(&ranges[i], row[i]) : NAN;
        ret[2 * i] = isnan(x) ? INFINITY : x;
        ret[2 * i + 1] = isnan(x) ? -INFINITY : x;
    }
}
