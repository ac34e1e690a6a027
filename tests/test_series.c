/*
 * Tests of features/series.h.
 *
 * What is known without running it: a window is the set of entries with lower < time <= upper, so a
 * list of all entries ever and a loop over it give every answer. Streams are random (seeded), with
 * late entries, ties, silences longer than the windows, bursts, and labels that come late, early
 * and are corrected. What may be dropped and what a record costs follows from the layout: 16 bytes
 * an entry, a window's worth of entries, and nothing else dirtied by one more.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include <math.h>
#include <stdlib.h>

#include "features/series.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MINUTE (60 * SECOND_US)
#define HOUR   (3600 * SECOND_US)

static const struct key128 card = {1, 2};

static double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / (double)(UINT64_C(1) << 53);
}

struct fixture {
    struct state *state;
    struct series series;
    struct series_scratch scratch;
    bool light; /* counts and sums alone */
};

static void begin(struct fixture *f, enum series_entry entry, const int64_t *over, size_t n_over,
                  int64_t delay, int64_t lateness)
{
    f->scratch = (struct series_scratch){0};
    f->series.scratch = &f->scratch;
    f->series.entry = entry;
    f->series.delay = delay;
    f->series.spread = f->series.extremes = !f->light;
    f->series.tiles = f->series.tiles ? f->series.tiles : 64;
    f->series.entries_max = f->series.entries_max ? f->series.entries_max : 1 << 20;
    for (size_t i = 0; i < n_over; i++)
        cr_assert(series_add_window(&f->series, over[i]));
    series_ready(&f->series, lateness);
    cr_assert(eq(int, state_create(&f->state), ST_OK));
    cr_assert(eq(int,
                 state_family(f->state, "test", series_fingerprint(&f->series), &f->series.family),
                 ST_OK));
}

static void end(struct fixture *f)
{
    series_scratch_done(&f->scratch);
    state_free(f->state);
}

static void read_at(struct fixture *f, int64_t time, const struct slot *self, struct aggregate *ret,
                    int64_t *previous)
{
    series_read(&f->series, series_find(&f->series, f->state, card), time, self, ret, previous);
}

static size_t record_size(struct fixture *f)
{
    struct record *rec = series_find(&f->series, f->state, card);
    return rec ? rec->size : 0;
}

/* Everything that ever happened, and the same answers from it. */

struct past {
    size_t n;
    struct slot slots[20000];
};

static struct past *past_create(void)
{
    struct past *past = malloc(sizeof *past);
    cr_assert(past != NULL);
    past->n = 0;
    return past;
}

static void past_add(struct past *past, const struct slot *slot)
{
    cr_assert(past->n < LEN(past->slots));
    past->slots[past->n++] = *slot;
}

static bool seen_before(const struct past *past, size_t i, uint64_t lower, uint64_t upper)
{
    for (size_t k = 0; k < i; k++)
        if (past->slots[k].at > lower && past->slots[k].at <= upper &&
            past->slots[k].hash == past->slots[i].hash)
            return true;
    return false;
}

static struct aggregate naive(const struct past *past, enum series_entry entry, int64_t lower,
                              int64_t upper)
{
    struct aggregate a = aggregate_none();
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < past->n; i++) {
            const struct slot *s = &past->slots[i];
            double v = entry == SERIES_LABEL ? s->label : s->value;
            if (s->at <= instant_of(lower) || s->at > instant_of(upper))
                continue;
            if (entry == SERIES_HASH) {
                a.count += pass == 0 && !seen_before(past, i, instant_of(lower), instant_of(upper));
                continue;
            }
            if (isnan(v))
                continue;
            if (pass == 1) {
                a.m2 += (v - a.sum / a.count) * (v - a.sum / a.count);
                continue;
            }
            a.count++;
            a.sum += v;
            a.min = v < a.min ? v : a.min;
            a.max = v > a.max ? v : a.max;
        }
    return a;
}

static int64_t naive_previous(const struct past *past, int64_t upper)
{
    uint64_t best = 0;
    for (size_t i = 0; i < past->n; i++)
        if (past->slots[i].at <= instant_of(upper) && past->slots[i].at > best)
            best = past->slots[i].at;
    return best ? instant_time(best) : TIME_NONE;
}

