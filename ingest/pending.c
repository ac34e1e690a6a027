#include "ingest/pending_internal.h"

#include <stdlib.h>

#include "base/huge.h"

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

uint32_t pending_chain_add(struct pending_store *store, unsigned shard, struct record *rec)
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
        store->counter =
            state_obtain(store->state, store->family, PENDING_COUNTER, sizeof(uint64_t));
    uint64_t seq;
    memcpy(&seq, store->counter->data, sizeof seq);
    uint64_t next = seq + 1;
    memcpy(store->counter->data, &next, sizeof next);
    state_touch(store->state, store->counter, 0, sizeof next);
    return seq;
}

/* The index's places of a block's entries lie anywhere. */
static void block_prefetch(struct pending_store *store, uint32_t block)
{
    const struct record *rec = block_record(store, block);
    for (uint32_t at = 0; at < rec->size; at += (uint32_t)entry_size(entry_at(store, block, at)))
        pending_prefetch(store, entry_at(store, block, at)->id);
}

static void block_forget(struct pending_store *store, uint32_t block)
{
    const struct record *rec = block_record(store, block);
    block_prefetch(store, block);
    for (uint32_t at = 0; at < rec->size;) {
        const struct pending_entry *entry = entry_at(store, block, at);
        size_t slot;
        if (pending_slot_naming(store, tag_of(entry->id), (struct pending_ref){block, at}, &slot))
            pending_index_clear(store, slot);
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
    return pending_chain_add(store, shard, rec);
}

struct pending_ref pending_entry_added(struct pending_store *store, uint32_t block, uint32_t at)
{
    const struct pending_entry *entry = entry_at(store, block, at);
    struct pending_ref ref = {block, at};
    pending_index_put(store, entry->id, ref);
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
    return pending_entry_added(store, block, at);
}

bool pending_find(struct pending_store *store, struct key128 id, int64_t now,
                  struct pending_ref *ret)
{
    size_t i = pending_slot_find(store, id);
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
