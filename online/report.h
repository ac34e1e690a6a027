/*
 * online/report.h -- what a replay did, at its end: a table for people, JSON for machines.
 *
 *     struct report report;
 *     report_gather(service, seconds, &pace, &report);
 *     report_print(&report, stderr);
 *     TRY(report_write(&report, "report.json"));
 *
 * The JSON's keys are stable: they are the rows of one table in report.c, and docs/backtest.md
 * lists them.
 */
#ifndef ONLINE_REPORT_H
#define ONLINE_REPORT_H

#include <stdio.h>

#include "base/bytes.h"
#include "base/status.h"
#include "online/contest.h"
#include "online/pace.h"

enum { REPORT_MODELS_MAX = 8, REPORT_TAKEOVERS_MAX = 16 };

/* One of the models. Its quality is that of its published versions at examples that they had not
 * learnt; NaN where there is but one model: the scores are its own then. */
struct report_model {
    const char *name, *kind, *role;
    uint64_t versions;
    double cpu_seconds;
    double auc, average_precision, log_loss, calibration_error;
    uint64_t positives, negatives;
};

/* One model was found to be better than another whose scores left. */
struct report_takeover {
    const char *model;
    struct contest_decision made;
};

/* Figures of one run of the process. What is not known is NaN. */
struct report {
    const char *name;  /* of the pipeline */
    const char *model; /* NULL: nothing scores */
    double wall_seconds, cpu_seconds;
    /* CPU time by thread; the rest is RocksDB's own. */
    double ingest_cpu_seconds, state_cpu_seconds, trainer_cpu_seconds, commit_cpu_seconds;
    struct pace_figures pace; /* NaN: the run was too short */
    uint64_t events, scored, repeated_events, late_events, dead_letters;

    uint64_t labels_applied, labels_corrected, labels_repeated;
    uint64_t labels_early;  /* came before their event */
    uint64_t labels_late;   /* came, or changed, after their example was released */
    uint64_t labels_absent; /* events that nobody labelled in time */

    uint64_t versions, examples_learnt;

    /* Each score against the label that came later, before it was learnt. */
    double auc, average_precision, log_loss, calibration_error;
    uint64_t positives, negatives;

    size_t n_models;
    struct report_model models[REPORT_MODELS_MAX]; /* the champion first */
    size_t n_takeovers;
    struct report_takeover takeovers[REPORT_TAKEOVERS_MAX]; /* the first of the state's life */

    uint64_t memory_peak_bytes;          /* resident */
    uint64_t state_records, state_bytes; /* in memory */
    uint64_t records_evicted, records_fetched;
    uint64_t pending_events; /* waiting for their labels */
    uint64_t pending_bytes;  /* of all of them, their index included */
    uint64_t written_bytes;
};

struct service;

/* After service_run(). seconds: wall time it took; pace: measured meanwhile. */
void report_gather(struct service *service, double seconds, const struct pace_figures *pace,
                   struct report *ret);

/* The table, for people. */
void report_print(const struct report *report, FILE *out);
/* The JSON, to a file ("-": standard output). Failures are written to stderr. ST_EIO. */
STATUS_CHECKED enum status report_write(const struct report *report, const char *path);

/* The same as texts. */
void report_render(const struct report *report, struct buf *ret);
void report_render_json(const struct report *report, struct buf *ret);

#endif
