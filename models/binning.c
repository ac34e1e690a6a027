/* Counts, limits, and the table of what binning_solve() found. */
#include "models/binning_internal.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const char *const binning_trend_names[] = {"none",   "ascending", "descending", "peak",
                                           "valley", "auto",      NULL};

struct binning_options binning_defaults(void)
{
    return (struct binning_options){.trend = BINNING_AUTO,
                                    .bins_max = 10,
                                    .share_min = 0.05,
                                    .events_min = 1,
                                    .nonevents_min = 1};
}

enum status binning_create(size_t prebins_max, size_t bins_max, struct binning **ret)
{
    if (prebins_max == 0 || prebins_max > BINNING_PREBINS_MAX || bins_max == 0 ||
        bins_max > BINNING_BINS_MAX)
        return ST_EINVAL;
    struct binning *binning = calloc(1, sizeof *binning);
    if (!binning)
        return ST_ENOMEM;
    size_t squares = prebins_max * prebins_max;
    binning->n_max = prebins_max;
    binning->bins_max = bins_max;
    binning->sums = calloc(prebins_max + 1, sizeof *binning->sums);
    binning->gain = calloc(squares, sizeof *binning->gain);
    binning->rate = calloc(squares, sizeof *binning->rate);
    binning->by_rate = calloc(squares, sizeof *binning->by_rate);
    bool whole = binning->sums && binning->gain && binning->rate && binning->by_rate;
    for (size_t i = 0; i < BINNING_PHASES; i++) {
        for (size_t odd = 0; odd < 2; odd++) {
            binning->value[i][odd] = calloc(squares, sizeof(double));
            whole = whole && binning->value[i][odd];
        }
        binning->before[i] = calloc(squares * bins_max, sizeof(uint16_t));
        whole = whole && binning->before[i];
    }
    if (!whole) {
        binning_free(binning);
        return ST_ENOMEM;
    }
    *ret = binning;
    return ST_OK;
}

void binning_free(struct binning *binning)
{
    if (!binning)
        return;
    for (size_t i = 0; i < BINNING_PHASES; i++) {
        free(binning->value[i][0]);
        free(binning->value[i][1]);
        free(binning->before[i]);
    }
    free(binning->sums);
    free(binning->gain);
    free(binning->rate);
    free(binning->by_rate);
    free(binning);
}

/* Bins. */

double binning_woe(struct binning_counts bin, struct binning_counts all)
{
    double rows = all.events + all.nonevents;
    if (bin.events <= 0 || bin.nonevents <= 0) {
        bin.events += all.events / rows;
        bin.nonevents += all.nonevents / rows;
    }
    return log((bin.nonevents / all.nonevents) / (bin.events / all.events));
}

double binning_iv(struct binning_counts bin, struct binning_counts all)
{
    double iv = (bin.nonevents / all.nonevents - bin.events / all.events) * binning_woe(bin, all);
    return iv > 0 ? iv : 0; /* rounding, where both factors are nearly 0 */
}

double binning_rate(struct binning_counts bin)
{
    return bin.events / (bin.events + bin.nonevents);
}

/* None is none, also where weights do not add up exactly. */
static double difference(double to, double from, double all)
{
    return to - from > 1e-12 * all ? to - from : 0;
}

static struct binning_counts counts_of(const struct binning *binning, size_t first, size_t last)
{
    const struct binning_counts *from = &binning->sums[first], *to = &binning->sums[last + 1],
                                *all = &binning->sums[binning->n];
    return (struct binning_counts){difference(to->nonevents, from->nonevents, all->nonevents),
                                   difference(to->events, from->events, all->events)};
}

/* Limits, in rows. A little less will do: shares of whole numbers are not always exact. */
static bool is_allowed(const struct binning_options *options, struct binning_counts bin,
                       double rows_min)
{
    const double about = 1 + 1e-12;
    return (bin.events + bin.nonevents) * about >= rows_min &&
           bin.events * about >= options->events_min &&
           bin.nonevents * about >= options->nonevents_min;
}

