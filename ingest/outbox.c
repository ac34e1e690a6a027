#include "ingest/outbox.h"

#include <stdlib.h>

void outbox_init(struct outbox *outbox, struct sink *sink, lane_name_fn lane_name, void *lane_arg)
{
    *outbox = (struct outbox){.sink = sink, .lane_name = lane_name, .lane_arg = lane_arg};
}

void outbox_done(struct outbox *outbox)
{
    for (size_t i = 0; i < outbox->cap; i++)
        buf_done(&outbox->epochs[i].rows);
    free(outbox->epochs);
}

static struct outbox_epoch *epoch_at(const struct outbox *outbox, size_t i)
{
    return &outbox->epochs[(outbox->first + i) % outbox->cap];
}

static void grow(struct outbox *outbox)
{
    size_t cap = outbox->cap ? outbox->cap * 2 : 8;
    struct outbox_epoch *epochs = calloc(cap, sizeof *epochs);
    if (!epochs)
        abort();
    for (size_t i = 0; i < outbox->n; i++)
        epochs[i] = *epoch_at(outbox, i);
    free(outbox->epochs);
    outbox->epochs = epochs;
    outbox->first = 0;
    outbox->cap = cap;
}

void outbox_add(struct outbox *outbox, uint64_t number, struct buf *rows, uint64_t n)
{
    if (n == 0)
        return;
    if (outbox->n == outbox->cap)
        grow(outbox);
    struct outbox_epoch *epoch = epoch_at(outbox, outbox->n++);
    struct buf spare = epoch->rows;
    outbox->added += n;
    *epoch = (struct outbox_epoch){number, *rows, outbox->added, 0};
    buf_reset(&spare);
    *rows = spare;
}

static enum status send_one(struct outbox *outbox, struct outbox_epoch *epoch)
{
    struct reader in = reader_of(buf_slice(&epoch->rows));
    in.at += epoch->sent_to;
    struct outbox_row out;
    TRY(outbox_next(&in, &out));
    struct lane_name name = outbox->lane_name(outbox->lane_arg, out.lane);
    out.row.topic = name.topic;
    out.row.partition = name.partition;
    TRY(outbox->sink->ops->send(outbox->sink, &out.row));
    epoch->sent_to = (size_t)(in.at - epoch->rows.data);
    outbox->sent++;
    return ST_OK;
}

/* Until the sink's queue is full or all is sent. */
static enum status send_all(struct outbox *outbox)
{
    while (outbox->sending < outbox->n) {
        struct outbox_epoch *epoch = epoch_at(outbox, outbox->sending);
        enum status st = send_one(outbox, epoch);
        if (st == ST_EEND)
            outbox->sending++;
        else if (st < 0)
            return st == ST_EAGAIN ? ST_OK : st;
    }
    return ST_OK;
}

enum status outbox_produce(struct outbox *outbox, int64_t timeout_us)
{
    if (!outbox->sink)
        return ST_OK;
    const struct sink_ops *ops = outbox->sink->ops;
    bool had_rows = outbox->sending < outbox->n;
    TRY(send_all(outbox));
    if (had_rows && ops->flush)
        TRY(ops->flush(outbox->sink));
    uint64_t acked = outbox->acked, refused = outbox->refused;
    TRY(ops->poll(outbox->sink, timeout_us, &acked, &refused));
    outbox->acked = acked;
    outbox->refused = refused;
    return ST_OK;
}

/* Buffers of acknowledged epochs stay in their slots and are used again. */
bool outbox_take_acked(struct outbox *outbox, uint64_t *ret_number)
{
    if (outbox->n == 0)
        return false;
    const struct outbox_epoch *epoch = epoch_at(outbox, 0);
    if (outbox->sending == 0 || epoch->last_row > outbox->acked)
        return false;
    *ret_number = epoch->number;
    outbox->first = (outbox->first + 1) % outbox->cap;
    outbox->n--;
    outbox->sending--;
    return true;
}

/* For any thread: acked, which never passes added, is read first. */
uint64_t outbox_depth(const struct outbox *outbox)
{
    uint64_t acked = outbox->acked;
    return outbox->added - acked;
}

struct commit_figures outbox_figures(const struct outbox *outbox)
{
    return (struct commit_figures){
        .rows_sent = outbox->sent, .rows_acked = outbox->acked, .rows_refused = outbox->refused};
}

const char *outbox_error(const struct outbox *outbox)
{
    return outbox->sink ? outbox->sink->ops->error(outbox->sink) : "";
}
