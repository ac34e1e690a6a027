/*
 * Tests of features/series.h: tiles, which a record falls back on when it has too many entries.
 *
 * What is known without running it: a window of tiles is the exact one of a length that is off by
 * half a tile at either end; tiles lose nothing; a sample of n distinct values is off by about
 * 1/sqrt(n).
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include "features/series.h"
#include "tests/series_past.h"

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
