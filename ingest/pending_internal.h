/*
 * ingest/pending_internal.h -- the inside of pending.h: blocks of entries, in a chain for each
 * shard, and an index from ids to the newest entry of each. pending.c keeps the blocks,
 * pending_index.c the index, pending_cold.c says what is needed of a state that is not all here,
 * pending_recover.c makes blocks and index of what was stored.
 */
#ifndef INGEST_PENDING_INTERNAL_H
#define INGEST_PENDING_INTERNAL_H

#include <assert.h>

#include "ingest/pending.h"

/* The record that keeps the order of arrival going over a restart. */
#define PENDING_COUNTER ((struct key128){~UINT64_C(0), 0})

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

static inline uint32_t tag_of(struct key128 id)
{
    return (uint32_t)(id.lo >> 32);
}

static inline struct key128 block_id(const struct block *block)
{
    return (struct key128){block->number, (uint64_t)block->shard << 56};
}

/* A record tells by its hint which block it is. */
static inline void block_bind(struct pending_store *store, uint32_t block, struct record *rec)
{
    rec = state_reserve(store->state, rec, PENDING_BLOCK);
    rec->hint = block;
    store->blocks[block].rec = rec;
}

static inline bool block_is_here(struct pending_store *store, uint32_t block)
{
    if (store->blocks[block].rec)
        return true;
    struct record *rec = state_find(store->state, store->family, block_id(&store->blocks[block]));
    if (rec)
        block_bind(store, block, rec);
    return rec != NULL;
}

/* It is here: pending_need_*() were told. */
static inline struct record *block_record(struct pending_store *store, uint32_t block)
{
    bool here = block_is_here(store, block);
    assert(here);
    (void)here;
    return store->blocks[block].rec;
}

static inline const struct pending_entry *entry_at(struct pending_store *store, uint32_t block,
                                                   uint32_t at)
{
    return (const struct pending_entry *)(const void *)(block_record(store, block)->data + at);
}

static inline size_t entry_size(const struct pending_entry *entry)
{
    size_t size = sizeof *entry + entry->n_keys * sizeof(struct key128) + entry->len;
    return (size + 7) & ~(size_t)7;
}

/* The slot of an id, or the empty one that it would be put into. */
size_t pending_slot_find(struct pending_store *store, struct key128 id);
/* The slot that names an entry; false if a newer entry of its id has taken it. Reads no entries. */
bool pending_slot_naming(const struct pending_store *store, uint32_t tag, struct pending_ref ref,
                         size_t *ret);
/* The newest entry of an id takes the place of an older one. */
void pending_index_put(struct pending_store *store, struct key128 id, struct pending_ref ref);
void pending_index_clear(struct pending_store *store, size_t slot);

/* Makes a block of a record, the last of its shard's chain. */
uint32_t pending_chain_add(struct pending_store *store, unsigned shard, struct record *rec);
/* An entry is in a block from now on. */
struct pending_ref pending_entry_added(struct pending_store *store, uint32_t block, uint32_t at);

#endif