enum asked { ASKED_COUNT, ASKED_SUM, ASKED_ALL };

static enum asked asked(const struct fixture *f)
{
    return f->series.entry == SERIES_HASH ? ASKED_COUNT : f->light ? ASKED_SUM : ASKED_ALL;
}

static void expect_same(const struct aggregate *got, const struct aggregate *want, enum asked asked,
                        const char *what, size_t step)
{
    cr_assert(eq(dbl, got->count, want->count), "%s count at %zu", what, step);
    if (asked == ASKED_COUNT)
        return;
    cr_assert(epsilon_eq(dbl, got->sum, want->sum, 1e-9), "%s sum at %zu", what, step);
    if (asked == ASKED_SUM)
        return;
    cr_assert(epsilon_eq(dbl, got->m2, want->m2, 1e-7 * (1 + want->m2)), "%s m2 at %zu", what,
              step);
    cr_assert(got->min == want->min && got->max == want->max, "%s extremes at %zu", what, step);
}

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

enum pattern { STEADY, BURSTS, SILENCES, TIES, PATTERNS };

static int64_t next_step(enum pattern pattern, size_t i, uint64_t *seed)
{
    double x = noise(seed);
    switch (pattern) {
    case BURSTS:
        return (int64_t)(x * (i / 100 % 2 ? (double)SECOND_US : 4.0 * HOUR));
    case SILENCES:
        return (int64_t)(x * HOUR) + (i % 60 == 59 ? 20 * DAY_US : 0);
    case TIES:
        return (int64_t)(x * 3) * HOUR;
    default:
        return (int64_t)(x * HOUR);
    }
}

/* Mostly now; one in eight up to `lateness` late. */
static int64_t event_time(int64_t now, int64_t lateness, uint64_t *seed)
{
    return noise(seed) < 0.125 ? now - (int64_t)(noise(seed) * (double)lateness) : now;
}

static struct slot random_entry(enum series_entry entry, int64_t time, uint32_t tag, uint64_t *seed)
{
    if (entry == SERIES_HASH)
        return slot_of_hash(time, 1 + (uint64_t)(noise(seed) * noise(seed) * 40));
    if (entry == SERIES_LABEL)
        return slot_of_label(time, tag, 0);
    return slot_of_value(time, 100 * noise(seed) - 20);
}

/* Labels entries at random, one in three of them NaN before, others twice. */
static void label_some(struct fixture *f, struct past *past, uint64_t *seed)
{
    if (f->series.entry != SERIES_LABEL)
        return;
    size_t back = (size_t)(noise(seed) * noise(seed) * 200);
    if (back >= past->n)
        return;
    struct slot *slot = &past->slots[past->n - 1 - back];
    slot->label = noise(seed) < 0.5;
    series_label(&f->series, f->state, card, instant_time(slot->at), slot->tag, slot->label);
}

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

/* What an entity's windows are does not depend on what is asked in between, nor on what else the
 * state holds: they are a function of the entries observed. */
Test(series, equal_entries_leave_equal_bytes)
{
    struct fixture a = {0}, b = {0};
    begin(&a, SERIES_VALUE, (int64_t[]){DAY_US}, 1, 0, HOUR);
    begin(&b, SERIES_VALUE, (int64_t[]){DAY_US}, 1, 0, HOUR);
    uint64_t seed = 9;
    struct buf redo = {0};
    for (int64_t i = 0, now = 0; i < 2000; i++) {
        now += (int64_t)(noise(&seed) * HOUR / 4);
        struct slot entry = slot_of_value(event_time(now, HOUR, &seed), noise(&seed));
        series_observe(&a.series, a.state, card, &entry);
        series_observe(&b.series, b.state, card, &entry);
        if (i % 7 == 0)
            state_seal(b.state, &redo);
    }
    struct key128 da = state_digest(a.state), db = state_digest(b.state);
    cr_expect(key_eq(da, db));
    buf_done(&redo);
    end(&a);
    end(&b);
}

