/*
 * Tests of online/progress.h and online/meter.h: lines as text at several widths, and rates of
 * totals that grow evenly, which no smoothing may change.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>

#include "online/meter.h"
#include "online/progress.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct line_case {
    struct progress_figures figures;
    unsigned width;
    bool utf8;
    char text[160];
};

ParameterizedTestParameters(progress, draws)
{
    static struct line_case cases[] = {
        {{0.635, 812345, 168012, 8.2, 4.7},
         80,
         true,
         "██████████████▌          63%  812,345 events  168,000/s  0:05 left"},
        {{0.635, 812345, 168012, 8.2, 4.7},
         120,
         false,
         "#########################...............  63%  812,345 events  168,000/s  0:05 left"},
        {{0.635, 812345, 168012, 8.2, 4.7}, 60, true, " 63%  812,345 events  168,000/s  0:05 left"},
        {{0.635, 812345, 168012, 8.2, 4.7}, 30, true, " 63%  812,345 events  168,000/"},
        {{NAN, 812345, 168012, 68.2, NAN}, 80, true, "812,345 events  168,000/s  1:08"},
        {{0, 0, NAN, 0.2, NAN}, 80, false, ".......................   0%  0 events  -/s  0:00"},
        {{1, 1293144, 150000, 8.6, 0},
         70,
         false,
         "############# 100%  1,293,144 events  150,000/s  0:00 left"},
    };
    return cr_make_param_array(struct line_case, cases, LEN(cases));
}

ParameterizedTest(struct line_case *c, progress, draws)
{
    struct buf buf = {0};
    progress_render(&c->figures, (struct look){true, false, c->utf8, c->width, 24}, &buf);
    buf_byte(&buf, 0);
    cr_expect(eq(str, buf.data, c->text), "width %u", c->width);
    buf_done(&buf);
}

Test(meter, knows_no_rate_at_first_and_an_even_one_exactly)
{
    struct meter meter = {0};
    meter_advance(&meter, 10, 500);
    cr_expect(isnan(meter.rate));
    for (int i = 1; i < 20; i++) {
        meter_advance(&meter, 10 + 0.2 * i, 500 + 30 * i);
        cr_expect(epsilon_eq(dbl, meter.rate, 150, 1e-9));
    }
}

Test(meter, forgets_with_its_time_constant)
{
    struct meter meter = {0};
    meter_advance(&meter, 0, 0);
    meter_advance(&meter, 1, 100);
    meter_advance(&meter, 1 + METER_MEMORY, 100); /* nothing for one time constant */
    cr_expect(epsilon_eq(dbl, meter.rate, 100 / M_E, 1e-9));
    meter_advance(&meter, 1 + METER_MEMORY, 200); /* no time has passed: no news */
    cr_expect(epsilon_eq(dbl, meter.rate, 100 / M_E, 1e-9));
}

/* Criterion's output is a pipe: nothing is shown, and stopping nothing is fine. */
Test(progress, is_silent_without_a_terminal)
{
    struct progress *progress = progress_start();
    cr_expect(eq(ptr, progress, NULL));
    progress_stop(progress);
}
