/*
 * ingest/epoch.h -- the unit of commit: all that one stretch of input changed and caused.
 *
 * The state thread fills an epoch and seals it; from then on only the commit thread reads it, while
 * the next one is computed. Everything in it becomes durable in one write (commit.h).
 */
#ifndef INGEST_EPOCH_H
#define INGEST_EPOCH_H

#include "base/bytes.h"
#include "base/status.h"
#include "ingest/act.h"
#include "ingest/event.h"
#include "ingest/sink.h"

struct epoch {
    uint64_t number;       /* from 1 */
    struct buf head;       /* where everything stands after it: see head.h of online/ */
    struct buf redo;       /* changed records (state_seal) */
    struct buf pages;      /* pages of this epoch's share of the sweep, and of dropped records */
    struct buf runs;       /* the input taken, in order */
    struct buf runs_marks; /* see retention.h; empty: they are as they were */
    struct buf examples;
    uint64_t examples_first; /* number of the first item */
    uint64_t examples_n;
    struct buf outbox; /* rows to send, in order (outbox_put) */
    uint64_t outbox_rows;
    struct buf positions; /* where the input stands after it (positions_put) */
    uint64_t redo_needed; /* redo values of epochs below this one are not needed any more */
    uint64_t runs_needed; /* likewise, runs */
    uint64_t events;
    int64_t oldest_arrival; /* of its events; INT64_MAX if none */
};

void epoch_reset(struct epoch *epoch, uint64_t number);
void epoch_done(struct epoch *epoch);
bool epoch_empty(const struct epoch *epoch);

/* Runs: the order in which input was taken. One run is consecutive offsets of a lane. */
struct runs {
    uint32_t lane;
    int64_t first, last;
    bool open;
};
/* Appends the run that is open when another lane, a gap, a tick or an act comes, or when it is
 * closed. */
void runs_take(struct runs *runs, struct buf *buf, struct origin origin);
void runs_tick(struct runs *runs, struct buf *buf, int64_t time);
void runs_act(struct runs *runs, struct buf *buf, const struct act *act);
void runs_close(struct runs *runs, struct buf *buf);

struct run {
    bool tick, is_act;
    int64_t time;   /* of a tick */
    struct act act; /* of an act; of the others below */
    uint32_t lane;
    int64_t first, last;
};
/* ST_EEND, ST_ECORRUPT. */
STATUS_CHECKED enum status runs_next(struct reader *in, struct run *ret);

/* Where the input of a lane stands: the offset to read next. A list is one entry after another. */
void positions_put(struct buf *buf, uint32_t lane, int64_t next);
/* False at the end. */
bool positions_next(struct reader *in, uint32_t *ret_lane, int64_t *ret_next);

/* Rows as they are stored and sent again. The topic is not stored but the lane's number. */
void outbox_put(struct buf *buf, enum channel channel, uint32_t lane, int64_t offset,
                uint32_t ordinal, struct slice key, struct slice payload, struct slice reason);
struct outbox_row {
    uint32_t lane;
    struct row row; /* topic and partition are left to the caller */
};
/* ST_EEND, ST_ECORRUPT. */
STATUS_CHECKED enum status outbox_next(struct reader *in, struct outbox_row *ret);

#endif
