/*
 * online/staging.h -- batches that wait for records to be read from the store.
 *
 * While the working set is smaller than the state, each batch is looked through before its turn:
 * the records that it will read and that are not in memory are asked for, and it is taken once they
 * are here. Several batches wait at a time, so that reading goes on behind the work. Order is kept.
 *
 *     while (!staging_full(staging) && (batch = ring_pop(full)))
 *         staging_put(staging, batch);
 *     TRY(staging_take(staging, &batch));           // NULL: nothing is ready yet
 */
#ifndef ONLINE_STAGING_H
#define ONLINE_STAGING_H

#include "base/ring.h"
#include "ingest/batch.h"
#include "ingest/state.h"
#include "ingest/store.h"
#include "online/pipeline.h"

/* No more may wait than state.h keeps records for. */
enum { STAGING_MAX = 4 };

struct staging;

/* bell: rung when something may have become ready. */
STATUS_CHECKED enum status staging_create(struct store *store, struct state *state,
                                          struct pipeline *pipeline, struct bell *bell,
                                          struct staging **ret);
void staging_free(struct staging *staging);
/* Reads in a thread of its own from now on; before that, and without it, in staging_step(). */
STATUS_CHECKED enum status staging_start(struct staging *staging);
/* Reads for one batch, in the caller's thread. ST_EAGAIN: none waits. */
STATUS_CHECKED enum status staging_step(struct staging *staging);

size_t staging_depth(const struct staging *staging);
bool staging_full(const struct staging *staging);
/* The batch stays the caller's, untouched until it is taken. */
void staging_put(struct staging *staging, struct batch *batch);
/* The first, if all that it needs is in memory; else NULL. Why the store could not be read. */
STATUS_CHECKED enum status staging_take(struct staging *staging, struct batch **ret);
/* The first, whatever it needs, or NULL: for an end in failure. */
struct batch *staging_give_up(struct staging *staging);

struct staging_figures {
    uint64_t events;  /* staged */
    uint64_t fetched; /* records asked of the store */
};
struct staging_figures staging_figures(const struct staging *staging);

#endif
