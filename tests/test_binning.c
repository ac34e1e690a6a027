/*
 * Tests of models/binning.h.
 *
 * Known without running it: WoE and IV of small tables by hand; the best of all ways to cut a few
 * pre-bins, found by trying each (2^(n-1) of them), for every trend and limit; that IV is never
 * negative and merging never raises it, that rates keep the trend that was asked for, that counts
 * in another unit give the same bins, and that turning the values around mirrors them; what
 * optbinning makes of the same pre-bins (tests/data/binning); and what is refused.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "models/binning.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

enum { PREBINS = 64, BINS = 32 };

static struct binning_table merge(const struct binning_options *options,
                                  const struct binning_counts *counts, size_t n,
                                  const struct binning_counts *missing)
{
    struct binning *binning = NULL;
    struct binning_table table;
    cr_assert(eq(int, binning_create(PREBINS, BINS, &binning), ST_OK));
    cr_assert(eq(int, binning_merge(binning, options, counts, n, missing, &table), ST_OK));
    binning_free(binning);
    return table;
}

/* By hand. */

struct hand_case {
    char name[40];
    struct binning_options options;
    size_t n;
    struct binning_counts counts[6], missing;
    size_t bins, last[6];
    double woe[6], missing_woe, iv;
};

#define FREE(trend)                                                                                \
    {                                                                                              \
        trend, 10, 0, 1, 1                                                                         \
    }

ParameterizedTestParameters(binning, by_hand)
{
    static struct hand_case cases[] = {
        /* Half of the non-events and a quarter of the events; half and three quarters. */
        {"two bins",
         FREE(BINNING_AUTO),
         2,
         {{50, 5}, {50, 15}},
         {0, 0},
         2,
         {0, 1},
         {0.69314718055994529, -0.40546510810816438},
         0,
         0.25 * 1.0986122886681098},
        {"the same rate: one bin",
         FREE(BINNING_NONE),
         3,
         {{10, 1}, {20, 2}, {30, 3}},
         {0, 0},
         1,
         {2},
         {0},
         0,
         0},
        {"one pre-bin", FREE(BINNING_AUTO), 1, {{7, 3}}, {0, 0}, 1, {0}, {0}, 0, 0},
        {"a pre-bin without events",
         FREE(BINNING_AUTO),
         3,
         {{20, 0}, {30, 5}, {50, 15}},
         {0, 0},
         2,
         {1, 2},
         {0.69314718055994529, -0.40546510810816438},
         0,
         0.25 * 1.0986122886681098},
        {"a trend that is not there",
         FREE(BINNING_DESCENDING),
         2,
         {{50, 5}, {50, 15}},
         {0, 0},
         1,
         {1},
         {0},
         0,
         0},
        /* Known: as above, of half of all rows. The other half is missing and has no events: as if
         * one row with 1/11 events were in it: ln(((100 + 10/11) / 200) / ((1/11) / 20)) */
        {"missing numbers without events",
         FREE(BINNING_AUTO),
         2,
         {{50, 5}, {50, 15}},
         {100, 0},
         2,
         {0, 1},
         {0, -1.0986122886681098},
         4.7095302013,
         0.5 * 1.0986122886681098 + 0.5 * 4.7095302013},
        /* As if a tenth of an event, and 0.9 others, were in the first: 10.9 of 90 and 0.1 of 10.
         */
        {"a bin without events, where it may be",
         {BINNING_AUTO, 10, 0, 0, 0},
         2,
         {{10, 0}, {80, 10}},
         {0, 0},
         2,
         {0, 1},
         {2.4941233, -0.1177830},
         0,
         2.4941233 / 9 + 0.1177830 / 9},
        {"too few events to cut",
         {BINNING_AUTO, 10, 0, 11, 1},
         2,
         {{50, 5}, {50, 15}},
         {0, 0},
         1,
         {1},
         {0},
         0,
         0},
        {"too few rows to cut",
         {BINNING_AUTO, 10, 0.51, 1, 1},
         2,
         {{50, 5}, {50, 15}},
         {0, 0},
         1,
         {1},
         {0},
         0,
         0},
    };
    return cr_make_param_array(struct hand_case, cases, LEN(cases));
}

