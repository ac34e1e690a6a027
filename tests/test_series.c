/*
 * Tests of features/series.h: windows.
 *
 * What is known without running it: a window is the set of entries with lower < time <= upper, so a
 * list of all entries ever and a loop over it give every answer. Streams are random (seeded), with
 * late entries, ties, silences longer than the windows, bursts, and labels that come late, early
 * and are corrected.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include "features/series.h"
#include "tests/series_past.h"

/* Exact small answers. */

struct small_case {
    char name[32];
    double values[6];
    int64_t hours[6]; /* of each value; -1 ends them */
    int64_t at;       /* hour that is asked at */
    double count, sum, std, min, max;
};

ParameterizedTestParameters(series, small_windows)
{
    static struct small_case cases[] = {
        {"one", {5}, {0, -1}, 0, 1, 5, 0, 5, 5},
        {"two", {1, 3}, {0, 1, -1}, 1, 2, 4, 1, 1, 3},
        {"a tie", {1, 3}, {1, 1, -1}, 1, 2, 4, 1, 1, 3},
        {"the oldest instant is out", {1, 3}, {0, 24, -1}, 24, 1, 3, 0, 3, 3},
        {"just in", {1, 3}, {1, 24, -1}, 24, 2, 4, 1, 1, 3},
        {"later than asked is out", {1, 3, 9}, {1, 2, 9, -1}, 2, 2, 4, 1, 1, 3},
        {"out of order", {3, 1, 2}, {5, 1, 3, -1}, 3, 2, 3, 0.5, 1, 2},
        {"none", {1}, {0, -1}, 25, 0, 0, NAN, INFINITY, -INFINITY},
        {"before all", {1}, {9, -1}, 3, 0, 0, NAN, INFINITY, -INFINITY},
        {"large with small spread", {1e9, 1e9 + 2}, {0, 1, -1}, 1, 2, 2e9 + 2, 1, 1e9, 1e9 + 2},
    };
    return cr_make_param_array(struct small_case, cases, LEN(cases));
}

ParameterizedTest(struct small_case *c, series, small_windows)
{
    struct fixture f = {0};
    begin(&f, SERIES_VALUE, (int64_t[]){DAY_US}, 1, 0, DAY_US);
    for (size_t i = 0; c->hours[i] >= 0; i++) {
        struct slot slot = slot_of_value(c->hours[i] * HOUR, c->values[i]);
        series_observe(&f.series, f.state, card, &slot);
    }
    struct aggregate got;
    int64_t previous;
    read_at(&f, c->at * HOUR, NULL, &got, &previous);
    cr_expect(eq(dbl, got.count, c->count), "%s", c->name);
    cr_expect(eq(dbl, got.sum, c->sum), "%s", c->name);
    cr_expect(got.min == c->min && got.max == c->max, "%s", c->name);
    double std = aggregate_std(&got);
    cr_expect(isnan(c->std) ? isnan(std) : std == c->std, "%s: std %g", c->name, std);
    end(&f);
}

Test(series, nothing_known_of_an_entity)
{
    struct fixture f = {0};
    begin(&f, SERIES_VALUE, (int64_t[]){DAY_US}, 1, 0, 0);
    struct aggregate got;
    int64_t previous;
    read_at(&f, 0, NULL, &got, &previous);
    cr_expect(eq(dbl, got.count, 0));
    cr_expect(eq(dbl, aggregate_mean(&got), 0));
    cr_expect(eq(i64, previous, TIME_NONE));
    struct slot self = slot_of_value(0, 4);
    read_at(&f, 0, &self, &got, &previous);
    cr_expect(eq(dbl, got.sum, 4));
    end(&f);
}

/* Laws. */

static void compare_windows(struct fixture *f, struct past *past, int64_t time,
                            const struct slot *self, const char *what, size_t step)
{
    struct aggregate got[4];
    int64_t previous, upper = time - f->series.delay;
    read_at(f, time, self, got, &previous);
    cr_assert(eq(i64, previous, naive_previous(past, upper)), "%s previous at %zu", what, step);
    if (self)
        past_add(past, self);
    for (size_t w = 0; w < f->series.n_windows; w++) {
        int64_t over = f->series.over[w];
        int64_t lower = f->series.tumbling ? upper / over * over - 1 : upper - over;
        struct aggregate want = naive(past, f->series.entry, lower, upper);
        expect_same(&got[w], &want, asked(f), what, step);
    }
    past->n -= self != NULL;
}

static void compare_stream(struct fixture *f, enum pattern pattern, int64_t lateness, uint64_t seed,
                           size_t n)
{
    struct past *past = past_create();
    int64_t now = 100 * DAY_US;
    for (size_t i = 0; i < n; i++) {
        now += next_step(pattern, i, &seed);
        int64_t time = event_time(now, lateness, &seed);
        struct slot entry = random_entry(f->series.entry, time, (uint32_t)i, &seed);
        if (f->series.entry == SERIES_LABEL)
            entry.label = (float)f->series.absent;
        bool counts_itself = f->series.delay == 0;
        compare_windows(f, past, time, counts_itself ? &entry : NULL, "before", i);
        series_observe(&f->series, f->state, card, &entry);
        past_add(past, &entry);
        label_some(f, past, &seed);
        compare_windows(f, past, now + (int64_t)(noise(&seed) * HOUR), NULL, "after", i);
    }
    free(past);
}

TheoryDataPoints(series, windows_are_what_a_list_of_all_entries_gives) = {
    DataPoints(int, SERIES_VALUE, SERIES_LABEL, SERIES_HASH),
    DataPoints(int, STEADY, BURSTS, SILENCES, TIES),
    DataPoints(int64_t, 0, DAY_US / 2, 3 * DAY_US), /* delay */
    DataPoints(int64_t, 0, DAY_US),                 /* lateness */
    DataPoints(int, 0, 1),                          /* tumbling */
    DataPoints(int, 0, 1),                          /* light */
};

Theory((int entry, int pattern, int64_t delay, int64_t lateness, int tumbling, int light), series,
       windows_are_what_a_list_of_all_entries_gives)
{
    struct fixture f = {0};
    cr_assume(entry != SERIES_HASH || !light);
    f.series.tumbling = tumbling;
    f.light = light;
    f.series.absent = delay > DAY_US ? NAN : 0;
    begin(&f, (enum series_entry)entry, (int64_t[]){7 * HOUR, DAY_US, 4 * DAY_US}, 3, delay,
          lateness);
    compare_stream(&f, (enum pattern)pattern, lateness, 7, entry == SERIES_HASH ? 250 : 450);
    end(&f);
}

/* A window that holds some thousand entries, so that whole chunks are taken from their aggregates,
 * and one that begins anywhere inside them. */
Test(series, long_windows_are_exact)
{
    struct fixture f = {0};
    begin(&f, SERIES_VALUE, (int64_t[]){HOUR, DAY_US, 30 * DAY_US}, 3, 0, HOUR);
    struct past *past = past_create();
    uint64_t seed = 3;
    int64_t now = 0;
    for (size_t i = 0; i < 5000; i++) {
        now += (int64_t)(noise(&seed) * 10 * MINUTE);
        struct slot entry =
            random_entry(SERIES_VALUE, event_time(now, HOUR, &seed), (uint32_t)i, &seed);
        series_observe(&f.series, f.state, card, &entry);
        past_add(past, &entry);
        if (i % 50 == 0)
            compare_windows(&f, past, now, NULL, "long", i);
    }
    free(past);
    end(&f);
}
