#include "ingest/state_store.h"

void state_put_pages(struct store *store, struct store_batch *batch, const struct buf *pages)
{
    struct reader in = reader_of(buf_slice(pages));
    struct slice key, value;
    while (state_next_page(&in, &key, &value)) {
        char stored[1 + STATE_PAGE_KEY] = {STORE_PAGE};
        memcpy(stored + 1, key.data, key.len);
        struct slice at = {stored, sizeof stored};
        if (value.len > 0)
            store->ops->put(batch, at, value);
        else
            store->ops->drop(batch, at);
    }
}
