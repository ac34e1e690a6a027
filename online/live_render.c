/* The frame and the line of online/live.h: pure functions of the figures. */
#include "online/live.h"

#include <math.h>
#include <stdio.h>

#include "base/timefmt.h"
#include "online/readable.h"

/* Rows begin with what they are about; behind it stand cells in columns, as many as fit. */
enum { CELLS_FROM = 11, CELL_MIN = 17, CELLS_A_ROW = 4, TOP_TIME_COLUMNS = 21 };

static struct readable count(double v)
{
    return v >= 0 && v < 1e18 ? readable_count((uint64_t)v) : (struct readable){"-"};
}

static unsigned cell_width(const struct pen *pen)
{
    unsigned width = pen->look.width > CELLS_FROM ? pen->look.width - CELLS_FROM : 0;
    return width / CELLS_A_ROW > CELL_MIN ? width / CELLS_A_ROW : CELL_MIN;
}

static void begin_row(struct pen *pen, const char *about)
{
    pen_text(pen, PEN_PLAIN, " ");
    pen_text(pen, PEN_DIM, about);
    pen_to(pen, CELLS_FROM);
}

/* Moves to the next cell; to the next line where there is none left on this one. */
static void next_cell(struct pen *pen)
{
    unsigned width = cell_width(pen);
    if (pen->at <= CELLS_FROM)
        return;
    unsigned cells = (pen->at - CELLS_FROM + width) / width;
    if (CELLS_FROM + (cells + 1) * width > pen->look.width) {
        pen_end(pen);
        cells = 0;
    }
    pen_to(pen, CELLS_FROM + cells * width);
}

static void put_cell(struct pen *pen, enum pen_style style, const char *name, const char *value)
{
    next_cell(pen);
    pen_text(pen, PEN_DIM, name);
    if (*name)
        pen_text(pen, PEN_PLAIN, " ");
    pen_text(pen, style, value);
}

static void put_count(struct pen *pen, const char *name, double v)
{
    put_cell(pen, PEN_BOLD, name, count(v).text);
}

/* "2018-08-08 12:00:03" */
static void put_time(char text[32], int64_t t)
{
    struct civil c = civil_of(t, NULL);
    snprintf(text, 32, "%04d-%02d-%02d %02d:%02d:%02d", c.year % 10000, c.month, c.day, c.hour,
             c.minute, c.second);
}

static void put_title(struct pen *pen, const struct live_figures *figures)
{
    char time[32] = "no events yet", right[96];
    if (figures->stream_time != INT64_MIN)
        put_time(time, figures->stream_time);
    snprintf(right, sizeof right, "up %s   stream time %s", readable_span(figures->uptime).text,
             time);
    pen_text(pen, PEN_PLAIN, " freshet ");
    pen_foreign(pen, PEN_BOLD, slice_of(figures->name));
    pen_right(pen, PEN_DIM, pen->look.width > 1 ? pen->look.width - 1 : 0, right);
    pen_end(pen);
    pen_end(pen);
}

/* The last minute in as many columns as the rest of the line has, up to one a second. */
static void put_rates(struct pen *pen, const struct live_figures *figures)
{
    unsigned from = CELLS_FROM + cell_width(pen);
    size_t room = pen->look.width > from + 1 ? pen->look.width - from - 1 : 0;
    size_t each = room >= LIVE_SECONDS ? 1 : room >= LIVE_SECONDS / 2 ? 2 : 4, n = 0;
    double values[LIVE_SECONDS];
    /* Groups end at the newest second, so that a peak keeps its shape as it moves left. */
    for (size_t i = figures->n_rates % each; i + each <= figures->n_rates; i += each) {
        double sum = 0;
        for (size_t j = 0; j < each; j++)
            sum += figures->rates[i + j];
        values[n++] = sum / (double)each;
    }
    pen_to(pen, from);
    pen_spark(pen, PEN_CYAN, values, n);
}

