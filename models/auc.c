#include "models/auc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/score_order.h"

enum { BINS = 4096, TENTHS = SCORE_TENTHS };
#define LOGIT_MAX 16.0

/* A group of rows whose scores tie. */
struct group {
    double n[2]; /* by label; rows that weigh more count more */
    double sum;  /* of their scores */
};

struct prequential {
    struct group bins[BINS]; /* by rising score */
    double loss;
};

static double loss_of(float score, int label)
{
    double p = label ? score : 1.0 - score;
    return -log(p > 1e-15 ? p : 1e-15);
}

/* The curve, built from groups in order of falling score. */
struct curve {
    double total[2], seen[2];
    double area, precision;
    /* calibration: rows are dealt out to tenths as they come */
    double tenth_rows, filled, sum, ones, error;
    size_t n_tenths;
    struct score_tenth tenths[TENTHS];
};

/* Of each negative in the group, all positives above it and half of those beside it rank higher. */
static void curve_rank(struct curve *curve, const struct group *group)
{
    curve->area += group->n[0] * (curve->seen[1] + group->n[1] / 2);
    curve->seen[0] += group->n[0];
    curve->seen[1] += group->n[1];
    double above = curve->seen[0] + curve->seen[1];
    if (group->n[1] > 0)
        curve->precision += group->n[1] * curve->seen[1] / above;
}

static void close_tenth(struct curve *curve)
{
    curve->error += fabs(curve->sum - curve->ones);
    if (curve->n_tenths < TENTHS && curve->filled > 0)
        curve->tenths[TENTHS - ++curve->n_tenths] = (struct score_tenth){
            curve->filled, curve->sum / curve->filled, curve->ones / curve->filled};
    curve->filled = curve->sum = curve->ones = 0;
}

/* A group that spans several tenths is split in proportion. */
static void curve_calibrate(struct curve *curve, const struct group *group)
{
    double rows = group->n[0] + group->n[1], left = rows;
    while (left > 0) {
        double room = curve->tenth_rows - curve->filled, take = left < room ? left : room;
        curve->sum += group->sum * take / rows;
        curve->ones += group->n[1] * take / rows;
        curve->filled += take;
        left -= take;
        if (curve->filled >= curve->tenth_rows * (1 - 1e-12))
            close_tenth(curve);
        else if (take <= 0)
            return;
    }
}

static struct score_figures curve_figures(struct curve *curve, double loss)
{
    double ones = curve->total[1], zeros = curve->total[0], rows = ones + zeros;
    struct score_figures figures = {NAN, NAN, NAN, NAN, (uint64_t)ones, (uint64_t)zeros};
    close_tenth(curve);
    if (ones > 0 && zeros > 0)
        figures.auc = curve->area / (ones * zeros);
    if (ones > 0)
        figures.average_precision = curve->precision / ones;
    if (rows > 0) {
        figures.log_loss = loss / rows;
        figures.calibration_error = curve->error / rows;
    }
    return figures;
}

static struct curve draw(const struct group *groups, size_t n)
{
    struct curve curve = {0};
    for (size_t i = 0; i < TENTHS; i++)
        curve.tenths[i] = (struct score_tenth){0, NAN, NAN};
    for (size_t i = 0; i < n; i++) {
        curve.total[0] += groups[i].n[0];
        curve.total[1] += groups[i].n[1];
    }
    curve.tenth_rows = (curve.total[0] + curve.total[1]) / TENTHS;
    for (size_t i = n; i-- > 0;) {
        curve_rank(&curve, &groups[i]);
        curve_calibrate(&curve, &groups[i]);
    }
    return curve;
}

/* Rows as they were given. */
struct judged {
    const float *scores, *labels, *weights; /* weights: NULL: 1 each */
    size_t n;
};

/* Runs of equal scores become groups. Returns how many. */
static size_t group_ties(const struct judged *rows, const struct score_rank *order,
                         struct group *groups)
{
    size_t n_groups = 0;
    for (size_t i = 0; i < rows->n; i++) {
        if (i == 0 || order[i].key != order[i - 1].key)
            groups[n_groups++] = (struct group){0};
        struct group *group = &groups[n_groups - 1];
        size_t row = order[i].row;
        double weight = rows->weights ? (double)rows->weights[row] : 1;
        group->n[rows->labels[row] >= 0.5f] += weight;
        group->sum += (double)rows->scores[row] * weight;
    }
    return n_groups;
}

static double loss_of_all(const struct judged *rows)
{
    double loss = 0;
    for (size_t i = 0; i < rows->n; i++)
        loss += loss_of(rows->scores[i], rows->labels[i] >= 0.5f) *
                (rows->weights ? (double)rows->weights[i] : 1);
    return loss;
}

static uint64_t count_ones(const struct judged *rows)
{
    uint64_t n = 0;
    for (size_t i = 0; i < rows->n; i++)
        n += rows->labels[i] >= 0.5f;
    return n;
}

enum status score_figures_weighted(const float *scores, const float *labels, const float *weights,
                                   size_t n, struct score_figures *ret,
                                   struct score_tenth *ret_tenths)
{
    const struct judged rows = {scores, labels, weights, n};
    struct score_rank *order = calloc(2 * n + 1, sizeof *order);
    struct group *groups = calloc(n + 1, sizeof *groups);
    enum status st = order && groups ? ST_OK : ST_ENOMEM;
    if (st == ST_OK) {
        score_order(scores, n, order, order + n);
        struct curve curve = draw(groups, group_ties(&rows, order, groups));
        *ret = curve_figures(&curve, loss_of_all(&rows));
        ret->positives = count_ones(&rows);
        ret->negatives = n - ret->positives;
        if (ret_tenths)
            memcpy(ret_tenths, curve.tenths, sizeof curve.tenths);
    }
    free(order);
    free(groups);
    return st;
}

enum status score_figures_exact(const float *scores, const float *labels, size_t n,
                                struct score_figures *ret)
{
    return score_figures_weighted(scores, labels, NULL, n, ret, NULL);
}

enum status prequential_create(struct prequential **ret)
{
    struct prequential *prequential = calloc(1, sizeof *prequential);
    if (!prequential)
        return ST_ENOMEM;
    *ret = prequential;
    return ST_OK;
}

void prequential_free(struct prequential *prequential)
{
    free(prequential);
}

static size_t bin_of(float score)
{
    double p = score < 1e-12f ? 1e-12 : score, q = 1 - p > 1e-12 ? 1 - p : 1e-12;
    double at = (log(p / q) + LOGIT_MAX) * (BINS / (2 * LOGIT_MAX));
    return at <= 0 ? 0 : at >= BINS - 1 ? BINS - 1 : (size_t)at;
}

void prequential_add(struct prequential *prequential, float score, float label)
{
    int one = label >= 0.5f;
    struct group *bin = &prequential->bins[bin_of(score)];
    bin->n[one] += 1;
    bin->sum += score;
    prequential->loss += loss_of(score, one);
}

struct score_figures prequential_figures(const struct prequential *prequential)
{
    struct curve curve = draw(prequential->bins, BINS);
    return curve_figures(&curve, prequential->loss);
}

void prequential_tenths(const struct prequential *prequential, struct score_tenth *ret)
{
    struct curve curve = draw(prequential->bins, BINS);
    curve_figures(&curve, prequential->loss); /* closes the last tenth */
    memcpy(ret, curve.tenths, sizeof curve.tenths);
}
