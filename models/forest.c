#include "models/forest.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

struct forest *forest_hold(struct forest *forest)
{
    if (forest)
        atomic_fetch_add(&forest->holders, 1);
    return forest;
}

void forest_release(struct forest *forest)
{
    if (!forest || atomic_fetch_sub(&forest->holders, 1) > 1)
        return;
    for (size_t i = 0; forest->names && i < forest->n_features; i++)
        free(forest->names[i]);
    free(forest->names);
    free(forest->roots);
    free(forest->nodes);
    free(forest->means);
    free(forest);
}

/* Left below the threshold, and left where the value is missing if the node says so. */
static inline uint32_t step(const struct forest_node *node, const float *row)
{
    float x = row[node->feature >> 1];
    uint32_t left = (uint32_t)(x < node->threshold) | ((uint32_t)isnan(x) & node->feature & 1);
    return node->left + 1 - left;
}

enum { SIDE_BY_SIDE = 4 };

/* Trees do not depend on each other: the steps of several go on while each waits for memory. */
static void descend(const struct forest *forest, const float *row, const uint32_t *roots,
                    float *ret)
{
    const struct forest_node *nodes = forest->nodes;
    uint32_t at[SIDE_BY_SIDE];
    for (int i = 0; i < SIDE_BY_SIDE; i++)
        at[i] = roots[i];
    for (uint32_t inner = 1; inner;) {
        inner = 0;
        for (int i = 0; i < SIDE_BY_SIDE; i++) {
            const struct forest_node *node = &nodes[at[i]];
            uint32_t below = step(node, row);
            at[i] = node->left ? below : at[i];
            inner |= node->left;
        }
    }
    for (int i = 0; i < SIDE_BY_SIDE; i++)
        ret[i] = nodes[at[i]].threshold;
}

float forest_logit(const struct forest *forest, const float *row)
{
    float sum = forest->base, leaves[SIDE_BY_SIDE];
    size_t tree = 0;
    for (; tree + SIDE_BY_SIDE <= forest->n_trees; tree += SIDE_BY_SIDE) {
        descend(forest, row, forest->roots + tree, leaves);
        for (int i = 0; i < SIDE_BY_SIDE; i++)
            sum += leaves[i];
    }
    for (; tree < forest->n_trees; tree++) {
        const struct forest_node *node = &forest->nodes[forest->roots[tree]];
        while (node->left)
            node = &forest->nodes[step(node, row)];
        sum += node->threshold;
    }
    return sum;
}

void forest_explain(const struct forest *forest, const float *row, double *ret)
{
    for (size_t tree = 0; tree < forest->n_trees; tree++) {
        uint32_t at = forest->roots[tree];
        while (forest->nodes[at].left) {
            uint32_t below = step(&forest->nodes[at], row);
            ret[forest->nodes[at].feature >> 1] +=
                (double)forest->means[below] - (double)forest->means[at];
            at = below;
        }
    }
}