static void put_events(struct pen *pen, const struct live_figures *figures)
{
    char rate[64];
    snprintf(rate, sizeof rate, "%s/s", readable_rate(figures->event_rate).text);
    begin_row(pen, "events");
    put_cell(pen, PEN_BOLD, "", rate);
    put_rates(pen, figures);
    pen_end(pen);
    begin_row(pen, "taken");
    put_cell(pen, PEN_BOLD, "", count(figures->events).text);
    put_count(pen, "repeated", figures->repeated);
    put_count(pen, "late", figures->late_events);
    put_cell(pen, figures->dead_letters > 0 ? PEN_RED : PEN_BOLD, "dead",
             count(figures->dead_letters).text);
    pen_end(pen);
}

/* More than five seconds' worth is behind. */
static bool lags(const struct live_figures *figures, double records)
{
    return records > 5 * fmax(figures->event_rate, 1);
}

static void put_lags(struct pen *pen, const struct live_figures *figures)
{
    begin_row(pen, "lag");
    for (size_t i = 0; i < figures->n_lags; i++) {
        const struct live_lag *lag = &figures->lags[i];
        next_cell(pen);
        pen_foreign(pen, PEN_DIM, slice_of(lag->topic));
        pen_text(pen, PEN_PLAIN, " ");
        pen_text(pen, lags(figures, lag->records) ? PEN_YELLOW : PEN_BOLD,
                 count(lag->records).text);
    }
    if (figures->n_lags == 0)
        pen_text(pen, PEN_BOLD, "-");
    pen_end(pen);
}

static void put_delays(struct pen *pen, const struct live_figures *figures)
{
    char rate[64];
    snprintf(rate, sizeof rate, "%s/s", readable_real(figures->commit_rate, 1).text);
    begin_row(pen, "to score");
    put_cell(pen, PEN_BOLD, "p50", readable_delay(figures->score_p50).text);
    put_cell(pen, PEN_BOLD, "p99", readable_delay(figures->score_p99).text);
    pen_end(pen);
    begin_row(pen, "commits");
    put_cell(pen, PEN_BOLD, "", rate);
    put_cell(pen, PEN_BOLD, "p99", readable_delay(figures->commit_p99).text);
    put_count(pen, "outbox", figures->outbox_rows);
    pen_end(pen);
}

static void put_model(struct pen *pen, const struct live_figures *figures)
{
    begin_row(pen, "model");
    next_cell(pen);
    pen_foreign(pen, PEN_BOLD, slice_of(figures->model));
    pen_printf(pen, PEN_BOLD, " v%s", count(figures->version).text);
    put_cell(pen, PEN_BOLD, "age", readable_span(figures->model_age).text);
    put_count(pen, "learnt", figures->learnt);
    put_count(pen, "behind", figures->behind);
    pen_end(pen);
    begin_row(pen, "quality");
    put_cell(pen, PEN_BOLD, "AUC", readable_real(figures->auc, 3).text);
    put_cell(pen, PEN_BOLD, "avg prec", readable_real(figures->average_precision, 3).text);
    put_cell(pen, PEN_BOLD, "log loss", readable_real(figures->log_loss, 4).text);
    put_count(pen, "judged", figures->judged);
    pen_end(pen);
}

static void put_state(struct pen *pen, const struct live_figures *figures)
{
    begin_row(pen, "labels");
    put_count(pen, "joined", figures->labels_joined);
    put_count(pen, "early", figures->labels_early);
    put_count(pen, "late", figures->labels_late);
    put_count(pen, "absent", figures->labels_absent);
    pen_end(pen);
    begin_row(pen, "state");
    put_cell(pen, PEN_BOLD, "", readable_bytes(figures->state_bytes).text);
    put_count(pen, "records", figures->state_records);
    put_count(pen, "waiting", figures->pending);
    put_cell(pen, PEN_BOLD, "memory", readable_bytes(figures->resident_bytes).text);
    pen_end(pen);
}

