/*
 * tests/state_to_store.h -- what a state seals and sweeps, written to a store as the commit
 * protocol writes it.
 */
#ifndef TESTS_STATE_TO_STORE_H
#define TESTS_STATE_TO_STORE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "ingest/state.h"
#include "ingest/store.h"

/* Adds pages, changed and gone, to a batch. */
static inline void put_pages(struct store *store, struct store_batch *batch,
                             const struct buf *pages)
{
    struct reader in = reader_of(buf_slice(pages));
    struct slice key, value;
    while (state_next_page(&in, &key, &value)) {
        char stored[1 + STATE_PAGE_KEY] = {STORE_PAGE};
        memcpy(stored + 1, key.data, key.len);
        struct slice at = {stored, sizeof stored};
        if (value.len > 0)
            store->ops->put(batch, at, value);
        else
            store->ops->drop(batch, at);
    }
}

/* Writes all pages that changed. */
static inline void sweep_to_store(struct state *state, struct store *store)
{
    struct buf redo = {0}, pages = {0};
    state_seal(state, &redo);
    state_take_drops(state, &pages);
    state_sweep_begin(state);
    cr_assert(not(state_sweep_some(state, SIZE_MAX / 2, &pages)));
    struct store_batch *batch = store->ops->batch_create(store);
    put_pages(store, batch, &pages);
    cr_assert(eq(int, store->ops->write(store, batch), ST_OK));
    store->ops->batch_free(batch);
    buf_done(&redo);
    buf_done(&pages);
}

#endif
