#include "tests/sim/sim_store.h"

#include <inttypes.h>
#include <stdlib.h>

#include "ingest/store_memory.h"
#include "online/head.h"
#include "tests/redo.h"

#define KEY_OFFSETS "moffsets" /* FAULT_OFFSETS_APART: the head as it was written last */

struct store_batch {
    struct sim_store *store;
    struct store_batch *inner;
    size_t n_puts;
    uint64_t epoch, first_item, n_items;
    struct buf items;
    struct buf head; /* FAULT_OFFSETS_APART */
};

static struct sim_store *store_of(struct store *store)
{
    return (struct sim_store *)store;
}

static struct store_batch *batch_create(struct store *store)
{
    struct store_batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        abort();
    batch->store = store_of(store);
    batch->inner = batch->store->inner->ops->batch_create(batch->store->inner);
    return batch;
}

static void batch_free(struct store_batch *batch)
{
    batch->store->inner->ops->batch_free(batch->inner);
    buf_done(&batch->items);
    buf_done(&batch->head);
    free(batch);
}

static void batch_reset(struct store_batch *batch)
{
    batch->n_puts = 0;
    batch->epoch = batch->n_items = 0;
    buf_reset(&batch->items);
    buf_reset(&batch->head);
}

/* A record changes while its epoch is written: the redo value then holds it as it is now. */
static void change_records(const struct sim_store *store, struct buf *redo)
{
    struct reader in = reader_of(buf_slice(redo));
    struct redo_record patch;
    uint64_t from;
    struct slice bytes;
    redo_skip_drops(&in);
    while (redo_next_record(&in, &patch)) {
        struct record *rec =
            state_find((struct state *)(uintptr_t)store->state, patch.family, patch.id);
        while (redo_next_range(&in, &patch, &from, &bytes))
            if (rec && rec->size == patch.size && from + bytes.len <= patch.size && bytes.len > 0)
                memcpy((char *)(uintptr_t)bytes.data, rec->data + from, bytes.len);
    }
}

static void put_redo(struct store_batch *batch, struct slice key, struct slice value)
{
    struct buf redo = {0};
    buf_append(&redo, value.data, value.len);
    if (batch->store->fault == FAULT_RECORD_CHANGES)
        change_records(batch->store, &redo);
    batch->epoch = store_key_number(key);
    batch->store->inner->ops->put(batch->inner, key, buf_slice(&redo));
    buf_done(&redo);
}

static void note_examples(struct store_batch *batch, struct slice key, struct slice value)
{
    struct reader in = reader_of(value);
    batch->first_item = store_key_number(key);
    batch->n_items = read_varint(&in);
    buf_append(&batch->items, in.at, reader_left(&in));
}

static void put(struct store_batch *batch, struct slice key, struct slice value)
{
    struct sim_store *store = batch->store;
    batch->n_puts++;
    if (store->fault == FAULT_OFFSETS_APART && slice_eq(key, slice_of("mhead")))
        buf_append(&batch->head, value.data, value.len);
    if (key.data[0] == STORE_EXAMPLES)
        note_examples(batch, key, value);
    if (key.data[0] == STORE_OUTBOX && store->on_rows)
        store->on_rows(store->on_rows_arg, value);
    if (key.data[0] == STORE_REDO)
        put_redo(batch, key, value);
    else
        store->inner->ops->put(batch->inner, key, value);
}

static void drop(struct store_batch *batch, struct slice key)
{
    batch->store->inner->ops->drop(batch->inner, key);
}

static void drop_range(struct store_batch *batch, struct slice from, struct slice to)
{
    batch->store->inner->ops->drop_range(batch->inner, from, to);
}

static void keep_examples(struct sim_store *store, const struct store_batch *batch)
{
    if (batch->n_items == 0)
        return;
    if (batch->first_item != store->examples_n && !store->wrong[0])
        snprintf(store->wrong, sizeof store->wrong,
                 "example log: a block begins with item %" PRIu64 ", %" PRIu64 " are there",
                 batch->first_item, store->examples_n);
    buf_append(&store->examples, batch->items.data, batch->items.len);
    store->examples_n += batch->n_items;
}

/* One value by itself. */
static void write_value(struct sim_store *store, const char *key, struct slice value)
{
    const struct store_ops *ops = store->inner->ops;
    struct store_batch *batch = ops->batch_create(store->inner);
    ops->put(batch, slice_of(key), value);
    enum status st = ops->write(store->inner, batch);
    (void)st; /* the twin fails only when told to */
    ops->batch_free(batch);
}

static enum status write_offsets_apart(struct sim_store *store, struct store_batch *batch)
{
    enum touch touch = world_touch(store->world, "store: offsets by themselves");
    if (touch != TOUCH_LOST)
        write_value(store, KEY_OFFSETS, buf_slice(&batch->head));
    return touch == TOUCH_DONE ? ST_OK : ST_EIO;
}

static enum status lose(struct sim_store *store, struct store_batch *batch)
{
    store->inner->ops->batch_free(batch->inner);
    batch->inner = store->inner->ops->batch_create(store->inner);
    batch_reset(batch);
    return ST_EIO;
}