static void put_top_row(struct pen *pen, const struct top_entry *entry)
{
    char time[32], version[16];
    put_time(time, entry->time);
    snprintf(version, sizeof version, "v%u", (unsigned)entry->version);
    unsigned width = pen->look.width < 100 ? pen->look.width : 100;
    unsigned id_end = width > TOP_TIME_COLUMNS + 10 ? width - TOP_TIME_COLUMNS - 10 : 0;
    pen_text(pen, PEN_PLAIN, " ");
    pen_printf(pen, PEN_BOLD, "%.4f", (double)entry->score);
    pen_to(pen, CELLS_FROM);
    struct slice id = {entry->id, entry->id_len};
    if (id_end > CELLS_FROM && id.len > id_end - CELLS_FROM)
        id.len = id_end - CELLS_FROM;
    pen_foreign(pen, PEN_PLAIN, id);
    pen_to(pen, id_end);
    pen_text(pen, PEN_DIM, time);
    pen_right(pen, PEN_DIM, width > 1 ? width - 1 : 0, version);
    pen_end(pen);
}

static void put_top(struct pen *pen, const struct live_figures *figures)
{
    if (figures->n_top == 0)
        return;
    pen_end(pen);
    pen_text(pen, PEN_DIM, " highest scores of the last minute");
    pen_end(pen);
    for (size_t i = 0; i < figures->n_top; i++)
        put_top_row(pen, &figures->top[i]);
}

/* A frame that is taller than the terminal could not be drawn over. */
static void cut(struct buf *buf, size_t from, unsigned lines)
{
    for (size_t i = from; i < buf->len; i++) {
        if (buf->data[i] == '\n' && --lines == 0) {
            buf->len = i + 1;
            return;
        }
    }
}

void live_render(const struct live_figures *figures, struct look look, struct buf *ret)
{
    struct pen pen = {.out = ret, .look = look};
    size_t from = ret->len;
    put_title(&pen, figures);
    put_events(&pen, figures);
    put_lags(&pen, figures);
    put_delays(&pen, figures);
    if (figures->model[0])
        put_model(&pen, figures);
    put_state(&pen, figures);
    put_top(&pen, figures);
    cut(ret, from, look.height > 2 ? look.height - 1 : 1);
}

static double total_lag(const struct live_figures *figures)
{
    double sum = 0;
    for (size_t i = 0; i < figures->n_lags; i++)
        sum += isnan(figures->lags[i].records) ? 0 : figures->lags[i].records;
    return sum;
}

/* "0.80ms": a line's values hold no blanks. */
static struct readable compact(struct readable text)
{
    char *to = text.text;
    for (const char *from = text.text; *from; from++)
        if (*from != ' ' && *from != ',')
            *to++ = *from;
    *to = '\0';
    return text;
}

/* The highest scores, as id:score; ids are from outside and may hold anything. */
static void put_best(const struct live_figures *figures, struct buf *ret)
{
    enum { SHOWN = 3 };
    for (size_t i = 0; i < figures->n_top && i < SHOWN; i++) {
        const struct top_entry *entry = &figures->top[i];
        buf_text(ret, i > 0 ? "," : " top=");
        for (size_t k = 0; k < entry->id_len; k++)
            buf_byte(ret, entry->id[k] > ' ' && entry->id[k] < 127 ? (uint8_t)entry->id[k] : '?');
        buf_printf(ret, ":%.3f", (double)entry->score);
    }
}

void live_render_line(const struct live_figures *figures, struct buf *ret)
{
    struct civil c = civil_of(figures->now, NULL);
    buf_printf(ret, "%02d:%02d:%02d events=%.0f rate=%s/s score_p50=%s p99=%s", c.hour, c.minute,
               c.second, figures->events, compact(readable_rate(figures->event_rate)).text,
               compact(readable_delay(figures->score_p50)).text,
               compact(readable_delay(figures->score_p99)).text);
    if (figures->model[0])
        buf_printf(ret, " auc=%s version=%.0f", readable_real(figures->auc, 3).text,
                   figures->version);
    buf_printf(ret, " lag=%.0f dead=%.0f", total_lag(figures), figures->dead_letters);
    put_best(figures, ret);
    buf_byte(ret, '\n');
}
