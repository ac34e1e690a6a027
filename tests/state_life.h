/*
 * tests/state_life.h -- a state with everything around it: its store, its sweeps, and what it
 * should hold. All that may be done to records is done to them at random, and to a plain array of
 * byte strings as well.
 */
#ifndef TESTS_STATE_LIFE_H
#define TESTS_STATE_LIFE_H

#include "ingest/store.h"
#include "tests/state_fixture.h"
#include "tests/state_to_store.h"

enum { FAMILIES = 3, IDS = 12 };

struct shadow {
    bool there;
    size_t size;
    char *data;
};

struct life {
    struct state *state;
    struct store *store;
    struct store_batch *batch;
    struct shadow shadows[FAMILIES][IDS];
    uint64_t seed, epoch, redo_first, sweep_floor;
    bool sweeping;
    struct buf redo, pages;
};

static inline struct life life_begin(uint64_t seed)
{
    struct life life = {.state = state_make(), .seed = seed, .redo_first = 1};
    cr_assert(eq(int, store_open_memory(&life.store), ST_OK));
    life.batch = life.store->ops->batch_create(life.store);
    return life;
}

static inline void life_end(struct life *life)
{
    for (size_t family = 0; family < FAMILIES; family++)
        for (size_t i = 0; i < IDS; i++)
            free(life->shadows[family][i].data);
    state_free(life->state);
    life->store->ops->batch_free(life->batch);
    store_free(life->store);
    buf_done(&life->redo);
    buf_done(&life->pages);
}

/* Sizes on both sides of pages and of the pages that have a bit of their own. */
static inline size_t draw_size(uint64_t *seed)
{
    static const size_t sizes[] = {0,    1,        7,        1000,         PAGE - 1,
                                   PAGE, PAGE + 1, 2 * PAGE, 3 * PAGE + 9, 63 * PAGE + 1};
    uint32_t i = draw(seed, 5 * LEN(sizes));
    return i < LEN(sizes) ? sizes[i] : draw(seed, 3 * PAGE);
}

static inline void write_bytes(struct life *life, struct record *rec, struct shadow *shadow)
{
    if (shadow->size == 0)
        return;
    size_t from = draw(&life->seed, (uint32_t)shadow->size);
    size_t most = shadow->size - from < 300 ? shadow->size - from : 300;
    size_t len = 1 + draw(&life->seed, (uint32_t)most);
    for (size_t i = from; i < from + len; i++)
        rec->data[i] = shadow->data[i] = (char)draw(&life->seed, 256);
    state_touch(life->state, rec, from, len);
}

static inline void resize_both(struct life *life, struct record *rec, struct shadow *shadow)
{
    size_t size = draw_size(&life->seed);
    if (draw(&life->seed, 4) == 0)
        rec = state_reserve(life->state, rec, draw_size(&life->seed));
    state_resize(life->state, rec, size);
    shadow->data = realloc(shadow->data, size + 1);
    if (size > shadow->size)
        memset(shadow->data + shadow->size, 0, size - shadow->size);
    shadow->size = size;
}

static inline void obtain_both(struct life *life, uint16_t family, uint32_t i,
                               struct shadow *shadow)
{
    size_t size = draw_size(&life->seed);
    state_obtain(life->state, family, id_of(i), size);
    *shadow = (struct shadow){true, size, calloc(1, size + 1)};
}

static inline void change_something(struct life *life)
{
    uint16_t family = (uint16_t)draw(&life->seed, FAMILIES);
    uint32_t i = draw(&life->seed, IDS), what = draw(&life->seed, 10);
    struct shadow *shadow = &life->shadows[family][i];
    struct record *rec = state_find(life->state, family, id_of(i));
    cr_assert(eq(int, rec != NULL, shadow->there));
    if (!rec) {
        obtain_both(life, family, i, shadow);
    } else if (what < 6) {
        write_bytes(life, rec, shadow);
    } else if (what < 8) {
        resize_both(life, rec, shadow);
    } else {
        state_drop(life->state, rec);
        free(shadow->data);
        *shadow = (struct shadow){0};
    }
}

/* As the commit protocol does it, with sweeps that begin and go on at random. */
static inline void seal(struct life *life)
{
    buf_reset(&life->redo);
    buf_reset(&life->pages);
    life->epoch++;
    state_seal(life->state, &life->redo);
    state_take_drops(life->state, &life->pages);
    if (!life->sweeping && draw(&life->seed, 3) == 0) {
        state_sweep_begin(life->state);
        life->sweeping = true;
        life->sweep_floor = state_held(life->state) > 0 ? 0 : life->epoch + 1;
    }
    bool finished = life->sweeping && draw(&life->seed, 2) == 0 &&
                    !state_sweep_some(life->state, draw(&life->seed, 20 * PAGE), &life->pages);
    state_put_pages(life->store, life->batch, &life->pages);
    struct store_key key = store_number_key(STORE_REDO, life->epoch);
    life->store->ops->put(life->batch, store_key_slice(&key), buf_slice(&life->redo));
    if (finished) {
        struct store_key from = store_number_key(STORE_REDO, 0);
        struct store_key to = store_number_key(STORE_REDO, life->sweep_floor);
        life->store->ops->drop_range(life->batch, store_key_slice(&from), store_key_slice(&to));
        life->sweeping = false;
    }
    cr_assert(eq(int, life->store->ops->write(life->store, life->batch), ST_OK));
}

static inline enum status load_page(void *arg, struct slice key, struct slice value)
{
    return state_load_page(arg, (struct slice){key.data + 1, key.len - 1}, value);
}

static inline enum status load_redo(void *arg, struct slice key, struct slice value)
{
    (void)key;
    return state_apply_redo(arg, value);
}

static inline struct state *recovered(struct store *store)
{
    struct state *state = state_make();
    cr_assert(eq(int, store_scan_space(store, STORE_PAGE, load_page, state), ST_OK));
    cr_assert(eq(int, store_scan_space(store, STORE_REDO, load_redo, state), ST_OK));
    state_redone(state);
    return state;
}

static inline void compare_with_shadows(const struct life *life, struct state *state)
{
    size_t there = 0;
    for (uint16_t family = 0; family < FAMILIES; family++)
        for (uint32_t i = 0; i < IDS; i++) {
            const struct shadow *shadow = &life->shadows[family][i];
            const struct record *rec = state_find(state, family, id_of(i));
            cr_assert(eq(int, rec != NULL, shadow->there));
            there += shadow->there;
            if (!rec)
                continue;
            cr_assert(eq(sz, rec->size, shadow->size));
            cr_assert(eq(int, memcmp(rec->data, shadow->data, rec->size), 0));
        }
    cr_assert(eq(sz, state_count(state), there));
}

#endif
