/* The state thread: takes events and seals epochs, as long as the commits keep up. */
#include "online/service_internal.h"

/* An epoch is what arrived while the last commit ran, at most this much of it. */
#define EPOCH_MAX_US (100 * 1000)

/* Places of the table that an epoch looks at for records of features that are gone: well under a
 * millisecond. */
#define EXPIRE_PLACES 8192

static void take_sample(struct sealed *sealed, const struct batch *batch)
{
    if (batch->n == 0)
        return;
    int64_t arrived = batch->events[batch->n - 1].arrived;
    if (sealed->n_samples < LATENCY_SAMPLES)
        sealed->samples[sealed->n_samples++] = arrived;
}

/* What event i will read is loaded in stages while the events before it are taken. The event itself
 * was written by another thread, on another processor. */
static void prefetch(struct service *service, const struct batch *batch, size_t i)
{
    enum { APART = 5, EVENT = (PREFETCH_STAGES + 2) * APART, VALUES = EVENT - APART, LINE = 64 };
    if (i + EVENT < batch->n) {
        const char *event = (const char *)&batch->events[i + EVENT];
        __builtin_prefetch(event);
        __builtin_prefetch(event + LINE);
        __builtin_prefetch(batch->events[i + VALUES].values);
    }
    for (unsigned stage = 0; stage < PREFETCH_STAGES; stage++) {
        size_t at = i + (PREFETCH_STAGES - stage) * APART;
        if (at < batch->n)
            pipeline_prefetch(service->pipeline, &batch->events[at], stage);
    }
}

/* Callers wait no longer than this many events take. */
enum { SERVE_EVERY = 16 };

static void serve_requests(struct service *service)
{
    if (service->requests)
        requests_serve(service->requests, service_clock());
}

static enum status take_batch(struct service *service, const struct batch *batch)
{
    for (size_t i = 0; i < batch->n; i++) {
        const struct event *event = &batch->events[i];
        prefetch(service, batch, i);
        if (i % SERVE_EVERY == 0)
            serve_requests(service);
        bool of_lane = event->kind != EVENT_TICK && event->kind != EVENT_ACT;
        uint32_t lane = of_lane ? service->lane_of[event->origin.lane] : 0;
        TRY(pipeline_take(service->pipeline, event, lane));
    }
    take_sample(service->filling, batch);
    state_turn(service->state);
    TRY(pipeline_flush(service->pipeline));
    return pipeline_take_ready(service->pipeline);
}

void service_begin_epoch(struct service *service, struct sealed *sealed, uint64_t number)
{
    epoch_reset(&sealed->epoch, number);
    sealed->n_samples = 0;
    service->filling = sealed;
    service->filling_since = 0;
    pipeline_set_epoch(service->pipeline, &sealed->epoch);
}

static enum status seal(struct service *service)
{
    struct sealed *sealed = service->filling;
    state_expire_some(service->state, EXPIRE_PLACES);
    TRY(pipeline_seal(service->pipeline));
    service_sweep_share(service, &sealed->epoch, service_clock());
    retention_seal(&service->retention, &sealed->epoch, service->head.clock);
    service_put_positions(service, &sealed->epoch.positions);
    sealed->turn = state_turns(service->state);
    service->commits_running++;
    ring_push(service->to_commit, sealed);
    struct sealed *next;
    while (!(next = ring_pop(service->committed))) {
        uint32_t seen = bell_seen(&service->state_bell);
        if (service->commit_failed)
            return ST_OK;
        if (ring_depth(service->committed) == 0)
            bell_wait(&service->state_bell, seen, -1);
    }
    state_durable(service->state, next->turn);
    service_begin_epoch(service, next, sealed->epoch.number + 1);
    return ST_OK;
}

/* Batches that are there to be taken. */
static size_t backlog(const struct service *service)
{
    return ring_depth(service->full) + staging_depth(service->staging);
}

/* While more input waits, an epoch is not sealed sooner than this: an fsync costs the same for one
 * event as for thousands. */
static int64_t commit_every(const struct service *service)
{
    return service->settings->state.commit_every;
}

static bool may_seal(const struct service *service)
{
    if (service->commits_running > 0)
        return false;
    if (service_pressed(service))
        return true;
    if (epoch_empty(&service->filling->epoch))
        return false;
    return backlog(service) == 0 ||
           service_clock() - service->filling_since >= commit_every(service);
}

/* While a commit takes longer than an epoch may last, no more is taken. */
static bool may_take(const struct service *service)
{
    int64_t most = commit_every(service) > EPOCH_MAX_US ? commit_every(service) : EPOCH_MAX_US;
    return !service_pressed(service) &&
           (service->filling_since == 0 || service->commits_running == 0 ||
            service_clock() - service->filling_since < most);
}

/* The next batch whose records are all in memory, or NULL. */
static enum status next_batch(struct service *service, struct batch **ret)
{
    struct batch *batch;
    *ret = NULL;
    if (!may_take(service))
        return ST_OK;
    if (state_complete(service->state)) {
        *ret = ring_pop(service->full);
        return ST_OK;
    }
    while (!staging_full(service->staging) && (batch = ring_pop(service->full)))
        staging_put(service->staging, batch);
    return staging_take(service->staging, ret);
}

static enum status take_some(struct service *service, struct batch *batch)
{
    TRY(take_batch(service, batch));
    if (service->filling_since == 0 && batch->n > 0)
        service->filling_since = service_clock();
    service->all_taken = service->all_taken || batch->end;
    service_give_back(service, batch);
    return ST_OK;
}

enum status service_step_state(struct service *service)
{
    if (service->commit_failed)
        return ST_EIO;
    struct batch *batch;
    service_keep_within_budget(service);
    serve_requests(service);
    if (!service_pressed(service))
        TRY(catch_up_serve(service->catch_up));
    TRY(service_take_act(service));
    TRY(next_batch(service, &batch));
    if (batch)
        TRY(take_some(service, batch));
    bool sealed = may_seal(service);
    if (sealed)
        TRY(seal(service));
    service_metrics_update(service);
    if (batch || sealed)
        return ST_OK;
    bool done =
        service->all_taken && epoch_empty(&service->filling->epoch) && backlog(service) == 0;
    return done ? ST_EEND : ST_EAGAIN;
}

enum status service_state_main(struct service *service)
{
    for (;;) {
        uint32_t seen = bell_seen(&service->state_bell);
        enum status st = service_step_state(service);
        if (st == ST_EAGAIN)
            bell_wait(&service->state_bell, seen, 100 * 1000);
        else if (st < 0)
            return st == ST_EEND ? ST_OK : st;
    }
}
