#include "ingest/store.h"

uint64_t store_key_number(struct slice key)
{
    uint64_t number = 0;
    for (size_t i = 1; i < key.len && i < 9; i++)
        number = number << 8 | (unsigned char)key.data[i];
    return number;
}

enum status store_scan_space(struct store *store, enum store_space space,
                             enum status (*fn)(void *arg, struct slice key, struct slice value),
                             void *arg)
{
    char from = (char)space, to = (char)(space + 1);
    return store->ops->scan(store, (struct slice){&from, 1}, (struct slice){&to, 1}, fn, arg);
}

/* Keys are shard, then family: a range for each of the shards. */
enum status store_drop_family(struct store *store, uint16_t family)
{
    struct store_batch *batch = store->ops->batch_create(store);
    for (int shard = 0; shard < 256; shard++) {
        char from[] = {STORE_PAGE, (char)shard, (char)(family >> 8), (char)family};
        char to[] = {STORE_PAGE, (char)shard, (char)((family + 1) >> 8), (char)(family + 1)};
        store->ops->drop_range(batch, (struct slice){from, sizeof from},
                               (struct slice){to, sizeof to});
    }
    enum status st = store->ops->write(store, batch);
    store->ops->batch_free(batch);
    return st;
}
