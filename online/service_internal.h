/*
 * online/service_internal.h -- what the files of the service share. Nobody else includes it.
 *
 * service.c makes it, with service_store.c for the state directory, service_lanes.c for the input
 * and service_resume.c for what is out already. service_threads.c starts and ends its threads:
 * service_ingest.c, service_state.c (with service_memory.c for what the state takes) and
 * service_commit.c. service_metrics.c counts.
 */
#ifndef ONLINE_SERVICE_INTERNAL_H
#define ONLINE_SERVICE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/metrics.h"
#include "base/ring.h"
#include "ingest/retention.h"
#include "online/catch_up.h"
#include "online/drift.h"
#include "online/service.h"
#include "online/staging.h"

enum { BATCHES = 8, BATCH_EVENTS = 512, EPOCHS = 2, LATENCY_SAMPLES = 64 };

#define SERVICE_GAP_HINT                                                                           \
    "records were deleted before they were read: run with --accept-gap to go on without them, or " \
    "put them back"

/* An epoch and when some of its events came in, for event-to-score times. */
struct sealed {
    struct epoch epoch;
    size_t n_samples, seen;
    int64_t samples[LATENCY_SAMPLES];
    uint32_t turn; /* of the state, when it was sealed */
    bool stop;     /* nothing follows */
};

/* Of the delays of labels, by number of service_quantiles. */
enum { SERVICE_QUANTILES = 3 };
extern const double service_quantiles[SERVICE_QUANTILES];

/* Their names and what they mean: service_metrics.c. */
/* Of each, where there are several. */
struct service_model_metrics {
    struct metric *version, *behind, *cpu, *auc, *average_precision, *log_loss, *calibration;
};

/* Of one model's gate; the decisions are counted over all. */
struct service_gate_metrics {
    struct metric *decisions[VERDICTS], *kept_back, *difference, *lower, *psi, *on_trial;
    struct metric *contests[VERDICTS_OF_GATE], *contest_difference; /* where it may take over */
};

struct service_metrics {
    struct metric *events, *scored, *repeated, *late, *dead, *labels[LABEL_OUTCOMES], *released,
        *absent, *corrections, *thinned, *noise, *versions, *version, *model_age, *pending,
        *pending_early, *pending_bytes, *state_records, *state_bytes, *state_held, *outbox,
        *rows_sent, *rows_acked, *rows_refused, *transactions, *transactions_aborted, *commits,
        *commit_time, *commit_bytes, *latency, *ring_batches, *ring_epochs, *ring_examples,
        *evicted, *fetched, *trainer_behind, *trainer_learnt, *trainer_cpu, *auc,
        *average_precision, *log_loss, *calibration, *positives, *negatives, *event_time, *progress,
        *ready, *memory, *cpu, *disk_free, *disk_full, *examples_age, *tenth_score[SCORE_TENTHS],
        *tenth_positive[SCORE_TENTHS], *label_delay[SERVICE_QUANTILES], *moved, *swap_time;
    struct metric **lag; /* a lane */
    struct metric *drift[DRIFT_COLUMNS_MAX];
};

/* What the counters have been told of. */
struct service_counted {
    struct pipeline_figures pipeline;
    struct commit_figures commit;
    uint64_t positives, negatives, evicted, fetched;
    double cpu_seconds;
};

/* A model that learns beside the others: its copies and its trainer. */
struct service_model {
    struct service *service;
    const struct model_settings *settings;
    uint32_t number; /* of the head */
    struct model *learner;
    struct gate *gate;           /* the trainer's; NULL: all is published */
    struct reservoir *reservoir; /* the trainer's; NULL: nothing is learnt again */
    struct noise *noise;         /* the trainer's */
    struct canary_share canary;  /* of its versions on trial */
    struct registry *registry;
    struct trainer *trainer;
    /* Its metrics, and what the counters have been told of. */
    struct service_model_metrics metrics;
    struct service_gate_metrics gate_metrics;
    uint32_t kept_back; /* versions, one after the other */
    struct trainer_figures counted;
};

struct service {
    struct service_options options;
    const struct settings *settings;
    char model_dir[4096];

    /* the state thread's */
    struct state *state;
    struct plan *plan;
    struct layouts *layouts;
    struct join *join;
    struct head head;
    size_t n_models;
    struct service_model models[MODELS_MAX]; /* the champion first */
    struct drift *drift;                     /* NULL: nothing is learnt */
    struct contest *contest;                 /* NULL: nobody takes over */
    struct pipeline *pipeline;
    struct staging *staging;   /* what waits for records; empty while the state is complete */
    struct catch_up *catch_up; /* brings in what a start left behind */
    struct requests *requests; /* NULL: there is no endpoint */
    uint64_t evicted;
    uint32_t *lane_of; /* the head's number of each lane of the merge */
    struct sealed *filling;
    int64_t filling_since;
    uint64_t sweep_floor; /* first epoch whose redo value the running sweep does not cover */
    uint64_t redo_needed; /* as of the last finished sweep */
    uint64_t redo_bytes;  /* since the sweep began */
    int64_t swept_at;
    int64_t metrics_at, metrics_slow_at;
    struct service_counted counted;
    struct retention retention;
    int64_t version_time; /* event time when the version took over; INT64_MIN: unknown */
    uint32_t version_seen;
    bool sweeping;
    bool all_taken; /* the last batch of the input was taken */

