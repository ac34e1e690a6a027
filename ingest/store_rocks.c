/* The store on RocksDB's C API. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <rocksdb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/folder.h"
#include "ingest/crc32c.h"
#include "ingest/store.h"
#include "ingest/store_rocks_options.h"
#include "ingest/store_wal.h"

#ifdef CRC32C_OF_ROCKSDB
/* Nobody here calls it: RocksDB does, if this program has it. */
static uint32_t (*const sum_of_rocksdb)(uint32_t, const char *, size_t)
    __attribute__((used)) = crc32c_extend;
#endif

static const char *const NAMES[CF_COUNT] = {"default", "pages"};

struct rocks {
    struct store store;
    rocksdb_t *db;
    struct store_rocks_options options;
    rocksdb_column_family_handle_t *families[CF_COUNT];
    rocksdb_writeoptions_t *write_options;
    rocksdb_readoptions_t *read_options, *scan_options, *space_options;
    char error[512];
    pthread_mutex_t error_lock; /* threads may read side by side */
};

struct store_batch {
    struct rocks *rocks;
    rocksdb_writebatch_t *batch;
};

static struct rocks *rocks_of(struct store *store)
{
    return (struct rocks *)store;
}

static rocksdb_column_family_handle_t *family_of(const struct rocks *rocks, struct slice key)
{
    return rocks->families[key.data[0] == STORE_PAGE ? CF_PAGES : CF_LOG];
}

/* Takes over RocksDB's message. */
static enum status failed(struct rocks *rocks, char *message)
{
    if (!message)
        return ST_OK;
    pthread_mutex_lock(&rocks->error_lock);
    strncpy(rocks->error, message, sizeof rocks->error - 1);
    pthread_mutex_unlock(&rocks->error_lock);
    enum status st = strncmp(message, "Corruption", 10) == 0 ? ST_ECORRUPT : ST_EIO;
    rocksdb_free(message);
    return st;
}

static struct store_batch *rocks_batch_create(struct store *store)
{
    struct store_batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        abort();
    batch->rocks = rocks_of(store);
    batch->batch = rocksdb_writebatch_create();
    return batch;
}

static void rocks_batch_free(struct store_batch *batch)
{
    if (!batch)
        return;
    rocksdb_writebatch_destroy(batch->batch);
    free(batch);
}

static void rocks_put(struct store_batch *batch, struct slice key, struct slice value)
{
    rocksdb_writebatch_put_cf(batch->batch, family_of(batch->rocks, key), key.data, key.len,
                              value.data, value.len);
}

static void rocks_drop(struct store_batch *batch, struct slice key)
{
    rocksdb_writebatch_delete_cf(batch->batch, family_of(batch->rocks, key), key.data, key.len);
}

static void rocks_drop_range(struct store_batch *batch, struct slice from, struct slice to)
{
    rocksdb_writebatch_delete_range_cf(batch->batch, family_of(batch->rocks, from), from.data,
                                       from.len, to.data, to.len);
}

static enum status rocks_write(struct store *store, struct store_batch *batch)
{
    struct rocks *rocks = rocks_of(store);
    char *message = NULL;
    rocksdb_write(rocks->db, rocks->write_options, batch->batch, &message);
    rocksdb_writebatch_clear(batch->batch);
    return failed(rocks, message);
}

static enum status rocks_get(struct store *store, struct slice key, struct buf *ret)
{
    struct rocks *rocks = rocks_of(store);
    char *message = NULL;
    size_t len = 0;
    char *value = rocksdb_get_cf(rocks->db, rocks->read_options, family_of(rocks, key), key.data,
                                 key.len, &len, &message);
    TRY(failed(rocks, message));
    if (!value)
        return ST_ENOTFOUND;
    buf_append(ret, value, len);
    rocksdb_free(value);
    return ST_OK;
}

/* Of one family: the first key's. */
enum { MANY = 256, SPACE_READAHEAD = 2 << 20 };

