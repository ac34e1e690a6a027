#include "online/progress.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/metrics.h"
#include "online/meter.h"
#include "online/readable.h"
#include "online/ticker.h"

/* Time left is not guessed from less than this, s. */
#define GUESS_AFTER 1.0

enum { BAR_MIN = 10, BAR_MAX = 40, REST_COLUMNS = 57, REDRAW_US = 200000 };

static double time_left(double elapsed, double share)
{
    if (!(share > 0) || elapsed < GUESS_AFTER)
        return NAN;
    return elapsed * (1 - share) / share;
}

static unsigned bar_cells(unsigned width)
{
    unsigned left = width > REST_COLUMNS ? width - REST_COLUMNS : 0;
    return left < BAR_MIN ? 0 : left < BAR_MAX ? left : BAR_MAX;
}

static void put_share(struct pen *pen, double share)
{
    unsigned cells = bar_cells(pen->look.width);
    if (isnan(share))
        return;
    if (cells > 0) {
        pen_bar(pen, PEN_CYAN, share, cells);
        pen_text(pen, PEN_PLAIN, " ");
    }
    pen_printf(pen, PEN_BOLD, "%3.0f%%", floor(100 * share + 1e-9));
    pen_text(pen, PEN_PLAIN, "  ");
}

void progress_render(const struct progress_figures *figures, struct look look, struct buf *ret)
{
    struct pen pen = {.out = ret, .look = look};
    put_share(&pen, figures->share);
    pen_printf(&pen, PEN_PLAIN, "%s events", readable_count((uint64_t)figures->events).text);
    pen_printf(&pen, PEN_PLAIN, "  %s/s", readable_rate(figures->rate).text);
    if (!isnan(figures->left))
        pen_printf(&pen, PEN_DIM, "  %s left", readable_clock(ceil(figures->left)).text);
    else
        pen_printf(&pen, PEN_DIM, "  %s", readable_clock(figures->elapsed).text);
}

/* The thread. */

struct progress {
    struct ticker *ticker;
    double began;
    struct meter events;
    struct buf text;
};

static double value_of(const char *name)
{
    return metric_value(metric_find(name, NULL)); /* NaN where there is none */
}

static struct progress_figures figures_now(struct progress *progress)
{
    double elapsed = ticker_now() - progress->began;
    double events = value_of("freshet_events_total"), share = value_of("freshet_replay_progress");
    meter_advance(&progress->events, elapsed, isnan(events) ? 0 : events);
    return (struct progress_figures){.share = share,
                                     .events = progress->events.total,
                                     .rate = progress->events.rate,
                                     .elapsed = elapsed,
                                     .left = time_left(elapsed, share)};
}

static void draw(void *arg)
{
    struct progress *progress = arg;
    struct progress_figures figures = figures_now(progress);
    struct look look = terminal_look(STDERR_FILENO);
    look.width -= look.width > 1; /* the last column would wrap on some terminals */
    buf_reset(&progress->text);
    buf_text(&progress->text, "\r");
    progress_render(&figures, look, &progress->text);
    buf_text(&progress->text, "\033[K");
    terminal_write(STDERR_FILENO, buf_slice(&progress->text));
}

struct progress *progress_start(void)
{
    if (!terminal_look(STDERR_FILENO).redraws)
        return NULL;
    struct progress *progress = calloc(1, sizeof *progress);
    if (!progress)
        return NULL;
    progress->began = ticker_now();
    if (ticker_start("progress", REDRAW_US, draw, progress, &progress->ticker) < 0) {
        free(progress);
        return NULL;
    }
    return progress;
}

void progress_stop(struct progress *progress)
{
    if (!progress)
        return;
    ticker_stop(progress->ticker);
    terminal_write(STDERR_FILENO, slice_of("\r\033[K"));
    buf_done(&progress->text);
    free(progress);
}
