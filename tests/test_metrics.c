/*
 * Tests of base/metrics.h.
 *
 * Known without running it: sums of what was added, the bucket a value falls into, that a quantile
 * lies in the bucket of the value it stands for, and the text that Prometheus expects, to the byte.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>

#include "base/metrics.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

Test(metrics, counters_add_and_gauges_are_set)
{
    struct metric *counter = metric_counter("c_total", "Help.", NULL, NULL);
    metric_add(counter, 1);
    metric_add(counter, 2.5);
    cr_expect(eq(dbl, metric_value(counter), 3.5));
    struct metric *gauge = metric_gauge("g", "Help.", NULL, NULL);
    metric_set(gauge, 7);
    metric_add(gauge, -9);
    cr_expect(eq(dbl, metric_value(gauge), -2));
}

Test(metrics, the_same_name_and_label_is_the_same_metric)
{
    struct metric *tx = metric_counter("c_total", "Help.", "stream", "tx");
    struct metric *ad = metric_counter("c_total", "Help.", "stream", "ad");
    cr_expect(ne(ptr, tx, ad));
    cr_expect(eq(ptr, metric_counter("c_total", "Other.", "stream", "tx"), tx));
    cr_expect(eq(ptr, metric_find("c_total", "tx"), tx));
    cr_expect(eq(ptr, metric_find("c_total", "ad"), ad));
    cr_expect(eq(ptr, metric_find("c_total", "no"), NULL));
    cr_expect(eq(ptr, metric_find("c_total", NULL), NULL));
    cr_expect(eq(ptr, metric_find("other", NULL), NULL));
}

static void note_label(void *arg, const char *label_value, const struct metric *metric)
{
    char *text = arg;
    sprintf(text + strlen(text), "%s=%g ", label_value ? label_value : "none",
            metric_value(metric));
}

Test(metrics, those_of_one_name_are_listed_in_the_order_they_were_made)
{
    char text[100] = "";
    metric_set(metric_gauge("lag", "Help.", "lane", "b"), 2);
    metric_set(metric_gauge("other", "Help.", NULL, NULL), 3);
    metric_set(metric_gauge("lag", "Help.", "lane", "a"), 1);
    metric_each("lag", note_label, text);
    metric_each("other", note_label, text);
    metric_each("none", note_label, text);
    cr_expect(eq(str, text, "b=2 a=1 none=3 "));
}

Test(metrics, names_are_copied)
{
    char name[] = "n_total", value[] = "one";
    struct metric *metric = metric_counter(name, name, "l", value);
    name[0] = value[0] = 'x';
    cr_expect(eq(ptr, metric_find("n_total", "one"), metric));
}

Test(metrics, no_metric_is_no_mistake)
{
    metric_add(NULL, 1);
    metric_set(NULL, 1);
    metric_record(NULL, 1);
    cr_expect(isnan(metric_value(NULL)));
    cr_expect(isnan(metric_quantile(NULL, 0.5)));
}

Test(metrics, another_type_aborts, .signal = SIGABRT)
{
    metric_counter("c_total", "Help.", NULL, NULL);
    metric_gauge("c_total", "Help.", NULL, NULL);
}

Test(metrics, another_label_aborts, .signal = SIGABRT)
{
    metric_counter("c_total", "Help.", "a", "1");
    metric_counter("c_total", "Help.", "b", "1");
}

/* The bucket's bounds around a value, in seconds: its quantiles lie between them. */
struct bucket_case {
    int64_t us;
    double low, high;
};

ParameterizedTestParameters(metrics, values_fall_into_their_buckets)
{
    static struct bucket_case cases[] = {
        {-5, 0, 1e-6},      {0, 0, 1e-6},         {1, 0, 1e-6},          {2, 1.6e-6, 2.5e-6},
        {10, 6.3e-6, 1e-5}, {11, 1e-5, 1.6e-5},   {40, 2.5e-5, 4e-5},    {41, 4e-5, 6.3e-5},
        {1000000, 0.63, 1}, {100000000, 63, 100}, {100000001, 100, 100}, {INT64_MAX, 100, 100},
    };
    return cr_make_param_array(struct bucket_case, cases, LEN(cases));
}

ParameterizedTest(struct bucket_case *c, metrics, values_fall_into_their_buckets)
{
    struct metric *metric = metric_histogram("h", "Help.", NULL, NULL);
    cr_expect(isnan(metric_quantile(metric, 0.5)));
    metric_record(metric, c->us);
    cr_expect(eq(dbl, metric_value(metric), 1));
    for (double q = 0; q <= 1; q += 0.25) {
        double v = metric_quantile(metric, q);
        cr_expect(v >= c->low * (1 - 1e-12) && v <= c->high * (1 + 1e-12), "%g at %g", v, q);
    }
}

