#include "models/standardise.h"

#include <math.h>

struct standardise standardise_view(size_t n, float *front, double *back)
{
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

static float log_form(float x, float pivot)
{
    float size = fabsf(x) * pivot;
    return copysignf(logistic_log1p(size < 1e30f ? size : 1e30f), x);
}

void standardise_logs(struct standardise *s, size_t i, const struct quantile_point *points,
                      size_t n)
{
    double sum = 0, squares = 0, weight = 0;
    float pivot = 16 * s->inverse_sd[i];
    for (size_t j = 0; j < n; j++) {
        double w = (double)points[j].weight, v = log_form(points[j].value, pivot);
        weight += w;
        sum += w * v;
        squares += w * v * v;
    }
    double mean = weight > 0 ? sum / weight : 0;
    double variance = weight > 0 ? squares / weight - mean * mean : 0;
    s->pivot[i] = pivot;
    s->log_mean[i] = (float)mean;
    s->log_inverse_sd[i] = variance > 1e-9 ? (float)(1 / sqrt(variance)) : 0;
}

static float clip(float v)
{
    v = v < STANDARDISE_CLIP ? v : STANDARDISE_CLIP;
    return v > -STANDARDISE_CLIP ? v : -STANDARDISE_CLIP;
}

void standardise_row(const struct standardise *s, const float *x, float *linear, float *log)
{
    for (size_t i = 0; i < s->n; i++) {
        bool there = x[i] == x[i];
        float v = there ? x[i] : 0;
        float a = (v - s->mean[i]) * s->inverse_sd[i];
        float b = (log_form(v, s->pivot[i]) - s->log_mean[i]) * s->log_inverse_sd[i];
        linear[i] = there ? clip(a) : 0;
        log[i] = there ? clip(b) : 0;
    }
}
