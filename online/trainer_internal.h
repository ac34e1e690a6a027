/*
 * online/trainer_internal.h -- the inside of the trainer: trainer.c is its thread and what others
 * call, trainer_learn.c takes items of the example log in their order, trainer_publish.c does what
 * boundaries and acts among them say, trainer_recover.c takes those that the log holds at a start.
 */
#ifndef ONLINE_TRAINER_INTERNAL_H
#define ONLINE_TRAINER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "ingest/examples.h"
#include "online/backlog.h"
#include "online/trainer.h"

enum { BLOCKS = TRAINER_BLOCKS, LEARN_BATCH = 32 };

struct block {
    struct buf items;
    uint64_t n;
    bool stop;
};

struct trainer {
    struct trainer_options options;
    struct block blocks[BLOCKS];
    struct ring *full, *empty;
    struct bell has_full, has_empty, pace;
    _Atomic bool hurried; /* somebody waits for it */
    pthread_t thread;
    bool running;
    _Atomic int failed; /* enum status */
    char error[512];
    uint64_t cursor;
    uint64_t recalled; /* items before this one were learnt in another life */
    bool recalling;
    _Atomic bool cancelled;
    uint32_t version;
    int64_t saved_at;
    uint32_t accepted; /* see the options; goes on with the log */
    bool waits;        /* the version promoted last was staged, and is not known to be taken */
    /* A checkpoint with a version that serves only once it is taken. 0: none is held */
    struct trainer_checkpoint held;
    uint32_t held_serves;
    struct backlog backlog;    /* items that no block was free for; none while a block is */
    pthread_mutex_t give_lock; /* guards it; who pushes to `full`, or pops from `empty`, has it */
    /* the batch being gathered */
    size_t n;
    struct example rows[LEARN_BATCH];
    struct vector vectors[LEARN_BATCH]; /* of the same, for judging */
    float scores[LEARN_BATCH];
    float *dense;          /* LEARN_BATCH * n_dense */
    struct sparse *sparse; /* LEARN_BATCH * VECTOR_SPARSE_MAX */
    _Atomic uint64_t learnt, given, examples, set_aside;
    _Atomic int64_t newest, busy_us;
    pthread_mutex_t lock; /* guards judged */
    struct prequential *judged;
};

/* trainer_publish.c, once all before it is learnt: the version of a boundary is made and judged,
 * and serves or not. source: of an earlier version that it is to be; 0: what was learnt. */
STATUS_CHECKED enum status
trainer_publish(struct trainer *trainer, const struct example_boundary *boundary, uint32_t source);
/* A trial is over; verdict: the decision's bytes. ST_ECORRUPT. */
STATUS_CHECKED enum status trainer_end_trial(struct trainer *trainer, const struct act *act,
                                             struct slice verdict);
/* Any other act of this model. */
STATUS_CHECKED enum status trainer_act(struct trainer *trainer, const struct act *act,
                                       int64_t time);

/* Learns items as they lie in the log, the first `skip` of them left out; the rest begin at the
 * cursor. ST_ECORRUPT, or what a failed checkpoint or fit gives (trainer->error says more). */
STATUS_CHECKED enum status trainer_learn(struct trainer *trainer, struct slice items,
                                         unsigned layout, uint64_t skip);

#endif
