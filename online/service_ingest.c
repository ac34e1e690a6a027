/* The ingest thread: batches of merged events, as large as what is there. */
#include "base/log.h"
#include "online/service_internal.h"

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

/* The ingest thread is the faster one: woken for each batch it would sleep between any two. */
void service_give_back(struct service *service, struct batch *batch)
{
    ring_push(service->empty, batch);
    if (ring_depth(service->empty) >= BATCHES / 2 || ring_depth(service->full) == 0)
        bell_ring(&service->ingest_bell);
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
    if (st == ST_EAGAIN && !service_asked_to_stop(service))
        return ST_EAGAIN;
    if (st < 0 && st != ST_EEND && st != ST_EAGAIN)
        tell_source_failed(service, st);
    bool end = batch->end = batch->end || st < 0 || service_asked_to_stop(service);
    metric_set(service->metrics.progress, merge_progress(service->merge));
    service->reading = NULL;
    ring_push(service->full, batch);
    return end ? ST_EEND : ST_OK;
}

void *service_ingest_main(void *arg)
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
    service->ingest_cpu = service_thread_cpu();
    service->ingest_ended = true;
    bell_ring(&service->state_bell);
    return NULL;
}