/* Whatever an observe or a label changes must be touched: redo values alone rebuild the state. */
static void observe_and_follow(struct fixture *f, int64_t lateness, size_t n)
{
    struct state *follower;
    cr_assert(eq(int, state_create(&follower), ST_OK));
    struct past *past = past_create();
    uint64_t seed = 21;
    int64_t now = 0;
    for (size_t i = 0; i < n; i++) {
        now += next_step((enum pattern)(i / 300 % PATTERNS), i, &seed) / 16;
        struct slot entry =
            random_entry(f->series.entry, event_time(now, lateness, &seed), (uint32_t)i, &seed);
        series_observe(&f->series, f->state, card, &entry);
        past_add(past, &entry);
        label_some(f, past, &seed);
        struct buf redo = {0};
        state_seal(f->state, &redo);
        cr_assert(eq(int, state_apply_redo(follower, buf_slice(&redo)), ST_OK));
        buf_done(&redo);
        cr_assert(key_eq(state_digest(f->state), state_digest(follower)), "after %zu", i);
    }
    free(past);
    state_free(follower);
}

TheoryDataPoints(series, all_that_changes_is_touched) = {
    DataPoints(int, SERIES_VALUE, SERIES_LABEL, SERIES_HASH),
    DataPoints(unsigned, 100, 1 << 20), /* entries_max */
    DataPoints(int64_t, 0, HOUR),       /* lateness */
};

Theory((int entry, unsigned entries_max, int64_t lateness), series, all_that_changes_is_touched)
{
    struct fixture f = {0};
    f.series.entries_max = entries_max;
    begin(&f, (enum series_entry)entry, (int64_t[]){2 * HOUR, DAY_US}, 2, 0, lateness);
    observe_and_follow(&f, lateness, 2000);
    end(&f);
}

/* Costs. */

static size_t sealed_bytes(struct fixture *f)
{
    struct buf redo = {0};
    state_seal(f->state, &redo);
    size_t n = redo.len;
    buf_done(&redo);
    return n;
}

/* 18 bytes name the record and about 7 say which of its bytes follow. */
Test(series, one_more_entry_dirties_its_slot_alone)
{
    struct fixture f = {0};
    begin(&f, SERIES_VALUE, (int64_t[]){DAY_US}, 1, 0, 0);
    int64_t now = 0;
    for (; now < 4 * DAY_US; now += 10 * MINUTE) {
        struct slot entry = slot_of_value(now, 1);
        series_observe(&f.series, f.state, card, &entry);
    }
    sealed_bytes(&f);
    size_t total = 0, n = 0, typical = 0;
    for (; now < 30 * DAY_US; now += 10 * MINUTE, n++) {
        struct slot entry = slot_of_value(now, 1);
        series_observe(&f.series, f.state, card, &entry);
        size_t bytes = sealed_bytes(&f);
        total += bytes - 26;
        typical += bytes <= 16 + 26;
    }
    cr_expect(gt(sz, typical, n * 9 / 10), "%zu of %zu", typical, n);
    cr_expect(lt(sz, total / n, 40), "%zu bytes an entry", total / n);
    end(&f);
}

Test(series, a_record_grows_with_its_window_and_shrinks_again)
{
    struct fixture f = {0};
    begin(&f, SERIES_VALUE, (int64_t[]){DAY_US}, 1, 0, 0);
    struct slot entry = slot_of_value(0, 1);
    series_observe(&f.series, f.state, card, &entry);
    cr_expect(le(sz, record_size(&f), 80));
    int64_t now = 0;
    for (size_t i = 0; i < 3000; i++, now += 10 * SECOND_US) {
        entry = slot_of_value(now, 1);
        series_observe(&f.series, f.state, card, &entry);
    }
    size_t full = record_size(&f);
    cr_expect(ge(sz, full, 3000 * 16));
    cr_expect(le(sz, full, 3000 * 16 * 2));
    for (size_t i = 0; i < 200; i++, now += HOUR) {
        entry = slot_of_value(now, 1);
        series_observe(&f.series, f.state, card, &entry);
    }
    cr_expect(le(sz, record_size(&f), 1600), "%zu bytes for 24 entries", record_size(&f));
    now += 30 * DAY_US;
    entry = slot_of_value(now, 1);
    series_observe(&f.series, f.state, card, &entry);
    cr_expect(le(sz, record_size(&f), 80));
    end(&f);
}

