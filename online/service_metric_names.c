/* The names of the service's metrics, in one table; docs/metrics.md says what to make of them. */
#include <math.h>
#include <stdio.h>

#include "online/service_internal.h"

enum kind { COUNTER, GAUGE, HISTOGRAM };

static const struct metric_row {
    size_t at; /* in struct service_metrics */
    enum kind kind;
    const char *name, *label, *value, *help;
} rows[] = {
#define ROW(field, kind, name, help)                                                               \
    {                                                                                              \
        offsetof(struct service_metrics, field), kind, name, NULL, NULL, help                      \
    }
#define LABELLED(field, kind, name, label, value, help)                                            \
    {                                                                                              \
        offsetof(struct service_metrics, field), kind, name, label, value, help                    \
    }
    ROW(events, COUNTER, "freshet_events_total", "Events taken, repeated ones included."),
    ROW(scored, COUNTER, "freshet_events_scored_total", "Events scored."),
    ROW(repeated, COUNTER, "freshet_events_repeated_total",
        "Events whose id was seen before: the stored score is sent again."),
    ROW(late, COUNTER, "freshet_events_late_total",
        "Events further behind than time.lateness: scored, not observed."),
    ROW(dead, COUNTER, "freshet_dead_letters_total", "Records that could not be decoded."),
    LABELLED(labels[LABEL_APPLIED], COUNTER, "freshet_labels_total", "outcome", "joined",
             "Labels by what became of them."),
    LABELLED(labels[LABEL_EARLY], COUNTER, "freshet_labels_total", "outcome", "early", ""),
    LABELLED(labels[LABEL_CORRECTED], COUNTER, "freshet_labels_total", "outcome", "corrected", ""),
    LABELLED(labels[LABEL_REPEATED], COUNTER, "freshet_labels_total", "outcome", "repeated", ""),
    ROW(absent, COUNTER, "freshet_labels_absent_total",
        "Events that counted as absent because no label came in time."),
    ROW(released, COUNTER, "freshet_examples_released_total", "Examples released by the join."),
    ROW(corrections, COUNTER, "freshet_examples_corrected_total",
        "Examples released once more because their label came, or changed, after their release."),
    ROW(thinned, COUNTER, "freshet_examples_thinned_total",
        "Negatives that were judged but not learnt (labels.keep_negatives)."),
    ROW(trainer_learnt, COUNTER, "freshet_examples_learnt_total",
        "Items of the example log that the trainer has learnt."),
    ROW(trainer_behind, GAUGE, "freshet_examples_behind",
        "Items of the example log that the trainer has still to learn."),
    ROW(examples_age, GAUGE, "freshet_examples_age_seconds",
        "Event time since the newest example learnt was released."),
    ROW(trainer_cpu, COUNTER, "freshet_trainer_cpu_seconds_total",
        "Processor time of the trainer's thread."),
    ROW(noise, COUNTER, "freshet_noise_set_aside_total",
        "Examples that models took for noise and did not learn."),
    ROW(versions, COUNTER, "freshet_model_versions_total", "Versions published."),
    ROW(model_age, GAUGE, "freshet_model_age_seconds",
        "Event time since the version that scores was published."),
    ROW(auc, GAUGE, "freshet_prequential_auc",
        "Area under the ROC curve of scores judged by later labels."),
    ROW(average_precision, GAUGE, "freshet_prequential_average_precision",
        "Average precision of the same."),
    ROW(log_loss, GAUGE, "freshet_prequential_log_loss", "Mean log loss of the same."),
    ROW(calibration, GAUGE, "freshet_prequential_calibration_error",
        "Mean distance of the same from the share of positives among scores alike."),
    LABELLED(positives, COUNTER, "freshet_prequential_judged_total", "label", "positive",
             "Scores judged."),
    LABELLED(negatives, COUNTER, "freshet_prequential_judged_total", "label", "negative", ""),
    ROW(pending, GAUGE, "freshet_pending_events", "Events within their horizon."),
    ROW(pending_early, GAUGE, "freshet_pending_labels", "Labels that wait for their event."),
    ROW(pending_bytes, GAUGE, "freshet_pending_bytes", "What both take, their index included."),
    ROW(state_records, GAUGE, "freshet_state_records", "Records of state in memory."),
    ROW(state_bytes, GAUGE, "freshet_state_bytes", "What they take."),
    ROW(state_held, GAUGE, "freshet_state_held_records",
        "Records that the start left in the store, though redo values change them."),
    ROW(evicted, COUNTER, "freshet_state_evicted_total",
        "Records let go because state.cache is full; the store has them."),
    ROW(fetched, COUNTER, "freshet_state_fetched_total",
        "Records looked for in the store because they were not in memory, new ones included."),
    ROW(latency, HISTOGRAM, "freshet_event_to_score_seconds",
        "From the poll that brought an event to its score on the way to the sink."),
    ROW(commits, COUNTER, "freshet_commits_total", "Epochs made durable."),
    ROW(commit_time, HISTOGRAM, "freshet_commit_seconds", "Time of one durable write."),
    ROW(swap_time, HISTOGRAM, "freshet_swap_seconds",
        "From a version's switch until nobody scores with the one before it any more."),
    ROW(commit_bytes, COUNTER, "freshet_commit_bytes_total", "Bytes given to durable writes."),
    ROW(outbox, GAUGE, "freshet_outbox_rows", "Durable rows not yet acknowledged."),
    ROW(rows_sent, COUNTER, "freshet_rows_sent_total", "Rows handed to the sink."),
    ROW(rows_acked, COUNTER, "freshet_rows_acknowledged_total", "Rows acknowledged."),
    ROW(rows_refused, COUNTER, "freshet_rows_refused_total",
        "Rows that the broker refused for good; they are parked."),
    ROW(disk_free, GAUGE, "freshet_disk_free_bytes", "Room on the disk of the state directory."),
    ROW(disk_full, GAUGE, "freshet_disk_full",
        "1 while commits wait because less than state.reserve is free."),
    LABELLED(transactions, COUNTER, "freshet_transactions_total", "outcome", "committed",
             "Transactions of delivery: exactly_once."),
    LABELLED(transactions_aborted, COUNTER, "freshet_transactions_total", "outcome", "aborted", ""),
    LABELLED(ring_batches, GAUGE, "freshet_ring_depth", "ring", "batches",
             "What waits in a ring between two threads."),
    LABELLED(ring_epochs, GAUGE, "freshet_ring_depth", "ring", "epochs", ""),
    LABELLED(ring_examples, GAUGE, "freshet_ring_depth", "ring", "examples", ""),
    ROW(event_time, GAUGE, "freshet_event_time_seconds",
        "The stream's time, seconds since 1970-01-01 UTC."),
    ROW(progress, GAUGE, "freshet_replay_progress", "Share of the files that is read, 0 to 1."),
    ROW(ready, GAUGE, "freshet_ready", "1 while input is taken."),
    ROW(moved, GAUGE, "freshet_features_moved",
        "Features whose PSI is above 0.25; NaN while none is known."),
    ROW(memory, GAUGE, "freshet_memory_resident_bytes", "Resident memory of the process."),
    ROW(cpu, COUNTER, "freshet_cpu_seconds_total", "Processor time of the process."),
#undef ROW
#undef LABELLED
};

