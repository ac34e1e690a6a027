/* Values are sorted, cut into pre-bins of about as many rows each, and these are merged. */
#include "online/bin_column.h"

#include <math.h>
#include <stdlib.h>

#include "models/bins.h"

struct pair {
    double value;
    bool event;
};

struct bin_column {
    struct binning *binning;
    struct pair *pairs;            /* of rows whose number is known, by value */
    struct quantile_point *points; /* distinct values: their weights alone */
    size_t prebins, n_given;
    double given[BINNING_PREBINS_MAX]; /* edges, if n_given > 0 */
};

enum status bin_column_create(size_t rows, size_t prebins, size_t bins, struct bin_column **ret)
{
    struct bin_column *column = calloc(1, sizeof *column);
    if (!column)
        return ST_ENOMEM;
    column->prebins = prebins;
    column->pairs = calloc(rows + 1, sizeof *column->pairs);
    column->points = calloc(rows + 1, sizeof *column->points);
    enum status st = column->pairs && column->points ? ST_OK : ST_ENOMEM;
    if (st == ST_OK)
        st = binning_create(prebins, bins, &column->binning);
    if (st < 0)
        bin_column_free(column);
    else
        *ret = column;
    return st;
}

void bin_column_free(struct bin_column *column)
{
    if (!column)
        return;
    binning_free(column->binning);
    free(column->pairs);
    free(column->points);
    free(column);
}

void bin_column_set_edges(struct bin_column *column, const double *edges, size_t n)
{
    column->n_given = n;
    for (size_t i = 0; i < n; i++)
        column->given[i] = edges[i];
}

static int by_value(const void *a, const void *b)
{
    double x = ((const struct pair *)a)->value, y = ((const struct pair *)b)->value;
    return (x > y) - (x < y);
}

static void count(struct binning_counts *counts, bool event)
{
    counts->events += event;
    counts->nonevents += !event;
}

/* Returns how many are known. */
static size_t sort_known(struct bin_column *column, const double *values, const bool *events,
                         size_t rows, struct binning_counts *missing)
{
    size_t n = 0;
    for (size_t i = 0; i < rows; i++) {
        if (isnan(values[i]))
            count(missing, events[i]);
        else
            column->pairs[n++] = (struct pair){values[i], events[i]};
    }
    qsort(column->pairs, n, sizeof *column->pairs, by_value);
    return n;
}

/* The last value of each pre-bin but the last: equal shares of the rows. Returns how many edges. */
static size_t cut_values(struct bin_column *column, size_t n, double *ret_edges)
{
    struct quantile_point *points = column->points;
    uint32_t last[BINNING_PREBINS_MAX];
    size_t distinct = 0, at = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || column->pairs[i].value != column->pairs[i - 1].value)
            points[distinct++].weight = 0;
        points[distinct - 1].weight++;
    }
    size_t cuts = bins_cut(points, distinct, column->prebins, last);
    for (size_t i = 0, point = 0; i < cuts; i++) {
        for (; point <= last[i]; point++)
            at += points[point].weight;
        ret_edges[i] = column->pairs[at - 1].value;
    }
    return cuts;
}

static void count_prebins(const struct bin_column *column, size_t n, const double *edges,
                          size_t n_edges, struct binning_counts *ret)
{
    size_t bin = 0;
    for (size_t i = 0; i < n; i++) {
        while (bin < n_edges && column->pairs[i].value > edges[bin])
            bin++;
        count(&ret[bin], column->pairs[i].event);
    }
}

enum status bin_column_make(struct bin_column *column, const struct binning_options *options,
                            const double *values, const bool *events, size_t rows,
                            struct bin_table *ret)
{
    double cut[BINNING_PREBINS_MAX];
    const double *edges = column->n_given > 0 ? column->given : cut;
    struct binning_counts counts[BINNING_PREBINS_MAX] = {{0, 0}}, missing = {0, 0};
    size_t n = sort_known(column, values, events, rows, &missing);
    size_t n_edges = column->n_given > 0 ? column->n_given : cut_values(column, n, cut);
    count_prebins(column, n, edges, n_edges, counts);
    TRY(binning_merge(column->binning, options, counts, n_edges + 1, &missing, &ret->bins));
    for (size_t i = 0; i < ret->bins.n; i++)
        ret->edges[i] = i + 1 < ret->bins.n ? edges[ret->bins.bins[i].last] : INFINITY;
    return ST_OK;
}