static enum status store_write(struct store *head, struct store_batch *batch)
{
    struct sim_store *store = store_of(head);
    if (batch->head.len > 0 && write_offsets_apart(store, batch) < 0)
        return lose(store, batch);
    enum touch touch = world_touch(store->world, "store: write epoch %" PRIu64 ", %zu values",
                                   batch->epoch, batch->n_puts);
    if (touch == TOUCH_LOST)
        return lose(store, batch);
    if (store->fault == FAULT_STORE_UNSYNCED)
        store_memory_set_sync(store->inner, world_chance(store->world, 2));
    enum status st = store->inner->ops->write(store->inner, batch->inner);
    keep_examples(store, batch);
    batch_reset(batch);
    return touch == TOUCH_UNHEARD ? ST_EIO : st;
}

/* FAULT_OFFSETS_APART: the head, but with the offsets that were written by themselves. */
static enum status take_offsets(struct sim_store *store, struct buf *ret, size_t from)
{
    struct buf apart = {0};
    struct head head, offsets;
    head_init(&head);
    head_init(&offsets);
    enum status st = store->inner->ops->get(store->inner, slice_of(KEY_OFFSETS), &apart);
    if (st == ST_OK)
        st = head_decode(buf_slice(&apart), &offsets);
    if (st == ST_OK)
        st = head_decode((struct slice){ret->data + from, ret->len - from}, &head);
    for (size_t i = 0; st == ST_OK && i < head.n_lanes; i++)
        head.lanes[i].next = offsets.lanes[i].next;
    if (st == ST_OK) {
        ret->len = from;
        head_encode(&head, ret);
    }
    head_done(&head);
    head_done(&offsets);
    buf_done(&apart);
    return st;
}

static enum status store_get(struct store *head, struct slice key, struct buf *ret)
{
    struct sim_store *store = store_of(head);
    size_t from = ret->len;
    if (world_touch(store->world, "store: read %.*s", (int)key.len, key.data) != TOUCH_DONE)
        return ST_EIO;
    TRY(store->inner->ops->get(store->inner, key, ret));
    if (store->fault == FAULT_OFFSETS_APART && slice_eq(key, slice_of("mhead")))
        return take_offsets(store, ret, from);
    return ST_OK;
}

static enum status store_scan(struct store *head, struct slice from, struct slice to,
                              enum status (*fn)(void *arg, struct slice key, struct slice value),
                              void *arg)
{
    struct sim_store *store = store_of(head);
    if (world_touch(store->world, "store: scan %c", from.data[0]) != TOUCH_DONE)
        return ST_EIO;
    return store->inner->ops->scan(store->inner, from, to, fn, arg);
}

static enum status store_get_many(struct store *head, const struct slice *keys, size_t n,
                                  enum status (*fn)(void *arg, size_t i, struct slice value),
                                  void *arg)
{
    struct sim_store *store = store_of(head);
    if (world_touch(store->world, "store: get %zu", n) != TOUCH_DONE)
        return ST_EIO;
    return store->inner->ops->get_many(store->inner, keys, n, fn, arg);
}

static uint64_t store_page_bytes(struct store *head)
{
    struct sim_store *store = store_of(head);
    return store->inner->ops->page_bytes(store->inner) + store->pages_told;
}

static void store_keep(struct store *store)
{
    (void)store; /* it outlives the service */
}

static const char *store_error(const struct store *store)
{
    return ((const struct sim_store *)store)->world->dead ? "the process is dead" : "";
}

static const struct store_ops ops = {
    .batch_create = batch_create,
    .batch_free = batch_free,
    .put = put,
    .drop = drop,
    .drop_range = drop_range,
    .write = store_write,
    .get = store_get,
    .get_many = store_get_many,
    .page_bytes = store_page_bytes,
    .scan = store_scan,
    .free = store_keep,
    .error = store_error,
};

struct sim_store *sim_store_create(struct world *world, enum fault fault)
{
    struct sim_store *store = calloc(1, sizeof *store);
    if (!store || store_open_memory(&store->inner) < 0)
        abort();
    store->head.ops = &ops;
    store->world = world;
    store->fault = fault;
    return store;
}

void sim_store_free(struct sim_store *store)
{
    if (!store)
        return;
    store_free(store->inner);
    buf_done(&store->examples);
    free(store);
}

/* Of the items only what is durable counts; with a store that does not sync they may go. */
void sim_store_crash(struct sim_store *store)
{
    store_memory_crash(store->inner);
    store->state = NULL;
}

void sim_store_name_checkpoint(struct sim_store *store, const struct trainer_checkpoint *point)
{
    struct buf value = {0};
    buf_u64(&value, point->cursor);
    buf_u32(&value, point->version);
    buf_slice_put(&value, slice_of(point->file));
    if (world_touch(store->world, "store: checkpoint by itself, cursor %" PRIu64, point->cursor) !=
        TOUCH_LOST)
        write_value(store, "mtrainer", buf_slice(&value));
    buf_done(&value);
}
