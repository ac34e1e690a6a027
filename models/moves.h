/*
 * models/moves.h -- how strong each feature is in two saved models, and how far it moved from one
 * to the other.
 *
 * The unit is the kind's own (model_ops.moved_by): norms of weights, shares of splits.
 */
#ifndef MODELS_MOVES_H
#define MODELS_MOVES_H

#include "base/bytes.h"

struct move {
    char name[128];       /* a longer one is cut */
    double before, after; /* 0: it was not there */
    double moved;
};

/* {0}: none. */
struct moves {
    struct buf list;
};

void moves_done(struct moves *moves);
void moves_add(struct moves *moves, struct slice name, double before, double after, double moved);
/* The furthest first, equal ones by name. */
void moves_sort(struct moves *moves);
size_t moves_count(const struct moves *moves);
const struct move *moves_at(const struct moves *moves, size_t i);

#endif