ParameterizedTest(struct hand_case *c, binning, by_hand)
{
    struct binning_table table = merge(&c->options, c->counts, c->n, &c->missing);
    cr_expect(eq(sz, table.n, c->bins), "%s", c->name);
    for (size_t i = 0; i < c->bins && i < table.n; i++) {
        cr_expect(eq(sz, table.bins[i].last, c->last[i]), "%s: bin %zu", c->name, i);
        cr_expect(epsilon_eq(dbl, table.bins[i].woe, c->woe[i], 1e-6), "%s: bin %zu", c->name, i);
    }
    cr_expect(epsilon_eq(dbl, table.missing.woe, c->missing_woe, 1e-4), "%s", c->name);
    cr_expect(epsilon_eq(dbl, table.iv, c->iv, 1e-4), "%s: %g", c->name, table.iv);
}

/* Every way to cut. */

static double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / (double)(UINT64_C(1) << 53);
}

static void random_counts(struct binning_counts *counts, size_t n, uint64_t *seed)
{
    double slope = 0.6 * (noise(seed) - 0.5);
    for (size_t i = 0; i < n; i++) {
        double rate = 0.45 + slope * (double)i / (double)n + 0.2 * (noise(seed) - 0.5);
        double rows = floor(1 + 60 * noise(seed));
        counts[i].events = noise(seed) < 0.1 ? 0 : floor(rows * rate);
        counts[i].nonevents = rows - counts[i].events;
    }
    counts[0].events++; /* some of both in all */
    counts[0].nonevents++;
}

static bool keeps_trend(const struct binning_bin *bins, size_t n, enum binning_trend trend)
{
    bool rises = true, falls = true, peaks = true, dips = true;
    bool down = false, up = false; /* so far */
    for (size_t i = 1; i < n; i++) {
        double before = binning_rate(bins[i - 1].counts), after = binning_rate(bins[i].counts);
        rises &= before <= after;
        falls &= before >= after;
        peaks &= !(before < after && down);
        dips &= !(before > after && up);
        down |= before > after;
        up |= before < after;
    }
    return trend == BINNING_NONE         ? true
           : trend == BINNING_ASCENDING  ? rises
           : trend == BINNING_DESCENDING ? falls
           : trend == BINNING_PEAK       ? peaks
           : trend == BINNING_VALLEY     ? dips
                                         : rises || falls;
}

/* Bit i of `cuts`: there is a cut behind pre-bin i. -1: it is not allowed. */
static double iv_of_cuts(const struct binning_options *options, const struct binning_counts *counts,
                         size_t n, uint32_t cuts)
{
    struct binning_bin bins[PREBINS] = {{0}};
    struct binning_counts all = {0, 0};
    size_t n_bins = 0;
    for (size_t i = 0; i < n; i++) {
        bins[n_bins].counts.events += counts[i].events;
        bins[n_bins].counts.nonevents += counts[i].nonevents;
        all.events += counts[i].events;
        all.nonevents += counts[i].nonevents;
        n_bins += i + 1 == n || (cuts >> i & 1);
    }
    double iv = 0, rows_min = options->share_min * (all.events + all.nonevents);
    for (size_t i = 0; i < n_bins; i++) {
        struct binning_counts bin = bins[i].counts;
        if (bin.events < options->events_min || bin.nonevents < options->nonevents_min ||
            bin.events + bin.nonevents < rows_min - 1e-9)
            return -1;
        iv += binning_iv(bin, all);
    }
    return n_bins <= options->bins_max && keeps_trend(bins, n_bins, options->trend) ? iv : -1;
}

