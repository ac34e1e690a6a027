/*
 * online/pipeline.h -- the straight line: an event goes in; features, example and score come out.
 *
 * Owned by the state thread: all state changes here, in the order of the merged stream, and depends
 * on nothing else (no wall clock, no batch size, no timing). What came of a stretch of input is in
 * the epoch, which pipeline_seal() closes for the commit thread.
 *
 *     for each event of a batch: pipeline_take(pipeline, event);
 *     pipeline_flush(pipeline);                   // rows of the batch are scored and in the outbox
 *     pipeline_seal(pipeline, sweep_bytes);       // now and then: the epoch is complete
 */
#ifndef ONLINE_PIPELINE_H
#define ONLINE_PIPELINE_H

#include <stdatomic.h>

#include "features/plan.h"
#include "ingest/epoch.h"
#include "ingest/join.h"
#include "models/auc.h"
#include "online/canary_share.h"
#include "online/contest.h"
#include "online/drift.h"
#include "online/head.h"
#include "online/newest.h"
#include "online/registry.h"
#include "online/rows.h"
#include "online/trainer.h"

struct pipeline;

enum { PIPELINE_MODELS_MAX = 8 };

struct pipeline_model {
    struct registry *registry;
    struct trainer *trainer; /* NULL: nothing is learnt */
    uint32_t number;         /* of the head */
    int64_t publish_every;   /* us of event time between versions */
    const char *name;        /* told with scores */
    bool beside;             /* scoring does not wait for its versions: they serve once ready */
    const struct canary_share *canary; /* of versions on trial; NULL: none are tried */
    bool takeover; /* it is compared with the champion, and takes over if it is better */
};

struct pipeline_options {
    const struct schema *schema;
    struct state *state;
    struct plan *plan;
    struct join *join;
    size_t n_models;                                   /* 0: nothing is scored, nothing is learnt */
    struct pipeline_model models[PIPELINE_MODELS_MAX]; /* the head says whose scores leave */
    struct contest *contest;                           /* NULL: nobody takes over */
    struct head *head;                                 /* as recovered; changed here */
    struct rows_options rows;
    int64_t lateness;    /* us an event may be behind the stream's time and still be observed */
    unsigned layout;     /* of the vectors, for the example log: see layouts.h */
    bool recorded;       /* the order was recorded: acts come with it, none is decided */
    struct drift *drift; /* is shown what is scored and learnt; NULL: nothing looks */
    bool replay;         /* of files: where topics go on behind it, their labels count as later */
    /* Called for each scored row; NULL: not wanted. */
    void (*on_score)(void *arg, const struct row_score *row);
    void *on_score_arg;
};

STATUS_CHECKED enum status pipeline_create(const struct pipeline_options *options,
                                           struct pipeline **ret);
void pipeline_free(struct pipeline *pipeline);

/* The epoch being filled; the caller swaps it for an empty one after sealing. */
void pipeline_set_epoch(struct pipeline *pipeline, struct epoch *epoch);

/* Takes one event; lane is its lane's number in the head. ST_ESTOPPED: the trainer failed. */
STATUS_CHECKED enum status pipeline_take(struct pipeline *pipeline, const struct event *event,
                                         uint32_t lane);
/* Scores the rows gathered so far. Before the batch that the events live in is used again. */
STATUS_CHECKED enum status pipeline_flush(struct pipeline *pipeline);
/* Versions that became ready serve from here on, and a model that is known to be better takes over,
 * where the scoring has not waited for that. Costs a load a model where there is none. */
STATUS_CHECKED enum status pipeline_take_ready(struct pipeline *pipeline);
/* Does what a person, or the order that was recorded, says; the rows gathered are scored before. A
 * version that is published gets the next number, which goes to act->version; where that is given
 * and another, ST_ECORRUPT. ST_ESTOPPED: the trainer failed. */
STATUS_CHECKED enum status pipeline_act(struct pipeline *pipeline, struct act *act);
/* Completes the epoch: head and changed records are copied into it. Nothing may be gathered.
 * ST_ESTOPPED: the trainer failed. */
STATUS_CHECKED enum status pipeline_seal(struct pipeline *pipeline);
/* Starts loading what taking this event will read: each stage reads what the one before it loaded.
 * Stages 0 to PREFETCH_STAGES - 1, in this order, some events apart. */
enum { PREFETCH_STAGES = 5 };
void pipeline_prefetch(const struct pipeline *pipeline, const struct event *event, unsigned stage);

/* Names all records that taking these events will read to state_need(). An event whose label is
 * among them, or which is due, has its entry named; what that says is named once it is in memory.
 */
void pipeline_need(struct pipeline *pipeline, const struct event *events, size_t n);

/* Counted since the start of the process. */
struct pipeline_figures {
    uint64_t events, scored, repeated, late, dead, labels[LABEL_OUTCOMES], released, absent,
        corrections, thinned, boundaries;
};
const struct pipeline_figures *pipeline_figures(const struct pipeline *pipeline);
/* The place, among the options' models, of the one whose scores leave. Any thread may look. */
const _Atomic size_t *pipeline_champion(const struct pipeline *pipeline);
/* Event time between the newest labels and their events. */
const struct newest *pipeline_label_delays(const struct pipeline *pipeline);
/* Scores against what the events turned out to be, before they were learnt. */
const struct prequential *pipeline_prequential(const struct pipeline *pipeline);

#endif