static enum status get_some(struct rocks *rocks, const struct slice *keys, size_t first, size_t n,
                            enum status (*fn)(void *arg, size_t i, struct slice value), void *arg)
{
    const char *at[MANY];
    size_t lens[MANY];
    rocksdb_pinnableslice_t *values[MANY];
    char *messages[MANY];
    for (size_t i = 0; i < n; i++) {
        at[i] = keys[first + i].data;
        lens[i] = keys[first + i].len;
    }
    rocksdb_batched_multi_get_cf(rocks->db, rocks->read_options, family_of(rocks, keys[first]), n,
                                 at, lens, values, messages, false);
    enum status st = ST_OK;
    for (size_t i = 0; i < n; i++) {
        enum status failure = failed(rocks, messages[i]);
        if (st == ST_OK)
            st = failure;
        struct slice value = {0};
        if (values[i])
            value.data = rocksdb_pinnableslice_value(values[i], &value.len);
        if (st == ST_OK && values[i])
            st = fn(arg, first + i, value);
        rocksdb_pinnableslice_destroy(values[i]);
    }
    return st;
}

static enum status rocks_get_many(struct store *store, const struct slice *keys, size_t n,
                                  enum status (*fn)(void *arg, size_t i, struct slice value),
                                  void *arg)
{
    struct rocks *rocks = rocks_of(store);
    if (rocks->options.files) /* not all pages are in memory: they are read by and by */
        store_rocks_cache(rocks->options.files, NAMES[CF_PAGES]);
    for (size_t i = 0; i < n; i += MANY)
        TRY(get_some(rocks, keys, i, n - i < MANY ? n - i : MANY, fn, arg));
    return ST_OK;
}

static uint64_t rocks_page_bytes(struct store *store)
{
    struct rocks *rocks = rocks_of(store);
    uint64_t files = 0, memory = 0;
    rocksdb_property_int_cf(rocks->db, rocks->families[CF_PAGES], "rocksdb.estimate-live-data-size",
                            &files);
    rocksdb_property_int_cf(rocks->db, rocks->families[CF_PAGES], "rocksdb.cur-size-all-mem-tables",
                            &memory);
    return files + memory;
}

static bool before(struct slice a, struct slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.data, b.data, len);
    return order < 0 || (order == 0 && a.len < b.len);
}

static enum status rocks_scan(struct store *store, struct slice from, struct slice to,
                              enum status (*fn)(void *arg, struct slice key, struct slice value),
                              void *arg)
{
    struct rocks *rocks = rocks_of(store);
    rocksdb_readoptions_t *options = from.len == 1 ? rocks->space_options : rocks->scan_options;
    rocksdb_iterator_t *it = rocksdb_create_iterator_cf(rocks->db, options, family_of(rocks, from));
    enum status st = ST_OK;
    for (rocksdb_iter_seek(it, from.data, from.len); st == ST_OK && rocksdb_iter_valid(it);
         rocksdb_iter_next(it)) {
        struct slice key, value;
        key.data = rocksdb_iter_key(it, &key.len);
        if (!before(key, to))
            break;
        value.data = rocksdb_iter_value(it, &value.len);
        st = fn(arg, key, value);
    }
    char *message = NULL;
    rocksdb_iter_get_error(it, &message);
    rocksdb_iter_destroy(it);
    return st < 0 ? st : failed(rocks, message);
}

static void rocks_free(struct store *store)
{
    struct rocks *rocks = rocks_of(store);
    for (int i = 0; i < CF_COUNT; i++)
        if (rocks->families[i])
            rocksdb_column_family_handle_destroy(rocks->families[i]);
    if (rocks->db)
        rocksdb_close(rocks->db);
    store_rocks_options_done(&rocks->options);
    if (rocks->write_options)
        rocksdb_writeoptions_destroy(rocks->write_options);
    if (rocks->read_options)
        rocksdb_readoptions_destroy(rocks->read_options);
    if (rocks->scan_options)
        rocksdb_readoptions_destroy(rocks->scan_options);
    if (rocks->space_options)
        rocksdb_readoptions_destroy(rocks->space_options);
    pthread_mutex_destroy(&rocks->error_lock);
    free(rocks);
}

static const char *rocks_error(const struct store *store)
{
    return ((const struct rocks *)store)->error;
}

/* Memory is written out first, so that little of the log has to be copied. Takes over no lock of
 * ours: the message is not put where the writing thread puts its own. */
