/*
 * Tests of series_read_gaps(): the gaps between the entries of a window.
 *
 * What is known without running it: gaps of a few entries worked out by hand; of random streams
 * (late entries, ties, bursts, silences) the sorted times of all entries in a window give the mean
 * and the spread; in tiles the mean of a window that holds all entries stays what it was.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include "features/series.h"
#include "tests/series_past.h"

struct small_case {
    char name[32];
    int64_t hours[6]; /* -1 ends them */
    int64_t at;
    double count, mean, std; /* gaps of a day's window, in hours */
};

ParameterizedTestParameters(series_gaps, small)
{
    static struct small_case cases[] = {
        {"none", {-1}, 0, 0, 0, 0},
        {"one", {3, -1}, 3, 0, 0, 0},
        {"two", {1, 4, -1}, 4, 1, 3, 0},
        {"a tie", {4, 4, -1}, 4, 1, 0, 0},
        {"regular", {1, 2, 3, 4, -1}, 5, 3, 1, 0},
        {"two gaps", {1, 2, 5, -1}, 5, 2, 2, 1},
        {"out of order", {5, 1, 2, -1}, 5, 2, 2, 1},
        {"the first is out", {1, 5, 7, -1}, 25, 1, 2, 0},
        {"the last is out", {1, 5, 7, -1}, 6, 1, 4, 0},
        {"all are out", {1, 5, 7, -1}, 99, 0, 0, 0},
    };
    return cr_make_param_array(struct small_case, cases, LEN(cases));
}

ParameterizedTest(struct small_case *c, series_gaps, small)
{
    struct fixture f = {0};
    begin(&f, SERIES_VALUE, (int64_t[]){DAY_US}, 1, 0, DAY_US);
    for (size_t i = 0; c->hours[i] >= 0; i++) {
        struct slot slot = slot_of_value(c->hours[i] * HOUR, 1);
        series_observe(&f.series, f.state, card, &slot);
    }
    struct series_gaps got;
    series_read_gaps(&f.series, series_find(&f.series, f.state, card), c->at * HOUR, NULL, &got);
    cr_expect(eq(dbl, got.count, c->count), "%s", c->name);
    cr_expect(eq(dbl, got.mean, c->mean * 3600), "%s", c->name);
    cr_expect(eq(dbl, got.m2, c->count * c->std * c->std * 3600 * 3600), "%s", c->name);
    end(&f);
}

static int compare_times(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static struct series_gaps naive_gaps(const struct past *past, int64_t lower, int64_t upper)
{
    static uint64_t times[LEN(past->slots)];
    size_t n = 0;
    for (size_t i = 0; i < past->n; i++)
        if (past->slots[i].at > instant_of(lower) && past->slots[i].at <= instant_of(upper))
            times[n++] = past->slots[i].at;
    qsort(times, n, sizeof *times, compare_times);
    struct series_gaps ret = {0};
    if (n < 2)
        return ret;
    ret.count = (double)(n - 1);
    ret.mean = (double)(times[n - 1] - times[0]) / (double)SECOND_US / ret.count;
    for (size_t i = 1; i < n; i++) {
        double apart = (double)(times[i] - times[i - 1]) / (double)SECOND_US - ret.mean;
        ret.m2 += apart * apart;
    }
    return ret;
}

static void compare(struct fixture *f, struct past *past, int64_t time, const struct slot *self)
{
    struct series_gaps got[4];
    series_read_gaps(&f->series, series_find(&f->series, f->state, card), time, self, got);
    if (self)
        past_add(past, self);
    for (size_t w = 0; w < f->series.n_windows; w++) {
        int64_t over = f->series.over[w], upper = time - f->series.delay;
        int64_t lower = f->series.tumbling ? upper / over * over - 1 : upper - over;
        struct series_gaps want = naive_gaps(past, lower, upper);
        cr_assert(eq(dbl, got[w].count, want.count));
        cr_assert(epsilon_eq(dbl, got[w].mean, want.mean, 1e-9 * (1 + want.mean)));
        cr_assert(epsilon_eq(dbl, got[w].m2, want.m2, 1e-9 * (1 + want.m2)));
    }
    past->n -= self != NULL;
}

TheoryDataPoints(series_gaps, are_those_of_the_sorted_times) = {
    DataPoints(int, STEADY, BURSTS, SILENCES, TIES), DataPoints(int, 0, 1), /* tumbling */
    DataPoints(int, 0, 1), /* a delay of five hours */
    DataPoints(int, 1, 2), /* seeds */
};

Theory((int pattern, int tumbling, int delayed, int seed), series_gaps,
       are_those_of_the_sorted_times)
{
    struct fixture f = {.series = {.tumbling = tumbling}};
    int64_t delay = delayed ? 5 * HOUR : 0, now = 100 * DAY_US;
    uint64_t draws = (uint64_t)seed;
    struct past *past = past_create();
    begin(&f, SERIES_VALUE, (int64_t[]){HOUR, 7 * HOUR, 2 * DAY_US}, 3, delay, 2 * HOUR);
    for (size_t i = 0; i < 600; i++) {
        now += next_step((enum pattern)pattern, i, &draws);
        struct slot entry = slot_of_value(event_time(now, 2 * HOUR, &draws), 1);
        compare(&f, past, instant_time(entry.at), delay ? NULL : &entry);
        series_observe(&f.series, f.state, card, &entry);
        past_add(past, &entry);
        compare(&f, past, now + (int64_t)(noise(&draws) * HOUR), NULL);
    }
    free(past);
    end(&f);
}

/* Of regular entries, tiles know all there is to know. */
Test(series_gaps, regular_entries_in_tiles)
{
    struct fixture f = {.series = {.tiled = true, .tiles = 8}};
    begin(&f, SERIES_VALUE, (int64_t[]){40 * DAY_US}, 1, 0, 0);
    for (int64_t i = 0; i < 500; i++) {
        struct slot entry = slot_of_value(i * HOUR, 1);
        series_observe(&f.series, f.state, card, &entry);
    }
    struct record *rec = series_find(&f.series, f.state, card);
    struct series_gaps got;
    cr_assert(series_figures(&f.series, rec).slots < 100);
    series_read_gaps(&f.series, rec, 499 * HOUR, NULL, &got);
    cr_expect(eq(dbl, got.count, 499));
    cr_expect(epsilon_eq(dbl, got.mean, 3600, 1e-9));
    cr_expect(got.m2 < 1e-12);
    end(&f);
}
