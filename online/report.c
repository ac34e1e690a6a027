#include "online/report.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/number.h"
#include "online/readable.h"
#include "online/rows.h"

static double a_piece(double sum, uint64_t n)
{
    return n > 0 ? sum / (double)n : NAN;
}

static double events_per_second(const struct report *report)
{
    return report->wall_seconds > 0 ? (double)report->events / report->wall_seconds : NAN;
}

static double pending_bytes_each(const struct report *report)
{
    return a_piece((double)report->pending_bytes, report->pending_events);
}

static double written_bytes_each(const struct report *report)
{
    return a_piece((double)report->written_bytes, report->events);
}

/* The table: a name, a figure, and what there is to say of it. */

enum { FIGURE_END = 34 };

__attribute__((format(printf, 4, 5))) static void
put_row(struct buf *ret, const char *name, const char *figure, const char *format, ...)
{
    char remark[256];
    va_list args;
    va_start(args, format);
    vsnprintf(remark, sizeof remark, format, args);
    va_end(args);
    buf_printf(ret, "  %-18s%*s%s%s\n", name, FIGURE_END - 20, figure, *remark ? "   " : "",
               remark);
}

static void put_events(const struct report *report, struct buf *ret)
{
    put_row(ret, "events", readable_count(report->events).text, "%s a second, in %s",
            readable_rate(events_per_second(report)).text,
            readable_span(report->wall_seconds).text);
    put_row(ret, "processor", readable_span(report->cpu_seconds).text,
            "ingest %s, state %s, trainer %s, commit %s",
            readable_span(report->ingest_cpu_seconds).text,
            readable_span(report->state_cpu_seconds).text,
            readable_span(report->trainer_cpu_seconds).text,
            readable_span(report->commit_cpu_seconds).text);
    put_row(ret, "scored", readable_count(report->scored).text,
            "repeated %s, late %s, dead letters %s", readable_count(report->repeated_events).text,
            readable_count(report->late_events).text, readable_count(report->dead_letters).text);
}

static void put_labels(const struct report *report, struct buf *ret)
{
    put_row(ret, "labels", readable_count(report->labels_applied).text,
            "corrected %s, early %s, late %s, repeated %s, absent %s",
            readable_count(report->labels_corrected).text,
            readable_count(report->labels_early).text, readable_count(report->labels_late).text,
            readable_count(report->labels_repeated).text,
            readable_count(report->labels_absent).text);
}

static void put_quality(const struct report *report, struct buf *ret)
{
    put_row(ret, "versions", readable_count(report->versions).text, "learnt from %s examples",
            readable_count(report->examples_learnt).text);
    buf_text(ret, "\n  scores, each judged by the label that came later\n");
    put_row(ret, "AUC", readable_real(report->auc, 4).text, "%s positives, %s negatives",
            readable_count(report->positives).text, readable_count(report->negatives).text);
    put_row(ret, "average precision", readable_real(report->average_precision, 4).text, "%s", "");
    put_row(ret, "log loss", readable_real(report->log_loss, 5).text, "%s", "");
    put_row(ret, "calibration error", readable_real(report->calibration_error, 5).text, "%s", "");
}

static void put_models(const struct report *report, struct buf *ret)
{
    buf_text(ret, "\n  models, each judged at what it had not learnt\n");
    buf_printf(ret, "  %-18s %-6s %-10s %8s %8s %8s %9s %8s\n", "", "kind", "role", "versions",
               "AUC", "avg.pr.", "log loss", "cpu");
    for (size_t i = 0; i < report->n_models; i++) {
        const struct report_model *model = &report->models[i];
        buf_printf(ret, "  %-18s %-6s %-10s %8s %8s %8s %9s %8s\n", model->name, model->kind,
                   model->role, readable_count(model->versions).text,
                   readable_real(model->auc, 4).text,
                   readable_real(model->average_precision, 4).text,
                   readable_real(model->log_loss, 5).text, readable_span(model->cpu_seconds).text);
    }
}

static void put_takeovers(const struct report *report, struct buf *ret)
{
    for (size_t i = 0; i < report->n_takeovers; i++) {
        const struct decision *decision = &report->takeovers[i].made.decision;
        buf_printf(ret, "  %s takes over from %s at %s: AUC %s against %s\n",
                   report->takeovers[i].model, report->takeovers[i].made.champion,
                   readable_time((int64_t)decision->time).text,
                   readable_real(decision->candidate_auc, 4).text,
                   readable_real(decision->champion_auc, 4).text);
    }
}

