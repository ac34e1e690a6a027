#include "ingest/commit_internal.h"

/* {lane, offset, ordinal} of the record that it came of: a row refused again is parked once. */
struct parked_key {
    char data[1 + 16];
};

static struct parked_key parked_key_of(const struct outbox_row *row)
{
    struct parked_key key = {{STORE_PARKED}};
    for (int i = 0; i < 4; i++) {
        key.data[1 + i] = (char)(row->lane >> (24 - 8 * i));
        key.data[13 + i] = (char)(row->row.ordinal >> (24 - 8 * i));
    }
    for (int i = 0; i < 8; i++)
        key.data[5 + i] = (char)((uint64_t)row->row.offset >> (56 - 8 * i));
    return key;
}

enum status commit_park_refused(struct commit *commit)
{
    struct buf *refused = &commit->outbox.refused_rows;
    if (refused->len == 0)
        return ST_OK;
    struct reader in = reader_of(buf_slice(refused));
    struct buf value = {0};
    while (reader_left(&in) > 0) {
        struct slice why = read_slice(&in), bytes = read_slice(&in);
        struct reader inner = reader_of(bytes);
        struct outbox_row row;
        if (outbox_next(&inner, &row) < 0)
            break; /* it was read before */
        struct parked_key key = parked_key_of(&row);
        buf_reset(&value);
        buf_slice_put(&value, why);
        buf_append(&value, bytes.data, bytes.len);
        commit->store->ops->put(commit->batch, (struct slice){key.data, sizeof key.data},
                                buf_slice(&value));
    }
    buf_done(&value);
    buf_reset(refused);
    return commit->store->ops->write(commit->store, commit->batch);
}

struct parked_scan {
    enum status (*fn)(void *arg, const struct parked_row *row);
    void *arg;
};

static enum status read_parked(void *arg, struct slice key, struct slice value)
{
    struct parked_scan *scan = arg;
    struct reader in = reader_of(value);
    struct outbox_row row;
    struct parked_row parked = {.why = read_slice(&in)};
    (void)key;
    if (in.bad || outbox_next(&in, &row) < 0 || !reader_done(&in))
        return ST_ECORRUPT;
    parked.lane = row.lane;
    parked.row = row.row;
    return scan->fn(scan->arg, &parked);
}

enum status commit_read_parked(struct store *store,
                               enum status (*fn)(void *arg, const struct parked_row *row),
                               void *arg)
{
    struct parked_scan scan = {fn, arg};
    return store_scan_space(store, STORE_PARKED, read_parked, &scan);
}
