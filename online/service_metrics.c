/* Brings the service's metrics up to date. Their names: service_metric_names.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "online/service_internal.h"

/* Between two looks at figures that cost a few microseconds, and at those that cost more. */
#define UPDATE_US (100 * 1000)
#define SLOW_US   SECOND_US
#define LAG_US    (200 * 1000)

/* A lane of a file is known by the file's last name. */
static struct metric *make_lag(const struct merge *merge, size_t lane)
{
    char name[300];
    struct lane_info info = merge_lane(merge, lane);
    const char *slash = strrchr(info.topic, '/');
    snprintf(name, sizeof name, "%s/%d", slash ? slash + 1 : info.topic, (int)info.partition);
    return metric_gauge("freshet_lag_records",
                        "Records of a partition not yet read; NaN where that is unknown.", "lane",
                        name);
}

static void tell_ring_size(const char *name, size_t size)
{
    metric_set(metric_gauge("freshet_ring_size", "Room of a ring.", "ring", name), (double)size);
}

/* Whose scores leave. */
static const struct service_model *champion(const struct service *service)
{
    for (size_t i = 0; i < service->n_models; i++)
        if (service->models[i].number == service->head.champion)
            return &service->models[i];
    return &service->models[0];
}

static void note_swap(void *arg, int64_t us)
{
    const struct service *service = arg;
    metric_record(service->metrics.swap_time, us);
}

void service_metrics_init(struct service *service)
{
    const struct model_settings *model = service->settings->model;
    size_t n = merge_lanes(service->merge);
    service_metrics_make(model ? model->name : NULL, &service->metrics);
    service->metrics.lag = calloc(n + 1, sizeof *service->metrics.lag);
    for (size_t i = 0; service->metrics.lag && i < n; i++)
        service->metrics.lag[i] = make_lag(service->merge, i);
    tell_ring_size("batches", ring_size(service->full));
    tell_ring_size("epochs", ring_size(service->to_commit));
    for (size_t i = 0; service->n_models > 1 && i < service->n_models; i++)
        service_model_metrics_make(service->models[i].settings->name, &service->models[i].metrics);
    if (service->n_models > 0)
        tell_ring_size("examples", TRAINER_BLOCKS);
    for (size_t i = 0; i < service->n_models; i++)
        registry_watch_swaps(service->models[i].registry, service_clock, note_swap, service);
    service->version_time = INT64_MIN;
    service->version_seen =
        service->n_models > 0 ? registry_version(champion(service)->registry) : 0;
}

/* The names of models are those of this service. */
static void forget_model(const struct service_model_metrics *m)
{
    struct metric *const gauges[] = {m->version,           m->behind,   m->auc,
                                     m->average_precision, m->log_loss, m->calibration};
    for (size_t i = 0; i < sizeof gauges / sizeof gauges[0]; i++)
        metric_set(gauges[i], NAN);
}

void service_metrics_done(struct service *service)
{
    for (size_t i = 0; service->metrics.lag && i < merge_lanes(service->merge); i++)
        metric_set(service->metrics.lag[i], NAN);
    metric_set(service->metrics.version, NAN);
    service_drift_done(service);
    for (size_t i = 0; service->n_models > 1 && i < service->n_models; i++)
        forget_model(&service->models[i].metrics);
    for (size_t i = 0; i < service->n_models; i++)
        service_gate_metrics_done(&service->models[i].gate_metrics);
    free(service->metrics.lag);
    service->metrics.lag = NULL;
}

void service_metrics_lag(struct service *service)
{
    int64_t now = service_clock();
    if (!service->metrics.lag || now - service->lag_at < LAG_US)
        return;
    service->lag_at = now;
    for (size_t i = 0; i < merge_lanes(service->merge); i++) {
        int64_t lag = merge_lag(service->merge, i);
        metric_set(service->metrics.lag[i], lag < 0 ? NAN : (double)lag);
    }
}

/* Counters are told what was added since the last time. */

