/*
 * base/metrics.h -- counters, gauges and histograms, readable by any thread, in Prometheus form.
 *
 * The registry is one of the few globals. Metrics are made at start, live for the process, and are
 * updated with relaxed atomics: one add, no lock, from any thread.
 *
 *     struct metric *dead = metric_counter("freshet_dead_letters_total",
 *                                          "Records that could not be decoded.", "stream", "tx");
 *     metric_add(dead, 1);
 *     metrics_write(&buf);      // the text of GET /metrics
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdint.h>

#include "base/bytes.h"

struct metric;

/* Finds or makes a metric. Names, help and label are copied; label NULL: none. Asking again for
 * the same name and label value gives the same metric. Aborts on a name used with another type or
 * label, and where there is no memory. */
struct metric *metric_counter(const char *name, const char *help, const char *label,
                              const char *label_value);
struct metric *metric_gauge(const char *name, const char *help, const char *label,
                            const char *label_value);
/* Values in seconds, from 1 us to 100 s, buckets of ratio 10^(1/5). Recording takes microseconds.
 */
struct metric *metric_histogram(const char *name, const char *help, const char *label,
                                const char *label_value);

/* metric NULL does nothing in all of these, so that parts can be built without metrics. */
void metric_add(struct metric *metric, double v);
void metric_set(struct metric *metric, double v);
void metric_record(struct metric *metric, int64_t us);

/* Of a histogram: how many values it has. NaN for NULL. */
double metric_value(const struct metric *metric);
/* Approximate quantile q in [0, 1] of a histogram, in seconds; NaN while empty. */
double metric_quantile(const struct metric *metric, double q);
/* What a histogram had counted at one moment; {0}: nothing. */
enum { METRIC_BUCKETS = 42 };
struct metric_mark {
    uint64_t counts[METRIC_BUCKETS];
};
void metric_mark(const struct metric *metric, struct metric_mark *ret);
/* The quantile of what was recorded since the mark; NaN if nothing was. */
double metric_quantile_since(const struct metric *metric, const struct metric_mark *mark, double q);
/* Finds one by name and label value (NULL: none); NULL if there is none. */
struct metric *metric_find(const char *name, const char *label_value);
/* Calls fn for each metric of that name, in the order they were made; label_value NULL: it has
 * none. fn must make no metrics. */
void metric_each(const char *name,
                 void (*fn)(void *arg, const char *label_value, const struct metric *metric),
                 void *arg);

/* Appends all of them in Prometheus text format 0.0.4. */
void metrics_write(struct buf *ret);

#endif
