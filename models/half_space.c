#include "models/half_space.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

/* A node of at most this share of a window's rows is not gone below (the paper's sizeLimit). */
#define FEW 0.1

/* Of the part of a range that was not seen in a window this much goes. */
#define NARROWS (1.0 / 32)

/* Beyond all work ranges, which end at -2 and 3. */
#define OUTSIDE 4.0f

/* Memory. */

static bool is_in_bounds(const struct half_space_options *options)
{
    return options->trees >= 1 && options->trees <= HALF_SPACE_TREES_MAX && options->depth >= 1 &&
           options->depth <= HALF_SPACE_DEPTH_MAX && options->window >= 2;
}

void half_space_free(struct half_space *trees)
{
    if (!trees)
        return;
    free(trees->nodes);
    free(trees->reference);
    free(trees->latest);
    free(trees->reference_ranges);
    free(trees->latest_ranges);
    free(trees->seen);
    free(trees->row);
    free(trees);
}

static enum status allocate(struct half_space *trees)
{
    size_t n = trees->options.trees, columns = trees->n_columns;
    trees->nodes = calloc(n * trees->n_inner, sizeof *trees->nodes);
    trees->reference = calloc(n * trees->n_nodes, sizeof *trees->reference);
    trees->latest = calloc(n * trees->n_nodes, sizeof *trees->latest);
    trees->reference_ranges = calloc(columns, sizeof *trees->seen);
    trees->latest_ranges = calloc(columns, sizeof *trees->seen);
    trees->seen = calloc(columns, sizeof *trees->seen);
    trees->row = calloc(columns + 1, sizeof *trees->row);
    return trees->nodes && trees->reference && trees->latest && trees->reference_ranges &&
                   trees->latest_ranges && trees->seen && trees->row
               ? ST_OK
               : ST_ENOMEM;
}

/* Trees. */

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
static void draw_work_range(const struct half_space *trees, size_t tree, uint32_t column,
                            double *ret_low, double *ret_high)
{
    struct rng rng = rng_part(trees->options.seed, (uint64_t)tree << 32 | column);
    double centre = rng_uniform(&rng), reach = 2 * fmax(centre, 1 - centre);
    *ret_low = centre - reach;
    *ret_high = centre + reach;
}

static void draw_tree(struct half_space *trees, size_t tree)
{
    struct half_space_node *nodes = trees->nodes + tree * trees->n_inner;
    struct rng rng = rng_part(trees->options.seed, (uint64_t)tree << 32 | UINT32_MAX);
    for (size_t at = 0; at < trees->n_inner; at++) {
        uint32_t column = (uint32_t)rng_below(&rng, trees->n_columns);
        double low, high;
        draw_work_range(trees, tree, column, &low, &high);
        nodes[at].feature = column << 1 | (uint32_t)rng_below(&rng, 2);
        nodes[at].threshold = (float)middle_of(nodes, at, column, low, high);
    }
}

static void forget_ranges(struct half_space_range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ranges[i] = (struct half_space_range){INFINITY, -INFINITY};
}

void half_space_reset(struct half_space *trees)
{
    size_t masses = trees->options.trees * trees->n_nodes;
    memset(trees->reference, 0, masses * sizeof *trees->reference);
    memset(trees->latest, 0, masses * sizeof *trees->latest);
    forget_ranges(trees->reference_ranges, trees->n_columns);
    forget_ranges(trees->latest_ranges, trees->n_columns);
    forget_ranges(trees->seen, trees->n_columns);
    trees->reference_weight = trees->latest_weight = 0;
    trees->windows = trees->rows = 0;
    for (size_t tree = 0; tree < trees->options.trees; tree++)
        draw_tree(trees, tree);
}

enum status half_space_create(const struct half_space_options *options, size_t n_columns,
                              struct half_space **ret)
{
    if (!is_in_bounds(options) || n_columns == 0 || n_columns >= UINT32_MAX / 2)
        return ST_EINVAL;
    struct half_space *trees = calloc(1, sizeof *trees);
    if (!trees)
        return ST_ENOMEM;
    trees->options = *options;
    trees->n_columns = n_columns;
    trees->n_inner = ((size_t)1 << options->depth) - 1;
    trees->n_nodes = ((size_t)2 << options->depth) - 1;
    enum status st = allocate(trees);
    if (st < 0) {
        half_space_free(trees);
        return st;
    }
    half_space_reset(trees);
    *ret = trees;
    return ST_OK;
}

/* Rows. */

static float to_unit(const struct half_space_range *range, float x)
{
    double width = range->high - range->low;
    if (isnan(x) || range->low > range->high)
        return NAN;
    if (width > 0)
        return (float)fmin(fmax(((double)x - range->low) / width, -OUTSIDE), OUTSIDE);
    return (double)x == range->low ? 0.5f : (double)x < range->low ? -OUTSIDE : OUTSIDE;
}

