#include "online/stl_plot.h"

#include <math.h>

enum { WIDTH = 960, LEFT = 84, RIGHT = 40, TOP = 44, HEIGHT = 130, APART = 20, BOTTOM = 58 };
enum { PLOT_WIDTH = WIDTH - LEFT - RIGHT, POINTS_MAX = 4000, TICKS = 4, TICKS_X = 7 };

struct panel {
    const char *title;
    const double *y;
    size_t n;
    const double *ahead; /* what follows, or NULL */
    size_t n_ahead;
    bool bars;
    double low, high; /* of its scale */
    double top;
};

static void stretch(struct panel *panel, const double *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(y[i]))
            continue;
        panel->low = fmin(panel->low, y[i]);
        panel->high = fmax(panel->high, y[i]);
    }
}

static void fit_scale(struct panel *panel)
{
    panel->low = panel->bars ? 0 : INFINITY;
    panel->high = panel->bars ? 0 : -INFINITY;
    stretch(panel, panel->y, panel->n);
    stretch(panel, panel->ahead, panel->n_ahead);
    if (!(panel->low <= panel->high))
        panel->low = panel->high = 0;
    double room = 0.06 * (panel->high - panel->low);
    if (!(room > 1e-9 * fmax(fabs(panel->high), fabs(panel->low)))) /* flat, but for rounding */
        room = fmax(0.5 * fabs(panel->high), 1e-300);
    panel->low -= room;
    panel->high += room;
}

static double place_x(size_t i, size_t n)
{
    return LEFT + PLOT_WIDTH * (double)i / (double)(n > 1 ? n - 1 : 1);
}

static double place_y(const struct panel *panel, double v)
{
    return panel->top + HEIGHT * (panel->high - v) / (panel->high - panel->low);
}

/* 1, 2 or 5 times a power of ten. */
static double nice_step(double range, int ticks)
{
    double raw = range / ticks, power = pow(10, floor(log10(raw))), part = raw / power;
    return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

static void put_text(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '<' || c == '>' || c == '&')
            buf_printf(out, "&#%d;", c);
        else
            buf_byte(out, c < ' ' ? ' ' : c);
    }
}

static void put_tick(struct buf *out, const struct panel *panel, double v, double step)
{
    double y = place_y(panel, v), magnitude = fmax(fabs(panel->low), fabs(panel->high));
    int decimals = step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
    buf_printf(out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT,
               LEFT + PLOT_WIDTH, y, y);
    buf_printf(out, "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LEFT - 8,
               y + 4);
    if (fabs(v) < step / 2)
        v = 0;
    if (magnitude < 1e7 && step >= 1e-4)
        buf_printf(out, "%.*f</text>\n", decimals, v);
    else
        buf_printf(out, "%.*g</text>\n", 1 + (int)ceil(fmax(log10(magnitude / step), 0)), v);
}

static void put_frame(struct buf *out, const struct panel *panel)
{
    double range = panel->high - panel->low, step = nice_step(range, TICKS);
    double first = ceil(panel->low / step);
    for (double k = 0; k < 20 && (first + k) * step <= panel->high; k++)
        put_tick(out, panel, (first + k) * step, step);
    buf_printf(out,
               "<rect class=\"frame\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%d\"/>\n"
               "<text class=\"title\" x=\"%d\" y=\"%.1f\">%s</text>\n",
               LEFT, panel->top, PLOT_WIDTH, HEIGHT, LEFT, panel->top - 5, panel->title);
}

/* As high in each panel as the most stretched one is tall, or nearly. */
static void put_bar(struct buf *out, const struct panel *panel, double range)
{
    double height = HEIGHT * range / (panel->high - panel->low);
    buf_printf(out, "<rect class=\"bar\" x=\"%d\" y=\"%.2f\" width=\"8\" height=\"%.2f\"/>\n",
               LEFT + PLOT_WIDTH + 10, panel->top + (HEIGHT - height) / 2, height);
}

static void put_point(struct buf *out, const struct panel *panel, size_t i, double v, size_t n,
                      bool *line)
{
    buf_printf(out, "%s%.1f,%.1f", *line ? " " : "M", place_x(i, n), place_y(panel, v));
    *line = true;
}

/* The lowest and the highest of y[from..to), in their order; gaps break the line. */
static void put_extremes(struct buf *out, const struct panel *panel, size_t from, size_t to,
                         size_t n, bool *line)
{
    size_t low = to, high = to;
    for (size_t i = from; i < to; i++) {
        if (!isfinite(panel->y[i]))
            continue;
        low = low == to || panel->y[i] < panel->y[low] ? i : low;
        high = high == to || panel->y[i] > panel->y[high] ? i : high;
    }
    if (low == to) {
        *line = false;
        return;
    }
    size_t first = low < high ? low : high, second = low < high ? high : low;
    put_point(out, panel, first, panel->y[first], n, line);
    if (second != first)
        put_point(out, panel, second, panel->y[second], n, line);
}