TheoryDataPoints(binning, finds_the_best_of_all_ways) = {
    DataPoints(int, BINNING_NONE, BINNING_ASCENDING, BINNING_DESCENDING, BINNING_PEAK,
               BINNING_VALLEY, BINNING_AUTO),
    DataPoints(size_t, 1, 3, 10),     /* bins */
    DataPoints(double, 0, 0.1, 0.25), /* share */
};

Theory((int trend, size_t bins_max, double share), binning, finds_the_best_of_all_ways)
{
    uint64_t seed = 11;
    for (size_t round = 0; round < 12; round++) {
        struct binning_counts counts[10];
        size_t n = 1 + (size_t)(10 * noise(&seed));
        random_counts(counts, n, &seed);
        struct binning_options options = {(enum binning_trend)trend, bins_max, share,
                                          floor(8 * noise(&seed)), floor(3 * noise(&seed))};
        double best = -1;
        for (uint32_t cuts = 0; cuts < UINT32_C(1) << (n - 1); cuts++)
            best = fmax(best, iv_of_cuts(&options, counts, n, cuts));
        struct binning_table table = merge(&options, counts, n, NULL);
        cr_expect(epsilon_eq(dbl, table.iv, best < 0 ? 0 : best, 1e-9), "round %zu: %zu pre-bins",
                  round, n);
        if (best >= 0)
            cr_expect(keeps_trend(table.bins, table.n, options.trend));
    }
}

/* Laws. */

Test(binning, merging_never_raises_iv_and_iv_is_never_negative)
{
    uint64_t seed = 3;
    for (size_t round = 0; round < 2000; round++) {
        struct binning_counts counts[3], all, both;
        random_counts(counts, 3, &seed);
        all.events = counts[0].events + counts[1].events + counts[2].events;
        all.nonevents = counts[0].nonevents + counts[1].nonevents + counts[2].nonevents;
        both = (struct binning_counts){counts[1].nonevents + counts[2].nonevents,
                                       counts[1].events + counts[2].events};
        bool whole = true;
        for (size_t i = 0; i < 3; i++) {
            cr_assert(binning_iv(counts[i], all) >= 0);
            whole &= counts[i].events > 0 && counts[i].nonevents > 0;
        }
        if (whole)
            cr_assert(binning_iv(both, all) <=
                      binning_iv(counts[1], all) + binning_iv(counts[2], all) + 1e-12);
    }
}

Test(binning, fewer_bins_and_stricter_limits_never_raise_iv)
{
    uint64_t seed = 5;
    struct binning_counts counts[40];
    for (size_t round = 0; round < 20; round++) {
        random_counts(counts, 40, &seed);
        double before = INFINITY;
        for (size_t bins = 12; bins > 0; bins--) {
            struct binning_options options = {BINNING_NONE, bins, 0.02, 1, 1};
            double iv = merge(&options, counts, 40, NULL).iv;
            cr_assert(iv <= before + 1e-12);
            options.trend = BINNING_PEAK;
            double peak = merge(&options, counts, 40, NULL).iv;
            options.trend = BINNING_ASCENDING;
            double ascending = merge(&options, counts, 40, NULL).iv;
            cr_assert(peak <= iv + 1e-12 && ascending <= peak + 1e-12);
            before = iv;
        }
    }
}

static void expect_same(const struct binning_table *a, const struct binning_table *b)
{
    cr_assert(eq(sz, a->n, b->n));
    cr_expect(epsilon_eq(dbl, a->iv, b->iv, 1e-9));
    for (size_t i = 0; i < a->n; i++) {
        cr_expect(eq(sz, a->bins[i].last, b->bins[i].last));
        cr_expect(epsilon_eq(dbl, a->bins[i].woe, b->bins[i].woe, 1e-9));
    }
}

