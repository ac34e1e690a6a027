/* Rows of the outbox: what is read is written as it was read, and dropping rows leaves the others
 * whole. */
#include "ingest/outbox.h"
#include "tests/fuzz/fuzz.h"

static void put(struct buf *buf, const struct outbox_row *row)
{
    outbox_put(buf, row->row.channel, row->lane, row->row.offset, row->row.ordinal, row->row.key,
               row->row.payload, row->row.reason);
}

/* Appends the rows that can be read, as they would be written. Returns how many. */
static uint64_t read_rows(struct slice bytes, struct buf *ret, enum status *ret_end)
{
    struct reader in = reader_of(bytes);
    struct outbox_row row;
    uint64_t n = 0;
    for (; (*ret_end = outbox_next(&in, &row)) == ST_OK; n++)
        put(ret, &row);
    FUZZ_LAW(*ret_end == ST_EEND || *ret_end == ST_ECORRUPT, "it ends or is corrupt");
    return n;
}

/* Those of even offset. */
static bool keep(void *arg, uint64_t epoch, const struct outbox_row *row)
{
    (void)epoch;
    bool kept = row->row.offset % 2 == 0;
    if (kept)
        put(arg, row);
    return kept;
}

static void gone(void *arg, uint64_t epoch)
{
    (void)arg;
    FUZZ_LAW(epoch == 7, "it is the epoch that there is");
}

static void check_filter(struct buf *rows, uint64_t n)
{
    struct outbox outbox;
    struct buf kept = {0};
    outbox_init(&outbox, NULL, NULL, NULL);
    outbox_add(&outbox, 7, rows, n, (struct slice){0});
    outbox_filter(&outbox, keep, gone, &kept);
    FUZZ_LAW((outbox.n == 0) == (kept.len == 0), "an epoch without rows goes");
    if (outbox.n > 0)
        FUZZ_LAW(slice_eq(buf_slice(&outbox.epochs[outbox.first].rows), buf_slice(&kept)),
                 "those that stay are whole");
    outbox_done(&outbox);
    buf_done(&kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf rows = {0}, again = {0};
    enum status end;
    uint64_t n = read_rows(fuzz_slice(data, size), &rows, &end);
    FUZZ_LAW(read_rows(buf_slice(&rows), &again, &end) == n && end == ST_EEND &&
                 slice_eq(buf_slice(&rows), buf_slice(&again)),
             "rows are written and read again as the same");
    if (n > 0)
        check_filter(&rows, n);
    buf_done(&rows);
    buf_done(&again);
    return 0;
}
