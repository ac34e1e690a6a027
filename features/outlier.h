/*
 * features/outlier.h -- how unlike the rows before it a row is: half-space trees
 * (models/half_space.h says how they work) whose counts are a record of state. What {outlier: ...}
 * keeps, of all events or of each entity.
 *
 * The trees' questions are drawn once from the seed and are the same for all records. A record
 * counts rows along the questions' paths in windows of so many: the counts of the last full window
 * (reference) score, those of this one (latest) are being made. By turns each is one half of the
 * record, so that a window that is full is not copied. The first window finds the columns' ranges,
 * the second is counted, and from the third on
 *
 *     a = mean over trees of r * 2^k / window      r rows of the reference where the row comes to
 *     score = 1 / (1 + a)                          a stop, at depth k; 1 is far out
 *
 * with each row's way down ending at a node of at most a tenth of the window's rows. In (0, 1];
 * NaN before.
 *
 *     struct outlier outlier = {.n_columns = 3, .trees = 10, .depth = 6, .window = 256};
 *     TRY(outlier_ready(&outlier, seed));                       // and outlier.family
 *     outlier_read(&outlier, rec, row);                         // rec may be NULL
 *     outlier_observe(&outlier, state, id, row);
 *     outlier_done(&outlier);
 *
 * Of a node only the rows that went left are kept. A record is 16 bytes, 48 a column, and
 * 2 * trees * (2^depth - 1), twice that where a window is of more than 255 rows. Each row changes
 * up to half of it. Exact: counts are integers, and the score of a row does not depend on batches
 * or on the machine.
 */
#ifndef FEATURES_OUTLIER_H
#define FEATURES_OUTLIER_H

#include "ingest/state.h"
#include "models/half_space_tree.h"

enum {
    OUTLIER_COLUMNS_MAX = 64,
    OUTLIER_TREES_MAX = 100,
    OUTLIER_DEPTH_MAX = 12,
    OUTLIER_WINDOW_MAX = 65535
};

struct outlier {
    size_t n_columns, trees, depth, window; /* 1 or 2 (the window) to those above */
    uint16_t family;
    struct half_space_node *nodes; /* trees * (2^depth - 1) */
};

STATUS_CHECKED enum status outlier_ready(struct outlier *outlier, uint64_t seed);
void outlier_done(struct outlier *outlier);

/* row: n_columns numbers, NaN where missing: such goes to one side, drawn for each node. What the
 * rows before make of it; about 2 ns for each tree and depth. */
double outlier_read(const struct outlier *outlier, const struct record *rec, const float *row);
void outlier_observe(const struct outlier *outlier, struct state *state, struct key128 id,
                     const float *row);
/* For people. False: it has seen nothing. */
bool outlier_describe(const struct outlier *outlier, const struct record *rec,
                      uint64_t *ret_windows, uint64_t *ret_rows);

#endif