Test(binning, the_unit_of_counts_does_not_matter)
{
    uint64_t seed = 7;
    struct binning_counts counts[30], scaled[30];
    for (size_t round = 0; round < 20; round++) {
        random_counts(counts, 30, &seed);
        double unit = pow(2, floor(40 * noise(&seed)) - 20);
        for (size_t i = 0; i < 30; i++)
            scaled[i] =
                (struct binning_counts){unit * counts[i].nonevents, unit * counts[i].events};
        struct binning_options options = {BINNING_AUTO, 8, 0.05, 3, 3};
        struct binning_table plain = merge(&options, counts, 30, NULL);
        options.events_min = options.nonevents_min = 3 * unit;
        struct binning_table other = merge(&options, scaled, 30, NULL);
        expect_same(&plain, &other);
    }
}

Test(binning, values_turned_around_give_the_mirror_image)
{
    uint64_t seed = 9;
    struct binning_counts counts[30], turned[30];
    for (size_t round = 0; round < 20; round++) {
        random_counts(counts, 30, &seed);
        for (size_t i = 0; i < 30; i++)
            turned[i] = counts[29 - i];
        struct binning_options options = {BINNING_ASCENDING, 6, 0.05, 1, 1};
        struct binning_table up = merge(&options, counts, 30, NULL);
        options.trend = BINNING_DESCENDING;
        struct binning_table down = merge(&options, turned, 30, NULL);
        cr_assert(eq(sz, up.n, down.n));
        cr_expect(epsilon_eq(dbl, up.iv, down.iv, 1e-9));
        for (size_t i = 0; i + 1 < up.n; i++)
            cr_expect(eq(sz, up.bins[i].last, 28 - down.bins[up.n - 2 - i].last));
    }
}

/* optbinning's answers. */

static size_t trend_of(const char *name)
{
    size_t i = 0;
    while (binning_trend_names[i] && strcmp(binning_trend_names[i], name) != 0)
        i++;
    return i;
}

/* False at the end of the file. same: counts the cases with the same bins. */
static bool check_golden(FILE *file, size_t *same)
{
    char name[64], trend[32];
    struct binning_options options = {0};
    struct binning_counts counts[PREBINS], missing;
    size_t n, n_bins, last[PREBINS], found = 0;
    double iv, woe, bin_iv;
    if (fscanf(file, "%63s %31s %zu %lf %lf %lf %zu %zu %lf", name, trend, &options.bins_max,
               &options.share_min, &options.events_min, &options.nonevents_min, &n, &n_bins,
               &iv) != 9)
        return false;
    options.trend = (enum binning_trend)trend_of(trend);
    cr_assert(fscanf(file, "%lf %lf %lf %lf", &missing.nonevents, &missing.events, &woe, &bin_iv) ==
              4);
    for (size_t i = 0, ends; i < n; i++) {
        cr_assert(fscanf(file, "%lf %lf %zu", &counts[i].nonevents, &counts[i].events, &ends) == 3);
        if (ends)
            last[found++] = i;
    }
    struct binning_table table = merge(&options, counts, n, &missing);
    bool pure = strncmp(name, "pure", 4) == 0;
    cr_expect(pure ? table.iv > iv - 1e-6 : fabs(table.iv - iv) < 1e-6, "%s: %.9g, not %.9g", name,
              table.iv, iv);
    cr_expect(fabs(table.missing.woe - woe) < 1e-6, "%s: missing", name);
    /* Neighbours of the same rate, which it leaves apart now and then, are one bin here. */
    cr_expect(pure || (found == n_bins && table.n <= n_bins), "%s: %zu bins", name, table.n);
    *same += !pure && table.n == n_bins;
    for (size_t i = 0; i < n_bins; i++) {
        cr_assert(fscanf(file, "%lf %lf", &woe, &bin_iv) == 2);
        if (pure || table.n != n_bins)
            continue;
        cr_expect(eq(sz, table.bins[i].last, last[i]), "%s: bin %zu", name, i);
        cr_expect(fabs(table.bins[i].woe - woe) < 1e-6 && fabs(table.bins[i].iv - bin_iv) < 1e-6,
                  "%s: bin %zu", name, i);
    }
    return true;
}

