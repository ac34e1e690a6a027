/*
 * Tests of online/live.h. A frame is a pure function of figures and look: here it is as text at two
 * widths. Whatever the figures and the size of the terminal, a frame fits it.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include <math.h>

#include "ingest/event.h"
#include "online/live.h"

/* 2018-08-08 12:00:03 UTC */
#define NOON (INT64_C(1533729603) * SECOND_US)

static const struct look plain = {.redraws = true, .utf8 = true, .width = 80, .height = 40};

static void put_top(struct live_figures *figures, const char *id, float score, int64_t time)
{
    struct top_entry *entry = &figures->top[figures->n_top++];
    *entry = (struct top_entry){
        .time = time, .score = score, .version = 7, .id_len = (uint8_t)strlen(id)};
    memcpy(entry->id, id, strlen(id));
}

static struct live_figures busy(void)
{
    struct live_figures figures = {
        .name = "fraud",
        .uptime = 83,
        .now = NOON + 5 * SECOND_US,
        .stream_time = NOON,
        .events = 51234,
        .event_rate = 5120.3,
        .n_rates = LIVE_SECONDS,
        .scored = 51230,
        .repeated = 4,
        .dead_letters = 3,
        .n_lags = 2,
        .lags = {{"transactions", 0}, {"frauds", 12}},
        .score_p50 = 0.0008,
        .score_p99 = 0.0031,
        .commit_rate = 9.8,
        .commit_p99 = .0042,
        .model = "fraud",
        .version = 7,
        .model_age = 1930,
        .learnt = 48120,
        .behind = 2,
        .auc = .8123,
        .average_precision = .534,
        .log_loss = .02341,
        .judged = 46234,
        .labels_joined = 1234,
        .labels_early = 3,
        .labels_absent = 45000,
        .pending = 51000,
        .state_records = 23456,
        .state_bytes = 12.3 * 1024 * 1024,
        .resident_bytes = 200.0 * 1024 * 1024,
    };
    for (size_t i = 0; i < LIVE_SECONDS; i++)
        figures.rates[i] = i < 20 ? 100 * (double)i : 2000;
    put_top(&figures, "1234567", 0.9931f, NOON - 2 * SECOND_US);
    put_top(&figures, "\033[2Jcard\n", 0.5f, NOON - SECOND_US);
    return figures;
}

/* What stands before the first event: nothing is known. */
static struct live_figures idle(void)
{
    struct live_figures figures = {.name = "fraud", .stream_time = INT64_MIN};
    figures.event_rate = figures.score_p50 = figures.score_p99 = figures.commit_rate =
        figures.commit_p99 = NAN;
    figures.repeated = figures.late_events = figures.outbox_rows = figures.pending =
        figures.state_records = figures.state_bytes = figures.resident_bytes = NAN;
    return figures;
}

static void expect_frame(const struct live_figures *figures, struct look look, const char *text)
{
    struct buf buf = {0};
    live_render(figures, look, &buf);
    buf_byte(&buf, 0);
    cr_expect(eq(str, buf.data, (char *)text));
    buf_done(&buf);
}

Test(live, frame_of_80_columns)
{
    struct live_figures figures = busy();
    expect_frame(&figures, plain,
                 " freshet fraud                      up 1m 23s   stream time 2018-08-08 12:00:03\n"
                 "\n"
                 " events    5,120/s          ▁▁▂▃▄▅▅▆▇█████████████████████\n"
                 " taken     51,234           repeated 4       late 0           dead 3\n"
                 " lag       transactions 0   frauds 12\n"
                 " to score  p50 0.80 ms      p99 3.1 ms\n"
                 " commits   9.8/s            p99 4.2 ms       outbox 0\n"
                 " model     fraud v7         age 32m 10s      learnt 48,120    behind 2\n"
                 " quality   AUC 0.812        avg prec 0.534   log loss 0.0234  judged 46,234\n"
                 " labels    joined 1,234     early 3          late 0           absent 45,000\n"
                 " state     12.3 MiB         records 23,456   waiting 51,000   memory 200 MiB\n"
                 "\n"
                 " highest scores of the last minute\n"
                 " 0.9931    1234567                               2018-08-08 12:00:01         v7\n"
                 " 0.5000    ?[2Jcard?                             2018-08-08 12:00:02         "
                 "v7\n");
}

Test(live, frame_of_120_columns)
{
    struct live_figures figures = busy();
    struct look look = plain;
    look.width = 120;
    expect_frame(
        &figures, look,
        " freshet fraud                                                              up 1m 23s   "
        "stream time 2018-08-08 12:00:03\n"
        "\n"
        " events    5,120/s                     ▁▁▂▂▂▃▃▄▄▄▅▅▆▆▆▇▇█████████████████████████████████"
        "█████████\n"
        " taken     51,234                     repeated 4                 late 0                  "
        "   dead 3\n"
        " lag       transactions 0             frauds 12\n"
        " to score  p50 0.80 ms                p99 3.1 ms\n"
        " commits   9.8/s                      p99 4.2 ms                 outbox 0\n"
        " model     fraud v7                   age 32m 10s                learnt 48,120           "
        "   behind 2\n"
        " quality   AUC 0.812                  avg prec 0.534             log loss 0.0234         "
        "   judged 46,234\n"
        " labels    joined 1,234               early 3                    late 0                  "
        "   absent 45,000\n"
        " state     12.3 MiB                   records 23,456             waiting 51,000          "
        "   memory 200 MiB\n"
        "\n"
        " highest scores of the last minute\n"
        " 0.9931    1234567                                                   2018-08-08 12:00:01 "
        "        v7\n"
        " 0.5000    ?[2Jcard?                                                 2018-08-08 12:00:02 "
        "        v7\n");
}

