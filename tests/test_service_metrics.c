/*
 * Tests of the names of the service's metrics. Three places know them: the table that makes them,
 * the live view that reads them by name, and docs/metrics.md. They must agree, and names follow the
 * conventions of Prometheus (units and _total as suffix).
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/metrics.h"
#include "online/live.h"
#include "online/service_internal.h"

/* Beside the table: made with what only a running service knows. */
static void make_all(struct service_metrics *metrics)
{
    struct service_model_metrics model;
    service_metrics_make("fraud", metrics);
    struct service_gate_metrics gate;
    service_model_metrics_make("fraud", &model);
    service_gate_metrics_make("fraud", &gate);
    service_drift_metric("amount");
    metric_gauge("freshet_ring_size", "", "ring", "batches");
    metric_set(metric_gauge("freshet_lag_records", "", "lane", "transactions/0"), 5);
    metric_set(metric_gauge("freshet_lag_records", "", "lane", "frauds/0"), NAN);
    metric_set(metric_gauge("freshet_lag_records", "", "lane", "transactions/1"), 7);
}

static struct buf read_docs(void)
{
    char path[4096];
    snprintf(path, sizeof path, "%s", __FILE__);
    char *tests = strstr(path, "tests/test_");
    cr_assert(tests != NULL);
    strcpy(tests, "docs/metrics.md");
    FILE *file = fopen(path, "r");
    cr_assert(file != NULL, "%s", path);
    struct buf text = {0};
    buf_reserve(&text, 1 << 20);
    text.len = fread(text.data, 1, (1 << 20) - 1, file);
    fclose(file);
    buf_byte(&text, 0);
    return text;
}

static bool ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n >= m && strcmp(name + n - m, suffix) == 0;
}

/* Calls fn with name and type of each "# TYPE" line of the exposition. */
static size_t each_type(void (*fn)(const char *name, const char *type, void *arg), void *arg)
{
    struct buf text = {0};
    metrics_write(&text);
    buf_byte(&text, 0);
    size_t n = 0;
    for (char *at = text.data; (at = strstr(at, "# TYPE ")); n++) {
        char name[128], type[32];
        cr_assert(eq(int, sscanf(at, "# TYPE %127s %31s", name, type), 2));
        fn(name, type, arg);
        at++;
    }
    buf_done(&text);
    return n;
}

static void check_name(const char *name, const char *type, void *arg)
{
    (void)arg;
    cr_expect(eq(int, strncmp(name, "freshet_", 8), 0), "%s", name);
    cr_expect(eq(int, ends_with(name, "_total"), strcmp(type, "counter") == 0), "%s", name);
    if (strcmp(type, "histogram") == 0)
        cr_expect(ends_with(name, "_seconds"), "%s", name);
}

Test(service_metrics, names_follow_the_conventions)
{
    struct service_metrics metrics = {0};
    make_all(&metrics);
    cr_expect(ge(sz, each_type(check_name, NULL), 40));
}

static void check_documented(const char *name, const char *type, void *arg)
{
    char cell[160];
    snprintf(cell, sizeof cell, "\n| `%s", name);
    char *at = strstr(arg, cell);
    cr_expect(at != NULL, "docs/metrics.md does not tell of %s", name);
    if (!at)
        return;
    char after = at[strlen(cell)];
    cr_expect(after == '`' || after == '{', "docs/metrics.md does not tell of %s", name);
    char *line_end = strchr(at + 1, '\n');
    *line_end = '\0';
    cr_expect(strstr(at, type) != NULL, "docs/metrics.md: %s is a %s", name, type);
    *line_end = '\n';
}

Test(service_metrics, docs_tell_of_each_and_of_no_other)
{
    struct service_metrics metrics = {0};
    make_all(&metrics);
    struct buf docs = read_docs();
    size_t n = each_type(check_documented, docs.data), rows = 0;
    for (char *at = docs.data; (at = strstr(at, "\n| `freshet_")); at++)
        rows++;
    cr_expect(eq(sz, rows, n), "rows in docs/metrics.md, metrics");
    buf_done(&docs);
}

Test(service_metrics, every_field_is_made)
{
    struct service_metrics metrics = {0};
    make_all(&metrics);
    struct metric **fields = (struct metric **)(void *)&metrics;
    size_t n = offsetof(struct service_metrics, lag) / sizeof *fields;
    for (size_t i = 0; i < n; i++)
        cr_expect(fields[i] != NULL, "field %zu of struct service_metrics", i);
}

/* Where one service runs after another, as in `demo`, the second begins at nothing. */
Test(service_metrics, begin_anew_with_each_service)
{
    struct service_metrics m = {0};
    make_all(&m);
    metric_add(m.events, 5);
    metric_set(m.auc, 0.9);
    make_all(&m);
    cr_expect(eq(dbl, metric_value(m.events), 0));
    cr_expect(isnan(metric_value(m.auc)));
}

