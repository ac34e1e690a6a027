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
