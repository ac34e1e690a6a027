/*
 * tests/state_to_store.h -- what a state seals and sweeps, written to a store as the commit
 * protocol writes it.
 */
#ifndef TESTS_STATE_TO_STORE_H
#define TESTS_STATE_TO_STORE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "ingest/state_store.h"

/* Writes all pages that changed. */
static inline void sweep_to_store(struct state *state, struct store *store)
{
    struct buf redo = {0}, pages = {0};
    state_seal(state, &redo);
    state_take_drops(state, &pages);
    state_sweep_begin(state);
    cr_assert(not(state_sweep_some(state, SIZE_MAX / 2, &pages)));
    struct store_batch *batch = store->ops->batch_create(store);
    state_put_pages(store, batch, &pages);
    cr_assert(eq(int, store->ops->write(store, batch), ST_OK));
    store->ops->batch_free(batch);
    buf_done(&redo);
    buf_done(&pages);
}

#endif
