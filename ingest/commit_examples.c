#include "ingest/commit_internal.h"

#include <assert.h>
#include <stdlib.h>

#define KEY_TRAINERS "mtrainers"
#define KEY_TRAINER  "mtrainer" /* until there were several models */

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

/* Of the log a model needs what its checkpoint has not passed. */
static uint64_t needed_from(struct commit *commit, const struct examples_keeper *keeper)
{
    const struct trainer_checkpoint *point = trainer_checkpoint_of(&commit->named, keeper->model);
    uint64_t from = point ? point->cursor - point->again : 0;
    return from > keeper->from ? from : keeper->from;
}

static uint64_t needed_by_all(struct commit *commit)
{
    static const struct examples_keeper the_only = {0, 0};
    uint64_t least = UINT64_MAX;
    if (commit->n_keepers == 0)
        return needed_from(commit, &the_only);
    for (size_t i = 0; i < commit->n_keepers; i++) {
        uint64_t from = needed_from(commit, &commit->keepers[i]);
        least = from < least ? from : least;
    }
    return least;
}

void commit_keep_examples(struct commit *commit, uint32_t model, uint64_t from)
{
    size_t size = (commit->n_keepers + 1) * sizeof *commit->keepers;
    struct examples_keeper *keepers = realloc(commit->keepers, size);
    if (!keepers)
        abort();
    keepers[commit->n_keepers++] = (struct examples_keeper){model, from};
    commit->keepers = keepers;
}

/* They are never read again. */
void commit_drop_learnt(struct commit *commit)
{
    uint64_t needed = needed_by_all(commit);
    while (commit->blocks_n > 0) {
        const struct stored_block *block = &commit->blocks[commit->blocks_first];
        if (block->first + block->n > needed)
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

/* The trainers' checkpoints. */

struct trainer_checkpoint *trainer_checkpoint_of(struct trainer_checkpoints *list, uint32_t model)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->points[i].model == model)
            return &list->points[i];
    return NULL;
}

static void set_checkpoint(struct trainer_checkpoints *list, const struct trainer_checkpoint *point)
{
    struct trainer_checkpoint *old = trainer_checkpoint_of(list, point->model);
    assert(old || list->n < TRAINERS_MAX);
    if (!old)
        old = &list->points[list->n++];
    *old = *point;
}

void commit_offer_trainer(struct commit *commit, const struct trainer_checkpoint *checkpoint)
{
    pthread_mutex_lock(&commit->lock);
    set_checkpoint(&commit->offered, checkpoint);
    pthread_mutex_unlock(&commit->lock);
}

static uint32_t version_in(struct trainer_checkpoints *list, uint32_t model)
{
    const struct trainer_checkpoint *point = trainer_checkpoint_of(list, model);
    return point ? point->version : 0;
}

void commit_needed_versions(struct commit *commit, uint32_t model, uint32_t ret[COMMIT_NEEDED])
{
    pthread_mutex_lock(&commit->lock);
    ret[0] = version_in(&commit->named_before, model);
    ret[1] = version_in(&commit->named, model);
    ret[2] = version_in(&commit->offered, model);
    pthread_mutex_unlock(&commit->lock);
}

/* Nothing durable may name a cursor past the durable log: examples_next counts this write's. */
static bool take_offers(struct commit *commit)
{
    size_t n = 0;
    pthread_mutex_lock(&commit->lock);
    size_t offered = commit->offered.n;
    if (offered > 0)
        commit->named_before = commit->named;
    for (size_t i = 0; i < offered; i++) {
        const struct trainer_checkpoint *point = &commit->offered.points[i];
        uint64_t needs = point->cursor > point->after ? point->cursor : point->after;
        if (needs <= commit->examples_next)
            set_checkpoint(&commit->named, point);
        else
            commit->offered.points[n++] = *point;
    }
    commit->offered.n = n;
    pthread_mutex_unlock(&commit->lock);
    return n < offered;
}

static void put_checkpoint(struct buf *ret, const struct trainer_checkpoint *point)
{
    buf_varint(ret, point->model);
    buf_u64(ret, point->cursor);
    buf_varint(ret, point->again);
    buf_u32(ret, point->version);
    buf_slice_put(ret, slice_of(point->file));
}

void commit_put_trainers(struct commit *commit)
{
    if (!take_offers(commit))
        return;
    struct buf value = {0};
    buf_varint(&value, commit->named.n);
    for (size_t i = 0; i < commit->named.n; i++)
        put_checkpoint(&value, &commit->named.points[i]);
    commit->store->ops->put(commit->batch, slice_of(KEY_TRAINERS), buf_slice(&value));
    commit->store->ops->drop(commit->batch, slice_of(KEY_TRAINER));
    buf_done(&value);
}

static void read_file(struct reader *in, struct trainer_checkpoint *ret)
{
    ret->version = read_u32(in);
    struct slice file = read_slice(in);
    in->bad = in->bad || file.len >= sizeof ret->file;
    if (!in->bad)
        memcpy(ret->file, file.data, file.len);
}

/* The first format: of the only model there was. */
static void read_one(struct reader *in, struct trainer_checkpoints *ret)
{
    struct trainer_checkpoint point = {.cursor = read_u64(in)};
    read_file(in, &point);
    ret->points[ret->n++] = point;
}

static void read_list(struct reader *in, struct trainer_checkpoints *ret)
{
    uint64_t n = read_varint(in);
    in->bad = in->bad || n > TRAINERS_MAX;
    for (uint64_t i = 0; i < n && !in->bad; i++) {
        struct trainer_checkpoint point = {.model = (uint32_t)read_varint(in)};
        point.cursor = read_u64(in);
        point.again = read_varint(in);
        read_file(in, &point);
        in->bad = in->bad || point.again > point.cursor ||
                  trainer_checkpoint_of(ret, point.model) != NULL;
        if (!in->bad)
            ret->points[ret->n++] = point;
    }
}

static enum status read_value(struct store *store, const char *key,
                              void (*read)(struct reader *in, struct trainer_checkpoints *ret),
                              struct trainer_checkpoints *ret)
{
    struct buf value = {0};
    enum status st = store->ops->get(store, slice_of(key), &value);
    if (st == ST_OK) {
        struct reader in = reader_of(buf_slice(&value));
        read(&in, ret);
        st = reader_done(&in) ? ST_OK : ST_ECORRUPT;
    }
    buf_done(&value);
    return st;
}

enum status commit_read_trainers(struct store *store, struct trainer_checkpoints *ret)
{
    *ret = (struct trainer_checkpoints){0};
    enum status st = read_value(store, KEY_TRAINERS, read_list, ret);
    if (st == ST_ENOTFOUND)
        st = read_value(store, KEY_TRAINER, read_one, ret);
    return st == ST_ENOTFOUND ? ST_OK : st;
}