Test(series, what_no_window_can_see_is_not_taken)
{
    struct fixture f = {0};
    begin(&f, SERIES_VALUE, (int64_t[]){DAY_US}, 1, 0, HOUR);
    struct slot now = slot_of_value(50 * DAY_US, 1), old = slot_of_value(10 * DAY_US, 1);
    series_observe(&f.series, f.state, card, &now);
    series_observe(&f.series, f.state, card, &old);
    struct series_figures figures =
        series_figures(&f.series, series_find(&f.series, f.state, card));
    cr_expect(eq(u64, figures.slots, 1));
    end(&f);
}

/* Tiles: a window of them is the exact one of a length that is off by half a tile at either end. */

static bool between_windows(const struct past *past, double count, int64_t upper, int64_t over,
                            int64_t tile)
{
    struct aggregate most = naive(past, SERIES_VALUE, upper - over - tile, upper + tile);
    struct aggregate least = naive(past, SERIES_VALUE, upper - over + tile, upper - tile);
    return count >= least.count && count <= most.count;
}

TheoryDataPoints(series, tiles_are_off_by_half_a_tile_at_most) = {
    DataPoints(int, 0, 1),            /* tiled from the start */
    DataPoints(int64_t, 0, 2 * HOUR), /* delay */
    DataPoints(int64_t, 0, HOUR),     /* lateness */
    DataPoints(unsigned, 8, 64),      /* tiles */
    DataPoints(unsigned, 1024, 4096), /* entries_max */
};

Theory((int tiled, int64_t delay, int64_t lateness, unsigned tiles, unsigned entries_max), series,
       tiles_are_off_by_half_a_tile_at_most)
{
    struct fixture f = {0};
    f.series.tiled = tiled;
    f.series.tiles = tiles;
    f.series.entries_max = entries_max;
    begin(&f, SERIES_VALUE, (int64_t[]){HOUR, DAY_US}, 2, delay, lateness);
    struct past *past = past_create();
    uint64_t seed = 5;
    int64_t now = 100 * DAY_US;
    for (size_t i = 0; i < 12000; i++) {
        now += (int64_t)(noise(&seed) * 20 * SECOND_US);
        struct slot entry =
            random_entry(SERIES_VALUE, event_time(now, lateness, &seed), (uint32_t)i, &seed);
        series_observe(&f.series, f.state, card, &entry);
        past_add(past, &entry);
        if (i % 500 != 0)
            continue;
        struct aggregate got[2];
        int64_t previous;
        read_at(&f, now, NULL, got, &previous);
        for (size_t w = 0; w < 2; w++)
            cr_assert(between_windows(past, got[w].count, now - delay, f.series.over[w],
                                      f.series.width[w] / 2 + 1),
                      "window %zu at %zu: %g", w, i, got[w].count);
    }
    struct series_figures figures =
        series_figures(&f.series, series_find(&f.series, f.state, card));
    cr_expect(eq(int, figures.tiles, 1));
    cr_expect(le(sz, record_size(&f), 3 * (size_t)entries_max * 16), "%zu", record_size(&f));
    free(past);
    end(&f);
}

/* Nothing leaves a window that is longer than the stream: tiles must add up to all of it. */
Test(series, tiles_lose_nothing)
{
    struct fixture f = {0};
    f.series.entries_max = 256;
    begin(&f, SERIES_VALUE, (int64_t[]){HOUR, 365 * DAY_US}, 2, 0, HOUR);
    struct past *past = past_create();
    uint64_t seed = 11;
    int64_t now = 400 * DAY_US;
    for (size_t i = 0; i < 5000; i++) {
        now += (int64_t)(noise(&seed) * MINUTE);
        struct slot entry =
            random_entry(SERIES_VALUE, event_time(now, HOUR, &seed), (uint32_t)i, &seed);
        series_observe(&f.series, f.state, card, &entry);
        past_add(past, &entry);
    }
    struct aggregate got[2], want = naive(past, SERIES_VALUE, 0, now);
    int64_t previous;
    read_at(&f, now, NULL, got, &previous);
    expect_same(&got[1], &want, ASKED_ALL, "all", 0);
    cr_expect(eq(i64, previous, naive_previous(past, now)));
    now += 400 * DAY_US;
    struct slot entry = slot_of_value(now, 1);
    series_observe(&f.series, f.state, card, &entry);
    cr_expect(le(sz, record_size(&f), 80), "it starts anew as a short, exact one");
    free(past);
    end(&f);
}

