#include "models/smote.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/rng.h"

struct smote {
    const float *rows;
    size_t n, n_columns, k;
    double *inverse_variance; /* of columns; 0 where a column does not vary */
    uint32_t *neighbours;     /* n * k */
};

static double inverse_variance(const struct smote *smote, size_t column)
{
    double n = 0, mean = 0, m2 = 0;
    for (size_t i = 0; i < smote->n; i++) {
        double v = (double)smote->rows[i * smote->n_columns + column];
        if (isnan(v))
            continue;
        double distance = v - mean;
        n++;
        mean += distance / n;
        m2 += distance * (v - mean);
    }
    return m2 > 0 ? n / m2 : 0;
}

/* Squared; infinite where no column is there in both. */
static double distance(const struct smote *smote, size_t a, size_t b)
{
    const float *x = smote->rows + a * smote->n_columns, *y = smote->rows + b * smote->n_columns;
    double sum = 0, there = 0;
    for (size_t i = 0; i < smote->n_columns; i++) {
        double d = (double)x[i] - (double)y[i];
        if (isnan(d))
            continue;
        sum += d * d * smote->inverse_variance[i];
        there++;
    }
    return there > 0 ? sum * (double)smote->n_columns / there : INFINITY;
}

/* The k nearest, the nearest first; of those at the same distance the first. */
static void find_neighbours(struct smote *smote, size_t row)
{
    uint32_t *nearest = smote->neighbours + row * smote->k;
    double distances[SMOTE_NEIGHBOURS_MAX];
    size_t found = 0;
    for (size_t i = 0; i < smote->n; i++) {
        if (i == row)
            continue;
        double d = distance(smote, row, i);
        if (found == smote->k && !(d < distances[found - 1]))
            continue;
        size_t at = found < smote->k ? found++ : found - 1;
        for (; at > 0 && distances[at - 1] > d; at--) {
            distances[at] = distances[at - 1];
            nearest[at] = nearest[at - 1];
        }
        distances[at] = d;
        nearest[at] = (uint32_t)i;
    }
}

static void make_between(const float *first, const float *second, double place, size_t n_columns,
                         float *ret)
{
    for (size_t i = 0; i < n_columns; i++) {
        double a = (double)first[i], b = (double)second[i];
        ret[i] = isnan(a) || isnan(b) ? first[i] : (float)(a + place * (b - a));
    }
}

static void make_rows(const struct smote *smote, uint64_t seed, size_t n_new, float *ret_rows,
                      uint32_t *ret_from)
{
    struct rng rng = rng_of(seed);
    size_t columns = smote->n_columns;
    for (size_t i = 0; i < n_new; i++) {
        size_t first = rng_below(&rng, smote->n);
        size_t second = smote->neighbours[first * smote->k + rng_below(&rng, smote->k)];
        make_between(smote->rows + first * columns, smote->rows + second * columns,
                     rng_uniform(&rng), columns, ret_rows + i * columns);
        if (ret_from)
            ret_from[i] = (uint32_t)first;
    }
}

enum status smote_make(const struct smote_options *options, const float *rows, size_t n,
                       size_t n_columns, size_t n_new, float *ret_rows, uint32_t *ret_from)
{
    if (n < 2 || n > UINT32_MAX || n_columns == 0 || options->neighbours == 0 ||
        options->neighbours > SMOTE_NEIGHBOURS_MAX)
        return ST_EINVAL;
    struct smote smote = {.rows = rows, .n = n, .n_columns = n_columns};
    smote.k = options->neighbours < n - 1 ? options->neighbours : n - 1;
    smote.inverse_variance = calloc(n_columns, sizeof *smote.inverse_variance);
    smote.neighbours = calloc(n * smote.k, sizeof *smote.neighbours);
    bool whole = smote.inverse_variance && smote.neighbours;
    for (size_t i = 0; whole && i < n_columns; i++)
        smote.inverse_variance[i] = inverse_variance(&smote, i);
    for (size_t i = 0; whole && i < n; i++)
        find_neighbours(&smote, i);
    if (whole)
        make_rows(&smote, options->seed, n_new, ret_rows, ret_from);
    free(smote.inverse_variance);
    free(smote.neighbours);
    return whole ? ST_OK : ST_ENOMEM;
}
