#include "ingest/store_memory.h"

#include <stdlib.h>

struct entry {
    struct slice key, value; /* both in one allocation that begins at key.data */
};

/* In order of the keys. */
struct map {
    size_t n, cap;
    struct entry *entries;
};

struct store_memory {
    struct store store;
    struct map seen, durable;
    struct buf unsynced; /* what `seen` has and `durable` has not */
    bool sync;
    uint64_t fail_in; /* writes until one fails; 0: none will */
    enum store_memory_failure failure;
    uint64_t writes;
    const char *error;
};

/* A batch is what it was told, encoded: {op, key, value or end of range}*. */
enum op { OP_PUT, OP_DROP, OP_DROP_RANGE };

struct store_batch {
    struct buf ops;
};

static struct store_memory *memory_of(struct store *store)
{
    return (struct store_memory *)store;
}

static int compare(struct slice a, struct slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.data, b.data, len) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Index of the first key that is not before this one. */
static size_t map_find(const struct map *map, struct slice key)
{
    size_t low = 0, high = map->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(map->entries[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void entry_done(struct entry *entry)
{
    free((void *)(uintptr_t)entry->key.data);
}

static struct entry entry_make(struct slice key, struct slice value)
{
    char *data = malloc(key.len + value.len + 1);
    if (!data)
        abort();
    memcpy(data, key.data, key.len);
    if (value.len > 0)
        memcpy(data + key.len, value.data, value.len);
    return (struct entry){{data, key.len}, {data + key.len, value.len}};
}

static void map_open(struct map *map, size_t at)
{
    if (map->n == map->cap) {
        map->cap = map->cap ? map->cap * 2 : 64;
        map->entries = realloc(map->entries, map->cap * sizeof *map->entries);
        if (!map->entries)
            abort();
    }
    memmove(map->entries + at + 1, map->entries + at, (map->n - at) * sizeof *map->entries);
    map->n++;
}

static void map_put(struct map *map, struct slice key, struct slice value)
{
    size_t at = map_find(map, key);
    if (at < map->n && slice_eq(map->entries[at].key, key))
        entry_done(&map->entries[at]);
    else
        map_open(map, at);
    map->entries[at] = entry_make(key, value);
}

static void map_drop(struct map *map, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        entry_done(&map->entries[i]);
    if (to > from)
        memmove(map->entries + from, map->entries + to, (map->n - to) * sizeof *map->entries);
    map->n -= to - from;
}

static void map_done(struct map *map)
{
    map_drop(map, 0, map->n);
    free(map->entries);
    *map = (struct map){0};
}

static void map_apply(struct map *map, struct slice ops)
{
    struct reader in = reader_of(ops);
    while (reader_left(&in) > 0) {
        enum op op = (enum op)read_byte(&in);
        struct slice key = read_slice(&in), other = read_slice(&in);
        size_t at = map_find(map, key);
        if (op == OP_PUT)
            map_put(map, key, other);
        else if (op == OP_DROP_RANGE && compare(key, other) < 0)
            map_drop(map, at, map_find(map, other));
        else if (op == OP_DROP && at < map->n && slice_eq(map->entries[at].key, key))
            map_drop(map, at, at + 1);
    }
}

static struct store_batch *memory_batch_create(struct store *store)
{
    (void)store;
    struct store_batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        abort();
    return batch;
}

static void memory_batch_free(struct store_batch *batch)
{
    if (!batch)
        return;
    buf_done(&batch->ops);
    free(batch);
}

static void add_op(struct store_batch *batch, enum op op, struct slice key, struct slice other)
{
    buf_byte(&batch->ops, (uint8_t)op);
    buf_slice_put(&batch->ops, key);
    buf_slice_put(&batch->ops, other);
}

static void memory_put(struct store_batch *batch, struct slice key, struct slice value)
{
    add_op(batch, OP_PUT, key, value);
}

static void memory_drop(struct store_batch *batch, struct slice key)
{
    add_op(batch, OP_DROP, key, (struct slice){0});
}

static void memory_drop_range(struct store_batch *batch, struct slice from, struct slice to)
{
    add_op(batch, OP_DROP_RANGE, from, to);
}

/* All that was written before is on disk with it: the log is one file. */
static void sync_all(struct store_memory *memory)
{
    map_apply(&memory->durable, buf_slice(&memory->unsynced));
    buf_reset(&memory->unsynced);
}

static enum status memory_write(struct store *store, struct store_batch *batch)
{
    struct store_memory *memory = memory_of(store);
    bool fails = memory->fail_in > 0 && --memory->fail_in == 0;
    if (!fails || memory->failure == STORE_MEMORY_KEPT) {
        map_apply(&memory->seen, buf_slice(&batch->ops));
        buf_append(&memory->unsynced, batch->ops.data, batch->ops.len);
        if (memory->sync)
            sync_all(memory);
    }
    buf_reset(&batch->ops);
    memory->error = fails ? "the write was made to fail" : "";
    memory->writes += !fails;
    return fails ? ST_EIO : ST_OK;
}

static enum status memory_get(struct store *store, struct slice key, struct buf *ret)
{
    const struct map *map = &memory_of(store)->seen;
    size_t at = map_find(map, key);
    if (at == map->n || !slice_eq(map->entries[at].key, key))
        return ST_ENOTFOUND;
    buf_append(ret, map->entries[at].value.data, map->entries[at].value.len);
    return ST_OK;
}

static enum status memory_get_many(struct store *store, const struct slice *keys, size_t n,
                                   enum status (*fn)(void *arg, size_t i, struct slice value),
                                   void *arg)
{
    const struct map *map = &memory_of(store)->seen;
    enum status st = ST_OK;
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        size_t at = map_find(map, keys[i]);
        if (at < map->n && slice_eq(map->entries[at].key, keys[i]))
            st = fn(arg, i, map->entries[at].value);
    }
    return st;
}

static uint64_t memory_page_bytes(struct store *store)
{
    const struct map *map = &memory_of(store)->seen;
    uint64_t bytes = 0;
    for (size_t i = 0; i < map->n; i++)
        if (map->entries[i].key.data[0] == STORE_PAGE)
            bytes += map->entries[i].key.len + map->entries[i].value.len;
    return bytes;
}

static enum status memory_scan(struct store *store, struct slice from, struct slice to,
                               enum status (*fn)(void *arg, struct slice key, struct slice value),
                               void *arg)
{
    const struct map *map = &memory_of(store)->seen;
    enum status st = ST_OK;
    for (size_t i = map_find(map, from);
         st == ST_OK && i < map->n && compare(map->entries[i].key, to) < 0; i++)
        st = fn(arg, map->entries[i].key, map->entries[i].value);
    return st;
}

static void memory_free(struct store *store)
{
    map_done(&memory_of(store)->seen);
    map_done(&memory_of(store)->durable);
    buf_done(&memory_of(store)->unsynced);
    free(store);
}

static const char *memory_error(const struct store *store)
{
    return ((const struct store_memory *)store)->error;
}

static const struct store_ops memory_ops = {
    .batch_create = memory_batch_create,
    .batch_free = memory_batch_free,
    .put = memory_put,
    .drop = memory_drop,
    .drop_range = memory_drop_range,
    .write = memory_write,
    .get = memory_get,
    .get_many = memory_get_many,
    .page_bytes = memory_page_bytes,
    .scan = memory_scan,
    .free = memory_free,
    .error = memory_error,
};

enum status store_open_memory(struct store **ret)
{
    struct store_memory *memory = calloc(1, sizeof *memory);
    if (!memory)
        return ST_ENOMEM;
    memory->store.ops = &memory_ops;
    memory->sync = true;
    memory->error = "";
    *ret = &memory->store;
    return ST_OK;
}

void store_memory_fail_write(struct store *store, uint64_t nth, enum store_memory_failure how)
{
    memory_of(store)->fail_in = nth;
    memory_of(store)->failure = how;
}

void store_memory_set_sync(struct store *store, bool sync)
{
    memory_of(store)->sync = sync;
}

void store_memory_crash(struct store *store)
{
    struct store_memory *memory = memory_of(store);
    buf_reset(&memory->unsynced);
    map_done(&memory->seen);
    for (size_t i = 0; i < memory->durable.n; i++)
        map_put(&memory->seen, memory->durable.entries[i].key, memory->durable.entries[i].value);
    memory->fail_in = 0;
    memory->error = "";
}

uint64_t store_memory_writes(const struct store *store)
{
    return ((const struct store_memory *)store)->writes;
}