/* Each figure of the view comes from the metric that is meant: all are given different values. */
Test(service_metrics, live_view_finds_them_by_name)
{
    struct service_metrics m = {0};
    make_all(&m);
    struct metric **fields = (struct metric **)(void *)&m;
    for (size_t i = 0; i < offsetof(struct service_metrics, lag) / sizeof *fields; i++)
        metric_set(fields[i], (double)(100 + i));
    struct live_source source = {.name = "fraud", .began = 1};
    struct live_figures f;
    live_read(&source, 1, 42, &f);
    for (int i = 0; i < 100; i++) {
        metric_record(m.latency, 1000);
        metric_record(m.commit_time, 10000);
    }
    live_read(&source, 3, 42, &f);

    const struct {
        const char *name;
        double shown;
        const struct metric *metric;
    } pairs[] = {
        {"events", f.events, m.events},
        {"scored", f.scored, m.scored},
        {"repeated", f.repeated, m.repeated},
        {"late", f.late_events, m.late},
        {"dead", f.dead_letters, m.dead},
        {"outbox", f.outbox_rows, m.outbox},
        {"version", f.version, m.version},
        {"age", f.model_age, m.model_age},
        {"learnt", f.learnt, m.trainer_learnt},
        {"behind", f.behind, m.trainer_behind},
        {"auc", f.auc, m.auc},
        {"average precision", f.average_precision, m.average_precision},
        {"log loss", f.log_loss, m.log_loss},
        {"joined", f.labels_joined, m.labels[LABEL_APPLIED]},
        {"early", f.labels_early, m.labels[LABEL_EARLY]},
        {"late labels", f.labels_late, m.corrections},
        {"absent", f.labels_absent, m.absent},
        {"pending", f.pending, m.pending},
        {"records", f.state_records, m.state_records},
        {"state bytes", f.state_bytes, m.state_bytes},
        {"memory", f.resident_bytes, m.memory},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        cr_expect(eq(dbl, pairs[i].shown, metric_value(pairs[i].metric)), "%s", pairs[i].name);
    cr_expect(eq(dbl, f.judged, metric_value(m.positives) + metric_value(m.negatives)));
    cr_expect(eq(i64, f.stream_time, (int64_t)(metric_value(m.event_time) * 1e6)));
    cr_expect(epsilon_eq(dbl, f.score_p50, 1e-3, 1e-3));
    cr_expect(epsilon_eq(dbl, f.commit_p99, 1e-2, 1e-2));
    cr_expect(eq(str, f.model, "fraud"));
    cr_expect(eq(dbl, f.uptime, 2));

    cr_assert(eq(sz, f.n_lags, 1), "the other topic's lag is unknown");
    cr_expect(eq(str, f.lags[0].topic, "transactions"));
    cr_expect(eq(dbl, f.lags[0].records, 12));
}

/* Rates of an even stream are even, a pause shows as one, and only the last minute is kept. */
Test(service_metrics, live_view_keeps_the_rates_of_a_minute)
{
    struct service_metrics m = {0};
    make_all(&m);
    struct live_source source = {.began = 10};
    struct live_figures f;
    double before = metric_value(m.events);
    for (int i = 0; i <= 160; i++) { /* twice a second */
        live_read(&source, 10 + i / 2.0, 0, &f);
        cr_expect(eq(sz, f.n_rates, i / 2 < LIVE_SECONDS ? i / 2 : LIVE_SECONDS));
        if (i < 100 || i >= 120)
            metric_add(m.events, 50);
    }
    cr_expect(eq(dbl, metric_value(m.events) - before, 50 * 141));
    for (size_t i = 0; i < LIVE_SECONDS; i++) {
        double second = 20 + (double)i; /* since the start */
        cr_expect(eq(dbl, f.rates[i], second >= 50 && second < 60 ? 0 : 100), "second %g", second);
    }
}

/* What was slow is forgotten within a minute, and what was before the view is not looked at. */
Test(service_metrics, live_view_shows_delays_of_late)
{
    struct service_metrics m = {0};
    make_all(&m);
    struct live_source source = {.began = 100};
    struct live_figures f;
    metric_record(m.latency, 50000000);
    live_read(&source, 100, 0, &f);
    cr_expect(isnan(f.score_p50));
    for (int i = 0; i < 1000; i++)
        metric_record(m.latency, 1000000);
    for (int i = 0; i < 120; i++) {
        live_read(&source, 100 + i, 0, &f);
        cr_expect(eq(int, f.score_p99 > 0.5, i < 60), "second %d", i);
        for (int j = 0; j < 10 && i >= 10; j++)
            metric_record(m.latency, 1000);
    }
    for (int i = 120; i < 200; i++)
        live_read(&source, 100 + i, 0, &f);
    cr_expect(isnan(f.score_p50), "nothing came for a minute");
}

/* Topics that there is no room for are added up under one name. */
Test(service_metrics, live_view_has_room_for_some_topics)
{
    for (int i = 0; i < 20; i++) {
        char lane[32];
        snprintf(lane, sizeof lane, "topic%02d/0", i);
        metric_set(metric_gauge("freshet_lag_records", "", "lane", lane), 1);
    }
    struct live_source source = {.began = 1};
    struct live_figures f;
    live_read(&source, 3, 42, &f);
    cr_assert(eq(sz, f.n_lags, LIVE_LAGS));
    cr_expect(eq(str, f.lags[0].topic, "topic00"));
    cr_expect(eq(str, f.lags[LIVE_LAGS - 1].topic, "others"));
    cr_expect(eq(dbl, f.lags[LIVE_LAGS - 1].records, 20 - (LIVE_LAGS - 1)));
}
