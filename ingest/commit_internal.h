/*
 * ingest/commit_internal.h -- what the files of the commit share.
 *
 * commit.c makes it and writes epochs, commit_examples.c knows what of the example log is stored
 * and the trainer's checkpoint, commit_parked.c stores the rows that the sink refused,
 * commit_recover.c brings everything back, commit_resume.c leaves out what another life of the
 * state has sent.
 */
#ifndef INGEST_COMMIT_INTERNAL_H
#define INGEST_COMMIT_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "ingest/commit.h"
#include "ingest/outbox.h"

#define KEY_HEAD "mhead"

/* A block of the stored example log, oldest first. */
struct stored_block {
    uint64_t first, n;
};

/* A model that needs the log from this item on, if no checkpoint of it says more. */
struct examples_keeper {
    uint32_t model;
    uint64_t from;
};

struct commit {
    struct commit_options options;
    struct store *store;
    struct store_batch *batch;
    struct outbox outbox;
    uint64_t epoch;              /* durable */
    uint64_t redo_first;         /* oldest redo value in the store */
    uint64_t runs_first;         /* oldest runs in the store */
    uint64_t examples_next;      /* items [0, this) are durable */
    struct stored_block *blocks; /* circular */
    size_t blocks_first, blocks_n, blocks_cap;
    pthread_mutex_t lock;                                    /* guards offered */
    struct trainer_checkpoints offered, named, named_before; /* before: by the last write */
    struct examples_keeper *keepers;                         /* the models that learn */
    size_t n_keepers;
    int64_t *quiet_below; /* a lane */
    size_t n_quiet;
    _Atomic uint64_t bytes_written;
    bool formats_known; /* the store says what is written today */
    char error[256];
};

/* Notes that a block of the log is in the store. */
void commit_push_block(struct commit *commit, uint64_t first, uint64_t n);

/* The following add to the batch that is written next. */

/* The epoch's examples, as a block of the log. */
void commit_put_examples(struct commit *commit, const struct epoch *epoch);
/* The trainers' checkpoints, if new ones were offered and the log reaches them. */
void commit_put_trainers(struct commit *commit);
/* Drops the blocks that no model will read again. */
void commit_drop_learnt(struct commit *commit);

/* Leaves out the rows of an epoch that another life of this state has sent, and says so of its
 * positions: the group's offsets must not go back. */
void commit_keep_quiet(struct commit *commit, struct epoch *epoch);
/* Stores what the sink refused; it is then safe to count these rows as done. */
STATUS_CHECKED enum status commit_park_refused(struct commit *commit);

#endif
