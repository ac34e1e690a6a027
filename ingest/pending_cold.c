#include "ingest/pending_internal.h"

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
