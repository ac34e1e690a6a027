/*
 * online/state_walk.h -- all records that a store holds, read in bounded memory.
 *
 * What the redo values change, and what a start keeps in memory anyway, is in a state already
 * (commit_recover() with load_max); the others are read from their pages, some at a time, each held
 * to the same form as at a start. Their sum is that of a state that holds them all.
 */
#ifndef ONLINE_STATE_WALK_H
#define ONLINE_STATE_WALK_H

#include "ingest/state.h"
#include "ingest/store.h"

struct state_sum {
    uint64_t records;
    struct key128 digest; /* see state_digest() */
};

/* bytes_max: of records in memory at a time, beside those of the state. Returns ST_ECORRUPT:
 * *ret_shard is where; what the store returns. */
STATUS_CHECKED enum status state_walk(struct store *store, struct state *state, size_t bytes_max,
                                      struct state_sum *ret, unsigned *ret_shard);

#endif