static void measure_bins(struct binning *binning, const struct binning_options *options,
                         double rows_min)
{
    size_t n = binning->n;
    struct binning_counts all = counts_of(binning, 0, n - 1);
    bool both = all.events > 0 && all.nonevents > 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++) {
            struct binning_counts bin = counts_of(binning, i, j);
            bool allowed = both && is_allowed(options, bin, rows_min);
            binning->gain[i * n + j] = allowed ? binning_iv(bin, all) : -1;
            binning->rate[i * n + j] = allowed && bin.events > 0 ? binning_rate(bin) : 0;
        }
}

/* The result. */

static struct binning_bin bin_of(size_t last, struct binning_counts counts,
                                 struct binning_counts all)
{
    return (struct binning_bin){last, counts, binning_woe(counts, all), binning_iv(counts, all)};
}

static void write_table(const struct binning *binning, const size_t *last, size_t n,
                        struct binning_counts missing, struct binning_table *ret)
{
    struct binning_counts known = binning->sums[binning->n];
    ret->all =
        (struct binning_counts){known.nonevents + missing.nonevents, known.events + missing.events};
    ret->n = n;
    ret->missing = (struct binning_bin){0};
    if (missing.events + missing.nonevents > 0)
        ret->missing = bin_of(0, missing, ret->all);
    ret->iv = ret->missing.iv;
    for (size_t i = 0, first = 0; i < n; first = last[i++] + 1) {
        ret->bins[i] = bin_of(last[i], counts_of(binning, first, last[i]), ret->all);
        ret->iv += ret->bins[i].iv;
    }
}

static bool is_count(struct binning_counts counts)
{
    return counts.events >= 0 && counts.nonevents >= 0 && isfinite(counts.events) &&
           isfinite(counts.nonevents);
}

static bool add_up(struct binning *binning, const struct binning_counts *counts, size_t n)
{
    bool good = true;
    binning->n = n;
    binning->sums[0] = (struct binning_counts){0, 0};
    for (size_t i = 0; i < n; i++) {
        good = good && is_count(counts[i]);
        binning->sums[i + 1].events = binning->sums[i].events + counts[i].events;
        binning->sums[i + 1].nonevents = binning->sums[i].nonevents + counts[i].nonevents;
    }
    return good && is_count(binning->sums[n]);
}

static bool is_sound(const struct binning *binning, const struct binning_options *options)
{
    return options->trend <= BINNING_AUTO && options->bins_max >= 1 &&
           options->bins_max <= binning->bins_max && options->share_min >= 0 &&
           options->share_min <= 1 && options->events_min >= 0 && options->nonevents_min >= 0;
}

/* Which trend, and how many bins; 1 where nothing else is possible. */
static size_t choose(struct binning *binning, const struct binning_options *options,
                     enum binning_trend *ret_trend, size_t *ret_last)
{
    bool both = options->trend == BINNING_AUTO;
    size_t n, falling_n, falling[BINNING_BINS_MAX];
    enum binning_trend trend = both ? BINNING_ASCENDING : options->trend;
    double value = binning_solve(binning, trend, options->bins_max, ret_last, &n);
    if (both && binning_solve(binning, BINNING_DESCENDING, options->bins_max, falling, &falling_n) >
                    value + 1e-12) {
        trend = BINNING_DESCENDING;
        n = falling_n;
        memcpy(ret_last, falling, n * sizeof *falling);
    }
    *ret_trend = trend;
    if (n > 0)
        return n;
    ret_last[0] = binning->n - 1;
    return 1;
}

enum status binning_merge(struct binning *binning, const struct binning_options *options,
                          const struct binning_counts *counts, size_t n,
                          const struct binning_counts *missing, struct binning_table *ret)
{
    struct binning_counts unknown = missing ? *missing : (struct binning_counts){0, 0};
    if (n == 0 || n > binning->n_max || !is_sound(binning, options) ||
        !add_up(binning, counts, n) || !is_count(unknown))
        return ST_EINVAL;
    struct binning_counts known = binning->sums[n];
    double rows = known.events + known.nonevents + unknown.events + unknown.nonevents;
    if (!(known.events + unknown.events > 0 && known.nonevents + unknown.nonevents > 0) ||
        !isfinite(rows))
        return ST_EINVAL;
    size_t last[BINNING_BINS_MAX];
    measure_bins(binning, options, options->share_min * rows);
    size_t bins = choose(binning, options, &ret->trend, last);
    write_table(binning, last, bins, unknown, ret);
    return ST_OK;
}
