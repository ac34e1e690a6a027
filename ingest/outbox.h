/*
 * ingest/outbox.h -- durable rows on their way to the sink: sent in order, kept until acknowledged.
 *
 * commit.c's own: rows wait in the buffers of their epochs. An epoch's rows leave the store once
 * the last of them is acknowledged.
 */
#ifndef INGEST_OUTBOX_H
#define INGEST_OUTBOX_H

#include <stdatomic.h>

#include "ingest/commit.h"

struct outbox_epoch {
    uint64_t number;
    struct buf rows;
    uint64_t last_row; /* count of all rows up to this epoch's last */
    size_t sent_to;    /* bytes of rows that went to the sink */
};

struct outbox {
    struct sink *sink;
    lane_name_fn lane_name;
    void *lane_arg;
    struct outbox_epoch *epochs; /* circular, oldest first */
    size_t first, n, cap;
    size_t sending; /* the first epoch, from `first` on, with rows not yet sent */
    _Atomic uint64_t added, sent, acked, refused;
};

void outbox_init(struct outbox *outbox, struct sink *sink, lane_name_fn lane_name, void *lane_arg);
void outbox_done(struct outbox *outbox);
/* Takes the rows over and leaves a spare buffer in their place. */
void outbox_add(struct outbox *outbox, uint64_t number, struct buf *rows, uint64_t n);
STATUS_CHECKED enum status outbox_produce(struct outbox *outbox, int64_t timeout_us);
/* Gives the number of the next epoch whose rows are all acknowledged, once. */
bool outbox_take_acked(struct outbox *outbox, uint64_t *ret_number);
uint64_t outbox_depth(const struct outbox *outbox);
struct commit_figures outbox_figures(const struct outbox *outbox);
const char *outbox_error(const struct outbox *outbox);

#endif
