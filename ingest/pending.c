#include "ingest/pending.h"

#include <assert.h>
#include <stdlib.h>

#include "base/huge.h"

/* The record that keeps the order of arrival going over a restart. */
static const struct key128 counter_id = {~UINT64_C(0), 0};

struct block {
    struct record *rec; /* stays where it is: room is reserved when it is made; NULL: not looked up
                           since it was evicted */
    uint64_t number;    /* of the record's id */
    int64_t newest;     /* latest time of its entries, each at a multiple of 8 */
    uint32_t next;      /* in its shard's chain, or in the free list */
    uint8_t shard;
};

/* Oldest first; 0 is "none", blocks count from 1. */
struct chain {
    uint32_t first, last;
};

/* The tag places a slot as well: moving slots reads no entries. */
struct index_slot {
    uint32_t tag;   /* of the id */
    uint32_t block; /* 0: empty */
    uint32_t at;
};

struct pending_store {
    struct state *state;
    uint16_t family;
    int64_t horizon;
    struct record *counter;
    struct chain shards[PENDING_SHARDS];
    struct block *blocks;
    uint32_t n_blocks, cap_blocks, free_block;
    struct index_slot *slots;
    size_t n_slots, count, labels, entry_bytes;
};

static uint32_t tag_of(struct key128 id)
{
    return (uint32_t)(id.lo >> 32);
}

static struct key128 block_id(const struct block *block)
{
    return (struct key128){block->number, (uint64_t)block->shard << 56};
}

/* A record tells by its hint which block it is. */
static void block_bind(struct pending_store *store, uint32_t block, struct record *rec)
{
    rec = state_reserve(store->state, rec, PENDING_BLOCK);
    rec->hint = block;
    store->blocks[block].rec = rec;
}

/* The counter is no block, and stays. */
static bool let_go(void *arg, struct record *rec)
{
    struct pending_store *store = arg;
    if (rec == store->counter)
        return false;
    if (rec->hint != 0)
        store->blocks[rec->hint].rec = NULL;
    return true;
}

static bool block_is_here(struct pending_store *store, uint32_t block)
{
    if (store->blocks[block].rec)
        return true;
    struct record *rec = state_find(store->state, store->family, block_id(&store->blocks[block]));
    if (rec)
        block_bind(store, block, rec);
    return rec != NULL;
}

/* It is here: pending_need_*() were told. */
static struct record *block_record(struct pending_store *store, uint32_t block)
{
    bool here = block_is_here(store, block);
    assert(here);
    (void)here;
    return store->blocks[block].rec;
}

static const struct pending_entry *entry_at(struct pending_store *store, uint32_t block,
                                            uint32_t at)
{
    return (const struct pending_entry *)(const void *)(block_record(store, block)->data + at);
}

static size_t entry_size(const struct pending_entry *entry)
{
    size_t size = sizeof *entry + entry->n_keys * sizeof(struct key128) + entry->len;
    return (size + 7) & ~(size_t)7;
}

static size_t slot_find(struct pending_store *store, struct key128 id)
{
    uint32_t tag = tag_of(id);
    size_t mask = store->n_slots - 1;
    for (size_t i = tag & mask;; i = (i + 1) & mask) {
        const struct index_slot *slot = &store->slots[i];
        if (!slot->block)
            return i;
        if (slot->tag == tag && key_eq(entry_at(store, slot->block, slot->at)->id, id))
            return i;
    }
}

static void index_grow(struct pending_store *store)
{
    size_t n = store->n_slots * 2, mask = n - 1;
    struct index_slot *slots = huge_calloc(n * sizeof *slots);
    for (size_t i = 0; i < store->n_slots; i++) {
        if (!store->slots[i].block)
            continue;
        size_t to = store->slots[i].tag & mask;
        while (slots[to].block)
            to = (to + 1) & mask;
        slots[to] = store->slots[i];
    }
    huge_free(store->slots);
    store->slots = slots;
    store->n_slots = n;
}

/* Counts what a slot tells in or out. */
static void index_count(struct pending_store *store, const struct index_slot *slot, int by)
{
    const struct pending_entry *entry = entry_at(store, slot->block, slot->at);
    store->count += (size_t)by;
    if (!(entry->flags & PENDING_EVENT))
        store->labels += (size_t)by;
}

/* The newest entry of an id takes the place of an older one. */
static void index_put(struct pending_store *store, struct key128 id, struct pending_ref ref)
{
    if (store->count * 4 >= store->n_slots * 3)
        index_grow(store);
    struct index_slot *slot = &store->slots[slot_find(store, id)];
    if (slot->block)
        index_count(store, slot, -1);
    *slot = (struct index_slot){tag_of(id), ref.block, ref.at};
    index_count(store, slot, 1);
}

