/*
 * Tests of features/stl.h on series with gaps.
 *
 * Known: a line plus a season is the same line and season through gaps, where the known values say
 * what is missing; gaps that are allowed but absent change nothing, to the bit; what no value says
 * anything about is refused.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include "features/stl.h"
#include "tests/stl_run.h"

static void punch(struct run *run, size_t every, size_t from, size_t count)
{
    for (size_t i = every / 2; every > 0 && i < run->n; i += every)
        run->y[i] = NAN;
    for (size_t i = from; i < from + count; i++)
        run->y[i] = NAN;
}

static enum status decompose_with_gaps(struct run *run, size_t period, unsigned robust_loops,
                                       size_t jump)
{
    struct stl_params params = stl_params_default(period);
    params.robust_loops = robust_loops;
    params.seasonal_jump = params.trend_jump = params.low_pass_jump = jump;
    params.gaps = true;
    return decompose_as(run, &params);
}

TheoryDataPoints(stl_gaps, line_plus_season_is_seen_through_gaps) = {
    DataPoints(size_t, 0, 3, 11), /* one missing in so many */
    DataPoints(size_t, 0, 1, 12), /* missing at the beginning */
    DataPoints(unsigned, 0, 2),   /* robust_loops */
    DataPoints(size_t, 1, 2),     /* jump */
};

Theory((size_t every, size_t count, unsigned robust_loops, size_t jump), stl_gaps,
       line_plus_season_is_seen_through_gaps)
{
    static struct run run;
    fill(&run, 170, 10, 0.05, 0);
    punch(&run, every, 0, count);
    cr_assert(eq(int, decompose_with_gaps(&run, 10, robust_loops, jump), ST_OK));
    for (size_t i = 0; i < run.n; i++) {
        cr_assert(epsilon_eq(dbl, run.trend[i], 10 + 0.05 * (double)i, 1e-4), "at %zu", i);
        cr_assert(epsilon_eq(dbl, run.seasonal[i], season_at(i, 10), 1e-4), "at %zu", i);
        cr_assert(eq(int, isnan(run.remainder[i]), isnan(run.y[i])));
        cr_assert(eq(int, isnan(run.y[i]) && run.weights[i] != 0, 0));
    }
}

/* Longer than any window, in the middle and at the end: the nearest fits say what is there. */
Test(stl_gaps, gaps_longer_than_the_windows_are_bridged)
{
    static struct run run;
    fill(&run, 400, 10, 0, 0);
    punch(&run, 0, 100, 120);
    punch(&run, 0, 390, 10);
    cr_assert(eq(int, decompose_with_gaps(&run, 10, 0, 1), ST_OK));
    for (size_t i = 0; i < run.n; i++) {
        cr_assert(epsilon_eq(dbl, run.trend[i], 10, 1e-6), "at %zu", i);
        cr_assert(epsilon_eq(dbl, run.seasonal[i], season_at(i, 10), 1e-6), "at %zu", i);
    }
}

Test(stl_gaps, gaps_allowed_but_absent_change_nothing)
{
    static struct run with, without;
    fill(&with, 150, 12, 0.1, 1);
    fill(&without, 150, 12, 0.1, 1);
    cr_assert(eq(int, decompose_with_gaps(&with, 12, 2, 1), ST_OK));
    cr_assert(eq(int, decompose(&without, 12, 2), ST_OK));
    cr_expect(eq(int, memcmp(with.trend, without.trend, sizeof with.trend[0] * with.n), 0));
    cr_expect(eq(int, memcmp(with.weights, without.weights, sizeof with.trend[0] * with.n), 0));
}

Test(stl_gaps, a_phase_that_is_never_known_is_refused)
{
    static struct run run;
    fill(&run, 100, 10, 0, 0);
    for (size_t i = 3; i < run.n; i += 10)
        run.y[i] = NAN;
    cr_expect(eq(int, decompose_with_gaps(&run, 10, 0, 1), ST_EINVAL));
    run.y[93] = 1;
    cr_expect(eq(int, decompose_with_gaps(&run, 10, 0, 1), ST_OK));
}