static enum status rocks_checkpoint(struct store *store, const char *dir, struct buf *ret_error)
{
    char *message = NULL;
    rocksdb_checkpoint_t *checkpoint =
        rocksdb_checkpoint_object_create(rocks_of(store)->db, &message);
    if (!message)
        rocksdb_checkpoint_create(checkpoint, dir, 0, &message);
    if (checkpoint)
        rocksdb_checkpoint_object_destroy(checkpoint);
    if (!message)
        return ST_OK;
    buf_text(ret_error, message);
    rocksdb_free(message);
    return ST_EIO;
}

static const struct store_ops rocks_ops = {
    .batch_create = rocks_batch_create,
    .batch_free = rocks_batch_free,
    .put = rocks_put,
    .drop = rocks_drop,
    .drop_range = rocks_drop_range,
    .write = rocks_write,
    .get = rocks_get,
    .get_many = rocks_get_many,
    .page_bytes = rocks_page_bytes,
    .scan = rocks_scan,
    .free = rocks_free,
    .error = rocks_error,
    .checkpoint = rocks_checkpoint,
};

static enum status open_db(struct rocks *rocks, const char *dir, bool to_read)
{
    rocksdb_options_t *const *families = rocks->options.families;
    const rocksdb_options_t *options[CF_COUNT] = {families[CF_LOG], families[CF_PAGES]};
    char *message = NULL;
    if (to_read)
        rocks->db = rocksdb_open_for_read_only_column_families(
            families[CF_LOG], dir, CF_COUNT, NAMES, options, rocks->families, 0, &message);
    else
        rocks->db = rocksdb_open_column_families(families[CF_LOG], dir, CF_COUNT, NAMES, options,
                                                 rocks->families, &message);
    if (message && (strstr(message, "lock hold by") || strstr(message, "temporarily"))) {
        failed(rocks, message);
        return ST_EBUSY;
    }
    return failed(rocks, message);
}

/* While another process has it open, its log may be anything. */
static enum status check_log(struct rocks *rocks, const char *dir)
{
    struct buf error = {0};
    enum status st = store_wal_check(dir, &error);
    if (st < 0 && store_holder(dir) > 0)
        st = ST_OK;
    else if (st < 0)
        snprintf(rocks->error, sizeof rocks->error, "%.*s", (int)error.len,
                 error.len ? error.data : "");
    buf_done(&error);
    return st;
}

/* A start reads a good part of all there is, once: not to be kept. RocksDB itself begins with 8 KiB
 * at a time, and never takes more than 256. */
static rocksdb_readoptions_t *scan_options_create(size_t readahead)
{
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_fill_cache(options, 0);
    rocksdb_readoptions_set_readahead_size(options, readahead);
    return options;
}

static enum status open_rocks(const char *dir, bool to_read, struct store **ret, char **ret_error)
{
    struct rocks *rocks = calloc(1, sizeof *rocks);
    if (!rocks)
        return ST_ENOMEM;
    rocks->store.ops = &rocks_ops;
    pthread_mutex_init(&rocks->error_lock, NULL);
    rocks->write_options = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(rocks->write_options, 1);
    rocks->read_options = rocksdb_readoptions_create();
    rocks->scan_options = scan_options_create(0);
    rocks->space_options = scan_options_create(SPACE_READAHEAD);
    enum status st = to_read ? ST_OK : folder_make(dir);
    if (st < 0)
        snprintf(rocks->error, sizeof rocks->error, "cannot make the folder: %s", strerror(errno));
    if (st == ST_OK)
        st = check_log(rocks, dir);
    if (st == ST_OK) {
        store_rocks_options_init(&rocks->options, dir);
        st = open_db(rocks, dir, to_read);
    }
    if (st == ST_OK) {
        *ret = &rocks->store;
        return ST_OK;
    }
    *ret_error = strdup(rocks->error);
    rocks_free(&rocks->store);
    return st;
}

enum status store_open_rocks(const char *dir, struct store **ret, char **ret_error)
{
    return open_rocks(dir, false, ret, ret_error);
}

enum status store_open_rocks_to_read(const char *dir, struct store **ret, char **ret_error)
{
    return open_rocks(dir, true, ret, ret_error);
}

/* RocksDB locks a file of its own with fcntl(), which can tell by whom. */
int store_holder(const char *dir)
{
    char path[4200];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    snprintf(path, sizeof path, "%s/LOCK", dir);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return 0;
    bool held = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return held ? (int)lock.l_pid : 0;
}
