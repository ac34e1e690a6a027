/* The loops of the ingest, state and commit threads, each over steps that do not wait. */
#include <assert.h>
#include <inttypes.h>
#include <time.h>

#include "base/log.h"
#include "online/service_internal.h"

/* An epoch is what arrived while the last commit ran, at most this much of it. */
#define EPOCH_MAX_US (100 * 1000)
/* A sweep of changed pages begins after this much redo, or time if there was any. */
#define SWEEP_REDO_BYTES (UINT64_C(512) << 20)
#define SWEEP_EVERY_US   (30 * SECOND_US)
/* After this long without anything to commit, what is acknowledged is written by itself. */
#define IDLE_US (100 * 1000)
/* At the end rows are waited for this long; less where none is acknowledged any more. */
#define DRAIN_US       (30 * SECOND_US)
#define DRAIN_STUCK_US (10 * SECOND_US)
/* How often a full disk is looked at again. */
#define ROOM_US (200 * 1000)
/* What may go is what was swept, so a small working set is swept sooner. */
#define SWEEP_CACHE_PART 32
#define SWEEP_REDO_LEAST (UINT64_C(4) << 20)
/* A share of a sweep on which input waits. */
#define SWEEP_SHARE_PRESSED (16u << 20)
/* Places of the table that an epoch looks at for records of features that are gone: well under a
 * millisecond. */
#define EXPIRE_PLACES 8192