/* Backward-shift deletion. */
static void index_clear(struct pending_store *store, size_t i)
{
    size_t mask = store->n_slots - 1, hole = i;
    index_count(store, &store->slots[i], -1);
    for (size_t j = (i + 1) & mask; store->slots[j].block; j = (j + 1) & mask) {
        size_t home = store->slots[j].tag & mask;
        if (((j - home) & mask) >= ((j - hole) & mask)) {
            store->slots[hole] = store->slots[j];
            hole = j;
        }
    }
    store->slots[hole] = (struct index_slot){0};
}

static uint32_t block_take(struct pending_store *store)
{
    if (store->free_block) {
        uint32_t block = store->free_block;
        store->free_block = store->blocks[block].next;
        return block;
    }
    if (store->n_blocks == store->cap_blocks) {
        store->cap_blocks = store->cap_blocks ? store->cap_blocks * 2 : 1024;
        store->blocks = huge_realloc(store->blocks, store->cap_blocks * sizeof *store->blocks);
    }
    return store->n_blocks++;
}

static uint32_t chain_add(struct pending_store *store, unsigned shard, struct record *rec)
{
    uint32_t block = block_take(store);
    struct chain *chain = &store->shards[shard];
    store->blocks[block] =
        (struct block){.number = rec->id.lo, .newest = INT64_MIN, .shard = (uint8_t)shard};
    block_bind(store, block, rec);
    if (chain->last)
        store->blocks[chain->last].next = block;
    else
        chain->first = block;
    chain->last = block;
    return block;
}

enum status pending_create(struct state *state, uint16_t family, int64_t horizon,
                           struct pending_store **ret)
{
    struct pending_store *store = calloc(1, sizeof *store);
    if (!store)
        return ST_ENOMEM;
    store->state = state;
    store->family = family;
    store->horizon = horizon;
    store->n_slots = 1024;
    store->slots = huge_calloc(store->n_slots * sizeof *store->slots);
    store->cap_blocks = 1024;
    store->blocks = huge_calloc(store->cap_blocks * sizeof *store->blocks);
    store->n_blocks = 1; /* 0 is "none" */
    state_on_evict(state, family, let_go, store);
    *ret = store;
    return ST_OK;
}

void pending_free(struct pending_store *store)
{
    if (!store)
        return;
    huge_free(store->slots);
    huge_free(store->blocks);
    free(store);
}

static uint64_t next_seq(struct pending_store *store)
{
    if (!store->counter)
        store->counter = state_obtain(store->state, store->family, counter_id, sizeof(uint64_t));
    uint64_t seq;
    memcpy(&seq, store->counter->data, sizeof seq);
    uint64_t next = seq + 1;
    memcpy(store->counter->data, &next, sizeof next);
    state_touch(store->state, store->counter, 0, sizeof next);
    return seq;
}

/* The slot that names an entry; false if a newer entry of its id has taken it. Reads no entries. */
static bool slot_naming(const struct pending_store *store, uint32_t tag, struct pending_ref ref,
                        size_t *ret)
{
    size_t mask = store->n_slots - 1;
    for (size_t i = tag & mask; store->slots[i].block; i = (i + 1) & mask)
        if (store->slots[i].block == ref.block && store->slots[i].at == ref.at) {
            *ret = i;
            return true;
        }
    return false;
}

static void block_forget(struct pending_store *store, uint32_t block)
{
    const struct record *rec = block_record(store, block);
    for (uint32_t at = 0; at < rec->size;) {
        const struct pending_entry *entry = entry_at(store, block, at);
        size_t slot;
        if (slot_naming(store, tag_of(entry->id), (struct pending_ref){block, at}, &slot))
            index_clear(store, slot);
        store->entry_bytes -= entry_size(entry);
        at += (uint32_t)entry_size(entry);
    }
}

static void drop_expired(struct pending_store *store, unsigned shard, int64_t now)
{
    struct chain *chain = &store->shards[shard];
    while (chain->first) {
        uint32_t block = chain->first;
        if (store->blocks[block].newest + store->horizon >= now)
            return;
        block_forget(store, block);
        state_drop(store->state, block_record(store, block));
        chain->first = store->blocks[block].next;
        if (!chain->first)
            chain->last = 0;
        store->blocks[block].next = store->free_block;
        store->free_block = block;
    }
}

static uint32_t block_add(struct pending_store *store, unsigned shard, uint64_t seq, size_t size)
{
    struct key128 id = {seq + 1, (uint64_t)shard << 56};
    struct record *rec = state_obtain(store->state, store->family, id, 0);
    rec = state_reserve(store->state, rec, size > PENDING_BLOCK ? size : PENDING_BLOCK);
    return chain_add(store, shard, rec);
}

