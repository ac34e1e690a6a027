/*
 * ingest/state_store.h -- where the pages of a state go in a store.
 */
#ifndef INGEST_STATE_STORE_H
#define INGEST_STATE_STORE_H

#include "ingest/state.h"
#include "ingest/store.h"

/* Adds pages, as state_sweep_some() and state_take_drops() give them, to a batch: those that
 * changed are put, those that are gone dropped. */
void state_put_pages(struct store *store, struct store_batch *batch, const struct buf *pages);

#endif
