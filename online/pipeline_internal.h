/*
 * online/pipeline_internal.h -- what the parts of the pipeline share: pipeline.c (the straight
 * line), pipeline_time.c (what falls due as the stream's time goes on), pipeline_score.c (rows
 * gathered, scored and sent), pipeline_canary.c (versions on trial), pipeline_contest.c
 * (challengers), pipeline_act.c (what nothing in the stream decides), pipeline_watch.c (what is
 * looked at beside) and pipeline_prefetch.c (what will be read). Nobody else includes it.
 */
#ifndef ONLINE_PIPELINE_INTERNAL_H
#define ONLINE_PIPELINE_INTERNAL_H

#include "online/pipeline.h"

enum { ROWS_MAX = 512, EXAMPLES_GIVEN_AT = 32 * 1024 };

/* The label with the highest offset wins. Those of a file come before any of a topic. */
#define LABEL_OFFSET_REPLAYED (-(INT64_C(1) << 62))

/* A row that waits to be scored with the others of its version. */
struct waiting_row {
    const struct event *event;
    uint32_t lane;
    bool repeated;
    bool stored; /* has an entry in the join */
    struct pending_ref ref;
    struct pending known; /* repeated: what was stored */
    size_t at;            /* its vector */
};

struct pipeline {
    struct pipeline_options options;
    const struct schema *schema;
    struct head *head;
    struct epoch *epoch;
    struct runs runs;
    size_t n_dense;
    size_t n_rows, n_vectors;
    bool learns;
    _Atomic size_t champion;             /* of the options' models; others read it */
    uint32_t waits[PIPELINE_MODELS_MAX]; /* the version of each that scoring waits for */
    int64_t boundary_next;               /* the first of the models' */
    int64_t flush_by;                    /* the time by which the rows gathered must be scored */
    struct waiting_row rows[ROWS_MAX];
    double *values; /* ROWS_MAX * n_dense, as extracted */
    float *dense;   /* the same, rounded: what models see */
    struct sparse *sparse;
    size_t n_sparse_used, n_sparse_cap;
    size_t sparse_from[ROWS_MAX + 1];
    struct vector vectors[ROWS_MAX];
    float scores[ROWS_MAX];
    uint32_t scored_by; /* version, of the rows scored last */
    /* Of these: the version on trial, and which of the vectors it scored. */
    uint32_t tried_by;
    bool is_tried[ROWS_MAX];
    size_t tried[ROWS_MAX];
    int64_t look_next; /* the first of the models' trials' */
    struct key128 *keys;
    struct rows rows_out;
    struct buf given; /* items of the example log not yet given to the trainer */
    uint64_t given_n;
    struct pipeline_figures figures;
    struct newest label_delays;
    struct prequential *prequential;
};

/* Appends an item that is no example: begin, put it into the epoch's examples, end. */
size_t pipeline_begin_item(struct pipeline *p);
void pipeline_end_item(struct pipeline *p, size_t from);
/* pipeline_time.c: carries the stream's time on to t: what is due is released, and boundaries
 * before t publish. An event sees what is due at its own instant (inclusive), a label or a tick
 * does not: labels come first. */
enum status pipeline_advance(struct pipeline *p, int64_t t, bool inclusive);
/* An example falls due; arg: the pipeline. */
void pipeline_on_release(void *arg, const struct released *example);
/* pipeline_act.c: from what the head says. */
void pipeline_find_champion(struct pipeline *p);
/* The place of the model among those configured; their number if it is none of them. */
size_t pipeline_find_model(const struct pipeline *p, uint32_t number);
/* For the trainers, which read the log again after a crash. */
enum status pipeline_log_act(struct pipeline *p, const struct act *act, int64_t time);
/* pipeline_contest.c: forgets what nobody will answer, as things are configured now. */
void pipeline_begin_contests(struct pipeline *p);
/* The model is about to publish that version at that boundary: where it may take over, it is
 * compared with the champion. Nothing is gathered. */
enum status pipeline_contest(struct pipeline *p, const struct pipeline_model *model,
                             uint32_t version, int64_t boundary);
/* What the scoring has to know is waited for; and what it need not, taken if it is there. */
enum status pipeline_settle_contests(struct pipeline *p);
enum status pipeline_take_verdicts(struct pipeline *p);
/* pipeline_canary.c: from what the head says. */
void pipeline_begin_trials(struct pipeline *p);
/* A version of model i is published at that boundary. Returns whether it is to be tried: where its
 * scores leave. */
bool pipeline_expect_trial(struct pipeline *p, size_t i, int64_t boundary);
bool pipeline_is_tried(const struct pipeline *p, size_t i);
/* Behind p->scores, by the current model: those of its trial's share. Returns the model on trial,
 * to be released; NULL: there is none. */
const struct model *pipeline_score_share(struct pipeline *p, size_t i);
void pipeline_count_label(struct pipeline *p, const struct released *example);
/* The stream's time is p->look_next: trials are judged, and may end. */
enum status pipeline_look(struct pipeline *p, int64_t time);
/* The trial is over without a verdict. */
void pipeline_drop_trial(struct pipeline *p, size_t i);
/* Another model's scores leave: versions of the one are told from the other's by no number. */
void pipeline_forget_labels(struct pipeline *p);
/* A person wants it rolled back; act->version, act->source: what was on trial, and what serves.
 * ST_ENOTFOUND: there is no trial. */
enum status pipeline_roll_back(struct pipeline *p, struct act *act, size_t i);
/* Examples released so far go to the trainer. */
enum status pipeline_give_examples(struct pipeline *p);
/* pipeline_watch.c: shows what was released, and the vector at `at`, to whom looks for drift. */
void pipeline_watch_release(struct pipeline *p, const struct released *example);
void pipeline_watch_scored(struct pipeline *p, int64_t time, size_t at);
/* pipeline_score.c: a row waits for the others of its version; pipeline_flush() scores them. */
bool pipeline_rows_full(const struct pipeline *p);
void pipeline_gather(struct pipeline *p, const struct waiting_row *row);

#endif
