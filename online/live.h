/*
 * online/live.h -- what a person sees of a running service: a view that is redrawn in place, or,
 * where there is no terminal, a plain line every few seconds.
 *
 *     struct live *live = live_start(settings->name, top);
 *     st = service_run(service);
 *     live_stop(live);                       // the last frame stays, the cursor is back
 *
 * A thread of its own reads the metrics twice a second; the service does nothing for it. A frame is
 * a pure function of figures and look, so that tests compare it as text. While the view is on a
 * terminal, log lines are written above it.
 */
#ifndef ONLINE_LIVE_H
#define ONLINE_LIVE_H

#include "base/metrics.h"
#include "online/meter.h"
#include "online/terminal.h"
#include "online/top.h"

struct live;

/* To standard output. top may be NULL. Both must outlive it. NULL if there is no memory for it. */
struct live *live_start(const char *name, struct top *top);
/* NULL is allowed. */
void live_stop(struct live *live);

enum { LIVE_SECONDS = 60, LIVE_LAGS = 8, LIVE_NAME_MAX = 63 };

struct live_lag {
    char topic[LIVE_NAME_MAX + 1];
    double records; /* not yet read */
};

/* Everything shown. NaN is what is not known. */
struct live_figures {
    const char *name;
    double uptime;       /* s */
    int64_t now;         /* wall clock, us; for plain lines */
    int64_t stream_time; /* us; INT64_MIN: nothing came yet */

    double events, event_rate;
    double rates[LIVE_SECONDS]; /* events a second in each of the last seconds, oldest first */
    size_t n_rates;
    double scored, repeated, late_events, dead_letters;
    size_t n_lags; /* topics of which it is known; the last one stands for all others if there are
                      too many */
    struct live_lag lags[LIVE_LAGS];

    double score_p50, score_p99; /* s from event in to score out, of late */
    double commit_rate, commit_p99, outbox_rows;

    char model[LIVE_NAME_MAX + 1]; /* empty: nothing scores */
    double version, model_age;     /* s of event time */
    double learnt, behind;         /* examples that are, and that have still to be */
    double auc, average_precision, log_loss, judged;

    double labels_joined, labels_early, labels_late, labels_absent, pending;
    double state_records, state_bytes, resident_bytes;

    size_t n_top;
    struct top_entry top[TOP_N];
};

/* Appends a frame: whole lines, none wider than the look, at most its height. */
void live_render(const struct live_figures *figures, struct look look, struct buf *ret);
/* Appends the one line, newline included. */
void live_render_line(const struct live_figures *figures, struct buf *ret);

/* A histogram's values of the last 30 to 60 seconds. */
struct live_recent {
    struct metric_mark older, newer;
    double newer_at; /* s, monotonic */
    bool set;
};

/* Where figures come from: metrics by name, with what is remembered to tell rates. */
struct live_source {
    const char *name;
    struct top *top;
    double began; /* s, monotonic */
    struct meter events, commits;
    double rates[LIVE_SECONDS]; /* circular */
    size_t n_rates;             /* that were ever kept */
    double second_at, second_events;
    struct live_recent scoring, committing;
};
/* now: monotonic s; wall: us since 1970. */
void live_read(struct live_source *source, double now, int64_t wall, struct live_figures *ret);

#endif
