/* The figures of online/report.h, from the parts of a service that has run. */
#include <math.h>
#include <sys/resource.h>

#include "online/report.h"
#include "online/service.h"

static void gather_events(const struct pipeline_figures *figures, struct report *ret)
{
    ret->events = figures->events;
    ret->scored = figures->scored;
    ret->repeated_events = figures->repeated;
    ret->late_events = figures->late;
    ret->dead_letters = figures->dead;
    ret->labels_applied = figures->labels[LABEL_APPLIED];
    ret->labels_corrected = figures->labels[LABEL_CORRECTED];
    ret->labels_repeated = figures->labels[LABEL_REPEATED];
    ret->labels_early = figures->labels[LABEL_EARLY];
    ret->labels_late = figures->corrections;
    ret->labels_absent = figures->absent;
    ret->versions = figures->boundaries;
}

static void gather_quality(const struct prequential *prequential, struct report *ret)
{
    struct score_figures figures = prequential_figures(prequential);
    ret->auc = figures.auc;
    ret->average_precision = figures.average_precision;
    ret->log_loss = figures.log_loss;
    ret->calibration_error = figures.calibration_error;
    ret->positives = figures.positives;
    ret->negatives = figures.negatives;
}

static void gather_sizes(const struct service_parts *parts, struct report *ret)
{
    struct join_figures join = join_figures(parts->join);
    ret->state_records = state_count(parts->state);
    ret->state_bytes = state_bytes(parts->state);
    ret->records_evicted = parts->evicted;
    ret->records_fetched = parts->fetched;
    ret->pending_events = join.waiting;
    ret->pending_bytes = join.entry_bytes + join.index_bytes;
    ret->written_bytes = commit_figures(parts->commit).bytes_written;
}

static void gather_cpu(struct service_cpu cpu, struct report *ret)
{
    ret->ingest_cpu_seconds = (double)cpu.ingest / 1e6;
    ret->state_cpu_seconds = (double)cpu.state / 1e6;
    ret->trainer_cpu_seconds = (double)cpu.trainer / 1e6;
    ret->commit_cpu_seconds = (double)cpu.commit / 1e6;
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void gather_process(struct report *ret)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    ret->memory_peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
    ret->cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

static const char *role_text(int role)
{
    static const char *const texts[] = {"champion", "challenger", "shadow"};
    return texts[role];
}

static struct report_model gather_model(const struct service_learner *learner, bool judged)
{
    struct score_figures figures = {NAN, NAN, NAN, NAN, 0, 0};
    if (judged)
        figures = trainer_judged(learner->trainer);
    return (struct report_model){.name = learner->settings->name,
                                 .kind = learner->settings->ops->name,
                                 .role = role_text(learner->settings->role),
                                 .versions = learner->version,
                                 .cpu_seconds =
                                     (double)trainer_figures(learner->trainer).busy_us / 1e6,
                                 .auc = figures.auc,
                                 .average_precision = figures.average_precision,
                                 .log_loss = figures.log_loss,
                                 .calibration_error = figures.calibration_error,
                                 .positives = figures.positives,
                                 .negatives = figures.negatives};
}

static void gather_takeovers(struct contest *contest, const struct service_learner *learner,
                             struct report *ret)
{
    struct buf all = {0};
    contest_decisions(contest, learner->number, &all);
    for (size_t at = 0; at < all.len; at += sizeof(struct contest_decision)) {
        struct contest_decision made;
        memcpy(&made, all.data + at, sizeof made);
        if (made.decision.verdict == VERDICT_PROMOTED && ret->n_takeovers < REPORT_TAKEOVERS_MAX)
            ret->takeovers[ret->n_takeovers++] =
                (struct report_takeover){learner->settings->name, made};
    }
    buf_done(&all);
}

void report_gather(struct service *service, double seconds, const struct pace_figures *pace,
                   struct report *ret)
{
    struct service_parts parts = service_parts(service);
    const struct settings *settings = parts.settings;
    *ret = (struct report){.name = settings->name, .wall_seconds = seconds, .pace = *pace};
    if (settings->model)
        ret->model = settings->model->name;
    gather_events(pipeline_figures(parts.pipeline), ret);
    gather_quality(pipeline_prequential(parts.pipeline), ret);
    gather_sizes(&parts, ret);
    gather_process(ret);
    gather_cpu(service_cpu(service), ret);
    if (parts.n_models > 0)
        ret->examples_learnt = trainer_figures(parts.models[0].trainer).examples;
    ret->n_models = parts.n_models;
    for (size_t i = 0; i < parts.n_models; i++)
        ret->models[i] = gather_model(&parts.models[i], parts.n_models > 1);
    for (size_t i = 0; parts.contest && i < parts.n_models; i++)
        gather_takeovers(parts.contest, &parts.models[i], ret);
}
