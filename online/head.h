/*
 * online/head.h -- where everything stands after an epoch: the value that each commit replaces.
 */
#ifndef ONLINE_HEAD_H
#define ONLINE_HEAD_H

#include "base/bytes.h"
#include "base/status.h"
#include "ingest/source.h"

/* A lane keeps its number for the life of a state directory, whatever partitions are added. */
struct head_lane {
    char *topic;
    int32_t partition;
    int64_t next; /* offset to read next; -1: from the beginning */
};

struct head {
    uint64_t epoch;
    int64_t clock;          /* the stream's time: the latest merged */
    int64_t boundary_next;  /* event time of the next publication; INT64_MIN before any event */
    uint32_t version;       /* that scores now */
    uint64_t examples_next; /* number of the next item of the example log */
    uint64_t examples_published; /* the version has learnt the items before this one */
    uint64_t events;             /* taken since the state began */
    /* The state was built by a replay of files up to here (event time): topics go on from there,
     * and ids known from before it are not scored again. INT64_MIN: it was not. */
    int64_t replayed;
    size_t n_lanes;
    struct head_lane *lanes;
};

void head_init(struct head *head);
void head_done(struct head *head);
void head_encode(const struct head *head, struct buf *ret);
/* ret must be initialised; what it held goes. ST_ECORRUPT; ST_EVERSION where a newer freshet wrote
 * it. */
STATUS_CHECKED enum status head_decode(struct slice bytes, struct head *ret);
/* The number of a lane by name; added behind the others if it is new. */
uint32_t head_lane(struct head *head, const char *topic, int32_t partition);

#endif