static struct metric *make(const struct metric_row *row)
{
    switch (row->kind) {
    case COUNTER:
        return metric_counter(row->name, row->help, row->label, row->value);
    case GAUGE:
        return metric_gauge(row->name, row->help, row->label, row->value);
    case HISTOGRAM:
        return metric_histogram(row->name, row->help, row->label, row->value);
    }
    return NULL;
}

/* A process may run one service after another: counters begin anew, and nothing is known. */
static struct metric *make_anew(const struct metric_row *row)
{
    struct metric *metric = make(row);
    metric_set(metric, row->kind == COUNTER ? 0 : NAN);
    return metric;
}

static struct metric *model_gauge(const char *name, const char *help, const char *model)
{
    struct metric *metric = metric_gauge(name, help, "model", model);
    metric_set(metric, NAN);
    return metric;
}

void service_model_metrics_make(const char *model, struct service_model_metrics *ret)
{
    ret->version = model_gauge("freshet_model_version", "The version published last.", model);
    ret->behind = model_gauge("freshet_model_behind",
                              "Items of the example log that the model has still to learn.", model);
    ret->auc = model_gauge("freshet_model_auc",
                           "Area under the ROC curve of the published versions at examples that "
                           "they had not learnt.",
                           model);
    ret->average_precision =
        model_gauge("freshet_model_average_precision", "Average precision of the same.", model);
    ret->log_loss = model_gauge("freshet_model_log_loss", "Mean log loss of the same.", model);
    ret->calibration = model_gauge("freshet_model_calibration_error",
                                   "Mean distance of the same from the share of positives among "
                                   "scores alike.",
                                   model);
    ret->cpu = metric_counter("freshet_model_cpu_seconds_total",
                              "Processor time of the model's trainer.", "model", model);
    metric_set(ret->cpu, 0);
}

static void make_tenths(struct service_metrics *ret)
{
    for (size_t i = 0; i < SCORE_TENTHS; i++) {
        char tenth[8];
        snprintf(tenth, sizeof tenth, "%zu", i + 1);
        ret->tenth_score[i] = metric_gauge(
            "freshet_prequential_tenth_score",
            "Mean score of a tenth of the scores judged, by rising score.", "tenth", tenth);
        ret->tenth_positive[i] = metric_gauge("freshet_prequential_tenth_positive_share",
                                              "Share of positives among the same.", "tenth", tenth);
        metric_set(ret->tenth_score[i], NAN);
        metric_set(ret->tenth_positive[i], NAN);
    }
}

const double service_quantiles[SERVICE_QUANTILES] = {0.5, 0.9, 0.99};

static void make_delays(struct service_metrics *ret)
{
    for (size_t i = 0; i < SERVICE_QUANTILES; i++) {
        char share[16];
        snprintf(share, sizeof share, "%g", service_quantiles[i]);
        ret->label_delay[i] = metric_gauge("freshet_label_delay_seconds",
                                           "Event time from an event to its label, of the newest "
                                           "labels that found their event.",
                                           "share", share);
        metric_set(ret->label_delay[i], NAN);
    }
}

void service_metrics_make(const char *model, struct service_metrics *ret)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        *(struct metric **)(void *)((char *)ret + rows[i].at) = make_anew(&rows[i]);
    metric_set(ret->ready, 0);
    make_tenths(ret);
    make_delays(ret);
    if (model)
        ret->version =
            metric_gauge("freshet_model_version", "The version published last.", "model", model);
    metric_set(metric_gauge("freshet_build_info", "1; the label says the program's version.",
                            "version", FRESHET_VERSION),
               1);
}