/* Behind the columns stands one that is always missing. */
static void to_unit_row(const struct half_space *trees, const struct half_space_range *ranges,
                        const float *row, float *ret)
{
    for (size_t i = 0; i < trees->n_columns; i++)
        ret[i] = to_unit(&ranges[i], row[i]);
    ret[trees->n_columns] = NAN;
}

static inline size_t step(const struct half_space_node *node, size_t at, const float *row)
{
    float x = row[node->feature >> 1];
    size_t left = (size_t)(x < node->threshold) | ((size_t)isnan(x) & node->feature & 1);
    return 2 * at + 2 - left;
}

static double augmented_mass(const struct half_space *trees, size_t tree, const float *row)
{
    const struct half_space_node *nodes = trees->nodes + tree * trees->n_inner;
    const float *masses = trees->reference + tree * trees->n_nodes;
    float few = (float)(FEW * trees->reference_weight);
    size_t at = 0;
    double share = 1;
    for (; at < trees->n_inner && masses[at] > few; share *= 2)
        at = step(&nodes[at], at, row);
    return (double)masses[at] * share;
}

float half_space_score(const struct half_space *trees, const float *row, float *unit_row)
{
    const double least = 0x1p-126, most = 1 - 0x1p-24;
    if (trees->windows < 2)
        return 0.5f;
    to_unit_row(trees, trees->reference_ranges, row, unit_row);
    double sum = 0;
    for (size_t tree = 0; tree < trees->options.trees; tree++)
        sum += augmented_mass(trees, tree, unit_row);
    double score = 1 / (1 + sum / ((double)trees->options.trees * trees->reference_weight));
    return (float)(score > least ? fmin(score, most) : least);
}

static void count(struct half_space *trees, float weight)
{
    for (size_t tree = 0; tree < trees->options.trees; tree++) {
        const struct half_space_node *nodes = trees->nodes + tree * trees->n_inner;
        float *masses = trees->latest + tree * trees->n_nodes;
        size_t at = 0;
        for (; at < trees->n_inner; at = step(&nodes[at], at, trees->row))
            masses[at] += weight;
        masses[at] += weight;
    }
    trees->latest_weight += (double)weight;
}

/* Windows. */

static void see(struct half_space *trees, const float *row)
{
    for (size_t i = 0; i < trees->n_columns; i++) {
        const struct half_space_range *usual = &trees->latest_ranges[i];
        struct half_space_range *seen = &trees->seen[i];
        double x = (double)row[i], width = usual->high - usual->low;
        if (!(fabs(x) < 3.4028234e38))
            continue;
        if (width > 0)
            x = fmin(fmax(x, usual->low - width), usual->high + width);
        seen->low = fmin(seen->low, x);
        seen->high = fmax(seen->high, x);
    }
}

/* The next window's ranges, of this one's and of what was seen in it. */
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

static void begin_window(struct half_space *trees)
{
    float *masses = trees->reference;
    trees->reference = trees->latest;
    trees->latest = masses;
    memset(masses, 0, trees->options.trees * trees->n_nodes * sizeof *masses);
    trees->reference_weight = trees->latest_weight;
    trees->latest_weight = 0;
    memcpy(trees->reference_ranges, trees->latest_ranges, trees->n_columns * sizeof *trees->seen);
    for (size_t i = 0; i < trees->n_columns; i++)
        follow(&trees->latest_ranges[i], &trees->seen[i]);
    forget_ranges(trees->seen, trees->n_columns);
    trees->windows++;
    trees->rows = 0;
}

void half_space_learn(struct half_space *trees, const float *row, float weight)
{
    see(trees, row);
    if (trees->windows > 0) {
        to_unit_row(trees, trees->latest_ranges, row, trees->row);
        count(trees, weight);
    }
    if (++trees->rows == trees->options.window)
        begin_window(trees);
}

/* Copies. */

void half_space_copy_reference(const struct half_space *from, struct half_space *to)
{
    size_t trees = from->options.trees;
    memcpy(to->nodes, from->nodes, trees * from->n_inner * sizeof *from->nodes);
    memcpy(to->reference, from->reference, trees * from->n_nodes * sizeof *from->reference);
    memcpy(to->reference_ranges, from->reference_ranges, from->n_columns * sizeof *from->seen);
    to->reference_weight = from->reference_weight;
    to->windows = from->windows;
}

void half_space_copy(const struct half_space *from, struct half_space *to)
{
    half_space_copy_reference(from, to);
    memcpy(to->latest, from->latest, from->options.trees * from->n_nodes * sizeof *from->latest);
    memcpy(to->latest_ranges, from->latest_ranges, from->n_columns * sizeof *from->seen);
    memcpy(to->seen, from->seen, from->n_columns * sizeof *from->seen);
    to->latest_weight = from->latest_weight;
    to->rows = from->rows;
}
