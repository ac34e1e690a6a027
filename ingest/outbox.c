#include "ingest/outbox.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static struct outbox_epoch *epoch_at(const struct outbox *outbox, size_t i)
{
    return &outbox->epochs[(outbox->first + i) % outbox->cap];
}

/* Refused rows. */

static enum status find_row(const struct outbox *outbox, uint64_t number, struct slice *ret)
{
    size_t i = 0;
    while (i < outbox->n && epoch_at(outbox, i)->last_row <= number)
        i++;
    if (i == outbox->n)
        return ST_ENOTFOUND;
    const struct outbox_epoch *epoch = epoch_at(outbox, i);
    struct reader in = reader_of(buf_slice(&epoch->rows));
    struct outbox_row row;
    const char *begin = in.at;
    for (uint64_t at = epoch->last_row - epoch->n; at <= number; at++) {
        begin = in.at;
        TRY(outbox_next(&in, &row));
    }
    *ret = (struct slice){begin, (size_t)(in.at - begin)};
    return ST_OK;
}

/* The sink's sink_refused_fn. */
static void note_refused(void *arg, uint64_t number, const char *why)
{
    struct outbox *outbox = arg;
    struct slice row;
    if (find_row(outbox, number, &row) < 0)
        return;
    buf_slice_put(&outbox->refused_rows, slice_of(why));
    buf_slice_put(&outbox->refused_rows, row);
    snprintf(outbox->refused_why, sizeof outbox->refused_why, "%s", why);
}

/* Life. */

void outbox_init(struct outbox *outbox, struct sink *sink, lane_name_fn lane_name, void *lane_arg)
{
    *outbox = (struct outbox){.sink = sink, .lane_name = lane_name, .lane_arg = lane_arg};
    if (sink) {
        sink->refused = note_refused;
        sink->refused_arg = outbox;
    }
}

void outbox_done(struct outbox *outbox)
{
    for (size_t i = 0; i < outbox->cap; i++) {
        buf_done(&outbox->epochs[i].rows);
        buf_done(&outbox->epochs[i].mark.positions);
    }
    free(outbox->epochs);
    free(outbox->positions);
    buf_done(&outbox->bare.positions);
    buf_done(&outbox->refused_rows);
    if (outbox->sink)
        outbox->sink->refused = NULL;
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

static void set_mark(struct outbox_mark *mark, uint64_t epoch, struct slice positions)
{
    buf_reset(&mark->positions);
    buf_append(&mark->positions, positions.data, positions.len);
    mark->epoch = positions.len > 0 ? epoch : 0;
    mark->given = false;
}

/* The mark of an epoch without rows goes out behind the rows before it. */
static void add_bare(struct outbox *outbox, uint64_t number, struct slice positions)
{
    if (positions.len == 0)
        return;
    bool waits = outbox->sending < outbox->n;
    struct outbox_mark *mark = waits ? &epoch_at(outbox, outbox->n - 1)->mark : &outbox->bare;
    set_mark(mark, number, positions);
}

void outbox_add(struct outbox *outbox, uint64_t number, struct buf *rows, uint64_t n,
                struct slice positions)
{
    if (n == 0) {
        add_bare(outbox, number, positions);
        return;
    }
    if (outbox->n == outbox->cap)
        grow(outbox);
    struct outbox_epoch *epoch = epoch_at(outbox, outbox->n++);
    struct buf spare = epoch->rows;
    outbox->added += n;
    outbox->bare.epoch = 0;
    *epoch = (struct outbox_epoch){
        .number = number, .rows = *rows, .n = n, .last_row = outbox->added, .mark = epoch->mark};
    set_mark(&epoch->mark, number, positions);
    buf_reset(&spare);
    *rows = spare;
}

void outbox_filter(struct outbox *outbox,
                   bool (*keep)(void *arg, uint64_t epoch, const struct outbox_row *row),
                   void (*gone)(void *arg, uint64_t epoch), void *arg)
{
    assert(outbox->sent == 0);
    size_t n = outbox->n;
    outbox->n = 0;
    outbox->added = 0;
    for (size_t i = 0; i < n; i++) {
        struct outbox_epoch *epoch = epoch_at(outbox, i);
        struct outbox_row row;
        struct reader in = reader_of(buf_slice(&epoch->rows));
        size_t len = 0;
        epoch->n = 0;
        for (const char *begin = in.at; outbox_next(&in, &row) == ST_OK; begin = in.at) {
            if (!keep(arg, epoch->number, &row))
                continue;
            memmove(epoch->rows.data + len, begin, (size_t)(in.at - begin));
            len += (size_t)(in.at - begin);
            epoch->n++;
        }
        epoch->rows.len = len;
        if (epoch->n == 0) {
            gone(arg, epoch->number);
            continue;
        }
        outbox->added += epoch->n;
        epoch->last_row = outbox->added;
        struct outbox_epoch *to = epoch_at(outbox, outbox->n++), other = *to;
        *to = *epoch;
        if (to != epoch)
            *epoch = other;
    }
}

/* Sending. */

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
    outbox->handed++;
    return ST_OK;
}