static void count_events(struct service *service)
{
    const struct service_metrics *m = &service->metrics;
    struct pipeline_figures now = *pipeline_figures(service->pipeline);
    const struct pipeline_figures *seen = &service->counted.pipeline;
    metric_add(m->events, (double)(now.events - seen->events));
    metric_add(m->scored, (double)(now.scored - seen->scored));
    metric_add(m->repeated, (double)(now.repeated - seen->repeated));
    metric_add(m->late, (double)(now.late - seen->late));
    metric_add(m->dead, (double)(now.dead - seen->dead));
    for (size_t i = 0; i < LABEL_OUTCOMES; i++)
        metric_add(m->labels[i], (double)(now.labels[i] - seen->labels[i]));
    metric_add(m->released, (double)(now.released - seen->released));
    metric_add(m->absent, (double)(now.absent - seen->absent));
    metric_add(m->corrections, (double)(now.corrections - seen->corrections));
    metric_add(m->thinned, (double)(now.thinned - seen->thinned));
    metric_add(m->versions, (double)(now.boundaries - seen->boundaries));
    service->counted.pipeline = now;
}

static void count_rows(struct service *service)
{
    const struct service_metrics *m = &service->metrics;
    struct commit_figures now = commit_figures(service->commit);
    const struct commit_figures *seen = &service->counted.commit;
    metric_add(m->rows_sent, (double)(now.rows_sent - seen->rows_sent));
    metric_add(m->rows_acked, (double)(now.rows_acked - seen->rows_acked));
    metric_add(m->rows_refused, (double)(now.rows_refused - seen->rows_refused));
    metric_add(m->transactions, (double)(now.transactions - seen->transactions));
    metric_add(m->transactions_aborted,
               (double)(now.transactions_aborted - seen->transactions_aborted));
    metric_add(m->commit_bytes, (double)(now.bytes_written - seen->bytes_written));
    service->counted.commit = now;
    metric_set(m->outbox, (double)commit_outbox_depth(service->commit));
    metric_set(m->ring_batches, (double)ring_depth(service->full));
    metric_set(m->ring_epochs, (double)ring_depth(service->to_commit));
}

/* Versions take over at multiples of the publication interval: the last one before now is when
 * this one did. */
static void follow_version(struct service *service)
{
    const struct head *head = &service->head;
    int64_t every = champion(service)->settings->publish;
    uint32_t serving = registry_version(champion(service)->registry);
    if (serving != service->version_seen && head->clock != INT64_MIN) {
        service->version_seen = serving;
        int64_t past = head->clock % every;
        service->version_time = head->clock - past - (past < 0 ? every : 0);
    }
    double age = service->version_time == INT64_MIN
                     ? NAN
                     : (double)(head->clock - service->version_time) / SECOND_US;
    metric_set(service->metrics.version, serving);
    metric_set(service->metrics.model_age, age);
}

static void count_model(struct service *service, struct service_model *model, bool scores)
{
    const struct service_metrics *m = &service->metrics;
    struct trainer_figures now = trainer_figures(model->trainer);
    double behind = (double)(service->head.examples_next - now.learnt);
    double cpu = (double)(now.busy_us - model->counted.busy_us) / SECOND_US;
    metric_add(m->trainer_cpu, cpu);
    metric_add(m->noise, (double)(now.set_aside - model->counted.set_aside));
    if (scores) {
        metric_add(m->trainer_learnt, (double)(now.learnt - model->counted.learnt));
        metric_set(m->trainer_behind, behind);
        metric_set(m->examples_age,
                   now.newest_example == INT64_MIN
                       ? NAN
                       : (double)(service->head.clock - now.newest_example) / SECOND_US);
        metric_set(m->ring_examples, (double)now.behind);
    }
    if (model->canary.share > 0)
        metric_set(model->gate_metrics.on_trial, registry_on_trial(model->registry));
    if (service->n_models > 1) {
        metric_set(model->metrics.version, registry_version(model->registry));
        metric_set(model->metrics.behind, behind);
        metric_add(model->metrics.cpu, cpu);
    }
    model->counted = now;
}

static void count_learning(struct service *service)
{
    for (size_t i = 0; i < service->n_models; i++)
        count_model(service, &service->models[i], &service->models[i] == champion(service));
    if (service->n_models > 0)
        follow_version(service);
}

