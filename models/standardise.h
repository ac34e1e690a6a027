/*
 * models/standardise.h -- numbers on a common scale, learnt as they stream by.
 *
 * Each column is seen twice: as distance from its mean in standard deviations, and as the logarithm
 * of its size, sign(v) * log(1 + 16 |v| / sd), standardised too. Amounts and waiting times differ
 * by factors rather than by steps, and a linear model of either form alone misses what the other
 * shows.
 *
 * Mean and deviation are Welford's (Technometrics 4, 1962) over all rows seen. What the models read
 * is renewed as the count grows: after each of the first 64 rows, then whenever it has grown by
 * 1/64; the logarithm's scale only when its user says so, from the column's quantile sketch,
 * because a moving pivot would move every value.
 *
 * A missing number (NaN or infinite) is at the mean in both forms, that is 0.
 *
 * Arrays are the user's, n long, in blocks of its own: `struct standardise` is a view.
 */
#ifndef MODELS_STANDARDISE_H
#define MODELS_STANDARDISE_H

#include "base/quantile.h"
#include "models/logistic.h"

#define STANDARDISE_CLIP 32.0f /* no value pulls more than one of 32 deviations */

enum { STANDARDISE_FRONT = 5, STANDARDISE_BACK = 3 };

struct standardise {
    size_t n;
    /* what scoring reads */
    float *mean, *inverse_sd;
    float *pivot, *log_mean, *log_inverse_sd; /* all 0 until standardise_logs() */
    /* what learning adds to */
    double *count, *welford_mean, *welford_m2;
};

/* n: a multiple of 8. front: STANDARDISE_FRONT * n floats, back: STANDARDISE_BACK * n doubles, all
 * 0 at first. */
struct standardise standardise_view(size_t n, float *front, double *back);
/* One row; NaN where missing. */
void standardise_add(struct standardise *s, const float *x);
/* Whether the renewal is due, given how many rows were added and how many there were at the last.
 */
static inline bool standardise_is_due(uint64_t rows, uint64_t last)
{
    return rows - last > last / 64;
}
void standardise_renew(struct standardise *s);
/* Renews the logarithm's scale of column i from its sketch's points. */
void standardise_logs(struct standardise *s, size_t i, const struct quantile_point *points,
                      size_t n);

/* Both forms of a row. x, linear and log: n each; NaN in x is missing. */
void standardise_row(const struct standardise *s, const float *x, float *linear, float *log);

#endif
