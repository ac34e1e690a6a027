/*
 * tests/sim/sim_store.h -- the store of a simulated service: the memory twin, which loses at a
 * crash what was not synced, with a touch of the world at each access; and where faults of writing
 * are planted.
 *
 * It keeps the example log as it was written, item by item, although the service drops what it has
 * learnt: blocks must follow each other without a gap or an overlap.
 */
#ifndef TESTS_SIM_STORE_H
#define TESTS_SIM_STORE_H

#include "ingest/commit.h"
#include "ingest/state.h"
#include "ingest/store.h"
#include "tests/sim/fault.h"
#include "tests/sim/world.h"

struct sim_store {
    struct store head;
    struct store *inner;
    struct world *world;
    enum fault fault;
    const struct state *state; /* of the process that lives, for FAULT_RECORD_CHANGES */
    struct buf examples;       /* items as they became durable */
    uint64_t examples_n;
    /* FAULT_ROWS_SENT_EARLY: is shown rows that are about to be written; NULL: nobody is */
    void (*on_rows)(void *arg, struct slice rows);
    void *on_rows_arg;
    /* Says that it holds this much more: a start does not load all, though there is room for it. */
    uint64_t pages_told;
    char wrong[200];
};

struct sim_store *sim_store_create(struct world *world, enum fault fault);
void sim_store_free(struct sim_store *store);
/* The power goes. */
void sim_store_crash(struct sim_store *store);
/* FAULT_CURSOR_AHEAD: names the checkpoint at once. */
void sim_store_name_checkpoint(struct sim_store *store, const struct trainer_checkpoint *point);

#endif
