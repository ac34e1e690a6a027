#include "ingest/state.h"

#include <assert.h>
#include <stdlib.h>

#include "base/huge.h"
#include "ingest/state_internal.h"

enum { SLOTS_FIRST = 1024 };

uint64_t state_slot_hash(uint16_t family, struct key128 id)
{
    uint64_t h = id.lo ^ (id.hi << 31 | id.hi >> 33) ^ (family * UINT64_C(0x9e3779b97f4a7c15));
    h = (h ^ (h >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    return h ^ (h >> 32);
}

enum status state_create(struct state **ret)
{
    struct state *state = calloc(1, sizeof *state);
    if (!state)
        return ST_ENOMEM;
    state->slots = huge_calloc(SLOTS_FIRST * sizeof *state->slots);
    state->n_slots = SLOTS_FIRST;
    *ret = state;
    return ST_OK;
}

void state_free(struct state *state)
{
    if (!state)
        return;
    for (size_t i = 0; i < state->n_slots; i++)
        huge_free(state->slots[i].rec);
    huge_free(state->slots);
    free(state->changes.items);
    free(state->changes.more);
    free(state->stale.items);
    free(state->sweep.items);
    free(state->missing);
    held_free(state);
    buf_done(&state->drops);
    buf_done(&state->dropped_pages);
    free(state);
}

void record_list_add(struct record_list *list, struct record *rec, uint32_t *ret_index)
{
    if (list->n == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 256;
        list->items = realloc(list->items, list->cap * sizeof *list->items);
        if (!list->items)
            abort();
    }
    list->items[list->n++] = rec;
    *ret_index = (uint32_t)list->n;
}

size_t state_slot(const struct state *state, uint16_t family, struct key128 id, uint64_t hash)
{
    size_t mask = state->n_slots - 1, i = hash & mask;
    for (;; i = (i + 1) & mask) {
        const struct slot *slot = &state->slots[i];
        if (!slot->rec)
            return i;
        if (slot->hash == hash && slot->rec->family == family && key_eq(slot->rec->id, id))
            return i;
    }
}

struct record *state_find(struct state *state, uint16_t family, struct key128 id)
{
    return state->slots[state_slot(state, family, id, state_slot_hash(family, id))].rec;
}

/* A probe goes past its first cache line now and then. */
void state_prefetch(const struct state *state, uint16_t family, struct key128 id)
{
    enum { NEXT = 3 };
    size_t mask = state->n_slots - 1, i = state_slot_hash(family, id) & mask;
    __builtin_prefetch(&state->slots[i]);
    __builtin_prefetch(&state->slots[(i + NEXT) & mask]);
}

/* By the hash alone, as no record has been read yet. */
void state_prefetch_record(const struct state *state, uint16_t family, struct key128 id)
{
    enum { LINES = 8, LINE = 64 }; /* a head and some 28 entries of a window */
    uint64_t hash = state_slot_hash(family, id);
    size_t mask = state->n_slots - 1, i = hash & mask;
    while (state->slots[i].rec && state->slots[i].hash != hash)
        i = (i + 1) & mask;
    const char *rec = (const char *)state->slots[i].rec;
    for (size_t line = 0; rec && line < LINES; line++)
        __builtin_prefetch(rec + line * LINE);
}

static void grow(struct state *state)
{
    size_t n = state->n_slots * 2, mask = n - 1;
    struct slot *slots = huge_calloc(n * sizeof *slots);
    for (size_t i = 0; i < state->n_slots; i++) {
        if (!state->slots[i].rec)
            continue;
        size_t to = state->slots[i].hash & mask;
        while (slots[to].rec)
            to = (to + 1) & mask;
        slots[to] = state->slots[i];
    }
    huge_free(state->slots);
    state->slots = slots;
    state->n_slots = n;
}

/* The allocator has four sizes to a doubling, 16 bytes apart at least: what it would round up is
 * room for data, and counted. */
static size_t room_for(size_t size)
{
    enum { STEP_MIN = 16 };
    size_t need = sizeof(struct record) + size;
    size_t step = (size_t)1 << (61 - __builtin_clzl(need - 1));
    step = step < STEP_MIN ? STEP_MIN : step;
    return ((need + step - 1) & ~(step - 1)) - sizeof(struct record);
}

static struct record *record_make(struct state *state, uint16_t family, struct key128 id,
                                  size_t size)
{
    assert(size <= STATE_RECORD_MAX);
    size_t cap = room_for(size);
    struct record *rec = huge_calloc(sizeof *rec + cap);
    rec->id = id;
    rec->family = family;
    rec->size = (uint32_t)size;
    rec->cap = (uint32_t)cap;
    rec->seen = state->turn;
    rec->flags = RECORD_USED;
    state->bytes += sizeof *rec + cap;
    state->count++;
    return rec;
}

struct record *state_insert(struct state *state, uint16_t family, struct key128 id, size_t size)
{
    uint64_t hash = state_slot_hash(family, id);
    if (state->count * 4 >= state->n_slots * 3)
        grow(state);
    size_t i = state_slot(state, family, id, hash);
    struct record *rec = record_make(state, family, id, size);
    state->slots[i] = (struct slot){hash, rec};
    return rec;
}

struct record *state_obtain(struct state *state, uint16_t family, struct key128 id, size_t size)
{
    struct record *rec = state_find(state, family, id);
    if (rec)
        return rec;
    rec = state_insert(state, family, id, size);
    state_touch(state, rec, 0, size);
    return rec;
}

static struct record *set_cap(struct state *state, struct record *rec, size_t cap)
{
    size_t slot = state_slot(state, rec->family, rec->id, state_slot_hash(rec->family, rec->id));
    assert(state->slots[slot].rec == rec);
    state->bytes += cap - rec->cap;
    rec = huge_realloc(rec, sizeof *rec + cap);
    rec->cap = (uint32_t)cap;
    state->slots[slot].rec = rec;
    if (rec->change)
        changes_move(state, rec->change, rec);
    if (rec->stale)
        list_of(state, rec)->items[rec->stale - 1] = rec;
    return rec;
}

struct record *state_reserve(struct state *state, struct record *rec, size_t cap)
{
    return cap > rec->cap ? set_cap(state, rec, cap) : rec;
}

struct record *state_resize(struct state *state, struct record *rec, size_t size)
{
    assert(size <= STATE_RECORD_MAX);
    size_t old = rec->size;
    if (size < old)
        state_note_shrunk(state, rec, size);
    if (size > rec->cap || (size < old && size * 4 < rec->cap))
        rec = set_cap(state, rec, room_for(size));
    rec->size = (uint32_t)size;
    if (size < old)
        changes_cut(state, rec);
    if (size > old)
        memset(rec->data + old, 0, size - old);
    if (size != old)
        state_touch(state, rec, 0, 0); /* the first page tells the size */
    if (size > old)
        state_touch(state, rec, old, size - old);
    return rec;
}

/* Backward-shift deletion keeps probe sequences whole without tombstones. */
static void slot_clear(struct state *state, size_t i)
{
    size_t mask = state->n_slots - 1, hole = i;
    for (size_t j = (i + 1) & mask; state->slots[j].rec; j = (j + 1) & mask) {
        size_t home = state->slots[j].hash & mask;
        if (((j - home) & mask) >= ((j - hole) & mask)) {
            state->slots[hole] = state->slots[j];
            hole = j;
        }
    }
    state->slots[hole] = (struct slot){0};
}

void state_take_out(struct state *state, size_t slot)
{
    const struct record *rec = state->slots[slot].rec;
    state->count--;
    state->bytes -= sizeof *rec + rec->cap;
    slot_clear(state, slot);
}

void state_drop(struct state *state, struct record *rec)
{
    size_t i = state_slot(state, rec->family, rec->id, state_slot_hash(rec->family, rec->id));
    assert(state->slots[i].rec == rec);
    if (rec->change)
        changes_move(state, rec->change, NULL);
    if (rec->stale)
        list_of(state, rec)->items[rec->stale - 1] = NULL;
    state_note_drop(state, rec);
    state_take_out(state, i);
    huge_free(rec);
}

size_t state_count(const struct state *state)
{
    return state->count;
}

size_t state_bytes(const struct state *state)
{
    return state->bytes + state->n_slots * sizeof *state->slots + held_bytes(state);
}

void state_each(struct state *state, uint16_t family, void (*fn)(void *arg, struct record *rec),
                void *arg)
{
    for (size_t i = 0; i < state->n_slots; i++)
        if (state->slots[i].rec && state->slots[i].rec->family == family)
            fn(arg, state->slots[i].rec);
}
