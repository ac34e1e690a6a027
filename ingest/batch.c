#include "ingest/batch.h"

#include <stdlib.h>

enum { ARENA_FIRST = 64 * 1024 };

enum status batch_create(size_t cap, struct batch **ret)
{
    struct batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        return ST_ENOMEM;
    batch->cap = cap;
    batch->events = calloc(cap, sizeof *batch->events);
    if (!batch->events) {
        batch_free(batch);
        return ST_ENOMEM;
    }
    arena_init(&batch->arena, ARENA_FIRST);
    *ret = batch;
    return ST_OK;
}

void batch_free(struct batch *batch)
{
    if (!batch)
        return;
    arena_done(&batch->arena);
    free(batch->events);
    free(batch);
}

void batch_reset(struct batch *batch)
{
    batch->n = 0;
    batch->end = false;
    arena_reset(&batch->arena);
}
