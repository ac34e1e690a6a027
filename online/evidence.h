/*
 * online/evidence.h -- the examples that a gate judges by: the newest of each label, with what
 * champion and candidate said of them.
 *
 * An example is fresh until the candidate that learnt it is promoted, then it is settled: what
 * comes to nothing with its candidate never judges another. All memory but categories' is taken at
 * create.
 */
#ifndef ONLINE_EVIDENCE_H
#define ONLINE_EVIDENCE_H

#include <stdbool.h>

#include "models/model.h"
#include "online/kept_vector.h"

struct evidence_row {
    struct kept_vector kept;
    float label; /* 0 or 1 */
    float weight;
    uint64_t order; /* of examples given, to tell which is older */
    float champion, candidate;
};

/* The newest `max` rows of one label. */
struct evidence_ring {
    struct evidence_row *rows;
    float *dense;
    size_t max, n, first;
};

enum { EVIDENCE_SETTLED, EVIDENCE_FRESH, EVIDENCE_SETS };

struct evidence {
    size_t n_dense;
    struct evidence_ring rings[EVIDENCE_SETS][2]; /* by label */
};

/* max: rows of each label, in each set. */
STATUS_CHECKED enum status evidence_init(struct evidence *evidence, size_t n_dense,
                                         const size_t max[2]);
void evidence_done(struct evidence *evidence);

/* Copies an example to the fresh ones, in the oldest's place if they are full. */
struct evidence_row *evidence_add(struct evidence *evidence, const struct example *example);
/* i: from the oldest, 0, on. */
static inline struct evidence_row *evidence_at(const struct evidence_ring *ring, size_t i)
{
    return &ring->rows[(ring->first + i) % ring->max];
}
/* The fresh ones become settled, or go. */
void evidence_settle(struct evidence *evidence);
void evidence_forget_fresh(struct evidence *evidence);
void evidence_forget(struct evidence *evidence);

/* As tensors "gate.*". */
void evidence_save(const struct evidence *evidence, struct tensors *ret);
/* Into an empty one. A file of other columns, or of more rows than there is room for, is
 * ST_ECORRUPT, and it stays empty. */
STATUS_CHECKED enum status evidence_load(struct evidence *evidence, const struct tensors *tensors);

#endif
