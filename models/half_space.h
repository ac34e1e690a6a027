/*
 * models/half_space.h -- half-space trees: how few rows of late came where a row lies.
 *
 * Tan, Ting, Liu, "Fast Anomaly Detection for Streaming Data", IJCAI 2011. A tree is drawn before
 * any data are seen: full, of fixed depth, each node halving the work range of a column drawn at
 * random. Rows are counted along their paths in windows of so many rows; the counts of the window
 * before (reference) score, those of this one (latest) are being made, and take their place when it
 * is full. A row is followed down to the first node with few of the reference's rows, or to the
 * end; with mass r and depth k there,
 *
 *     a = mean over trees of r * 2^k / (rows of the window)    1 where rows lie evenly
 *     score = 1 / (1 + a)                                      in (0, 1): 1 is far out
 *
 * which orders rows as the paper's sum of r * 2^k does. The paper takes the columns' ranges as
 * known. Here trees lie in the unit cube, and each window has ranges of its own, by which its rows
 * are brought there: those seen in the windows before it. A range widens at once, though to no more
 * than three times its width, and narrows by 1/32 of what is not seen any more. The first window
 * only finds ranges, the second only counts; until it is full every score is 0.5.
 *
 * What is missing (NaN) goes to one side, drawn for each node. What is infinite is as large as can
 * be, and widens no range. Off the value of a column that was constant, a row is outside all.
 *
 * Pure arithmetic, nothing allocated after create. Memory: trees * 2^depth * 24 bytes. A function
 * of the options and of the rows in their order.
 */
#ifndef MODELS_HALF_SPACE_H
#define MODELS_HALF_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "models/half_space_tree.h"

enum { HALF_SPACE_TREES_MAX = 1000, HALF_SPACE_DEPTH_MAX = 15 };

struct half_space_options {
    size_t trees;  /* 1 to HALF_SPACE_TREES_MAX */
    size_t depth;  /* 1 to HALF_SPACE_DEPTH_MAX */
    size_t window; /* rows, at least 2 */
    uint64_t seed;
};

struct half_space {
    struct half_space_options options;
    size_t n_columns;                       /* a feature of so much: of no column, always missing */
    size_t n_inner, n_nodes;                /* of a tree: with a question; with a mass */
    struct half_space_node *nodes;          /* trees * n_inner */
    float *reference, *latest;              /* masses; trees * n_nodes each */
    double reference_weight, latest_weight; /* of all rows of the window */
    struct half_space_range *reference_ranges, *latest_ranges; /* n_columns each */
    struct half_space_range *seen;                             /* in this window */
    uint64_t windows;                                          /* full ones, the first included */
    uint64_t rows;                                             /* of this window */
    float *row; /* scratch of learning: 2 * (n_columns + 1) */
};

/* Returns ST_EINVAL for options out of bounds or n_columns 0, ST_ENOMEM. */
STATUS_CHECKED enum status half_space_create(const struct half_space_options *options,
                                             size_t n_columns, struct half_space **ret);
void half_space_free(struct half_space *trees);
/* As created. */
void half_space_reset(struct half_space *trees);

/* row: n_columns numbers, NaN where missing; weight above 0: as so many rows. */
void half_space_learn(struct half_space *trees, const float *row, float weight);
/* In (0, 1). unit_row: scratch for 2 * (n_columns + 1) numbers, so that many may score at once. */
float half_space_score(const struct half_space *trees, const float *row, float *unit_row);

/* Makes `to` score as `from` does; made with the same options and as many columns. */
void half_space_copy_reference(const struct half_space *from, struct half_space *to);
/* The same, and learn as it does. */
void half_space_copy(const struct half_space *from, struct half_space *to);

#endif
