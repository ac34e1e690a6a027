#include "ingest/formats.h"

#define KEY_FORMATS "mformats"

/* What is written today. */
static const struct format {
    const char *name; /* in the store: never changes */
    const char *text; /* for people */
    uint64_t number;
} formats[] = {
    {"redo", "redo values", 2},       {"pages", "pages of records", 1},
    {"runs", "runs of input", 2},     {"examples", "the example log", 3},
    {"outbox", "rows to be sent", 1}, {"trainer", "the trainer's checkpoint", 3},
    {"pending", "waiting events", 1},
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

static void encode(struct buf *ret)
{
    buf_varint(ret, FORMATS);
    for (size_t i = 0; i < FORMATS; i++) {
        buf_slice_put(ret, slice_of(formats[i].name));
        buf_varint(ret, formats[i].number);
    }
}

void formats_put(struct store *store, struct store_batch *batch)
{
    struct buf value = {0};
    encode(&value);
    store->ops->put(batch, slice_of(KEY_FORMATS), buf_slice(&value));
    buf_done(&value);
}

static const struct format *find(struct slice name)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (slice_eq(name, slice_of(formats[i].name)))
            return &formats[i];
    return NULL;
}

/* A thing that we do not know of is as new as can be. */
static enum status check_one(struct slice name, uint64_t number, struct buf *error)
{
    const struct format *format = find(name);
    if (format && number <= format->number)
        return ST_OK;
    if (format)
        buf_printf(error, "%s are in format %llu, of which this freshet knows up to %llu",
                   format->text, (unsigned long long)number, (unsigned long long)format->number);
    else
        buf_printf(error, "it holds \"%.*s\", which this freshet does not know", (int)name.len,
                   name.data);
    buf_text(error, ": a newer freshet wrote it");
    return ST_EVERSION;
}

static enum status check_all(struct slice value, struct buf *error)
{
    struct reader in = reader_of(value);
    uint64_t n = read_varint(&in);
    for (uint64_t i = 0; i < n && !in.bad; i++) {
        struct slice name = read_slice(&in);
        uint64_t number = read_varint(&in);
        if (!in.bad)
            TRY(check_one(name, number, error));
    }
    if (reader_done(&in))
        return ST_OK;
    buf_text(error, "the list of its formats is unreadable");
    return ST_ECORRUPT;
}

enum status formats_check(struct store *store, bool *ret_known, struct buf *error)
{
    struct buf value = {0}, today = {0};
    enum status st = store->ops->get(store, slice_of(KEY_FORMATS), &value);
    if (st == ST_OK)
        st = check_all(buf_slice(&value), error);
    else if (st == ST_ENOTFOUND)
        st = ST_OK;
    encode(&today);
    if (st == ST_OK)
        *ret_known = slice_eq(buf_slice(&value), buf_slice(&today));
    buf_done(&value);
    buf_done(&today);
    return st;
}
