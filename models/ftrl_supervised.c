#include "models/ftrl_supervised.h"

#include <stdlib.h>
#include <string.h>

enum { OVERLAP_WIDTH = FTRL_PREBINS + 1 };

static float *edges_of(const struct ftrl_supervised *s, size_t number)
{
    return s->edges + number * FTRL_PREBINS;
}

static struct binning_counts *counts_of(const struct ftrl_supervised *s, size_t number)
{
    return s->counts + number * FTRL_PREBIN_CELLS;
}

size_t ftrl_supervised_floats(size_t n_numbers)
{
    return n_numbers * FTRL_PREBINS;
}

size_t ftrl_supervised_doubles(size_t n_numbers)
{
    return n_numbers * (2 * FTRL_PREBIN_CELLS + 2);
}

enum status ftrl_supervised_init(struct ftrl_supervised *s, const struct binning_options *options,
                                 size_t n_numbers, float *floats, double *doubles)
{
    size_t n_counts = 2 * n_numbers * FTRL_PREBIN_CELLS;
    s->options = *options;
    s->n_numbers = n_numbers;
    s->edges = floats;
    s->counts = (struct binning_counts *)(void *)doubles;
    s->counted = (uint64_t *)(void *)(doubles + n_counts);
    s->merge_at = s->counted + n_numbers;
    s->overlap = calloc(OVERLAP_WIDTH * OVERLAP_WIDTH, sizeof *s->overlap);
    if (!s->overlap)
        return ST_ENOMEM;
    return binning_create(FTRL_PREBINS, options->bins_max, &s->binning);
}

void ftrl_supervised_done(struct ftrl_supervised *s)
{
    binning_free(s->binning);
    free(s->overlap);
}

void ftrl_supervised_clear(struct ftrl_supervised *s)
{
    memset(s->counts, 0, s->n_numbers * FTRL_PREBIN_CELLS * sizeof *s->counts);
    for (size_t i = 0; i < s->n_numbers; i++) {
        bins_clear(edges_of(s, i), FTRL_PREBINS);
        s->counted[i] = 0;
        s->merge_at[i] = FTRL_MERGES_FIRST;
    }
}

void ftrl_supervised_count(struct ftrl_supervised *s, const float *x, float label, float weight)
{
    for (size_t i = 0; i < s->n_numbers; i++) {
        unsigned at = bins_find(edges_of(s, i), FTRL_PREBINS, x[i]);
        struct binning_counts *counts = &counts_of(s, i)[at];
        counts->events += (double)weight * (double)label;
        counts->nonevents += (double)weight * (1 - (double)label);
        s->counted[i]++;
    }
}

/* Where the old cell's counts go if the sketch tells nothing of it. */
static size_t nearest_cell(const float *old_edges, const float *edges, size_t old)
{
    size_t at = old - 1;
    while (at > 0 && old_edges[at] == INFINITY)
        at--;
    return bins_find(edges, FTRL_PREBINS, old_edges[at]);
}

static double column_sum(const double *overlap, size_t old)
{
    double sum = 0;
    for (size_t cell = 0; cell < OVERLAP_WIDTH; cell++)
        sum += overlap[cell * OVERLAP_WIDTH + old];
    return sum;
}

static void hand_on(const struct ftrl_supervised *s, const float *old_edges, const float *edges,
                    const struct binning_counts *old_counts, struct binning_counts *ret)
{
    for (size_t old = 0; old < OVERLAP_WIDTH; old++) {
        struct binning_counts counts = old_counts[old];
        double all = column_sum(s->overlap, old);
        if (all <= 0 && counts.events + counts.nonevents > 0) {
            size_t cell = nearest_cell(old_edges, edges, old);
            ret[cell].events += counts.events;
            ret[cell].nonevents += counts.nonevents;
        }
        for (size_t cell = 0; all > 0 && cell < OVERLAP_WIDTH; cell++) {
            double share = s->overlap[cell * OVERLAP_WIDTH + old] / all;
            ret[cell].events += share * counts.events;
            ret[cell].nonevents += share * counts.nonevents;
        }
    }
}

void ftrl_supervised_recut(struct ftrl_supervised *s, size_t number,
                           const struct quantile_point *points, size_t n)
{
    float old_edges[FTRL_PREBINS], *edges = edges_of(s, number);
    struct binning_counts old[FTRL_PREBIN_CELLS], *counts = counts_of(s, number);
    memcpy(old_edges, edges, sizeof old_edges);
    memcpy(old, counts, sizeof old);
    memset(counts, 0, sizeof old);
    bins_make(points, n, FTRL_PREBINS, edges);
    bins_overlap(points, n, FTRL_PREBINS, old_edges, edges, s->overlap);
    hand_on(s, old_edges, edges, old, counts);
}

static void write_bins(const struct ftrl_supervised *s, const float *prebins, float *ret_edges,
                       float *ret_woe)
{
    const struct binning_table *table = &s->table;
    bins_clear(ret_edges, s->options.bins_max);
    for (size_t i = 0; i + 1 < table->n; i++)
        ret_edges[i] = prebins[table->bins[i].last];
    if (!ret_woe)
        return;
    memset(ret_woe, 0, (s->options.bins_max + 1) * sizeof *ret_woe);
    ret_woe[0] = (float)-table->missing.woe;
    for (size_t i = 0; i < table->n; i++)
        ret_woe[1 + i] = (float)-table->bins[i].woe;
}

void ftrl_supervised_merge(struct ftrl_supervised *s, size_t number, float *ret_edges,
                           float *ret_woe)
{
    const float *prebins = edges_of(s, number);
    const struct binning_counts *counts = counts_of(s, number);
    uint64_t more = s->counted[number] / 8, n = 1;
    s->merge_at[number] =
        s->counted[number] + (more > FTRL_MERGES_FIRST ? more : FTRL_MERGES_FIRST);
    while (n < FTRL_PREBINS && prebins[n - 1] < INFINITY)
        n++;
    if (binning_merge(s->binning, &s->options, counts + 1, n, counts, &s->table) == ST_OK)
        write_bins(s, prebins, ret_edges, ret_woe);
}
