/* The threads from their start to their end; what each does is in a file of its own. */
#include <assert.h>
#include <time.h>

#include "base/log.h"
#include "online/service_internal.h"

int64_t service_thread_cpu(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

bool service_asked_to_stop(const struct service *service)
{
    return service->stopping || (service->options.stop && *service->options.stop);
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
        service_give_back(service, batch);
    for (bool ended = false; !ended;) { /* the ingest thread may wait for an empty one */
        uint32_t seen = bell_seen(&service->state_bell);
        batch = ring_pop(service->full);
        ended = service->ingest_ended && !batch;
        if (batch)
            service_give_back(service, batch);
        else if (!ended)
            bell_wait(&service->state_bell, seen, 10 * 1000);
    }
    pthread_join(service->ingest_thread, NULL);
}

void service_begin(struct service *service)
{
    struct sealed *first = ring_pop(service->committed);
    assert(first);
    service_begin_epoch(service, first, service->head.epoch + 1);
    service->swept_at = service_clock();
}

static void tell_failed_trainers(const struct service *service)
{
    for (size_t i = 0; i < service->n_models; i++) {
        const struct service_model *model = &service->models[i];
        enum status st = trainer_status(model->trainer);
        if (st < 0)
            log_error("trainer.failed", "model=\"%s\" why=\"%s: %s\"", model->settings->name,
                      status_text(st), trainer_error(model->trainer));
    }
}

enum status service_run(struct service *service)
{
    service_begin(service);
    TRY(staging_start(service->staging));
    TRY(catch_up_start(service->catch_up));
    for (size_t i = 0; i < service->n_models; i++)
        TRY(trainer_start(service->models[i].trainer));
    if (pthread_create(&service->commit_thread, NULL, service_commit_main, service) != 0 ||
        pthread_create(&service->ingest_thread, NULL, service_ingest_main, service) != 0)
        return ST_ENOMEM;
    metric_set(service->metrics.ready, 1);
    int64_t cpu = service_thread_cpu();
    enum status st = service_state_main(service);
    service->state_cpu = service_thread_cpu() - cpu;
    service->state_ended = true;
    if (service->requests)
        requests_close(service->requests);
    if (st == ST_ESTOPPED)
        tell_failed_trainers(service);
    metric_set(service->metrics.ready, 0);
    bool told_to_stop = service_asked_to_stop(service);
    stop_threads(service);
    for (size_t i = 0; i < service->n_models && told_to_stop; i++)
        trainer_cancel(service->models[i].trainer); /* what takes long is not waited for */
    for (size_t i = 0; i < service->n_models; i++)
        trainer_drain(service->models[i].trainer);
    service->metrics_at = 0; /* the last figures, whatever the time */
    service_metrics_update(service);
    if (st == ST_OK)
        st = service->commit_status < 0 ? service->commit_status : service->ingest_status;
    return st;
}

const char *service_health(void *arg, bool *ret_ok)
{
    const struct service *service = arg;
    bool trained = true;
    for (size_t i = 0; i < service->n_models; i++)
        trained = trained && trainer_status(service->models[i].trainer) == ST_OK;
    bool ready = metric_value(service->metrics.ready) > 0;
    *ret_ok = ready && trained && !service->commit_failed && !service->disk_full;
    if (service->commit_failed)
        return "commits fail";
    if (service->disk_full)
        return "the disk is full: commits wait for room";
    if (!trained)
        return "the trainer failed";
    return ready ? "ok" : "not taking input";
}
