/*
 * tests/state_fixture.h -- a state, its records' names, and what it seals and sweeps.
 */
#ifndef TESTS_STATE_FIXTURE_H
#define TESTS_STATE_FIXTURE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>

#include "ingest/state.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

enum { PAGE = STATE_PAGE };

static inline struct state *state_make(void)
{
    struct state *state = NULL;
    cr_assert(eq(int, state_create(&state), ST_OK));
    return state;
}

static inline uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

static inline struct key128 id_of(uint32_t n)
{
    return hash_entity(slice_of("kind"), (struct slice){(char *)&n, sizeof n});
}

static inline bool same_digest(const struct state *a, const struct state *b)
{
    return key_eq(state_digest(a), state_digest(b));
}

static inline struct buf sealed(struct state *state)
{
    struct buf redo = {0};
    state_seal(state, &redo);
    return redo;
}

static inline size_t sealed_bytes(struct state *state)
{
    struct buf redo = sealed(state);
    size_t len = redo.len;
    buf_done(&redo);
    return len;
}

static inline struct buf swept(struct state *state)
{
    struct buf pages = {0};
    state_take_drops(state, &pages);
    state_sweep_begin(state);
    cr_assert(not(state_sweep_some(state, SIZE_MAX / 2, &pages)));
    cr_assert(eq(sz, state_sweep_left(state), 0));
    return pages;
}

static inline size_t count_pages(struct buf *pages, size_t *ret_drops)
{
    struct reader in = reader_of(buf_slice(pages));
    struct slice key, value;
    size_t puts = 0;
    for (*ret_drops = 0; state_next_page(&in, &key, &value);) {
        puts += value.len > 0;
        *ret_drops += value.len == 0;
    }
    buf_done(pages);
    return puts;
}

#endif