/* n: samples that the axis has room for. */
static void put_line(struct buf *out, const struct panel *panel, size_t n)
{
    size_t each = panel->n > POINTS_MAX ? (panel->n * 2 + POINTS_MAX - 1) / POINTS_MAX : 1;
    bool line = false;
    buf_text(out, "<path class=\"line\" d=\"");
    for (size_t i = 0; i < panel->n; i += each)
        put_extremes(out, panel, i, i + each < panel->n ? i + each : panel->n, n, &line);
    buf_text(out, "\"/>\n");
}

static void put_bars(struct buf *out, const struct panel *panel, size_t n)
{
    size_t each = panel->n > POINTS_MAX ? (panel->n * 2 + POINTS_MAX - 1) / POINTS_MAX : 1;
    buf_text(out, "<path class=\"bars\" d=\"");
    for (size_t i = 0; i < panel->n; i += each) {
        double low = 0, high = 0;
        for (size_t k = i; k < i + each && k < panel->n; k++) {
            low = isfinite(panel->y[k]) ? fmin(low, panel->y[k]) : low;
            high = isfinite(panel->y[k]) ? fmax(high, panel->y[k]) : high;
        }
        buf_printf(out, "M%.1f,%.1fV%.1f", place_x(i, n), place_y(panel, low),
                   place_y(panel, high));
    }
    buf_printf(out, "\"/>\n<line class=\"zero\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
               LEFT, LEFT + PLOT_WIDTH, place_y(panel, 0), place_y(panel, 0));
}

static void put_ahead(struct buf *out, const struct panel *panel, size_t n)
{
    bool line = false;
    buf_text(out, "<path class=\"ahead\" d=\"");
    if (isfinite(panel->y[panel->n - 1]))
        put_point(out, panel, panel->n - 1, panel->y[panel->n - 1], n, &line);
    for (size_t i = 0; i < panel->n_ahead; i++)
        if (isfinite(panel->ahead[i]))
            put_point(out, panel, panel->n + i, panel->ahead[i], n, &line);
    buf_text(out, "\"/>\n");
}

/* All panels are in the unit of the series. */
static void put_unit(struct buf *out, const struct panel *panel, const char *name)
{
    double y = panel->top + HEIGHT / 2.0;
    buf_printf(out,
               "<text class=\"tick\" transform=\"translate(16 %.1f) rotate(-90)\" "
               "text-anchor=\"middle\">",
               y);
    put_text(out, slice_of(name));
    buf_text(out, "</text>\n");
}

static void put_panel(struct buf *out, const struct panel *panel, size_t n, double range)
{
    put_frame(out, panel);
    if (panel->bars)
        put_bars(out, panel, n);
    else
        put_line(out, panel, n);
    if (panel->n_ahead > 0)
        put_ahead(out, panel, n);
    put_bar(out, panel, range);
}

/* Whole longest seasons between ticks, where that leaves some. */
static size_t tick_step_x(const struct stl_table_parts *parts, size_t n)
{
    size_t longest = parts->params.seasons[parts->params.n_seasons - 1].period;
    double seasons = (double)n / (double)longest;
    if (seasons >= 3)
        return longest * (size_t)fmax(1, nice_step(seasons, TICKS_X));
    return (size_t)fmax(1, nice_step((double)n, TICKS_X));
}

/* How many bytes at the end of all times on the axis say midnight and no more. */
static size_t common_tail(const struct stl_table *series, size_t step)
{
    static const char *const tails[] = {"T00:00:00Z", " 00:00:00", " 00:00"};
    for (size_t k = 0; k < 3; k++) {
        size_t len = strlen(tails[k]), i = 0;
        for (; i < series->n; i += step) {
            struct slice time = series->times[i];
            if (time.len <= len || memcmp(time.data + time.len - len, tails[k], len) != 0)
                break;
        }
        if (i >= series->n)
            return len;
    }
    return 0;
}

