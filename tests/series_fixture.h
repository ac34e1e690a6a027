/*
 * tests/series_fixture.h -- a series of one card with its state, and random streams of entries
 * (seeded): late entries, ties, silences longer than the windows, bursts.
 */
#ifndef TESTS_SERIES_FIXTURE_H
#define TESTS_SERIES_FIXTURE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <stdlib.h>

#include "features/series.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MINUTE (60 * SECOND_US)
#define HOUR   (3600 * SECOND_US)

static const struct key128 card = {1, 2};

static inline double noise(uint64_t *seed)
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

static inline void begin(struct fixture *f, enum series_entry entry, const int64_t *over,
                         size_t n_over, int64_t delay, int64_t lateness)
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

static inline void end(struct fixture *f)
{
    series_scratch_done(&f->scratch);
    state_free(f->state);
}

static inline void read_at(struct fixture *f, int64_t time, const struct slot *self,
                           struct aggregate *ret, int64_t *previous)
{
    series_read(&f->series, series_find(&f->series, f->state, card), time, self, ret, previous);
}

static inline size_t record_size(struct fixture *f)
{
    struct record *rec = series_find(&f->series, f->state, card);
    return rec ? rec->size : 0;
}

enum pattern { STEADY, BURSTS, SILENCES, TIES, PATTERNS };

static inline int64_t next_step(enum pattern pattern, size_t i, uint64_t *seed)
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
static inline int64_t event_time(int64_t now, int64_t lateness, uint64_t *seed)
{
    return noise(seed) < 0.125 ? now - (int64_t)(noise(seed) * (double)lateness) : now;
}

static inline struct slot random_entry(enum series_entry entry, int64_t time, uint32_t tag,
                                       uint64_t *seed)
{
    if (entry == SERIES_HASH)
        return slot_of_hash(time, 1 + (uint64_t)(noise(seed) * noise(seed) * 40));
    if (entry == SERIES_LABEL)
        return slot_of_label(time, tag, 0);
    return slot_of_value(time, 100 * noise(seed) - 20);
}

#endif
