/* base/metrics_text.c -- metrics in Prometheus text format 0.0.4. */
#include "base/metrics_family.h"

#include <math.h>

#include "base/number.h"

static void write_escaped(struct buf *ret, const char *text, bool quotes)
{
    for (; *text; text++) {
        if (*text == '\n') {
            buf_text(ret, "\\n");
            continue;
        }
        if (*text == '\\' || (quotes && *text == '"'))
            buf_byte(ret, '\\');
        buf_byte(ret, (uint8_t)*text);
    }
}

static void write_number(struct buf *ret, double v)
{
    if (isnan(v))
        buf_text(ret, "NaN");
    else if (isinf(v))
        buf_text(ret, v > 0 ? "+Inf" : "-Inf");
    else if (fabs(v) < 1e15 && v == floor(v))
        buf_int(ret, (int64_t)v);
    else
        buf_double(ret, v);
}

/* NAME{label="value",le="0.1"} VALUE */
static void write_sample(struct buf *ret, const struct family *family, const struct metric *metric,
                         const char *suffix, const char *le, double v)
{
    buf_printf(ret, "%s%s", family->name, suffix);
    if (family->label || le)
        buf_byte(ret, '{');
    if (family->label) {
        buf_printf(ret, "%s=\"", family->label);
        write_escaped(ret, metric->label_value ? metric->label_value : "", true);
        buf_byte(ret, '"');
    }
    if (le)
        buf_printf(ret, "%sle=\"%s\"", family->label ? "," : "", le);
    buf_text(ret, family->label || le ? "} " : " ");
    write_number(ret, v);
    buf_byte(ret, '\n');
}

static void write_histogram(struct buf *ret, const struct family *family,
                            const struct metric *metric)
{
    uint64_t sum = 0;
    for (int i = 0; i <= METRIC_BOUNDS; i++) {
        char le[NUMBER_TEXT_MAX + 1] = "+Inf";
        if (i < METRIC_BOUNDS)
            le[number_from_double(metric_bound(i), le)] = '\0';
        sum += metric_load(&metric->counts[i]);
        write_sample(ret, family, metric, "_bucket", le, (double)sum);
    }
    write_sample(ret, family, metric, "_sum", NULL, (double)metric_load(&metric->value) / 1e6);
    write_sample(ret, family, metric, "_count", NULL, (double)sum);
}

void family_write(const struct family *family, struct buf *ret)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    buf_printf(ret, "# HELP %s ", family->name);
    write_escaped(ret, family->help ? family->help : "", false);
    buf_printf(ret, "\n# TYPE %s %s\n", family->name, types[family->type]);
    for (const struct metric *metric = family->first; metric; metric = metric->next) {
        if (family->type == METRIC_HISTOGRAM)
            write_histogram(ret, family, metric);
        else
            write_sample(ret, family, metric, "", NULL, metric_value(metric));
    }
}
