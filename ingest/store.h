/*
 * ingest/store.h -- the durable key-value store under everything: RocksDB, or its memory twin.
 *
 * Keys begin with a space byte (STORE_*); a batch is written as a whole or not at all, and is on
 * disk (fsynced) when store_write() returns. Any thread may read; one thread writes.
 *
 *     struct store_batch *batch = store->ops->batch_create(store);
 *     store->ops->put(batch, slice_of("mhead"), head);
 *     TRY(store->ops->write(store, batch));    // durable now; the batch is empty again
 */
#ifndef INGEST_STORE_H
#define INGEST_STORE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"

/* The first byte of a key says whose it is. */
enum store_space {
    STORE_META = 'm',     /* "head": where everything stands; "trainer": the model's checkpoint */
    STORE_PAGE = 's',     /* pages of records: see state.h */
    STORE_REDO = 'r',     /* epoch -> redo value */
    STORE_RUNS = 'n',     /* epoch -> the input it took, in order */
    STORE_EXAMPLES = 'x', /* number of its first item -> block of the example log */
    STORE_OUTBOX = 'o',   /* epoch -> rows to send */
    STORE_PARKED = 'p',   /* rows refused for good */
};

struct store; /* each kind begins with {ops} */
struct store_batch;

struct store_ops {
    struct store_batch *(*batch_create)(struct store *store);
    void (*batch_free)(struct store_batch *batch);
    void (*put)(struct store_batch *batch, struct slice key, struct slice value);
    void (*drop)(struct store_batch *batch, struct slice key);
    /* Removes all keys of [from, to). */
    void (*drop_range)(struct store_batch *batch, struct slice from, struct slice to);
    /* Applies the batch in the order in which it was filled, as a whole. On failure it may be on
     * disk or not. Either way the batch is empty afterwards. */
    enum status (*write)(struct store *store, struct store_batch *batch);
    /* Appends the value. ST_ENOTFOUND. */
    enum status (*get)(struct store *store, struct slice key, struct buf *ret);
    /* Calls fn for those of the keys that are there, in order; stops at its first failure and
     * returns that. The value is borrowed until fn returns. Many at once cost a third of one by
     * one. */
    enum status (*get_many)(struct store *store, const struct slice *keys, size_t n,
                            enum status (*fn)(void *arg, size_t i, struct slice value), void *arg);
    /* Calls fn for all keys in [from, to) in order (the space byte included); stops at its first
     * failure and returns that. */
    enum status (*scan)(struct store *store, struct slice from, struct slice to,
                        enum status (*fn)(void *arg, struct slice key, struct slice value),
                        void *arg);
    /* About how many bytes all pages take. */
    uint64_t (*page_bytes)(struct store *store);
    void (*free)(struct store *store);
    const char *(*error)(const struct store *store);
    /* A copy of the store, as it is between two writes, in a folder that must not exist; its parent
     * must. Any thread may, while another one writes. Files that no longer change are linked, where
     * the folder is on the same disk. On failure ret_error gets a line. NULL: not of this kind. */
    enum status (*checkpoint)(struct store *store, const char *dir, struct buf *ret_error);
};

struct store {
    const struct store_ops *ops;
};

/* Opens, or makes, the store in a folder (parents are made). A second process is refused.
 * Returns ST_EBUSY (in use), ST_ECORRUPT, ST_EIO; *ret_error is then a text to free(). */
STATUS_CHECKED enum status store_open_rocks(const char *dir, struct store **ret, char **ret_error);
/* The same, to look at it: writes nothing and takes no lock, so nobody else may have it open. */
STATUS_CHECKED enum status store_open_rocks_to_read(const char *dir, struct store **ret,
                                                    char **ret_error);
/* The process that has the store in a folder open; 0: none, or none that can be seen from here. Not
 * for a folder that this very process has open. */
int store_holder(const char *dir);
/* For tests: see store_memory.h. */
STATUS_CHECKED enum status store_open_memory(struct store **ret);

static inline void store_free(struct store *store)
{
    if (store)
        store->ops->free(store);
}

/* Key of a space with a big-endian number, so that order in the store is order of the numbers. */
struct store_key {
    char data[9];
};

static inline struct store_key store_number_key(enum store_space space, uint64_t number)
{
    struct store_key key = {{(char)space}};
    for (int i = 0; i < 8; i++)
        key.data[1 + i] = (char)(number >> (56 - 8 * i));
    return key;
}

static inline struct slice store_key_slice(const struct store_key *key)
{
    return (struct slice){key->data, sizeof key->data};
}

/* Drops all pages of a family of state, whatever their records, in one write. */
STATUS_CHECKED enum status store_drop_family(struct store *store, uint16_t family);

/* The number behind the space byte. */
uint64_t store_key_number(struct slice key);

/* Scans a whole space. */
STATUS_CHECKED enum status
store_scan_space(struct store *store, enum store_space space,
                 enum status (*fn)(void *arg, struct slice key, struct slice value), void *arg);

#endif
