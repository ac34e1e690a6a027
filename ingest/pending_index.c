/* The index: open addressing by the upper half of an id's low word, ids being compared where the
 * entries are. */
#include "base/huge.h"
#include "ingest/pending_internal.h"

size_t pending_slot_find(struct pending_store *store, struct key128 id)
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

void pending_index_put(struct pending_store *store, struct key128 id, struct pending_ref ref)
{
    if (store->count * 4 >= store->n_slots * 3)
        index_grow(store);
    struct index_slot *slot = &store->slots[pending_slot_find(store, id)];
    if (slot->block)
        index_count(store, slot, -1);
    *slot = (struct index_slot){tag_of(id), ref.block, ref.at};
    index_count(store, slot, 1);
}

/* Backward-shift deletion. */
void pending_index_clear(struct pending_store *store, size_t i)
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

bool pending_slot_naming(const struct pending_store *store, uint32_t tag, struct pending_ref ref,
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

/* A probe goes past its first cache line more often than not. */
void pending_prefetch(const struct pending_store *store, struct key128 id)
{
    enum { NEXT = 5 };
    size_t mask = store->n_slots - 1, i = tag_of(id) & mask;
    __builtin_prefetch(&store->slots[i]);
    __builtin_prefetch(&store->slots[(i + NEXT) & mask]);
}

/* By its tag alone: wrong now and then, which only loads something in vain. */
bool pending_guess(const struct pending_store *store, struct key128 id, struct pending_ref *ret)
{
    uint32_t tag = tag_of(id);
    size_t mask = store->n_slots - 1, i = tag & mask;
    while (store->slots[i].block && store->slots[i].tag != tag)
        i = (i + 1) & mask;
    const struct index_slot *slot = &store->slots[i];
    *ret = (struct pending_ref){slot->block, slot->at};
    return slot->block && store->blocks[slot->block].rec;
}

/* A shard's tail was written some 256 entries ago; what follows it never was. */
void pending_prefetch_append(const struct pending_store *store, struct key128 id)
{
    const struct record *rec = store->blocks[store->shards[hash_shard(id)].last].rec;
    if (!rec)
        return;
    __builtin_prefetch(rec->data + rec->size, 1);
    __builtin_prefetch(rec->data + rec->size + 64, 1);
    __builtin_prefetch(rec->data + rec->size + 128, 1);
}

void pending_prefetch_entry(const struct pending_store *store, struct pending_ref ref)
{
    const struct record *rec = store->blocks[ref.block].rec;
    if (!rec)
        return;
    __builtin_prefetch(rec->data + ref.at);
    __builtin_prefetch(rec->data + ref.at + 64);
}