static int64_t thread_cpu(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

static bool asked_to_stop(const struct service *service)
{
    return service->stopping || (service->options.stop && *service->options.stop);
}

/* Ingest: batches of merged events, as large as what is there. */

static void tell_source_failed(struct service *service, enum status st)
{
    bool recorded = service->options.merge.next_run;
    service->ingest_status = st;
    log_error("source.failed", "why=\"%s: %s\" hint=\"%s\"", status_text(st),
              merge_error(service->merge),
              st != ST_ENOTFOUND ? "start it again"
              : recorded         ? "begin at a checkpoint from after it"
                                 : SERVICE_GAP_HINT);
}

enum status service_step_ingest(struct service *service)
{
    if (!service->reading) {
        service->reading = ring_pop(service->empty);
        if (!service->reading)
            return ST_EAGAIN;
        batch_reset(service->reading);
    }
    struct batch *batch = service->reading;
    enum status st = merge_fill(service->merge, batch, service_clock());
    service_metrics_lag(service);
    if (st == ST_EAGAIN && !asked_to_stop(service))
        return ST_EAGAIN;
    if (st < 0 && st != ST_EEND && st != ST_EAGAIN)
        tell_source_failed(service, st);
    bool end = batch->end = batch->end || st < 0 || asked_to_stop(service);
    metric_set(service->metrics.progress, merge_progress(service->merge));
    service->reading = NULL;
    ring_push(service->full, batch);
    return end ? ST_EEND : ST_OK;
}

static void *ingest(void *arg)
{
    struct service *service = arg;
    pthread_setname_np(pthread_self(), "ingest");
    for (;;) {
        uint32_t seen = bell_seen(&service->ingest_bell);
        enum status st = service_step_ingest(service);
        if (st == ST_EEND)
            break;
        if (st == ST_EAGAIN && service->reading)
            merge_wait(service->merge, 20 * 1000);
        else if (st == ST_EAGAIN)
            bell_wait(&service->ingest_bell, seen, -1);
    }
    service->ingest_cpu = thread_cpu();
    service->ingest_ended = true;
    bell_ring(&service->state_bell);
    return NULL;
}

/* Commit: one durable write an epoch, then its rows. */

static void record_latency(struct service *service, const struct sealed *sealed)
{
    int64_t now = service_clock();
    for (size_t i = 0; i < sealed->n_samples; i++)
        metric_record(service->metrics.latency, now - sealed->samples[i]);
}

static void commit_done(struct service *service, struct sealed *sealed)
{
    ring_push(service->committed, sealed);
    service->commits_running--;
    bell_ring(&service->state_bell);
}

/* Nobody may overlook these, but where all are refused not each can have a line. */
static void tell_refused(struct service *service)
{
    struct commit_figures figures = commit_figures(service->commit);
    int64_t now = service_clock();
    if (figures.rows_refused == service->rows_refused || now - service->refused_at < SECOND_US)
        return;
    log_error("rows.parked",
              "rows=%" PRIu64 " why=\"%s\" hint=\"freshet state list --parked shows them\"",
              figures.rows_refused - service->rows_refused, commit_refusal(service->commit));
    service->rows_refused = figures.rows_refused;
    service->refused_at = now;
}

static enum status produce(struct service *service, int64_t timeout_us)
{
    TRY(commit_produce(service->commit, timeout_us));
    tell_refused(service);
    return ST_OK;
}

static enum status commit_one(struct service *service, struct sealed *sealed)
{
    int64_t begin = service_clock();
    TRY(commit_write(service->commit, &sealed->epoch));
    metric_record(service->metrics.commit_time, service_clock() - begin);
    metric_add(service->metrics.commits, 1);
    TRY(produce(service, 0));
    record_latency(service, sealed);
    return ST_OK;
}

/* Looks after acknowledgements where rows are out; sleeps where there is nothing to do. Where there
 * was nothing for a while, rows that are acknowledged leave the store: they would be sent again
 * after a crash. */
static enum status commit_idle(struct service *service, uint32_t seen)
{
    struct commit *commit = service->commit;
    if (commit_outbox_depth(commit) > 0)
        return produce(service, 1000);
    bool settled = !commit_unsettled(commit) && !commit_untidy(commit) &&
                   commit_figures(commit).rows_refused == service->rows_refused;
    bell_wait(&service->commit_bell, seen, settled ? -1 : IDLE_US);
    if (bell_seen(&service->commit_bell) != seen)
        return ST_OK;
    if (commit_untidy(commit))
        TRY(commit_tidy(commit));
    return produce(service, 0);
}

/* The last rows are waited for, but not for ever: they are durable and will be sent again. */
enum status service_drain_commit(struct service *service)
{
    int64_t begin = service_clock(), moved = begin;
    uint64_t before = commit_outbox_depth(service->commit), depth;
    while (
        ((depth = commit_outbox_depth(service->commit)) > 0 || commit_unsettled(service->commit)) &&
        service_clock() - begin < DRAIN_US && service_clock() - moved < DRAIN_STUCK_US) {
        moved = depth < before ? service_clock() : moved;
        before = depth;
        TRY(produce(service, 10 * 1000));
    }
    return commit_tidy(service->commit);
}

enum status service_step_commit(struct service *service)
{
    struct sealed *sealed = commit_ready(service->commit) ? ring_pop(service->to_commit) : NULL;
    if (!sealed)
        return ST_EAGAIN;
    if (sealed->stop)
        return ST_EEND;
    TRY(commit_one(service, sealed));
    commit_done(service, sealed);
    return ST_OK;
}

/* A RocksDB whose disk is full ends the process, or takes nothing more until it is opened anew: it
 * must not come to that. Below the reserve no epoch is written, and so nothing is acknowledged nor
 * read on. */
static bool has_room(struct service *service)
{
    uint64_t left = service_disk_left(service);
    metric_set(service->metrics.disk_free, (double)left);
    return left >= (uint64_t)service->settings->state.reserve;
}

static void set_disk_full(struct service *service, bool full)
{
    service->disk_full = full;
    metric_set(service->metrics.disk_full, full);
    if (full)
        log_error("disk.full",
                  "dir=\"%s\" why=\"less than state.reserve is free\" "
                  "hint=\"make room: nothing is lost, input is read on when there is\"",
                  service->options.dir);
    else
        log_info("disk.room", "dir=\"%s\"", service->options.dir);
}

/* What is durable is sent meanwhile. */
static enum status wait_for_room(struct service *service)
{
    if (has_room(service) || service->commits_running == 0)
        return ST_OK;
    set_disk_full(service, true);
    while (!has_room(service)) {
        if (asked_to_stop(service))
            return ST_ESTOPPED;
        uint32_t seen = bell_seen(&service->commit_bell);
        TRY(produce(service, 0));
        bell_wait(&service->commit_bell, seen, ROOM_US);
    }
    set_disk_full(service, false);
    return ST_OK;
}

static enum status commit_loop(struct service *service)
{
    for (;;) {
        uint32_t seen = bell_seen(&service->commit_bell);
        TRY(wait_for_room(service));
        enum status st = service_step_commit(service);
        if (st == ST_EEND)
            return service_drain_commit(service);
        if (st == ST_EAGAIN)
            st = commit_idle(service, seen);
        if (st < 0)
            return st;
    }
}

static void *commit_main(void *arg)
{
    struct service *service = arg;
    pthread_setname_np(pthread_self(), "commit");
    enum status st = commit_loop(service);
    service->commit_cpu = thread_cpu();
    if (st < 0) {
        log_error("commit.failed",
                  "why=\"%s: %s\" hint=\"what was not committed is read again at the next start\"",
                  status_text(st),
                  service->disk_full ? "the disk is full" : commit_error(service->commit));
        service->commit_status = st;
        service->commit_failed = true;
        bell_ring(&service->state_bell);
    }
    return NULL;
}

/* State. */

static void take_sample(struct sealed *sealed, const struct batch *batch)
{
    if (batch->n == 0)
        return;
    int64_t arrived = batch->events[batch->n - 1].arrived;
    if (sealed->n_samples < LATENCY_SAMPLES)
        sealed->samples[sealed->n_samples++] = arrived;
}

/* What event i will read is loaded in stages while the events before it are taken. */
static void prefetch(struct service *service, const struct batch *batch, size_t i)
{
    enum { APART = 5 };
    for (unsigned stage = 0; stage < PREFETCH_STAGES; stage++) {
        size_t at = i + (PREFETCH_STAGES - stage) * APART;
        if (at < batch->n)
            pipeline_prefetch(service->pipeline, &batch->events[at], stage);
    }
}

static enum status take_batch(struct service *service, const struct batch *batch)
{
    for (size_t i = 0; i < batch->n; i++) {
        const struct event *event = &batch->events[i];
        prefetch(service, batch, i);
        uint32_t lane = event->kind == EVENT_TICK ? 0 : service->lane_of[event->origin.lane];
        TRY(pipeline_take(service->pipeline, event, lane));
    }
    take_sample(service->filling, batch);
    state_turn(service->state);
    return pipeline_flush(service->pipeline);
}

/* Memory. */

static size_t budget(const struct service *service)
{
    return (size_t)service->settings->state.cache;
}

/* The budget is exceeded by what has to be swept before it may go: no more is taken until it is. */
static bool pressed(const struct service *service)
{
    return state_bytes(service->state) > budget(service) &&
           (state_unswept(service->state) > 0 || service->commits_running > 0);
}

static void keep_within_budget(struct service *service)
{
    if (state_bytes(service->state) > budget(service))
        service->evicted += state_evict(service->state, budget(service) / 16 * 15);
}

static bool sweep_is_due(const struct service *service, int64_t now)
{
    uint64_t most = SWEEP_REDO_BYTES;
    if (!state_complete(service->state) && budget(service) / SWEEP_CACHE_PART < most)
        most = budget(service) / SWEEP_CACHE_PART;
    if (most < SWEEP_REDO_LEAST)
        most = SWEEP_REDO_LEAST;
    return service->redo_bytes > most || pressed(service) ||
           (service->redo_bytes > 0 && now - service->swept_at > SWEEP_EVERY_US);
}

/* Pages go out in shares, so that no epoch is held up; when a sweep is over, the redo values from
 * before it began are needless. */
static void sweep_share(struct service *service, struct epoch *epoch, int64_t now)
{
    service->redo_bytes += epoch->redo.len;
    state_take_drops(service->state, &epoch->pages); /* before pages of records made again */
    if (!service->sweeping && sweep_is_due(service, now)) {
        state_sweep_begin(service->state);
        service->sweeping = true;
        service->swept_at = now;
        service->redo_bytes = 0;
        service->sweep_floor = epoch->number + 1;
    }
    size_t share = pressed(service) ? SWEEP_SHARE_PRESSED : 2 * epoch->redo.len + 65536;
    if (service->sweeping && !state_sweep_some(service->state, share, &epoch->pages)) {
        service->sweeping = false;
        service->redo_needed = service->sweep_floor;
    }
    /* Epochs written after the sweep's last share may drop them; this one still holds its pages. */
    epoch->redo_needed = service->redo_needed;
}

static void begin_epoch(struct service *service, struct sealed *sealed, uint64_t number)
{
    epoch_reset(&sealed->epoch, number);
    sealed->n_samples = 0;
    service->filling = sealed;
    service->filling_since = 0;
    pipeline_set_epoch(service->pipeline, &sealed->epoch);
}

static void seal(struct service *service)
{
    struct sealed *sealed = service->filling;
    state_expire_some(service->state, EXPIRE_PLACES);
    pipeline_seal(service->pipeline);
    sweep_share(service, &sealed->epoch, service_clock());
    retention_seal(&service->retention, &sealed->epoch, service->head.clock);
    service_put_positions(service, &sealed->epoch.positions);
    sealed->turn = state_turns(service->state);
    service->commits_running++;
    ring_push(service->to_commit, sealed);
    struct sealed *next;
    while (!(next = ring_pop(service->committed))) {
        uint32_t seen = bell_seen(&service->state_bell);
        if (service->commit_failed)
            return;
        if (ring_depth(service->committed) == 0)
            bell_wait(&service->state_bell, seen, -1);
    }
    state_durable(service->state, next->turn);
    begin_epoch(service, next, sealed->epoch.number + 1);
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
    if (pressed(service))
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
    return !pressed(service) && (service->filling_since == 0 || service->commits_running == 0 ||
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
    ring_push(service->empty, batch);
    return ST_OK;
}

enum status service_step_state(struct service *service)
{
    if (service->commit_failed)
        return ST_EIO;
    struct batch *batch;
    keep_within_budget(service);
    TRY(next_batch(service, &batch));
    if (batch)
        TRY(take_some(service, batch));
    bool sealed = may_seal(service);
    if (sealed)
        seal(service);
    service_metrics_update(service);
    if (batch || sealed)
        return ST_OK;
    bool done =
        service->all_taken && epoch_empty(&service->filling->epoch) && backlog(service) == 0;
    return done ? ST_EEND : ST_EAGAIN;
}

static enum status state_loop(struct service *service)
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

static void stop_threads(struct service *service)
{
    static struct sealed stop = {.stop = true};
    service->stopping = true;
    while (service->commits_running > 0 && !service->commit_failed) {
        uint32_t seen = bell_seen(&service->state_bell);
        if (service->commits_running > 0 && !service->commit_failed)
            bell_wait(&service->state_bell, seen, -1);
    }
    if (!service->commit_failed)
        ring_push(service->to_commit, &stop);
    pthread_join(service->commit_thread, NULL);
    struct batch *batch;
    while ((batch = staging_give_up(service->staging)))
        ring_push(service->empty, batch);
    for (bool ended = false; !ended;) { /* the ingest thread may wait for an empty one */
        uint32_t seen = bell_seen(&service->state_bell);
        batch = ring_pop(service->full);
        ended = service->ingest_ended && !batch;
        if (batch)
            ring_push(service->empty, batch);
        else if (!ended)
            bell_wait(&service->state_bell, seen, 10 * 1000);
    }
    pthread_join(service->ingest_thread, NULL);
}

void service_begin(struct service *service)
{
    struct sealed *first = ring_pop(service->committed);
    assert(first);
    begin_epoch(service, first, service->head.epoch + 1);
    service->swept_at = service_clock();
}

enum status service_run(struct service *service)
{
    service_begin(service);
    TRY(staging_start(service->staging));
    if (service->trainer)
        TRY(trainer_start(service->trainer));
    if (pthread_create(&service->commit_thread, NULL, commit_main, service) != 0 ||
        pthread_create(&service->ingest_thread, NULL, ingest, service) != 0)
        return ST_ENOMEM;
    metric_set(service->metrics.ready, 1);
    int64_t cpu = thread_cpu();
    enum status st = state_loop(service);
    service->state_cpu = thread_cpu() - cpu;
    if (st == ST_ESTOPPED && service->trainer)
        log_error("trainer.failed", "why=\"%s: %s\"", status_text(trainer_status(service->trainer)),
                  trainer_error(service->trainer));
    metric_set(service->metrics.ready, 0);
    stop_threads(service);
    if (service->trainer)
        trainer_drain(service->trainer);
    service->metrics_at = 0; /* the last figures, whatever the time */
    service_metrics_update(service);
    if (st == ST_OK)
        st = service->commit_status < 0 ? service->commit_status : service->ingest_status;
    return st;
}