/* An entry is in a block from now on. */
static struct pending_ref entry_added(struct pending_store *store, uint32_t block, uint32_t at)
{
    const struct pending_entry *entry = entry_at(store, block, at);
    struct pending_ref ref = {block, at};
    index_put(store, entry->id, ref);
    store->entry_bytes += entry_size(entry);
    if (entry->time > store->blocks[block].newest)
        store->blocks[block].newest = entry->time;
    return ref;
}

static void write_entry(struct pending_store *store, uint32_t block, uint32_t at,
                        const struct pending_entry *entry, const struct key128 *keys,
                        struct slice packed)
{
    char *to = store->blocks[block].rec->data + at;
    memcpy(to, entry, sizeof *entry);
    if (entry->n_keys > 0)
        memcpy(to + sizeof *entry, keys, entry->n_keys * sizeof *keys);
    if (packed.len > 0)
        memcpy(to + sizeof *entry + entry->n_keys * sizeof *keys, packed.data, packed.len);
}

struct pending_ref pending_append(struct pending_store *store, const struct pending_entry *entry,
                                  const struct key128 *keys, struct slice packed)
{
    struct pending_entry new = *entry;
    new.seq = next_seq(store) & ((UINT64_C(1) << 48) - 1);
    new.len = (uint16_t)packed.len;
    size_t size = entry_size(&new);
    unsigned shard = hash_shard(entry->id);
    drop_expired(store, shard, entry->time);
    uint32_t block = store->shards[shard].last;
    if (!block || block_record(store, block)->size + size > PENDING_BLOCK)
        block = block_add(store, shard, new.seq, size);

    struct record *rec = block_record(store, block);
    uint32_t at = rec->size;
    struct record *same = state_resize(store->state, rec, at + size);
    assert(same == rec);
    (void)same;
    write_entry(store, block, at, &new, keys, packed);
    return entry_added(store, block, at);
}

bool pending_find(struct pending_store *store, struct key128 id, int64_t now,
                  struct pending_ref *ret)
{
    size_t i = slot_find(store, id);
    const struct index_slot *slot = &store->slots[i];
    if (!slot->block || entry_at(store, slot->block, slot->at)->time + store->horizon < now)
        return false;
    *ret = (struct pending_ref){slot->block, slot->at};
    return true;
}

const struct pending_entry *pending_get(struct pending_store *store, struct pending_ref ref)
{
    return entry_at(store, ref.block, ref.at);
}

struct pending_entry *pending_change(struct pending_store *store, struct pending_ref ref,
                                     enum pending_part part)
{
    static const struct {
        size_t from, to;
    } parts[] = {
        [PENDING_LABEL] = {offsetof(struct pending_entry, label_offset),
                           offsetof(struct pending_entry, score)},
        [PENDING_SCORE] = {offsetof(struct pending_entry, score),
                           offsetof(struct pending_entry, n_keys)},
    };
    struct record *rec = block_record(store, ref.block);
    state_touch(store->state, rec, ref.at + parts[part].from, parts[part].to - parts[part].from);
    return (struct pending_entry *)(void *)(rec->data + ref.at);
}

const struct key128 *pending_keys(const struct pending_entry *entry)
{
    return entry->n_keys ? (const struct key128 *)(entry + 1) : NULL;
}

struct slice pending_packed(const struct pending_entry *entry)
{
    return (struct slice){(const char *)(entry + 1) + entry->n_keys * sizeof(struct key128),
                          entry->len};
}

void pending_prefetch(const struct pending_store *store, struct key128 id)
{
    __builtin_prefetch(&store->slots[tag_of(id) & (store->n_slots - 1)]);
}

/* The home slot alone, by its tag: wrong now and then, which only loads something in vain. */
bool pending_guess(const struct pending_store *store, struct key128 id, struct pending_ref *ret)
{
    const struct index_slot *slot = &store->slots[tag_of(id) & (store->n_slots - 1)];
    *ret = (struct pending_ref){slot->block, slot->at};
    return slot->block && slot->tag == tag_of(id) && store->blocks[slot->block].rec;
}

void pending_prefetch_entry(const struct pending_store *store, struct pending_ref ref)
{
    const struct record *rec = store->blocks[ref.block].rec;
    if (!rec)
        return;
    __builtin_prefetch(rec->data + ref.at);
    __builtin_prefetch(rec->data + ref.at + 64);
}

/* A working set smaller than the state. */