Test(series, labels_reach_their_tiles)
{
    struct fixture f = {0};
    f.series.entries_max = 256;
    begin(&f, SERIES_LABEL, (int64_t[]){HOUR, 365 * DAY_US}, 2, 0, 0);
    int64_t start = 400 * DAY_US;
    for (int64_t i = 0; i < 2000; i++) {
        struct slot entry = slot_of_label(start + i * MINUTE, (uint32_t)i, 0);
        series_observe(&f.series, f.state, card, &entry);
        if (i >= 1000)
            series_label(&f.series, f.state, card, start + (i - 1000) * MINUTE,
                         (uint32_t)(i - 1000), (i - 1000) % 10 == 0);
    }
    struct aggregate got[2];
    int64_t previous;
    read_at(&f, start + 2000 * MINUTE, NULL, got, &previous);
    cr_expect(eq(dbl, got[1].count, 2000));
    cr_expect(eq(dbl, got[1].sum, 100));
    cr_expect(eq(dbl, got[1].max, 1));
    end(&f);
}

/* Distinct values past entries_max are counted by a sample of them. */
Test(series, distinct_counts_of_many_values_are_close)
{
    struct fixture f = {0};
    f.series.entries_max = 1024;
    begin(&f, SERIES_HASH, (int64_t[]){DAY_US}, 1, 0, 0);
    uint64_t seed = 17;
    int64_t now = 0;
    double n = 40000;
    for (int64_t i = 0; i < (int64_t)n; i++, now += SECOND_US) {
        noise(&seed);
        struct slot entry = slot_of_hash(now, seed);
        series_observe(&f.series, f.state, card, &entry);
    }
    struct aggregate got;
    int64_t previous;
    read_at(&f, now, NULL, &got, &previous);
    double error = 1 / sqrt(1024.0 / 2);
    cr_expect(epsilon_eq(dbl, got.count / n, 1, 4 * error), "%g of %g", got.count, n);
    cr_expect(le(sz, record_size(&f), 2 * 1024 * 16 * 2));
    end(&f);
}

/* However often they repeat, 40 values are 40 entries and what `settle` needs. */
Test(series, repeats_cost_no_memory)
{
    struct fixture f = {0};
    begin(&f, SERIES_HASH, (int64_t[]){DAY_US}, 1, 0, 0);
    for (int64_t i = 0; i < 20000; i++) {
        struct slot entry = slot_of_hash(i * SECOND_US, 1 + (uint64_t)i % 40);
        series_observe(&f.series, f.state, card, &entry);
    }
    cr_expect(le(sz, record_size(&f), 4096), "%zu", record_size(&f));
    end(&f);
}

/* A record of garbage (a disk that lied) is read as something, not beyond its end. */
Test(series, any_bytes_can_be_read)
{
    for (int entry = SERIES_VALUE; entry <= SERIES_HASH; entry++) {
        struct fixture f = {0};
        begin(&f, (enum series_entry)entry, (int64_t[]){HOUR, DAY_US}, 2, 0, HOUR);
        uint64_t seed = 99;
        for (int i = 0; i < 3000; i++) {
            struct key128 id = {(uint64_t)i + 1, 0};
            struct record *rec =
                state_obtain(f.state, f.series.family, id, (size_t)(noise(&seed) * 3000));
            for (size_t k = 0; k < rec->size; k++)
                rec->data[k] = (char)(noise(&seed) < 0.4 ? 0 : noise(&seed) * 256);
            if (rec->size > 4)
                memset(rec->data + 1, 0, 3);
            struct aggregate got[2];
            int64_t previous;
            series_read(&f.series, rec, (int64_t)seed, NULL, got, &previous);
            series_figures(&f.series, rec);
            struct slot slot = slot_of_value((int64_t)seed, 1);
            series_observe(&f.series, f.state, id, &slot);
            series_label(&f.series, f.state, id, (int64_t)seed, 0, 1);
        }
        end(&f);
    }
}
