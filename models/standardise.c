#include "models/standardise.h"

#include <assert.h>
#include <math.h>

enum { LANES = LOGISTIC_LANES };

struct standardise standardise_view(size_t n, float *front, double *back)
{
    assert(n % LANES == 0);
    return (struct standardise){
        .n = n,
        .mean = front,
        .inverse_sd = front + n,
        .pivot = front + 2 * n,
        .log_mean = front + 3 * n,
        .log_inverse_sd = front + 4 * n,
        .count = back,
        .welford_mean = back + n,
        .welford_m2 = back + 2 * n,
    };
}

void standardise_add(struct standardise *s, const float *x)
{
    double *restrict count = s->count, *restrict mean = s->welford_mean,
                     *restrict m2 = s->welford_m2;
    for (size_t i = 0; i < s->n; i++) {
        bool there = x[i] == x[i];
        double v = there ? (double)x[i] : mean[i], n = count[i] + (there ? 1.0 : 0.0);
        double distance = v - mean[i];
        count[i] = n;
        mean[i] += distance / (n > 1.0 ? n : 1.0);
        m2[i] += distance * (v - mean[i]);
    }
}

void standardise_renew(struct standardise *s)
{
    for (size_t i = 0; i < s->n; i++) {
        double variance = s->count[i] > 1 ? s->welford_m2[i] / s->count[i] : 0;
        s->mean[i] = (float)s->welford_mean[i];
        s->inverse_sd[i] = variance > 1e-60 ? (float)(1 / sqrt(variance)) : 0;
    }
}

/* sign(x) * log(1 + pivot * |x|), of LANES numbers. */
static void log_forms(const float *x, const float *pivot, float *ret)
{
    float size[LANES];
    for (int i = 0; i < LANES; i++) {
        float v = fabsf(x[i]) * pivot[i];
        size[i] = v < 1e30f ? v : 1e30f;
    }
    logistic_log1p(size, ret);
    for (int i = 0; i < LANES; i++)
        ret[i] = copysignf(ret[i], x[i]);
}

struct moments {
    double weight, sum, squares;
};

static struct moments log_moments(const struct quantile_point *points, size_t n, float pivot)
{
    struct moments moments = {0};
    float x[LANES] = {0}, pivots[LANES], logs[LANES];
    for (int i = 0; i < LANES; i++)
        pivots[i] = pivot;
    for (size_t i = 0; i < n; i++) {
        x[i % LANES] = points[i].value;
        if (i % LANES < LANES - 1 && i < n - 1)
            continue;
        log_forms(x, pivots, logs);
        for (size_t j = i - i % LANES; j <= i; j++) {
            double w = (double)points[j].weight, v = (double)logs[j % LANES];
            moments.weight += w;
            moments.sum += w * v;
            moments.squares += w * v * v;
        }
    }
    return moments;
}

void standardise_logs(struct standardise *s, size_t i, const struct quantile_point *points,
                      size_t n)
{
    float pivot = 16 * s->inverse_sd[i];
    struct moments moments = log_moments(points, n, pivot);
    double mean = n > 0 ? moments.sum / moments.weight : 0;
    double variance = n > 0 ? moments.squares / moments.weight - mean * mean : 0;
    s->pivot[i] = pivot;
    s->log_mean[i] = (float)mean;
    s->log_inverse_sd[i] = variance > 1e-9 ? (float)(1 / sqrt(variance)) : 0;
}

/* To deviations from the mean, held within bounds; 0 where the number is not there. One step a
 * loop: only so are they compiled to vector code. */
static void to_deviations(const float *v, const float *mean, const float *inverse_sd,
                          const float *there, float *restrict ret)
{
    float d[LANES];
    for (int i = 0; i < LANES; i++)
        d[i] = (v[i] - mean[i]) * inverse_sd[i];
    for (int i = 0; i < LANES; i++)
        d[i] = d[i] < STANDARDISE_CLIP ? d[i] : STANDARDISE_CLIP;
    for (int i = 0; i < LANES; i++)
        d[i] = d[i] > -STANDARDISE_CLIP ? d[i] : -STANDARDISE_CLIP;
    for (int i = 0; i < LANES; i++)
        ret[i] = d[i] * there[i];
}

static void row_block(const struct standardise *s, size_t at, const float *x, float *linear,
                      float *log)
{
    float there[LANES], v[LANES], logs[LANES];
    for (int i = 0; i < LANES; i++)
        there[i] = x[i] == x[i] ? 1.0f : 0.0f;
    for (int i = 0; i < LANES; i++)
        v[i] = x[i] == x[i] ? x[i] : 0.0f;
    log_forms(v, s->pivot + at, logs);
    to_deviations(v, s->mean + at, s->inverse_sd + at, there, linear);
    to_deviations(logs, s->log_mean + at, s->log_inverse_sd + at, there, log);
}

void standardise_row(const struct standardise *s, const float *x, float *linear, float *log)
{
    for (size_t i = 0; i < s->n; i += LANES)
        row_block(s, i, x + i, linear + i, log + i);
}
