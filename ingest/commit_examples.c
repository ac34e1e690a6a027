#include "ingest/commit_internal.h"

#include <stdlib.h>

#define KEY_TRAINER "mtrainer"

/* The stored example log: a block an epoch, those that the trainer may still need. */

void commit_push_block(struct commit *commit, uint64_t first, uint64_t n)
{
    if (commit->blocks_n == commit->blocks_cap) {
        size_t cap = commit->blocks_cap ? commit->blocks_cap * 2 : 256;
        struct stored_block *blocks = malloc(cap * sizeof *blocks);
        if (!blocks)
            abort();
        for (size_t i = 0; i < commit->blocks_n; i++)
            blocks[i] = commit->blocks[(commit->blocks_first + i) % commit->blocks_cap];
        free(commit->blocks);
        commit->blocks = blocks;
        commit->blocks_first = 0;
        commit->blocks_cap = cap;
    }
    size_t at = (commit->blocks_first + commit->blocks_n++) % commit->blocks_cap;
    commit->blocks[at] = (struct stored_block){first, n};
}

/* They are never read again. */
void commit_drop_learnt(struct commit *commit)
{
    while (commit->blocks_n > 0) {
        const struct stored_block *block = &commit->blocks[commit->blocks_first];
        if (block->first + block->n > commit->named.cursor)
            return;
        struct store_key key = store_number_key(STORE_EXAMPLES, block->first);
        commit->store->ops->drop(commit->batch, store_key_slice(&key));
        commit->blocks_first = (commit->blocks_first + 1) % commit->blocks_cap;
        commit->blocks_n--;
    }
}

/* Value of a block: varint items, then the items. */
void commit_put_examples(struct commit *commit, const struct epoch *epoch)
{
    if (epoch->examples_n == 0)
        return;
    struct buf value = {0};
    buf_varint(&value, epoch->examples_n);
    buf_append(&value, epoch->examples.data, epoch->examples.len);
    struct store_key key = store_number_key(STORE_EXAMPLES, epoch->examples_first);
    commit->store->ops->put(commit->batch, store_key_slice(&key), buf_slice(&value));
    buf_done(&value);
    commit_push_block(commit, epoch->examples_first, epoch->examples_n);
    commit->examples_next = epoch->examples_first + epoch->examples_n;
}

struct examples_scan {
    uint64_t cursor;
    enum status (*fn)(void *arg, uint64_t first, uint64_t n, struct slice block);
    void *arg;
};

static enum status scan_block(void *arg, struct slice key, struct slice value)
{
    struct examples_scan *scan = arg;
    struct reader in = reader_of(value);
    uint64_t first = store_key_number(key), n = read_varint(&in);
    if (in.bad)
        return ST_ECORRUPT;
    if (first + n <= scan->cursor)
        return ST_OK;
    return scan->fn(scan->arg, first, n, (struct slice){in.at, reader_left(&in)});
}

enum status commit_read_examples(struct store *store, uint64_t cursor,
                                 enum status (*fn)(void *arg, uint64_t first, uint64_t n,
                                                   struct slice block),
                                 void *arg)
{
    struct examples_scan scan = {cursor, fn, arg};
    return store_scan_space(store, STORE_EXAMPLES, scan_block, &scan);
}

/* The trainer's checkpoint. */

void commit_offer_trainer(struct commit *commit, const struct trainer_checkpoint *checkpoint)
{
    pthread_mutex_lock(&commit->lock);
    commit->offered = *checkpoint;
    commit->has_offer = true;
    pthread_mutex_unlock(&commit->lock);
}

static bool take_offer(struct commit *commit, struct trainer_checkpoint *ret)
{
    pthread_mutex_lock(&commit->lock);
    bool take = commit->has_offer && commit->offered.cursor <= commit->examples_next;
    if (take) {
        *ret = commit->offered;
        commit->has_offer = false;
    }
    pthread_mutex_unlock(&commit->lock);
    return take;
}

/* Nothing durable may name a cursor past the durable log: examples_next counts this write's. */
void commit_put_trainer(struct commit *commit)
{
    if (!take_offer(commit, &commit->named))
        return;
    struct buf value = {0};
    buf_u64(&value, commit->named.cursor);
    buf_u32(&value, commit->named.version);
    buf_slice_put(&value, slice_of(commit->named.file));
    commit->store->ops->put(commit->batch, slice_of(KEY_TRAINER), buf_slice(&value));
    buf_done(&value);
}

enum status commit_read_trainer(struct store *store, struct trainer_checkpoint *ret)
{
    struct buf value = {0};
    struct trainer_checkpoint found = {0};
    enum status st = store->ops->get(store, slice_of(KEY_TRAINER), &value);
    if (st == ST_OK) {
        struct reader in = reader_of(buf_slice(&value));
        found.cursor = read_u64(&in);
        found.version = read_u32(&in);
        struct slice file = read_slice(&in);
        if (!reader_done(&in) || file.len >= sizeof found.file)
            st = ST_ECORRUPT;
        else
            memcpy(found.file, file.data, file.len);
    }
    if (st == ST_OK)
        *ret = found;
    buf_done(&value);
    return st;
}