static size_t name_positions(struct outbox *outbox, struct slice positions)
{
    struct reader in = reader_of(positions);
    uint32_t lane;
    int64_t next;
    size_t n = 0;
    while (positions_next(&in, &lane, &next)) {
        if (n == outbox->positions_cap) {
            outbox->positions_cap = n ? n * 2 : 16;
            outbox->positions =
                realloc(outbox->positions, outbox->positions_cap * sizeof *outbox->positions);
            if (!outbox->positions)
                abort();
        }
        struct lane_name name = outbox->lane_name(outbox->lane_arg, lane);
        outbox->positions[n++] = (struct sink_position){name.topic, name.partition, next};
    }
    return n;
}

static enum status give_mark(struct outbox *outbox, struct outbox_mark *mark)
{
    if (mark->epoch == 0 || mark->given || !outbox->sink->ops->mark)
        return ST_OK;
    size_t n = name_positions(outbox, buf_slice(&mark->positions));
    struct sink_mark told = {outbox->life, mark->epoch, outbox->positions, n};
    TRY(outbox->sink->ops->mark(outbox->sink, &told));
    mark->given = true;
    return ST_OK;
}

/* Until the sink's queue is full or all is sent. ST_EAGAIN: rows are left. */
static enum status send_epoch(struct outbox *outbox, struct outbox_epoch *epoch)
{
    enum status st;
    while ((st = send_one(outbox, epoch)) == ST_OK)
        ;
    if (st != ST_EEND)
        return st;
    return outbox->refused_rows.len > 0 ? ST_EAGAIN : give_mark(outbox, &epoch->mark);
}

static enum status send_all(struct outbox *outbox)
{
    for (; outbox->sending < outbox->n; outbox->sending++) {
        enum status st = send_epoch(outbox, epoch_at(outbox, outbox->sending));
        if (st < 0)
            return st == ST_EAGAIN ? ST_OK : st;
    }
    return give_mark(outbox, &outbox->bare);
}

/* The sink has taken back what it did not acknowledge. */
static void rewind_rows(struct outbox *outbox)
{
    struct outbox_row row;
    uint64_t acked = outbox->acked;
    outbox->sent = acked;
    outbox->bare.given = false;
    for (size_t i = outbox->n; i-- > 0;) {
        struct outbox_epoch *epoch = epoch_at(outbox, i);
        if (epoch->last_row <= acked)
            return;
        struct reader in = reader_of(buf_slice(&epoch->rows));
        for (uint64_t at = epoch->last_row - epoch->n; at < acked; at++)
            if (outbox_next(&in, &row) < 0)
                break;
        epoch->sent_to = (size_t)(in.at - epoch->rows.data);
        epoch->mark.given = false;
        if (outbox->sending > i)
            outbox->sending = i;
    }
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
    enum status st = ops->poll(outbox->sink, timeout_us, &acked, &refused);
    if (st == ST_EAGAIN) {
        rewind_rows(outbox);
        return ST_OK;
    }
    TRY(st);
    outbox->acked = acked;
    outbox->refused = refused;
    return ST_OK;
}

/* Acknowledgements. */

bool outbox_has_acked(const struct outbox *outbox)
{
    return outbox->n > 0 && outbox->sending > 0 && epoch_at(outbox, 0)->last_row <= outbox->acked;
}

/* Buffers of acknowledged epochs stay in their slots and are used again. */
bool outbox_take_acked(struct outbox *outbox, uint64_t *ret_number)
{
    if (!outbox_has_acked(outbox))
        return false;
    *ret_number = epoch_at(outbox, 0)->number;
    outbox->first = (outbox->first + 1) % outbox->cap;
    outbox->n--;
    outbox->sending--;
    return true;
}

bool outbox_unsettled(const struct outbox *outbox)
{
    const struct sink *sink = outbox->sink;
    if (!sink || !sink->ops->mark)
        return false;
    return (outbox->bare.epoch > 0 && !outbox->bare.given) ||
           (sink->ops->unsettled && sink->ops->unsettled(sink));
}

/* For any thread: acked, which never passes added, is read first. */
uint64_t outbox_depth(const struct outbox *outbox)
{
    uint64_t acked = outbox->acked;
    return outbox->added - acked;
}

struct commit_figures outbox_figures(const struct outbox *outbox)
{
    struct commit_figures figures = {
        .rows_sent = outbox->handed, .rows_acked = outbox->acked, .rows_refused = outbox->refused};
    const struct sink *sink = outbox->sink;
    if (sink && sink->ops->transactions)
        sink->ops->transactions(sink, &figures.transactions, &figures.transactions_aborted);
    return figures;
}

const char *outbox_error(const struct outbox *outbox)
{
    return outbox->sink ? outbox->sink->ops->error(outbox->sink) : "";
}