static void put_axis(struct buf *out, const struct stl_table *series,
                     const struct stl_table_parts *parts, double bottom)
{
    size_t n = series->n + parts->n_ahead, step = tick_step_x(parts, n);
    bool timed = series->columns.timed;
    size_t tail = timed ? common_tail(series, step) : 0;
    for (size_t i = 0; i < n; i += step) {
        double x = place_x(i, n);
        buf_printf(out, "<line class=\"frame\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>",
                   x, x, bottom, bottom + 5);
        buf_printf(out, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", x,
                   bottom + 18);
        if (timed && i < series->n)
            put_text(out, (struct slice){series->times[i].data, series->times[i].len - tail});
        else
            buf_printf(out, timed ? "+%zu" : "%zu", timed ? i - series->n + 1 : i + 1);
        buf_text(out, "</text>\n");
    }
    buf_printf(out, "<text class=\"title\" x=\"%d\" y=\"%.1f\" text-anchor=\"middle\">",
               LEFT + PLOT_WIDTH / 2, bottom + 40);
    put_text(out, timed ? slice_of(series->time_name) : slice_of("sample"));
    buf_text(out, "</text>\n");
}

static void put_head(struct buf *out, const struct stl_table *series, double height)
{
    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" "
               "viewBox=\"0 0 %d %.0f\" font-family=\"sans-serif\">\n<style>"
               ".line{fill:none;stroke:#1f4e79;stroke-width:1.2}"
               ".ahead{fill:none;stroke:#c0392b;stroke-width:1.4;stroke-dasharray:4 2}"
               ".bars{fill:none;stroke:#1f4e79;stroke-width:1}"
               ".frame{fill:none;stroke:#555;stroke-width:1}"
               ".zero{stroke:#999;stroke-width:.6}.grid{stroke:#ddd;stroke-width:.8}"
               ".bar{fill:#bbb;stroke:#777;stroke-width:.5}"
               ".tick{font-size:11px;fill:#333}.title{font-size:12px;fill:#111}</style>\n"
               "<rect width=\"%d\" height=\"%.0f\" fill=\"#fff\"/>\n",
               WIDTH, height, WIDTH, height, WIDTH, height);
    buf_printf(out, "<text x=\"%d\" y=\"20\" font-size=\"15\" fill=\"#111\">", LEFT);
    put_text(out, slice_of(series->y_name));
    buf_printf(
        out,
        "</text>\n<text class=\"tick\" x=\"%d\" y=\"20\" text-anchor=\"end\">grey bars: the same "
        "range in every panel</text>\n",
        WIDTH - RIGHT / 2);
}

enum { PANELS_MAX = MSTL_SEASONS_MAX + 3, TITLE_MAX = 64 };

static size_t fill_panels(const struct stl_table *series, const double *y,
                          const struct stl_table_parts *parts, char titles[][TITLE_MAX],
                          struct panel *panels)
{
    const struct mstl_params *params = &parts->params;
    size_t n = 0;
    /* Forecasts are of the series itself, and so not on the scale of its transform. */
    size_t n_ahead = y == series->y ? parts->n_ahead : 0;
    panels[n++] = (struct panel){.title = n_ahead > 0      ? "observed, and forecast (dashed)"
                                          : y == series->y ? "observed"
                                                           : "observed, Box-Cox transformed",
                                 .y = y,
                                 .ahead = parts->ahead,
                                 .n_ahead = n_ahead};
    panels[n++] = (struct panel){.title = "trend", .y = parts->parts.trend};
    for (size_t i = 0; i < params->n_seasons; i++, n++) {
        snprintf(titles[i], TITLE_MAX, "seasonal, period %zu", params->seasons[i].period);
        panels[n] = (struct panel){.title = titles[i], .y = parts->parts.seasonal[i]};
    }
    panels[n++] = (struct panel){.title = "remainder", .y = parts->parts.remainder, .bars = true};
    for (size_t i = 0; i < n; i++) {
        panels[i].n = series->n;
        panels[i].top = TOP + (double)i * (HEIGHT + APART);
        fit_scale(&panels[i]);
    }
    return n;
}

void stl_plot(const struct stl_table *series, const double *y, const struct stl_table_parts *parts,
              struct buf *ret)
{
    char titles[MSTL_SEASONS_MAX][TITLE_MAX];
    struct panel panels[PANELS_MAX];
    size_t n_panels = fill_panels(series, y, parts, titles, panels);
    double range = INFINITY, bottom = panels[n_panels - 1].top + HEIGHT;
    for (size_t i = 0; i < n_panels; i++)
        range = fmin(range, panels[i].high - panels[i].low);
    put_head(ret, series, bottom + BOTTOM);
    for (size_t i = 0; i < n_panels; i++) {
        put_panel(ret, &panels[i], series->n + parts->n_ahead, 0.9 * range);
        put_unit(ret, &panels[i], series->y_name);
    }
    put_axis(ret, series, parts, bottom);
    buf_text(ret, "</svg>\n");
}
