#include "ingest/retention.h"

#include <string.h>

enum { PARTS = 16 };

enum status retention_recover(struct retention *ret, int64_t keep, struct store *store)
{
    struct buf value = {0};
    *ret = (struct retention){.keep = keep};
    enum status st = store->ops->get(store, slice_of(RETENTION_KEY), &value);
    struct reader in = reader_of(buf_slice(&value));
    while (st == ST_OK && reader_left(&in) > 0) {
        struct retention_mark mark = {.epoch = read_varint(&in)};
        mark.clock = read_varint_signed(&in);
        if (in.bad || ret->n == RETENTION_MARKS)
            st = ST_ECORRUPT;
        else
            ret->marks[ret->n++] = mark;
    }
    buf_done(&value);
    return st == ST_ENOTFOUND ? ST_OK : st;
}

/* Times may lie as far apart as they can be written. */
static bool is_apart(int64_t from, int64_t to, int64_t least)
{
    int64_t apart;
    return to > from && (__builtin_sub_overflow(to, from, &apart) || apart >= least);
}

static void drop_first(struct retention *retention, size_t n)
{
    retention->needed = retention->marks[n - 1].epoch + 1;
    retention->n -= n;
    memmove(retention->marks, retention->marks + n, retention->n * sizeof *retention->marks);
}

static void put_marks(const struct retention *retention, struct buf *ret)
{
    for (size_t i = 0; i < retention->n; i++) {
        buf_varint(ret, retention->marks[i].epoch);
        buf_varint_signed(ret, retention->marks[i].clock);
    }
}

void retention_seal(struct retention *retention, struct epoch *epoch, int64_t clock)
{
    if (retention->keep == 0) {
        buf_reset(&epoch->runs);
        epoch->runs_needed = epoch->number;
        return;
    }
    size_t n = retention->n, old = 0;
    bool due =
        clock != INT64_MIN && /* an act before the first event */
        (n == 0 || is_apart(retention->marks[n - 1].clock, clock, retention->keep / PARTS + 1));
    if (due) {
        while (old < n && is_apart(retention->marks[old].clock, clock, retention->keep))
            old++;
        old += old == 0 && n == RETENTION_MARKS; /* as after a change of `keep` */
        if (old > 0)
            drop_first(retention, old);
        retention->marks[retention->n++] = (struct retention_mark){epoch->number, clock};
        put_marks(retention, &epoch->runs_marks);
    }
    epoch->runs_needed = retention->needed;
}
