/*
 * models/half_space_tree.h -- what half-space trees are made of, whoever counts rows in them: their
 * questions, drawn in the unit cube, and the ranges by which rows are brought there. See
 * half_space.h for the method; features/outlier.h is another that counts.
 *
 *     half_space_tree_draw(seed, tree, n_columns, n_inner, nodes);
 *     half_space_see(latest, seen, n_columns, row);
 *     half_space_to_unit(latest, n_columns, row, unit_row);
 *     for (size_t at = 0; at < n_inner; at = half_space_step(&nodes[at], at, unit_row))
 *         ...
 */
#ifndef MODELS_HALF_SPACE_TREE_H
#define MODELS_HALF_SPACE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A node of at most one in so many of a window's rows is not gone below (the paper's sizeLimit). */
enum { HALF_SPACE_FEW = 10 };

struct half_space_node {
    float threshold;  /* in the unit cube; below it: left, to node 2i + 1, else to 2i + 2 */
    uint32_t feature; /* times 2, plus 1 where what is missing goes left */
};

struct half_space_range {
    double low, high; /* low > high: nothing was seen */
};

/* Draws the n_inner questions of a tree: a function of the seed, the tree's number and n_columns.
 */
void half_space_tree_draw(uint64_t seed, size_t tree, size_t n_columns, size_t n_inner,
                          struct half_space_node *nodes);

/* The child that a row goes to; unit_row: by half_space_to_unit(). */
static inline size_t half_space_step(const struct half_space_node *node, size_t at,
                                     const float *unit_row)
{
    return 2 * at + 2 - (size_t)(unit_row[node->feature] < node->threshold);
}

void half_space_forget(struct half_space_range *ranges, size_t n);
/* A row's numbers widen what was seen in this window, to no more than three times what is usual;
 * those that are missing or infinite do not. Returns whether something is wider. */
bool half_space_see(const struct half_space_range *usual, struct half_space_range *seen, size_t n,
                    const float *row);
/* The next window's ranges, of this one's and of what was seen in it. */
void half_space_follow(struct half_space_range *ranges, const struct half_space_range *seen,
                       size_t n);
/* Each number twice, for nodes from which what is missing goes right and for those from which it
 * goes left; behind the columns one that is always missing. ret: 2 * (n + 1) numbers. */
void half_space_to_unit(const struct half_space_range *ranges, size_t n, const float *row,
                        float *ret);

#endif
