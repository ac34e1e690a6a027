#include "models/delong.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "models/score_order.h"

#define NORMAL_975 1.959963984540054 /* quantile of the standard normal distribution */

struct counts {
    size_t n[2]; /* rows by label */
};

static struct counts count(const float *labels, size_t n)
{
    struct counts counts = {{0, 0}};
    for (size_t i = 0; i < n; i++)
        counts.n[labels[i] >= 0.5f]++;
    return counts;
}

/* The rows of a tie are placed half below and half above each other. */
static void place_tie(const struct score_rank *rows, size_t n, const float *labels,
                      struct counts all, struct counts below, struct counts tied, double *ret)
{
    double negatives = ((double)below.n[0] + (double)tied.n[0] / 2) / (double)all.n[0];
    double positives = ((double)below.n[1] + (double)tied.n[1] / 2) / (double)all.n[1];
    for (size_t i = 0; i < n; i++)
        ret[rows[i].row] = labels[rows[i].row] >= 0.5f ? negatives : 1 - positives;
}

/* Each row's placement; rows in order of their scores. */
static void place(const struct score_rank *rows, size_t n, const float *labels, struct counts all,
                  double *ret)
{
    struct counts below = {{0, 0}};
    for (size_t from = 0, to; from < n; from = to) {
        struct counts tied = {{0, 0}};
        for (to = from; to < n && rows[to].key == rows[from].key; to++)
            tied.n[labels[rows[to].row] >= 0.5f]++;
        place_tie(rows + from, to - from, labels, all, below, tied, ret);
        below.n[0] += tied.n[0];
        below.n[1] += tied.n[1];
    }
}

/* Sums over the rows of one label. */
struct sums {
    double mean[2], square[2], product;
};

static struct sums sum_of(const double *first, const double *second, const float *labels, size_t n,
                          bool one, size_t rows)
{
    struct sums sums = {{0, 0}, {0, 0}, 0};
    for (size_t i = 0; i < n; i++)
        if ((labels[i] >= 0.5f) == one) {
            sums.mean[0] += first[i] / (double)rows;
            sums.mean[1] += second[i] / (double)rows;
        }
    for (size_t i = 0; i < n; i++)
        if ((labels[i] >= 0.5f) == one) {
            double a = first[i] - sums.mean[0], b = second[i] - sums.mean[1];
            sums.square[0] += a * a;
            sums.square[1] += b * b;
            sums.product += a * b;
        }
    return sums;
}

/* The difference's standard error straight from the differences of placements: where the models
 * hardly differ, the variances would cancel out. */
static double error_of(const double *first, const double *second, const float *labels, size_t n,
                       const struct counts *all)
{
    double variance = 0;
    for (int one = 0; one < 2; one++) {
        double rows = (double)all->n[one], mean = 0, square = 0;
        for (size_t i = 0; i < n; i++)
            if ((labels[i] >= 0.5f) == one)
                mean += (second[i] - first[i]) / rows;
        for (size_t i = 0; i < n; i++)
            if ((labels[i] >= 0.5f) == one)
                square += (second[i] - first[i] - mean) * (second[i] - first[i] - mean);
        variance += square / (rows - 1) / rows;
    }
    return sqrt(variance);
}

static void test_difference(struct delong *ret)
{
    double reach = NORMAL_975 * ret->error;
    ret->lower = ret->difference - reach;
    ret->upper = ret->difference + reach;
    if (ret->error > 0)
        ret->p = erfc(fabs(ret->difference) / ret->error / sqrt(2.0));
    else
        ret->p = ret->difference == 0 ? 1 : 0;
}

static struct delong compare(const double *first, const double *second, const float *labels,
                             size_t n, struct counts all)
{
    struct delong r = {{NAN, NAN}, {NAN, NAN}, NAN, NAN, NAN, NAN, NAN, NAN, all.n[1], all.n[0]};
    if (all.n[0] == 0 || all.n[1] == 0)
        return r;
    struct sums ones = sum_of(first, second, labels, n, true, all.n[1]);
    struct sums zeros = sum_of(first, second, labels, n, false, all.n[0]);
    r.auc[0] = ones.mean[0];
    r.auc[1] = ones.mean[1];
    r.difference = r.auc[1] - r.auc[0];
    if (all.n[0] < 2 || all.n[1] < 2)
        return r;
    double per_one = 1 / ((double)all.n[1] * (double)(all.n[1] - 1));
    double per_zero = 1 / ((double)all.n[0] * (double)(all.n[0] - 1));
    for (int i = 0; i < 2; i++)
        r.variance[i] = ones.square[i] * per_one + zeros.square[i] * per_zero;
    r.covariance = ones.product * per_one + zeros.product * per_zero;
    r.error = error_of(first, second, labels, n, &all);
    test_difference(&r);
    return r;
}

enum status delong_compare(const float *first, const float *second, const float *labels, size_t n,
                           struct delong *ret)
{
    struct score_rank *rows = calloc(2 * n + 1, sizeof *rows);
    double *placed = calloc(2 * n + 1, sizeof *placed);
    enum status st = rows && placed ? ST_OK : ST_ENOMEM;
    if (st == ST_OK) {
        struct counts all = count(labels, n);
        score_order(first, n, rows, rows + n);
        place(rows, n, labels, all, placed);
        score_order(second, n, rows, rows + n);
        place(rows, n, labels, all, placed + n);
        *ret = compare(placed, placed + n, labels, n, all);
    }
    free(rows);
    free(placed);
    return st;
}
