/*
 * ingest/merge_internal.h -- what the files of the merge share.
 *
 * merge.c makes it and answers questions about it, merge_fill.c is the merge itself,
 * merge_recorded.c the one in an order that is given, merge_lane.c one lane, merge_labels.c the
 * labels that a file's rows carry.
 */
#ifndef INGEST_MERGE_INTERNAL_H
#define INGEST_MERGE_INTERNAL_H

#include "ingest/epoch.h"
#include "ingest/label_queue.h"
#include "ingest/merge_lane.h"

/* A batch takes no more than this and one record beyond it, however many events that is: records
 * that cannot be decoded may be long. */
enum { MERGE_BATCH_BYTES = 16 * 1024 * 1024 };

/* The labels that a file's rows carry: a lane without a source. */
struct label_lane {
    char *topic; /* of info */
    struct label_queue queue;
    struct lane *file;
    struct lane_info info;
    uint32_t number;
    uint32_t rank;
    int64_t given; /* labels handed out: the offset of the next */
    int64_t seek;  /* where to begin */
    int64_t row;   /* where the file is to begin: rows before give their labels only */
};

/* A lane's head as the heap compares it. */
struct head {
    int64_t time;
    uint32_t rank; /* of the lane among all, by (labels first, topic, partition) */
    uint32_t lane;
};

struct merge {
    struct merge_options options;
    struct lane_rules rules;
    int64_t delay; /* of labels in files */
    size_t n_sources;
    struct source **sources;
    size_t n_lanes;
    struct lane *lanes;
    size_t n_labels;
    struct label_lane *labels;
    uint32_t *ranks;   /* of lanes and label lanes, by number */
    struct head *heap; /* of lanes with a head, a binary heap, least first */
    size_t n_heap;
    bool started;
    enum status failed; /* met while a batch already held events; told at the next call */
    const char *error;
    int64_t time;      /* the latest that was merged; TIME_NONE: nothing yet */
    int64_t time_at;   /* when it was, monotonic */
    int64_t ticked_at; /* likewise */
    struct run run;    /* of the recorded order: what is left of it, while in_run */
    bool in_run;
    char text[400]; /* of an error that names a record */
};

/* Sets merge_error() and returns st. */
enum status merge_fail(struct merge *merge, enum status st, const char *text);
enum status merge_fail_of(struct merge *merge, enum status st, const struct source *source);

/* The merged time goes on to this, unless it is there already. */
void merge_pass_time(struct merge *merge, int64_t time, int64_t now);
/* There must be room in the batch. */
void merge_add_tick(struct batch *batch, int64_t time, int64_t now);
/* Fills the batch in the recorded order. */
STATUS_CHECKED enum status merge_fill_recorded(struct merge *merge, struct batch *batch,
                                               int64_t now);

/* The label lane of a file, or NULL. */
struct label_lane *merge_labels_of(struct merge *merge, const struct lane *file);
/* The head of a label lane, unless it is past `until`; NULL if there is none. */
const struct label_entry *merge_label_head(const struct merge *merge,
                                           const struct label_lane *lane);
/* Keeps the label of a row that was handed out, if it has one. */
void merge_put_label(struct merge *merge, struct label_lane *lane, const struct event *event);
/* Hands out the head of a label lane. */
void merge_take_label(struct label_lane *lane, struct batch *batch);
/* Brings a file and its labels to where they were, by reading the file from its start.
 * Returns ST_ENOTFOUND if it holds less, and what its source returns. */
STATUS_CHECKED enum status merge_catch_up(struct merge *merge, struct label_lane *labels,
                                          int64_t now);

#endif
