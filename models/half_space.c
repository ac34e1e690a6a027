#include "models/half_space.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
    trees->row = calloc(2 * (columns + 1), sizeof *trees->row);
    return trees->nodes && trees->reference && trees->latest && trees->reference_ranges &&
                   trees->latest_ranges && trees->seen && trees->row
               ? ST_OK
               : ST_ENOMEM;
}

/* Trees. */

void half_space_reset(struct half_space *trees)
{
    size_t masses = trees->options.trees * trees->n_nodes;
    memset(trees->reference, 0, masses * sizeof *trees->reference);
    memset(trees->latest, 0, masses * sizeof *trees->latest);
    half_space_forget(trees->reference_ranges, trees->n_columns);
    half_space_forget(trees->latest_ranges, trees->n_columns);
    half_space_forget(trees->seen, trees->n_columns);
    trees->reference_weight = trees->latest_weight = 0;
    trees->windows = trees->rows = 0;
    for (size_t tree = 0; tree < trees->options.trees; tree++)
        half_space_tree_draw(trees->options.seed, tree, trees->n_columns, trees->n_inner,
                             trees->nodes + tree * trees->n_inner);
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

static double augmented_mass(const struct half_space *trees, size_t tree, const float *row)
{
    const struct half_space_node *nodes = trees->nodes + tree * trees->n_inner;
    const float *masses = trees->reference + tree * trees->n_nodes;
    float few = (float)(trees->reference_weight / HALF_SPACE_FEW);
    size_t at = 0;
    double share = 1;
    for (; at < trees->n_inner && masses[at] > few; share *= 2)
        at = half_space_step(&nodes[at], at, row);
    return (double)masses[at] * share;
}

float half_space_score(const struct half_space *trees, const float *row, float *unit_row)
{
    const double least = 0x1p-126, most = 1 - 0x1p-24;
    if (trees->windows < 2)
        return 0.5f;
    half_space_to_unit(trees->reference_ranges, trees->n_columns, row, unit_row);
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
        for (; at < trees->n_inner; at = half_space_step(&nodes[at], at, trees->row))
            masses[at] += weight;
        masses[at] += weight;
    }
    trees->latest_weight += (double)weight;
}

/* Windows. */

static void begin_window(struct half_space *trees)
{
    float *masses = trees->reference;
    trees->reference = trees->latest;
    trees->latest = masses;
    memset(masses, 0, trees->options.trees * trees->n_nodes * sizeof *masses);
    trees->reference_weight = trees->latest_weight;
    trees->latest_weight = 0;
    memcpy(trees->reference_ranges, trees->latest_ranges, trees->n_columns * sizeof *trees->seen);
    half_space_follow(trees->latest_ranges, trees->seen, trees->n_columns);
    half_space_forget(trees->seen, trees->n_columns);
    trees->windows++;
    trees->rows = 0;
}

void half_space_learn(struct half_space *trees, const float *row, float weight)
{
    half_space_see(trees->latest_ranges, trees->seen, trees->n_columns, row);
    if (trees->windows > 0) {
        half_space_to_unit(trees->latest_ranges, trees->n_columns, row, trees->row);
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
