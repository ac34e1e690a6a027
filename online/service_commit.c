/* The commit thread: one durable write an epoch, then its rows. */
#include <inttypes.h>

#include "base/log.h"
#include "online/service_internal.h"

/* After this long without anything to commit, what is acknowledged is written by itself. */
#define IDLE_US (100 * 1000)
/* How long acknowledgements are waited for at a time. */
#define REPORTS_US 1000
/* At the end rows are waited for this long; less where none is acknowledged any more. */
#define DRAIN_US       (30 * SECOND_US)
#define DRAIN_STUCK_US (10 * SECOND_US)
/* How often a full disk is looked at again. */
#define ROOM_US (200 * 1000)

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
    service->committed_epoch = sealed->epoch.number;
    bell_ring(&service->act_bell);
    metric_record(service->metrics.commit_time, service_clock() - begin);
    metric_add(service->metrics.commits, 1);
    TRY(produce(service, 0));
    record_latency(service, sealed);
    return ST_OK;
}

/* A sink that rings does not keep the next epoch waiting. */
static enum status await_reports(struct service *service, uint32_t seen)
{
    if (!service->sink_rings)
        return produce(service, REPORTS_US);
    TRY(produce(service, 0));
    bell_wait(&service->commit_bell, seen, REPORTS_US);
    return ST_OK;
}

/* Looks after acknowledgements where rows are out; sleeps where there is nothing to do. Where there
 * was nothing for a while, rows that are acknowledged leave the store: they would be sent again
 * after a crash. */
static enum status commit_idle(struct service *service, uint32_t seen)
{
    struct commit *commit = service->commit;
    if (commit_outbox_depth(commit) > 0)
        return await_reports(service, seen);
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
        if (service_asked_to_stop(service))
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

static void watch_sink(struct service *service, struct bell *bell)
{
    struct sink *sink = service->options.sink;
    service->sink_rings = sink->ops->watch && sink->ops->watch(sink, bell);
}

void *service_commit_main(void *arg)
{
    struct service *service = arg;
    pthread_setname_np(pthread_self(), "commit");
    watch_sink(service, &service->commit_bell);
    enum status st = commit_loop(service);
    watch_sink(service, NULL);
    service->commit_cpu = service_thread_cpu();
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
