/*
 * tests/state_copy.h -- a state as a restart would find it: what left the old one, and nothing
 * else.
 */
#ifndef TESTS_STATE_COPY_H
#define TESTS_STATE_COPY_H

#include <stdlib.h>

#include "ingest/state.h"

static inline void state_copy_touch(void *arg, struct record *rec)
{
    state_touch(arg, rec, 0, rec->size);
}

/* Brings all records of a state that was never swept over to a new one, through their pages. The
 * new one counts as never swept either. */
static inline struct state *state_copy(struct state *from)
{
    struct buf redo = {0}, pages = {0};
    struct state *copy = NULL;
    struct slice key, value;
    state_seal(from, &redo);
    state_take_drops(from, &pages);
    buf_reset(&pages);
    state_sweep_begin(from);
    if (state_sweep_some(from, SIZE_MAX / 2, &pages) || state_create(&copy) < 0)
        abort();
    struct reader in = reader_of(buf_slice(&pages));
    while (state_next_page(&in, &key, &value))
        if (state_load_page(copy, key, value) < 0)
            abort();
    for (uint16_t family = 0; family < 256; family++)
        state_each(copy, family, state_copy_touch, copy);
    state_redone(copy);
    buf_done(&redo);
    buf_done(&pages);
    return copy;
}

#endif