static void measure_state(struct service *service)
{
    const struct service_metrics *m = &service->metrics;
    struct join_figures join = join_figures(service->join);
    metric_set(m->pending, (double)join.waiting);
    metric_set(m->pending_early, (double)join.early);
    metric_set(m->pending_bytes, (double)(join.entry_bytes + join.index_bytes));
    metric_set(m->state_records, (double)state_count(service->state));
    metric_set(m->state_bytes, (double)state_bytes(service->state));
    metric_set(m->state_held, (double)state_held(service->state));
    uint64_t fetched = staging_figures(service->staging).fetched;
    metric_add(m->evicted, (double)(service->evicted - service->counted.evicted));
    metric_add(m->fetched, (double)(fetched - service->counted.fetched));
    service->counted.evicted = service->evicted;
    service->counted.fetched = fetched;
    metric_set(m->event_time,
               service->head.clock == INT64_MIN ? NAN : (double)service->head.clock / SECOND_US);
}

/* Curves over all scores judged so far. */
static void tell_tenths(struct service *service)
{
    struct score_tenth tenths[SCORE_TENTHS];
    prequential_tenths(pipeline_prequential(service->pipeline), tenths);
    for (size_t i = 0; i < SCORE_TENTHS; i++) {
        metric_set(service->metrics.tenth_score[i], tenths[i].score);
        metric_set(service->metrics.tenth_positive[i], tenths[i].ones);
    }
}

static void tell_delays(struct service *service)
{
    const struct newest *delays = pipeline_label_delays(service->pipeline);
    int64_t quantiles[SERVICE_QUANTILES];
    if (newest_quantiles(delays, service_quantiles, SERVICE_QUANTILES, quantiles) == 0)
        return;
    for (size_t i = 0; i < SERVICE_QUANTILES; i++)
        metric_set(service->metrics.label_delay[i], (double)quantiles[i] / SECOND_US);
}

static void judge(struct service *service)
{
    const struct service_metrics *m = &service->metrics;
    struct score_figures now = prequential_figures(pipeline_prequential(service->pipeline));
    metric_set(m->auc, now.auc);
    metric_set(m->average_precision, now.average_precision);
    metric_set(m->log_loss, now.log_loss);
    metric_set(m->calibration, now.calibration_error);
    metric_add(m->positives, (double)(now.positives - service->counted.positives));
    metric_add(m->negatives, (double)(now.negatives - service->counted.negatives));
    tell_tenths(service);
    tell_delays(service);
    service->counted.positives = now.positives;
    service->counted.negatives = now.negatives;
}

static void judge_models(struct service *service)
{
    for (size_t i = 0; service->n_models > 1 && i < service->n_models; i++) {
        const struct service_model_metrics *m = &service->models[i].metrics;
        struct score_figures now = trainer_judged(service->models[i].trainer);
        metric_set(m->auc, now.auc);
        metric_set(m->average_precision, now.average_precision);
        metric_set(m->log_loss, now.log_loss);
        metric_set(m->calibration, now.calibration_error);
    }
}

static double resident_bytes(void)
{
    long long size, resident;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (!statm)
        return NAN;
    int n = fscanf(statm, "%lld %lld", &size, &resident);
    fclose(statm);
    return n == 2 ? (double)resident * (double)sysconf(_SC_PAGESIZE) : NAN;
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void measure_process(struct service *service)
{
    double cpu = cpu_seconds();
    metric_set(service->metrics.memory, resident_bytes());
    metric_add(service->metrics.cpu, cpu - service->counted.cpu_seconds);
    service->counted.cpu_seconds = cpu;
}

void service_metrics_update(struct service *service)
{
    int64_t now = service_clock();
    bool all = service->metrics_at == 0;
    if (!all && now - service->metrics_at < UPDATE_US)
        return;
    service->metrics_at = now;
    count_events(service);
    count_rows(service);
    count_learning(service);
    measure_state(service);
    service_drift_update(service);
    if (!all && now - service->metrics_slow_at < SLOW_US)
        return;
    service->metrics_slow_at = now;
    judge(service);
    judge_models(service);
    measure_process(service);
}
