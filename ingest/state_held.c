/* Redo values of records that are in the store alone: held until the records come. */
#include <stdlib.h>

#include "ingest/state_internal.h"

enum { TABLE_FIRST = 1024 };

/* A record's patches, oldest first, as indices + 1. None: it is here, or was dropped since. */
struct held_record {
    struct state_missing name;
    uint32_t first, last;
};

/* A patch of a redo value; its ranges are bytes [at, at + len) of what is kept. */
struct held_patch {
    size_t at;
    uint32_t len, size, n, next;
};

struct held {
    struct held_record *records;
    struct held_patch *patches;
    struct state_missing *order; /* of those held when recovery was over: as their pages' keys */
    uint32_t *table;             /* hash table of records: index + 1 */
    size_t n, cap, n_patches, cap_patches, n_table, n_order;
    size_t left; /* records with patches */
    struct buf bytes;
};

static void *grown(void *items, size_t *cap, size_t item_bytes)
{
    *cap = *cap ? *cap * 2 : TABLE_FIRST;
    items = realloc(items, *cap * item_bytes);
    if (!items)
        abort();
    return items;
}

static uint32_t *place_of(const struct held *held, uint16_t family, struct key128 id)
{
    size_t mask = held->n_table - 1, i = state_slot_hash(family, id) & mask;
    for (;; i = (i + 1) & mask) {
        uint32_t at = held->table[i];
        if (at == 0 || (held->records[at - 1].name.family == family &&
                        key_eq(held->records[at - 1].name.id, id)))
            return &held->table[i];
    }
}

static void grow_table(struct held *held)
{
    held->n_table = held->n_table ? held->n_table * 2 : TABLE_FIRST;
    free(held->table);
    held->table = calloc(held->n_table, sizeof *held->table);
    if (!held->table)
        abort();
    for (size_t i = 0; i < held->n; i++) {
        const struct state_missing *name = &held->records[i].name;
        *place_of(held, name->family, name->id) = (uint32_t)i + 1;
    }
}

static struct held_record *find(const struct state *state, uint16_t family, struct key128 id)
{
    const struct held *held = state->held;
    if (!held || held->n_table == 0)
        return NULL;
    uint32_t at = *place_of(held, family, id);
    return at > 0 ? &held->records[at - 1] : NULL;
}

static struct held_record *obtain(struct state *state, uint16_t family, struct key128 id)
{
    struct held_record *record = find(state, family, id);
    if (record)
        return record;
    if (!state->held && !(state->held = calloc(1, sizeof *state->held)))
        abort();
    struct held *held = state->held;
    if (held->n == held->cap)
        held->records = grown(held->records, &held->cap, sizeof *held->records);
    if (held->n_table <= held->n * 2)
        grow_table(held);
    record = &held->records[held->n++];
    *record = (struct held_record){.name = {family, id}};
    *place_of(held, family, id) = (uint32_t)held->n;
    return record;
}

static void forget_patches(struct held *held, struct held_record *record)
{
    held->left -= record->first > 0;
    record->first = record->last = 0;
}

void held_forget(struct state *state, uint16_t family, struct key128 id)
{
    struct held_record *record = find(state, family, id);
    if (record)
        forget_patches(state->held, record);
}

void held_put(struct state *state, const struct patch *patch, struct slice ranges)
{
    struct held_record *record = obtain(state, patch->family, patch->id);
    struct held *held = state->held;
    if (held->n_patches == held->cap_patches)
        held->patches = grown(held->patches, &held->cap_patches, sizeof *held->patches);
    held->patches[held->n_patches++] = (struct held_patch){.at = held->bytes.len,
                                                           .len = (uint32_t)ranges.len,
                                                           .size = (uint32_t)patch->size,
                                                           .n = (uint32_t)patch->n};
    buf_append(&held->bytes, ranges.data, ranges.len);
    held->left += record->first == 0;
    *(record->first ? &held->patches[record->last - 1].next : &record->first) =
        (uint32_t)held->n_patches;
    record->last = (uint32_t)held->n_patches;
}

/* As their pages' keys: see state_page_key(). */
static int by_page(const void *a, const void *b)
{
    const struct state_missing *x = a, *y = b;
    unsigned shard_x = hash_shard(x->id), shard_y = hash_shard(y->id);
    if (shard_x != shard_y)
        return shard_x < shard_y ? -1 : 1;
    if (x->family != y->family)
        return x->family < y->family ? -1 : 1;
    int order = memcmp(&x->id.hi, &y->id.hi, sizeof x->id.hi);
    return order ? order : memcmp(&x->id.lo, &y->id.lo, sizeof x->id.lo);
}

void held_recovered(struct state *state)
{
    struct held *held = state->held;
    if (!held || held->left == 0) {
        held_free(state);
        return;
    }
    held->order = malloc(held->left * sizeof *held->order);
    if (!held->order)
        abort();
    for (size_t i = 0; i < held->n; i++)
        if (held->records[i].first > 0)
            held->order[held->n_order++] = held->records[i].name;
    qsort(held->order, held->n_order, sizeof *held->order, by_page);
}

void held_free(struct state *state)
{
    struct held *held = state->held;
    if (!held)
        return;
    free(held->records);
    free(held->patches);
    free(held->order);
    free(held->table);
    buf_done(&held->bytes);
    free(held);
    state->held = NULL;
}

size_t held_bytes(const struct state *state)
{
    const struct held *held = state->held;
    return held ? held->bytes.len + held->n_patches * sizeof *held->patches +
                      held->n * sizeof *held->records
                : 0;
}

bool held_any(const struct state *state, uint16_t family)
{
    for (size_t i = 0; state->held && i < state->held->n; i++)
        if (state->held->records[i].first > 0 && state->held->records[i].name.family == family)
            return true;
    return false;
}

size_t state_held(const struct state *state)
{
    return state->held ? state->held->left : 0;
}

bool state_holds(const struct state *state, uint16_t family, struct key128 id)
{
    const struct held_record *record = find(state, family, id);
    return record && record->first > 0;
}

size_t state_held_next(const struct state *state, size_t *at, struct state_missing *ret, size_t max)
{
    const struct held *held = state->held;
    size_t n = 0;
    for (; held && *at < held->n_order && n < max; ++*at)
        if (state_holds(state, held->order[*at].family, held->order[*at].id))
            ret[n++] = held->order[*at];
    return n;
}

/* The values are logged, and stay so until a sweep that begins when nothing is held is over: what
 * they change is swept and not logged again. The pages that they cut went in the write that they
 * were logged in. */
void state_release(struct state *state, uint16_t family, struct key128 id)
{
    struct held_record *record = find(state, family, id);
    if (!record || record->first == 0)
        return;
    struct held *held = state->held;
    size_t dropped = state->dropped_pages.len;
    for (uint32_t at = record->first; at > 0; at = held->patches[at - 1].next) {
        const struct held_patch *patch = &held->patches[at - 1];
        struct reader in = reader_of((struct slice){held->bytes.data + patch->at, patch->len});
        redo_patch(state, &(struct patch){family, id, patch->size, patch->n, false}, &in);
    }
    state->dropped_pages.len = dropped;
    struct record *rec = state_find(state, family, id);
    if (rec->change)
        changes_move(state, rec->change, NULL);
    rec->change = 0;
    forget_patches(held, record);
    if (held->left == 0)
        held_free(state);
}