static void put_sizes(const struct report *report, struct buf *ret)
{
    put_row(ret, "memory", readable_bytes((double)report->memory_peak_bytes).text,
            "resident at its peak");
    put_row(ret, "state", readable_bytes((double)report->state_bytes).text, "%s records",
            readable_count(report->state_records).text);
    put_row(ret, "awaiting labels", readable_count(report->pending_events).text, "%s an event",
            readable_bytes(pending_bytes_each(report)).text);
    put_row(ret, "written", readable_bytes((double)report->written_bytes).text, "%s an event",
            readable_bytes(written_bytes_each(report)).text);
}

void report_render(const struct report *report, struct buf *ret)
{
    buf_printf(ret, "\nreplay of %s\n\n", report->name);
    put_events(report, ret);
    put_labels(report, ret);
    if (report->model)
        put_quality(report, ret);
    if (report->n_models > 1)
        put_models(report, ret);
    put_takeovers(report, ret);
    buf_byte(ret, '\n');
    put_sizes(report, ret);
    buf_byte(ret, '\n');
}

void report_print(const struct report *report, FILE *out)
{
    struct buf text = {0};
    report_render(report, &text);
    fwrite(text.data, 1, text.len, out);
    fflush(out);
    buf_done(&text);
}

/* The JSON: stable keys; what is not known is null. */

enum key_type { KEY_TEXT, KEY_COUNT, KEY_REAL, KEY_TENTHS, KEY_MODELS, KEY_TAKEOVERS, KEY_DERIVED };

static const struct key {
    const char *name;
    enum key_type type;
    size_t at; /* of the field; KEY_DERIVED: unused */
    double (*derive)(const struct report *report);
} keys[] = {
#define KEY(type, field)                                                                           \
    {                                                                                              \
#field, type, offsetof(struct report, field), NULL                                         \
    }
    KEY(KEY_TEXT, name),
    KEY(KEY_TEXT, model),
    KEY(KEY_REAL, wall_seconds),
    KEY(KEY_REAL, cpu_seconds),
    KEY(KEY_REAL, ingest_cpu_seconds),
    KEY(KEY_REAL, state_cpu_seconds),
    KEY(KEY_REAL, trainer_cpu_seconds),
    KEY(KEY_REAL, commit_cpu_seconds),
    KEY(KEY_COUNT, events),
    {"events_per_second", KEY_DERIVED, 0, events_per_second},
    {"cpu_us_per_event_by_tenth", KEY_TENTHS, offsetof(struct report, pace), NULL},
    KEY(KEY_COUNT, scored),
    KEY(KEY_COUNT, repeated_events),
    KEY(KEY_COUNT, late_events),
    KEY(KEY_COUNT, dead_letters),
    KEY(KEY_COUNT, labels_applied),
    KEY(KEY_COUNT, labels_corrected),
    KEY(KEY_COUNT, labels_repeated),
    KEY(KEY_COUNT, labels_early),
    KEY(KEY_COUNT, labels_late),
    KEY(KEY_COUNT, labels_absent),
    KEY(KEY_COUNT, versions),
    KEY(KEY_COUNT, examples_learnt),
    KEY(KEY_REAL, auc),
    KEY(KEY_REAL, average_precision),
    KEY(KEY_REAL, log_loss),
    KEY(KEY_REAL, calibration_error),
    KEY(KEY_COUNT, positives),
    KEY(KEY_COUNT, negatives),
    {"models", KEY_MODELS, 0, NULL},
    {"takeovers", KEY_TAKEOVERS, 0, NULL},
    KEY(KEY_COUNT, memory_peak_bytes),
    KEY(KEY_COUNT, state_records),
    KEY(KEY_COUNT, state_bytes),
    KEY(KEY_COUNT, records_evicted),
    KEY(KEY_COUNT, records_fetched),
    KEY(KEY_COUNT, pending_events),
    {"pending_bytes_per_event", KEY_DERIVED, 0, pending_bytes_each},
    KEY(KEY_COUNT, written_bytes),
    {"written_bytes_per_event", KEY_DERIVED, 0, written_bytes_each},
#undef KEY
};

