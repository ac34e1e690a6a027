/*
 * ingest/outbox.h -- durable rows on their way to the sink: sent in order, kept until acknowledged.
 *
 * commit.c's own: rows wait in the buffers of their epochs. An epoch's rows leave the store once
 * the last of them is acknowledged. When all rows of an epoch are sent the sink gets its mark,
 * which says where input stands after it. Rows that the sink takes back are sent again, from the
 * same bytes. Rows that it refuses for good are put aside for the commit to store; until that is
 * done the epoch's mark is held back, so that no group offset passes a row that is nowhere.
 */
#ifndef INGEST_OUTBOX_H
#define INGEST_OUTBOX_H

#include <stdatomic.h>

#include "ingest/commit.h"

struct outbox_mark {
    uint64_t epoch;       /* 0: none */
    struct buf positions; /* positions_put() */
    bool given;
};

struct outbox_epoch {
    uint64_t number;
    struct buf rows;
    uint64_t n;        /* rows in it */
    uint64_t last_row; /* count of all rows up to this epoch's last */
    size_t sent_to;    /* bytes of rows that went to the sink */
    struct outbox_mark mark;
};

struct outbox {
    struct sink *sink;
    lane_name_fn lane_name;
    void *lane_arg;
    uint64_t life;
    struct outbox_epoch *epochs; /* circular, oldest first */
    size_t first, n, cap;
    size_t sending;                  /* the first epoch, from `first` on, with rows not yet sent */
    struct outbox_mark bare;         /* of the latest epoch, if it has no rows */
    struct sink_position *positions; /* scratch for marks */
    size_t positions_cap;
    struct buf refused_rows; /* {slice why, slice row as stored}*, until outbox_take_refused() */
    char refused_why[128];   /* of the last refused row */
    _Atomic uint64_t added, sent, acked, refused;
    _Atomic uint64_t handed; /* to the sink, those taken back and sent again counted again */
};

void outbox_init(struct outbox *outbox, struct sink *sink, lane_name_fn lane_name, void *lane_arg);
void outbox_done(struct outbox *outbox);
/* Takes the rows over and leaves a spare buffer in their place. positions: where input stands after
 * the epoch, copied; empty: its mark is left out (the next one covers it). */
void outbox_add(struct outbox *outbox, uint64_t number, struct buf *rows, uint64_t n,
                struct slice positions);
STATUS_CHECKED enum status outbox_produce(struct outbox *outbox, int64_t timeout_us);
/* Gives the number of the next epoch whose rows are all acknowledged, once. */
bool outbox_take_acked(struct outbox *outbox, uint64_t *ret_number);
/* Is there one? */
bool outbox_has_acked(const struct outbox *outbox);
/* Before anything is sent: of the rows that wait only those stay for which keep() is true. Calls
 * gone() for each epoch without any left. */
void outbox_filter(struct outbox *outbox,
                   bool (*keep)(void *arg, uint64_t epoch, const struct outbox_row *row),
                   void (*gone)(void *arg, uint64_t epoch), void *arg);
bool outbox_unsettled(const struct outbox *outbox);
uint64_t outbox_depth(const struct outbox *outbox);
struct commit_figures outbox_figures(const struct outbox *outbox);
const char *outbox_error(const struct outbox *outbox);

#endif