Test(live, frame_before_the_first_event)
{
    struct live_figures figures = idle();
    expect_frame(&figures, plain,
                 " freshet fraud                              up 0.0s   stream time no events yet\n"
                 "\n"
                 " events    -/s\n"
                 " taken     0                repeated -       late -           dead 0\n"
                 " lag       -\n"
                 " to score  p50 -            p99 -\n"
                 " commits   -/s              p99 -            outbox -\n"
                 " labels    joined 0         early 0          late 0           absent 0\n"
                 " state     -                records -        waiting -        memory -\n");
}

static void expect_line(const struct live_figures *figures, const char *text)
{
    struct buf buf = {0};
    live_render_line(figures, &buf);
    buf_byte(&buf, 0);
    cr_expect(eq(str, buf.data, (char *)text));
    buf_done(&buf);
}

Test(live, plain_lines)
{
    struct live_figures figures = busy();
    expect_line(&figures, "12:00:08 events=51234 rate=5120/s score_p50=0.80ms p99=3.1ms auc=0.812 "
                          "version=7 lag=12 dead=3 top=1234567:0.993,?[2Jcard?:0.500\n");
    figures = idle();
    expect_line(&figures, "00:00:00 events=0 rate=-/s score_p50=- p99=- lag=0 dead=0\n");
}

static bool holds(const struct live_figures *figures, const char *text)
{
    struct look look = plain;
    look.colour = true;
    struct buf buf = {0};
    live_render(figures, look, &buf);
    buf_byte(&buf, 0);
    bool found = strstr(buf.data, text) != NULL;
    buf_done(&buf);
    return found;
}

Test(live, dead_letters_are_red_and_a_lag_of_five_seconds_yellow)
{
    struct live_figures figures = busy();
    cr_expect(holds(&figures, "\033[1;31m3\033[0m"));
    cr_expect(not(holds(&figures, "\033[33m")));
    figures.dead_letters = 0;
    figures.lags[1].records = 5 * 5120 + 100;
    cr_expect(not(holds(&figures, "\033[1;31m")));
    cr_expect(holds(&figures, "\033[33m25,700\033[0m"));
}

/* Fits: no line wider, no more lines, nothing of another's that could move the cursor. */
static void expect_fits(const struct live_figures *figures, struct look look)
{
    struct buf buf = {0};
    live_render(figures, look, &buf);
    unsigned columns = 0, lines = 0;
    for (size_t i = 0; i < buf.len; i++) {
        unsigned char c = (unsigned char)buf.data[i];
        cr_assert(c != '\033');
        columns = c == '\n' ? 0 : columns + ((c & 0xc0) != 0x80);
        lines += c == '\n';
        cr_assert(le(u32, columns, look.width));
    }
    cr_expect(ge(u32, lines, 1));
    cr_expect(lt(u32, lines, look.height > 2 ? look.height : 2));
    buf_done(&buf);
}

TheoryDataPoints(live, a_frame_fits_its_terminal) = {
    DataPoints(unsigned, 1, 10, 20, 40, 79, 80, 81, 100, 133, 400), /* width */
    DataPoints(unsigned, 1, 2, 5, 14, 24, 80),                      /* height */
    DataPoints(size_t, 0, 1, 31, LIVE_SECONDS),                     /* seconds known */
    DataPoints(double, 0, 1e18, NAN),                               /* every figure */
};

Theory((unsigned width, unsigned height, size_t n_rates, double v), live, a_frame_fits_its_terminal)
{
    struct live_figures figures = busy();
    figures.n_rates = n_rates;
    figures.events = figures.event_rate = figures.rates[0] = figures.dead_letters = v;
    figures.score_p50 = figures.commit_rate = figures.version = figures.model_age = v;
    figures.auc = figures.judged = figures.pending = figures.state_bytes = figures.uptime = v;
    figures.n_lags = LIVE_LAGS;
    for (size_t i = 0; i < LIVE_LAGS; i++) {
        memset(figures.lags[i].topic, 'x', 1 + 8 * i);
        figures.lags[i].records = v;
    }
    while (figures.n_top < TOP_N)
        put_top(&figures, "an id that is as long as the longest one there", 1e-9f, INT64_MIN / 2);
    struct look look = plain;
    look.width = width;
    look.height = height;
    expect_fits(&figures, look);
    look.utf8 = false;
    expect_fits(&figures, look);
}