/* Of 1..10000 us each once the quantile q is about q * 10000 us: within a bucket's ratio. */
Test(metrics, quantiles_are_close)
{
    struct metric *metric = metric_histogram("h", "Help.", NULL, NULL);
    for (int us = 1; us <= 10000; us++)
        metric_record(metric, us);
    double last = 0;
    for (double q = 0.05; q < 1; q += 0.05) {
        double v = metric_quantile(metric, q), exact = q * 0.01;
        cr_expect(v > exact / 1.15 && v < exact * 1.15, "%g: %g, not %g", q, v, exact);
        cr_expect(v >= last);
        last = v;
    }
}

Test(metrics, writes_what_prometheus_reads)
{
    metric_add(metric_counter("dead_total", "Lost \\ and\nfound.", "stream", "t\"x\\\n"), 2);
    metric_set(metric_gauge("lag", "Records.", NULL, NULL), 1e6);
    metric_add(metric_counter("dead_total", "ignored", "stream", "ad"), 0.5);
    metric_set(metric_gauge("odd", "Odd.", "at", "a"), NAN);
    metric_set(metric_gauge("odd", "Odd.", "at", "b"), INFINITY);
    metric_set(metric_gauge("odd", "Odd.", "at", "c"), -INFINITY);
    struct buf text = {0};
    metrics_write(&text);
    cr_expect(slice_eq(buf_slice(&text), slice_of("# HELP dead_total Lost \\\\ and\\nfound.\n"
                                                  "# TYPE dead_total counter\n"
                                                  "dead_total{stream=\"t\\\"x\\\\\\n\"} 2\n"
                                                  "dead_total{stream=\"ad\"} 0.5\n"
                                                  "# HELP lag Records.\n"
                                                  "# TYPE lag gauge\n"
                                                  "lag 1000000\n"
                                                  "# HELP odd Odd.\n"
                                                  "# TYPE odd gauge\n"
                                                  "odd{at=\"a\"} NaN\n"
                                                  "odd{at=\"b\"} +Inf\n"
                                                  "odd{at=\"c\"} -Inf\n")),
              "%.*s", (int)text.len, text.data);
    buf_done(&text);
}

Test(metrics, writes_histograms_that_add_up)
{
    struct metric *metric = metric_histogram("wait_seconds", "Wait.", "ring", "in");
    metric_record(metric, 5);
    metric_record(metric, 2000000);
    metric_record(metric, 200000000);
    struct buf text = {0};
    metrics_write(&text);
    buf_byte(&text, '\0');
    static const char *const lines[] = {
        "# TYPE wait_seconds histogram\n",
        "\nwait_seconds_bucket{ring=\"in\",le=\"4e-06\"} 0\n",
        "\nwait_seconds_bucket{ring=\"in\",le=\"6.3e-06\"} 1\n",
        "\nwait_seconds_bucket{ring=\"in\",le=\"1.6\"} 1\n",
        "\nwait_seconds_bucket{ring=\"in\",le=\"2.5\"} 2\n",
        "\nwait_seconds_bucket{ring=\"in\",le=\"100\"} 2\n",
        "\nwait_seconds_bucket{ring=\"in\",le=\"+Inf\"} 3\n",
        "\nwait_seconds_sum{ring=\"in\"} 202.000005\n",
        "\nwait_seconds_count{ring=\"in\"} 3\n",
    };
    for (size_t i = 0; i < LEN(lines); i++)
        cr_expect(strstr(text.data, lines[i]) != NULL, "%s", lines[i]);
    buf_done(&text);
}

Test(metrics, quantiles_since_a_mark_forget_what_was_before)
{
    struct metric *histogram = metric_histogram("h_seconds", "Help.", NULL, NULL);
    struct metric_mark mark = {{0}};
    for (int i = 0; i < 1000; i++)
        metric_record(histogram, 1000000);
    cr_expect(
        eq(dbl, metric_quantile_since(histogram, &mark, 0.5), metric_quantile(histogram, 0.5)));
    metric_mark(histogram, &mark);
    cr_expect(isnan(metric_quantile_since(histogram, &mark, 0.5)));
    for (int i = 0; i < 10; i++)
        metric_record(histogram, 10);
    cr_expect(epsilon_eq(dbl, metric_quantile_since(histogram, &mark, 1.0), 10e-6, 1e-9));
    cr_expect(gt(dbl, metric_quantile(histogram, 0.5), 0.5));
    metric_mark(NULL, &mark);
    cr_expect(isnan(metric_quantile_since(NULL, &mark, 0.5)));
}
