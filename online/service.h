/*
 * online/service.h -- the running service: state directory, threads, and the rings between them.
 *
 * `run` and `replay` are the same service with other ends: sources, sink and row format are given.
 *
 *     ingest thread -> full batches -> state thread -> sealed epochs -> commit thread -> sink
 *                   <- empty batches <-             <- empty epochs  <-
 *                                      state thread -> example blocks -> trainer thread
 *
 * The caller's thread is the state thread while service_run() runs.
 *
 *     TRY(service_open(&options, &service));            // recovers; complains on the log
 *     st = service_run(service);                        // until the end, service_stop(), or a
 * failure service_free(service);
 */
#ifndef ONLINE_SERVICE_H
#define ONLINE_SERVICE_H

#include <signal.h>

#include "ingest/lineage.h"
#include "ingest/merge.h"
#include "online/pipeline.h"
#include "online/requests.h"
#include "online/settings.h"

struct service;

struct service_options {
    const struct settings *settings;
    const char *dir;     /* state directory */
    struct store *store; /* instead of the one in dir, for tests; stays the caller's; NULL: none */
    struct merge_options merge;
    struct source *const *sources;
    size_t n_sources;
    struct sink *sink;
    enum rows_format format;
    bool rows_scores, rows_features;
    bool replay;      /* the sources are files */
    bool recorded;    /* the order was recorded, and acts come with it (as with merge.next_run) */
    bool inputs_anew; /* the sources' offsets begin anew (an embedded broker): read them all */
    const volatile sig_atomic_t *stop; /* set: drain, commit and return; NULL: never */
    /* Fences predecessors off, then tells what the broker's group has committed, one a lane; called
     * once, when the state directory is ours alone. NULL: there is nobody to ask. */
    enum status (*resume)(void *arg, struct group_offset *ret);
    void *resume_arg;
    bool after_restore; /* the state may be behind the group: recompute, and keep quiet below it */
    bool accept_gap;    /* where input was deleted before it was read, go on behind the gap */
    void (*on_score)(void *arg, const struct row_score *row);
    void *on_score_arg;
};

/* Opens the state directory, recovers what it holds and starts nothing yet. Failures are logged.
 * Returns ST_EBUSY, ST_ECORRUPT, ST_EVERSION, ST_EINVAL (config), ST_EIO. */
STATUS_CHECKED enum status service_open(const struct service_options *options,
                                        struct service **ret);
void service_free(struct service *service);

STATUS_CHECKED enum status service_run(struct service *service);

/* CPU time of each thread, us, once service_run() is over; RocksDB's and librdkafka's own threads
 * are what the process used beyond these. */
struct service_cpu {
    int64_t ingest, state, trainer, commit;
};
struct service_cpu service_cpu(const struct service *service);

/* For reports and tools, after service_run() or without it. */
struct service_parts {
    struct state *state;
    struct plan *plan;
    struct join *join;
    const struct pipeline *pipeline;
    size_t n_models; /* the configuration's champion first */
    struct service_learner {
        const struct model_settings *settings;
        struct registry *registry;
        struct trainer *trainer;
        struct model *learner;
        uint32_t version; /* published last */
        uint32_t number;  /* of the head */
        const struct canary_share *canary;
    } models[MODELS_MAX];
    const _Atomic size_t *champion; /* of them, whose scores leave; any thread may look */
    struct contest *contest;        /* NULL: nobody takes over */
    const struct head *head;
    struct commit *commit;
    const struct settings *settings;
    struct requests *requests; /* NULL: none were opened */
    uint64_t evicted, fetched; /* records of state */
};
struct service_parts service_parts(struct service *service);
/* Opens questions to the state thread, before service_run(); plan, state, store and bell of the
 * options are filled in here. They are the service's, and closed when service_run() returns. */
STATUS_CHECKED enum status service_open_requests(struct service *service,
                                                 const struct requests_options *options);
/* Monotonic time, us. */
int64_t service_clock(void);
/* Copies the state directory to a new folder while the service runs; see checkpoint.h. Any thread.
 * ST_EINVAL, ST_EIO: error says why. */
STATUS_CHECKED enum status service_checkpoint(struct service *service, const char *to,
                                              struct buf *error);
/* Does an act between two events, for another thread than the service's own, and waits until it is
 * durable; act->version is filled in. ST_ESTOPPED: the service ends, and what was asked may not be
 * done. */
STATUS_CHECKED enum status service_act(struct service *service, struct act *act);
/* From now on the model's scores leave, or, with a version, the model is what that version was; for
 * people: reply tells what came of it. Any thread but the service's own. ST_EINVAL, ST_ENOTFOUND,
 * ST_ECORRUPT: refused, and nothing has changed. */
STATUS_CHECKED enum status service_promote(struct service *service, const char *name,
                                           uint32_t version, struct buf *reply);
/* The model is what the version was that served before the one that serves now. */
STATUS_CHECKED enum status service_rollback(struct service *service, const char *name,
                                            struct buf *reply);
/* For GET /health: a text that says how it is; *ret_ok: whether it is well. */
const char *service_health(void *service, bool *ret_ok);

#endif