Test(binning, equals_optbinning_on_the_same_prebins)
{
    FILE *file = fopen(TEST_DATA "/binning/golden.txt", "r");
    size_t cases = 0, same = 0;
    cr_assert(file != NULL);
    while (check_golden(file, &same))
        cases++;
    cr_expect(cases == 15 && same >= 13, "%zu, %zu", cases, same);
    fclose(file);
}

/* Refusals. */

struct refusal {
    char name[40];
    size_t n;
    struct binning_counts counts[3];
    struct binning_options options;
};

ParameterizedTestParameters(binning, refusals)
{
    static struct refusal cases[] = {
        {"no pre-bins", 0, {{1, 1}}, FREE(BINNING_AUTO)},
        {"too many", PREBINS + 1, {{1, 1}}, FREE(BINNING_AUTO)},
        {"no events", 2, {{1, 0}, {3, 0}}, FREE(BINNING_AUTO)},
        {"no non-events", 2, {{0, 1}, {0, 2}}, FREE(BINNING_AUTO)},
        {"nothing", 2, {{0, 0}, {0, 0}}, FREE(BINNING_AUTO)},
        {"a count that is no number", 2, {{NAN, 1}, {1, 2}}, FREE(BINNING_AUTO)},
        {"an infinite count", 2, {{1, INFINITY}, {1, 2}}, FREE(BINNING_AUTO)},
        {"a negative count", 2, {{1, -1}, {1, 2}}, FREE(BINNING_AUTO)},
        {"counts that overflow", 3, {{1e308, 1}, {1e308, 2}, {1, 1}}, FREE(BINNING_AUTO)},
        {"no bins", 2, {{1, 1}, {1, 2}}, {BINNING_AUTO, 0, 0, 1, 1}},
        {"too many bins", 2, {{1, 1}, {1, 2}}, {BINNING_AUTO, BINS + 1, 0, 1, 1}},
        {"a share above 1", 2, {{1, 1}, {1, 2}}, {BINNING_AUTO, 3, 1.1, 1, 1}},
        {"a share that is no number", 2, {{1, 1}, {1, 2}}, {BINNING_AUTO, 3, NAN, 1, 1}},
        {"negative events", 2, {{1, 1}, {1, 2}}, {BINNING_AUTO, 3, 0, -1, 1}},
        {"no trend", 2, {{1, 1}, {1, 2}}, {(enum binning_trend)77, 3, 0, 1, 1}},
    };
    return cr_make_param_array(struct refusal, cases, LEN(cases));
}

ParameterizedTest(struct refusal *c, binning, refusals)
{
    struct binning *binning = NULL;
    struct binning_counts counts[PREBINS + 1] = {{0}};
    struct binning_table table = {.n = 77};
    memcpy(counts, c->counts, sizeof c->counts);
    cr_assert(eq(int, binning_create(PREBINS, BINS, &binning), ST_OK));
    enum status st = binning_merge(binning, &c->options, counts, c->n, NULL, &table);
    cr_expect(eq(int, st, ST_EINVAL), "%s", c->name);
    cr_expect(eq(sz, table.n, 77), "%s", c->name);
    binning_free(binning);
}

Test(binning, sizes_out_of_bounds_are_refused)
{
    size_t sizes[][2] = {{0, 1}, {1, 0}, {BINNING_PREBINS_MAX + 1, 1}, {1, BINNING_BINS_MAX + 1}};
    for (size_t i = 0; i < LEN(sizes); i++) {
        struct binning *binning = NULL;
        cr_expect(eq(int, binning_create(sizes[i][0], sizes[i][1], &binning), ST_EINVAL));
        cr_expect(eq(ptr, binning, NULL));
    }
    binning_free(NULL);
}