static void put_real(struct buf *ret, double v)
{
    if (isfinite(v))
        buf_double(ret, v);
    else
        buf_text(ret, "null");
}

static void put_text(struct buf *ret, const char *text)
{
    if (text)
        rows_json_text(ret, slice_of(text));
    else
        buf_text(ret, "null");
}

static void put_tenths(struct buf *ret, const struct pace_figures *pace)
{
    for (int i = 0; i < PACE_TENTHS; i++) {
        buf_text(ret, i > 0 ? ", " : "[");
        put_real(ret, pace->us[i]);
    }
    buf_text(ret, "]");
}

static void put_model(const struct report_model *model, struct buf *ret)
{
    const struct {
        const char *name;
        double value;
    } reals[] = {
        {"auc", model->auc},
        {"average_precision", model->average_precision},
        {"log_loss", model->log_loss},
        {"calibration_error", model->calibration_error},
        {"cpu_seconds", model->cpu_seconds},
    };
    buf_text(ret, "{\"name\": ");
    put_text(ret, model->name);
    buf_text(ret, ", \"kind\": ");
    put_text(ret, model->kind);
    buf_text(ret, ", \"role\": ");
    put_text(ret, model->role);
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
        buf_printf(ret, ", \"%s\": ", reals[i].name);
        put_real(ret, reals[i].value);
    }
    buf_printf(ret, ", \"versions\": %llu, \"positives\": %llu, \"negatives\": %llu}",
               (unsigned long long)model->versions, (unsigned long long)model->positives,
               (unsigned long long)model->negatives);
}

static void put_model_list(const struct report *report, struct buf *ret)
{
    buf_byte(ret, '[');
    for (size_t i = 0; i < report->n_models; i++) {
        buf_text(ret, i > 0 ? ", " : "");
        put_model(&report->models[i], ret);
    }
    buf_byte(ret, ']');
}

static void put_takeover_list(const struct report *report, struct buf *ret)
{
    buf_byte(ret, '[');
    for (size_t i = 0; i < report->n_takeovers; i++) {
        buf_text(ret, i > 0 ? ", {\"model\": " : "{\"model\": ");
        put_text(ret, report->takeovers[i].model);
        buf_text(ret, ", \"champion\": ");
        put_text(ret, report->takeovers[i].made.champion);
        buf_text(ret, ", \"decision\": ");
        decision_render_json(&report->takeovers[i].made.decision, ret);
        buf_byte(ret, '}');
    }
    buf_byte(ret, ']');
}

static void put_value(const struct report *report, const struct key *key, struct buf *ret)
{
    const char *field = (const char *)report + key->at;
    switch (key->type) {
    case KEY_TEXT:
        put_text(ret, *(const char *const *)(const void *)field);
        return;
    case KEY_COUNT:
        buf_int(ret, (int64_t) * (const uint64_t *)(const void *)field);
        return;
    case KEY_REAL:
        put_real(ret, *(const double *)(const void *)field);
        return;
    case KEY_TAKEOVERS:
        put_takeover_list(report, ret);
        return;
    case KEY_MODELS:
        put_model_list(report, ret);
        return;
    case KEY_TENTHS:
        put_tenths(ret, (const struct pace_figures *)(const void *)field);
        return;
    case KEY_DERIVED:
        put_real(ret, key->derive(report));
    }
}

void report_render_json(const struct report *report, struct buf *ret)
{
    enum { N = sizeof keys / sizeof keys[0] };
    buf_text(ret, "{\n");
    for (size_t i = 0; i < N; i++) {
        buf_printf(ret, "  \"%s\": ", keys[i].name);
        put_value(report, &keys[i], ret);
        buf_text(ret, i + 1 < N ? ",\n" : "\n");
    }
    buf_text(ret, "}\n");
}

static enum status complain(const char *path)
{
    fprintf(stderr, "%s: cannot write the report: %s\n", path, strerror(errno));
    return ST_EIO;
}

enum status report_write(const struct report *report, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *out = standard ? stdout : fopen(path, "w");
    if (!out)
        return complain(path);
    struct buf text = {0};
    report_render_json(report, &text);
    bool written = fwrite(text.data, 1, text.len, out) == text.len && fflush(out) == 0;
    buf_done(&text);
    if (!written)
        complain(path);
    if (!standard && fclose(out) != 0 && written) {
        written = false;
        complain(path);
    }
    return written ? ST_OK : ST_EIO;
}
