#include "ingest/epoch.h"

void epoch_reset(struct epoch *epoch, uint64_t number)
{
    struct buf *bufs[] = {&epoch->head,   &epoch->redo,       &epoch->pages,
                          &epoch->runs,   &epoch->runs_marks, &epoch->examples,
                          &epoch->outbox, &epoch->positions,  NULL};
    for (struct buf **buf = bufs; *buf; buf++)
        buf_reset(*buf);
    epoch->number = number;
    epoch->examples_first = epoch->examples_n = epoch->outbox_rows = epoch->events = 0;
    epoch->redo_needed = epoch->runs_needed = 0;
    epoch->oldest_arrival = INT64_MAX;
}

void epoch_done(struct epoch *epoch)
{
    struct buf *bufs[] = {&epoch->head,   &epoch->redo,       &epoch->pages,
                          &epoch->runs,   &epoch->runs_marks, &epoch->examples,
                          &epoch->outbox, &epoch->positions,  NULL};
    for (struct buf **buf = bufs; *buf; buf++)
        buf_done(*buf);
}

bool epoch_empty(const struct epoch *epoch)
{
    return epoch->events == 0 && epoch->runs.len == 0 && epoch->outbox.len == 0 &&
           epoch->examples.len == 0;
}

/* Where a run has its lane + 1. */
#define RUN_ACT ((uint64_t)UINT32_MAX + 2)

/* A run is {varint lane + 1, zigzag first, varint count}; a tick {0, zigzag time}; an act {RUN_ACT,
 * kind, varint model, varint version, varint source}. */
void runs_close(struct runs *runs, struct buf *buf)
{
    if (!runs->open)
        return;
    buf_varint(buf, (uint64_t)runs->lane + 1);
    buf_varint_signed(buf, runs->first);
    buf_varint(buf, (uint64_t)(runs->last - runs->first));
    runs->open = false;
}

void runs_take(struct runs *runs, struct buf *buf, struct origin origin)
{
    if (runs->open && runs->lane == origin.lane && runs->last + 1 == origin.offset) {
        runs->last = origin.offset;
        return;
    }
    runs_close(runs, buf);
    *runs = (struct runs){origin.lane, origin.offset, origin.offset, true};
}

void runs_tick(struct runs *runs, struct buf *buf, int64_t time)
{
    runs_close(runs, buf);
    buf_varint(buf, 0);
    buf_varint_signed(buf, time);
}

void runs_act(struct runs *runs, struct buf *buf, const struct act *act)
{
    runs_close(runs, buf);
    buf_varint(buf, RUN_ACT);
    buf_byte(buf, (uint8_t)act->kind);
    buf_varint(buf, act->model);
    buf_varint(buf, act->version);
    buf_varint(buf, act->source);
}

static uint32_t read_u32_varint(struct reader *in)
{
    uint64_t v = read_varint(in);
    in->bad = in->bad || v > UINT32_MAX;
    return (uint32_t)v;
}

static struct act read_act(struct reader *in)
{
    unsigned kind = read_byte(in);
    in->bad = in->bad || kind >= ACT_KINDS;
    struct act act = {.kind = (enum act_kind)kind};
    act.model = read_u32_varint(in);
    act.version = read_u32_varint(in);
    act.source = read_u32_varint(in);
    return act;
}

enum status runs_next(struct reader *in, struct run *ret)
{
    if (reader_left(in) == 0 && !in->bad)
        return ST_EEND;
    struct run run = {0};
    uint64_t lane = read_varint(in);
    run.tick = lane == 0;
    run.is_act = lane == RUN_ACT;
    if (run.tick) {
        run.time = read_varint_signed(in);
    } else if (run.is_act) {
        run.act = read_act(in);
    } else {
        run.lane = (uint32_t)(lane - 1);
        run.first = read_varint_signed(in);
        run.last = (int64_t)((uint64_t)run.first + read_varint(in));
    }
    if (in->bad || lane > RUN_ACT || run.last < run.first)
        return ST_ECORRUPT;
    *ret = run;
    return ST_OK;
}

void positions_put(struct buf *buf, uint32_t lane, int64_t next)
{
    buf_varint(buf, lane);
    buf_varint_signed(buf, next);
}

bool positions_next(struct reader *in, uint32_t *ret_lane, int64_t *ret_next)
{
    if (reader_left(in) == 0 || in->bad)
        return false;
    *ret_lane = (uint32_t)read_varint(in);
    *ret_next = read_varint_signed(in);
    return !in->bad;
}

void outbox_put(struct buf *buf, enum channel channel, uint32_t lane, int64_t offset,
                uint32_t ordinal, struct slice key, struct slice payload, struct slice reason)
{
    buf_byte(buf, (uint8_t)channel);
    buf_varint(buf, lane);
    buf_varint_signed(buf, offset);
    buf_varint(buf, ordinal);
    buf_slice_put(buf, key);
    buf_slice_put(buf, payload);
    buf_slice_put(buf, reason);
}

enum status outbox_next(struct reader *in, struct outbox_row *ret)
{
    if (reader_left(in) == 0 && !in->bad)
        return ST_EEND;
    struct outbox_row out = {0};
    uint8_t channel = read_byte(in);
    uint64_t lane = read_varint(in);
    out.row.offset = read_varint_signed(in);
    uint64_t ordinal = read_varint(in);
    out.row.key = read_slice(in);
    out.row.payload = read_slice(in);
    out.row.reason = read_slice(in);
    if (in->bad || channel >= CHANNEL_COUNT || lane > UINT32_MAX || ordinal > UINT32_MAX)
        return ST_ECORRUPT;
    out.row.channel = (enum channel)channel;
    out.lane = (uint32_t)lane;
    out.row.ordinal = (uint32_t)ordinal;
    *ret = out;
    return ST_OK;
}