void pending_need_block(struct pending_store *store, uint32_t block)
{
    state_need(store->state, store->family, block_id(&store->blocks[block]));
}

/* The blocks of all entries that a look-up passes, whose ids have to be compared. */
void pending_need_find(struct pending_store *store, struct key128 id)
{
    uint32_t tag = tag_of(id);
    size_t mask = store->n_slots - 1;
    for (size_t i = tag & mask; store->slots[i].block; i = (i + 1) & mask)
        if (store->slots[i].tag == tag)
            pending_need_block(store, store->slots[i].block);
}

void pending_need_append(struct pending_store *store, struct key128 id, int64_t now)
{
    const struct chain *chain = &store->shards[hash_shard(id)];
    if (chain->last)
        pending_need_block(store, chain->last);
    for (uint32_t block = chain->first; block; block = store->blocks[block].next) {
        if (store->blocks[block].newest + store->horizon >= now)
            return;
        pending_need_block(store, block);
    }
}

const struct pending_entry *pending_peek(struct pending_store *store, struct key128 id)
{
    uint32_t tag = tag_of(id);
    size_t mask = store->n_slots - 1;
    for (size_t i = tag & mask; store->slots[i].block; i = (i + 1) & mask) {
        const struct index_slot *slot = &store->slots[i];
        if (slot->tag != tag || !block_is_here(store, slot->block))
            continue;
        const struct pending_entry *entry = entry_at(store, slot->block, slot->at);
        if (key_eq(entry->id, id))
            return entry;
    }
    return NULL;
}

size_t pending_count(const struct pending_store *store)
{
    return store->count;
}

size_t pending_labels(const struct pending_store *store)
{
    return store->labels;
}

size_t pending_entry_bytes(const struct pending_store *store)
{
    return store->entry_bytes;
}

size_t pending_index_bytes(const struct pending_store *store)
{
    return store->n_slots * sizeof *store->slots;
}

/* Recovery. */

struct found {
    size_t n, cap;
    struct record **recs;
};

static void collect(void *arg, struct record *rec)
{
    struct found *found = arg;
    if (key_eq(rec->id, counter_id))
        return;
    if (found->n == found->cap) {
        found->cap = found->cap ? found->cap * 2 : 1024;
        found->recs = realloc(found->recs, found->cap * sizeof(struct record *));
        if (!found->recs)
            abort();
    }
    found->recs[found->n++] = rec;
}

static int by_age(const void *a, const void *b)
{
    uint64_t x = (*(struct record *const *)a)->id.lo, y = (*(struct record *const *)b)->id.lo;
    return (x > y) - (x < y);
}

/* Far more than the years 1 to 9999 that decoders let through, and so little that any delay may be
 * added. */
#define ENTRY_TIME_MAX (INT64_MAX / 4)

/* Whether a whole entry lies there, in the shard that it belongs to, and of a time that can be. */
static bool entry_fits(const struct record *rec, uint32_t at)
{
    size_t left = rec->size - at;
    const struct pending_entry *entry = (const void *)(rec->data + at);
    return left >= sizeof *entry && left >= entry_size(entry) &&
           hash_shard(entry->id) == hash_shard(rec->id) && entry->time < ENTRY_TIME_MAX &&
           entry->time > -ENTRY_TIME_MAX;
}

static enum status recover_block(struct pending_store *store, struct record *rec, pending_fn fn,
                                 void *arg)
{
    rec = state_reserve(store->state, rec, PENDING_BLOCK);
    uint32_t block = chain_add(store, hash_shard(rec->id), rec);
    for (uint32_t at = 0; at < rec->size;) {
        if (!entry_fits(rec, at))
            return ST_ECORRUPT;
        struct pending_ref ref = entry_added(store, block, at);
        const struct pending_entry *entry = pending_get(store, ref);
        fn(arg, ref, entry);
        at += (uint32_t)entry_size(entry);
    }
    return ST_OK;
}

/* Blocks in order of age: of several entries of one id the newest must end up in the index. */
enum status pending_recover(struct pending_store *store, pending_fn fn, void *arg)
{
    struct found found = {0};
    state_each(store->state, store->family, collect, &found);
    if (found.n > 0)
        qsort(found.recs, found.n, sizeof *found.recs, by_age);
    enum status st = ST_OK;
    for (size_t i = 0; i < found.n && st == ST_OK; i++)
        st = recover_block(store, found.recs[i], fn, arg);
    free(found.recs);
    store->counter = state_find(store->state, store->family, counter_id);
    if (st == ST_OK && found.n > 0 && (!store->counter || store->counter->size != sizeof(uint64_t)))
        st = ST_ECORRUPT;
    return st;
}