    /* the ingest thread's */
    struct merge *merge;
    struct batch *reading; /* being filled; NULL: none */
    pthread_t ingest_thread;
    int64_t lag_at;
    enum status ingest_status;
    _Atomic bool ingest_ended;

    /* the commit thread's */
    struct store *store;
    struct commit *commit;
    pthread_t commit_thread;
    bool sink_rings;       /* the bell, when there are acknowledgements */
    uint64_t rows_refused; /* already said on the log */
    int64_t refused_at;    /* when it was said */
    enum status commit_status;

    /* an act that was asked for: service_act.c */
    pthread_mutex_t act_lock; /* of who asks */
    struct act act;
    enum status act_status;
    uint64_t act_epoch; /* whose commit makes it durable */
    struct bell act_bell;
    _Atomic bool act_asked, state_ended;
    _Atomic uint64_t committed_epoch;

    /* between them */
    struct batch *batches[BATCHES];
    struct ring *full, *empty;
    struct sealed epochs[EPOCHS];
    struct ring *to_commit, *committed;
    struct bell state_bell, ingest_bell, commit_bell;
    /* us of CPU time, told at the threads' ends */
    _Atomic int64_t ingest_cpu, state_cpu, commit_cpu;
    _Atomic uint32_t commits_running;
    _Atomic bool stopping, commit_failed;
    _Atomic bool disk_full; /* commits wait for room */
    struct service_metrics metrics;
};

/* What each thread does at a time, without waiting; a thread is a loop over its step. A program
 * that drives the whole service from one thread (tests/sim/) calls them as it likes, after
 * service_begin(). ST_OK: something was done; ST_EAGAIN: nothing can be done now; ST_EEND: nothing
 * will be again. */
void service_begin(struct service *service);
STATUS_CHECKED enum status service_step_ingest(struct service *service);
/* A batch that was taken, to be filled again. */
void service_give_back(struct service *service, struct batch *batch);
STATUS_CHECKED enum status service_step_state(struct service *service);
STATUS_CHECKED enum status service_step_commit(struct service *service);
/* The commit thread's last act: waits for acknowledgements. */
STATUS_CHECKED enum status service_drain_commit(struct service *service);

/* The threads. What main functions take is the service; the state thread is the caller's. */
void *service_ingest_main(void *service);
void *service_commit_main(void *service);
enum status service_state_main(struct service *service);
int64_t service_thread_cpu(void);
bool service_asked_to_stop(const struct service *service);
void service_begin_epoch(struct service *service, struct sealed *sealed, uint64_t number);

/* One as the settings say; arg: the struct service_model. */
enum status service_make_model(void *model, struct model **ret);

/* Does the act that was asked for, if one was; state thread, between batches. */
STATUS_CHECKED enum status service_take_act(struct service *service);
/* Asks for an act and returns at once; nobody else may be asking. */
void service_post_act(struct service *service, const struct act *act);

/* The budget is exceeded by what has to be swept before it may go: no more is taken until it is. */
bool service_pressed(const struct service *service);
void service_keep_within_budget(struct service *service);
/* Pages go out in shares, so that no epoch is held up; when a sweep is over, the redo values from
 * before it began are needless. */
void service_sweep_share(struct service *service, struct epoch *epoch, int64_t now);

/* Opens the store and recovers the state, or says on the log why not. */
enum status service_open_state(struct service *service);
/* The merge over all sources, each read on from where the last commit left it. */
enum status service_open_lanes(struct service *service);
/* Squares the state directory with what the broker knows of it; after lanes are known and before
 * anything is sent. Failures are logged. */
enum status service_resume(struct service *service);
/* Where input stands, as positions_put() writes it. */
void service_put_positions(const struct service *service, struct buf *ret);

/* Bytes that the disk of the state directory has room for; UINT64_MAX: unknown. */
uint64_t service_disk_left(const struct service *service);

/* Takes champion over. */
STATUS_CHECKED enum status service_make_gate(struct service_model *model, struct model *champion);
/* arg: the struct service_model. */
void service_tell_decision(void *arg, const struct decision *decision);
/* Where models may take over: before their gates are made. */
STATUS_CHECKED enum status service_make_contest(struct service *service);
/* The gate's part in it. */
STATUS_CHECKED enum status service_make_contender(struct service_model *model);
void service_gate_metrics_make(const char *model, struct service_gate_metrics *ret);
void service_gate_metrics_done(const struct service_gate_metrics *metrics);

void service_metrics_init(struct service *service);
/* What is a lane's or a model's is no longer known. Before the merge is freed. */
void service_metrics_done(struct service *service);
/* Brings the metrics up to date; state thread. Returns at once if it did so within the last 100 ms,
 * unless metrics_at is 0. */
void service_metrics_update(struct service *service);
/* The lag of each lane; ingest thread, because the merge is its own. At most five times a second.
 */
void service_metrics_lag(struct service *service);
/* service_drift.c: how far features have moved, by name; makes the metrics, brings a column of them
 * up to date, and forgets them. */
STATUS_CHECKED enum status service_drift_make(struct service *service);
void service_drift_update(struct service *service);
void service_drift_done(struct service *service);
struct metric *service_drift_metric(const char *feature);
/* All metrics but those a lane, without a service: their list is what docs/metrics.md tells of. */
void service_metrics_make(const char *model, struct service_metrics *ret);
/* Those of one of several models. */
void service_model_metrics_make(const char *model, struct service_model_metrics *ret);

#endif
