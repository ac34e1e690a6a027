/*
 * Tests of online/pace.h: the arithmetic on points whose answer is plain. An even run costs the
 * same in each tenth; a run that turns dearer at its middle does so in the sixth; too few points
 * give no figures rather than wrong ones.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>

#include "online/pace.h"

enum { N = 21 };

/* Each step is 1000 events; the steps of the second half cost `late` times as much. */
static struct pace_figures run(double late)
{
    struct pace_point points[N] = {{500, 3}};
    for (int i = 1; i < N; i++) {
        points[i].events = points[i - 1].events + 1000;
        points[i].cpu_seconds = points[i - 1].cpu_seconds + 0.005 * (i > N / 2 ? late : 1);
    }
    return pace_tenths(points, N);
}

Test(pace, even)
{
    struct pace_figures figures = run(1);
    for (int i = 0; i < PACE_TENTHS; i++)
        cr_expect(ieee_ulp_eq(dbl, round(figures.us[i] * 1e6), 5e6, 4), "tenth %d", i);
}

Test(pace, dearer_in_the_second_half)
{
    struct pace_figures figures = run(3);
    for (int i = 0; i < PACE_TENTHS; i++)
        cr_expect(fabs(figures.us[i] - (i < 5 ? 5 : 15)) < 1e-6, "tenth %d: %g", i, figures.us[i]);
}

Test(pace, points_between_which_nothing_came)
{
    struct pace_point points[N] = {{0, 0}};
    for (int i = 1; i < N; i++)
        points[i] = (struct pace_point){i < 10 ? 0 : (i - 9) * 100, i * 0.001};
    struct pace_figures figures = pace_tenths(points, N);
    for (int i = 0; i < PACE_TENTHS; i++)
        cr_expect(isfinite(figures.us[i]) && figures.us[i] >= 0, "tenth %d: %g", i, figures.us[i]);
}

Test(pace, too_little_to_say)
{
    const struct pace_point still[N] = {{7, 1}};
    struct pace_point same[N];
    for (int i = 0; i < N; i++)
        same[i] = still[0];
    cr_expect(isnan(pace_tenths(NULL, 0).us[0]));
    cr_expect(isnan(pace_tenths(same, PACE_TENTHS).us[9]));
    cr_expect(isnan(pace_tenths(same, N).us[0]));
}
