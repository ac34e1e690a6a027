/*
 * ingest/batch.h -- a run of merged events and the memory they borrow: what the ingest thread hands
 * to the state thread.
 *
 * Batches are made once, circulate between two threads through two rings, and are never freed while
 * the service runs. Their arena is reset when they are filled again.
 */
#ifndef INGEST_BATCH_H
#define INGEST_BATCH_H

#include "base/arena.h"
#include "base/status.h"
#include "ingest/event.h"

struct batch {
    size_t n;
    size_t cap;
    struct event *events; /* n, in merged order */
    struct arena arena;   /* their values, texts and raw bytes */
    bool end;             /* the sources are read to their end: nothing follows (replay) */
};

STATUS_CHECKED enum status batch_create(size_t cap, struct batch **ret);
void batch_free(struct batch *batch);
void batch_reset(struct batch *batch);

#endif
