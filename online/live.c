#include "online/live.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "ingest/event.h"
#include "online/cursor.h"
#include "online/ticker.h"

enum { FRAME_EVERY_US = 500000, LINE_EVERY_US = 3000000 };

struct live {
    struct live_source source;
    struct ticker *ticker;
    bool redraws;
    pthread_mutex_t lock; /* guards all below: log lines come from any thread */
    struct look look;     /* of the frame on the screen */
    unsigned lines;       /* of it */
    struct buf frame;     /* its text */
    struct buf out;       /* what is written in one go, so that nothing flickers */
};

static int64_t wall_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

static void read_now(struct live *live, struct live_figures *ret)
{
    live_read(&live->source, ticker_now(), wall_now(), ret);
}

static void send_out(struct live *live)
{
    terminal_write(STDOUT_FILENO, buf_slice(&live->out));
    buf_reset(&live->out);
}

/* To the first line of the frame on the screen. */
static void go_up(struct live *live)
{
    if (live->lines > 0)
        buf_printf(&live->out, "\033[%uA", live->lines);
    buf_text(&live->out, "\r");
}

/* Each line erases what stood behind its new end; what stood below the frame goes too. */
static void put_frame(struct live *live)
{
    live->lines = 0;
    for (size_t i = 0; i < live->frame.len; i++) {
        if (live->frame.data[i] == '\n') {
            buf_text(&live->out, "\033[K");
            live->lines++;
        }
        buf_byte(&live->out, (uint8_t)live->frame.data[i]);
    }
    buf_text(&live->out, "\033[J");
}

/* Where a terminal has changed its size nothing is where it was. */
static void clear_after_resize(struct live *live, struct look look)
{
    if (live->look.width != look.width || live->look.height != look.height) {
        if (live->lines > 0)
            buf_text(&live->out, "\033[2J\033[H");
        live->lines = 0;
    }
    live->look = look;
}

static void draw(void *arg)
{
    struct live *live = arg;
    struct live_figures figures;
    read_now(live, &figures);
    pthread_mutex_lock(&live->lock);
    clear_after_resize(live, terminal_look(STDOUT_FILENO));
    buf_reset(&live->frame);
    live_render(&figures, live->look, &live->frame);
    go_up(live);
    put_frame(live);
    send_out(live);
    pthread_mutex_unlock(&live->lock);
}

static void print_line(void *arg)
{
    struct live *live = arg;
    struct live_figures figures;
    read_now(live, &figures);
    live_render_line(&figures, &live->out);
    send_out(live);
}

/* A log line scrolls up from above the frame, which moves down by what it takes. */
static void put_log_line(void *arg, const char *line, size_t len)
{
    struct live *live = arg;
    pthread_mutex_lock(&live->lock);
    go_up(live);
    buf_text(&live->out, "\033[J");
    buf_append(&live->out, line, len);
    put_frame(live);
    send_out(live);
    pthread_mutex_unlock(&live->lock);
}

/* Rates are told from the second look on, so the first one is here. */
static void begin(struct live *live)
{
    struct live_figures figures;
    read_now(live, &figures);
    if (!live->redraws)
        return;
    cursor_hide(STDOUT_FILENO);
    draw(live);
    if (isatty(STDERR_FILENO))
        log_set_output(put_log_line, live);
}

static void done(struct live *live)
{
    pthread_mutex_destroy(&live->lock);
    buf_done(&live->frame);
    buf_done(&live->out);
    free(live);
}

struct live *live_start(const char *name, struct top *top)
{
    struct live *live = calloc(1, sizeof *live);
    if (!live)
        return NULL;
    live->source = (struct live_source){.name = name, .top = top, .began = ticker_now()};
    live->redraws = terminal_look(STDOUT_FILENO).redraws;
    pthread_mutex_init(&live->lock, NULL);
    begin(live);
    enum status st = live->redraws
                         ? ticker_start("live", FRAME_EVERY_US, draw, live, &live->ticker)
                         : ticker_start("live", LINE_EVERY_US, print_line, live, &live->ticker);
    if (st < 0) {
        live_stop(live);
        return NULL;
    }
    return live;
}

/* The last figures stay where they are. */
void live_stop(struct live *live)
{
    if (!live)
        return;
    ticker_stop(live->ticker);
    if (live->redraws) {
        draw(live);
        log_set_output(NULL, NULL);
        cursor_show();
    } else {
        print_line(live);
    }
    done(live);
}
