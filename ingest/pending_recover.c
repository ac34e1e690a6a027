/* A start: blocks and index of what was stored. */
#include <stdlib.h>

#include "ingest/pending_internal.h"

struct found {
    size_t n, cap;
    struct record **recs;
};

static void collect(void *arg, struct record *rec)
{
    struct found *found = arg;
    if (key_eq(rec->id, PENDING_COUNTER))
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
    uint32_t block = pending_chain_add(store, hash_shard(rec->id), rec);
    for (uint32_t at = 0; at < rec->size;) {
        if (!entry_fits(rec, at))
            return ST_ECORRUPT;
        struct pending_ref ref = pending_entry_added(store, block, at);
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
    store->counter = state_find(store->state, store->family, PENDING_COUNTER);
    if (st == ST_OK && found.n > 0 && (!store->counter || store->counter->size != sizeof(uint64_t)))
        st = ST_ECORRUPT;
    return st;
}
