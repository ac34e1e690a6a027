#include "features/stl_loess.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Sums run in this many strands, each in a vector: one alone would wait for its own last addition,
 * and a compiler may not split it by itself, because rounding would differ. */
enum { WIDE = 4, VECTORS = 4, STRANDS = WIDE * VECTORS };
typedef double vector __attribute__((vector_size(WIDE * sizeof(double))));

static inline void load(const double *from, vector *ret)
{
    memcpy(ret, from, sizeof *ret);
}

static double total(const vector strands[VECTORS])
{
    vector sum = (strands[0] + strands[1]) + (strands[2] + strands[3]);
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static double dot(const double *a, const double *b, size_t n)
{
    vector strands[VECTORS] = {0}, x, y;
    double rest = 0;
    size_t k = 0;
    for (; k + STRANDS <= n; k += STRANDS) {
#pragma GCC unroll 4
        for (size_t l = 0; l < VECTORS; l++) {
            load(a + k + l * WIDE, &x);
            load(b + k + l * WIDE, &y);
            strands[l] += x * y;
        }
    }
    for (; k < n; k++)
        rest += a[k] * b[k];
    return total(strands) + rest;
}

/* Two sums of products with the same b. */
static void dot_two(const struct loess_weights *a, const double *b, size_t n, double ret[2])
{
    vector first[VECTORS] = {0}, second[VECTORS] = {0}, w, wd, x;
    double rest[2] = {0, 0};
    size_t k = 0;
    for (; k + STRANDS <= n; k += STRANDS) {
#pragma GCC unroll 4
        for (size_t l = 0; l < VECTORS; l++) {
            load(b + k + l * WIDE, &x);
            load(a->w + k + l * WIDE, &w);
            load(a->wd + k + l * WIDE, &wd);
            first[l] += w * x;
            second[l] += wd * x;
        }
    }
    for (; k < n; k++) {
        rest[0] += a->w[k] * b[k];
        rest[1] += a->wd[k] * b[k];
    }
    ret[0] = total(first) + rest[0];
    ret[1] = total(second) + rest[1];
}

static double sum(const double *a, size_t n)
{
    vector strands[VECTORS] = {0}, x;
    double rest = 0;
    size_t k = 0;
    for (; k + STRANDS <= n; k += STRANDS) {
#pragma GCC unroll 4
        for (size_t l = 0; l < VECTORS; l++) {
            load(a + k + l * WIDE, &x);
            strands[l] += x;
        }
    }
    for (; k < n; k++)
        rest += a[k];
    return total(strands) + rest;
}

void loess_window_look(struct loess_window *window, size_t span, size_t n, double at)
{
    double last = (double)window->count - 1;
    window->at = at;
    window->reach = fmax(at, last - at);
    window->centred = window->count == span && 2 * at == last;
    size_t beyond = span > n ? (span - n) / 2 : 0;
    window->reach += (double)beyond;
}

struct loess_window loess_window_of(size_t span, size_t n, size_t at)
{
    size_t half = span / 2;
    struct loess_window window = {.first = 0, .count = n};
    if (span < n) {
        window.count = span;
        window.first = at < half ? 0 : at - half;
        if (window.first > n - span)
            window.first = n - span;
    }
    loess_window_look(&window, span, n, (double)at - (double)window.first);
    return window;
}

static double tricube(double distance, double reach, double inverse)
{
    double u = distance * inverse, t = 1 - u * u * u;
    double w = distance <= .001 * reach ? 1 : t * t * t;
    return distance <= .999 * reach ? w : 0;
}

void loess_tricube(const struct loess_window *window, const struct loess_weights *ret)
{
    double *restrict w = ret->w, *restrict wd = ret->wd, *restrict wdd = ret->wdd;
    double at = window->at, reach = window->reach, inverse = 1 / reach;
    int32_t count = (int32_t)window->count; /* AVX2 converts 32 bits at a time only */
    for (int32_t k = 0; k < count; k++)
        w[k] = tricube(fabs((double)k - at), reach, inverse);
    if (wd)
        for (int32_t k = 0; k < count; k++)
            wd[k] = w[k] * ((double)k - at);
    if (wdd)
        for (int32_t k = 0; k < count; k++)
            wdd[k] = wd[k] * ((double)k - at);
}

void loess_line(unsigned degree, size_t n, const double sums[3], double *ret_alpha,
                double *ret_beta)
{
    *ret_alpha = 0;
    *ret_beta = 0;
    if (!(sums[0] > 0))
        return;
    *ret_alpha = 1 / sums[0];
    if (degree == 0)
        return;
    double mean = sums[1] / sums[0], variance = sums[2] / sums[0] - mean * mean;
    /* Nearly all the weight in one place tells no slope. */
    if (sqrt(fmax(variance, 0)) > .001 * ((double)n - 1)) {
        *ret_beta = -mean / variance * *ret_alpha;
        *ret_alpha += mean * mean / variance * *ret_alpha;
    }
}

static void weigh_one(struct loess *loess, size_t at, const struct loess_window *window,
                      const double *robust)
{
    const struct loess_weights *weights = window->centred ? &loess->inner : &loess->edge;
    size_t count = window->count;
    double sums[3];
    if (!window->centred)
        loess_tricube(window, weights);
    if (robust) {
        dot_two(weights, robust + window->first, count, sums);
        sums[2] = dot(weights->wdd, robust + window->first, count);
    } else {
        sums[0] = sum(weights->w, count);
        sums[1] = window->centred ? 0 : sum(weights->wd, count);
        sums[2] = sum(weights->wdd, count);
    }
    loess_line(loess->degree, loess->n, sums, &loess->alpha[at], &loess->beta[at]);
}

/* Where the jumps do not hit the last sample it is fitted from the window of the last that they
 * hit, as in the Fortran. */
static struct loess_window window_of_last(const struct loess *loess, size_t jump)
{
    size_t n = loess->n, hit = (n - 1) / jump * jump;
    struct loess_window window = loess_window_of(loess->span, n, hit);
    loess_window_look(&window, loess->span, n, (double)(n - 1 - window.first));
    return window;
}

static size_t jump_of(const struct loess *loess)
{
    return loess->jump < loess->n - 1 ? loess->jump : loess->n - 1;
}

void loess_weigh(struct loess *loess, size_t n, const double *robust)
{
    loess->n = n;
    loess->robust = robust != NULL;
    size_t jump = jump_of(loess), inner = n;
    for (size_t i = 0; i < n; i += jump) {
        struct loess_window window = loess_window_of(loess->span, n, i);
        if (window.centred && !robust && inner < n) { /* all alike */
            loess->alpha[i] = loess->alpha[inner];
            loess->beta[i] = loess->beta[inner];
            continue;
        }
        weigh_one(loess, i, &window, robust);
        if (window.centred)
            inner = i;
    }
    if ((n - 1) % jump != 0) {
        struct loess_window window = window_of_last(loess, jump);
        weigh_one(loess, n - 1, &window, robust);
    }
}

static double fit(const struct loess *loess, size_t at, const struct loess_window *window,
                  const double *z, const double *v)
{
    double sums[2];
    if (loess->alpha[at] == 0)
        return z[at];
    if (window->centred && !loess->robust)
        return loess->alpha[at] * dot(loess->inner.w, v + window->first, window->count);
    const struct loess_weights *weights = window->centred ? &loess->inner : &loess->edge;
    if (!window->centred) {
        struct loess_weights wanted = {loess->edge.w, loess->edge.wd, NULL};
        loess_tricube(window, &wanted);
    }
    dot_two(weights, v + window->first, window->count, sums);
    return loess->alpha[at] * sums[0] + loess->beta[at] * sums[1];
}

/* Lines between the fits at from and to. */
static void draw_line(double *ret, size_t from, size_t to)
{
    double slope = (ret[to] - ret[from]) / (double)(to - from);
    for (size_t i = from + 1; i < to; i++)
        ret[i] = ret[from] + slope * (double)(i - from);
}

static size_t next_fit(size_t i, size_t n, size_t step)
{
    return i + step < n ? i + step : n - 1;
}

bool loess_bridge(double *values, size_t n, size_t step)
{
    size_t last = n; /* the last that is there */
    for (size_t i = 0;; i = next_fit(i, n, step)) {
        if (!isnan(values[i])) {
            for (size_t j = last == n ? 0 : next_fit(last, n, step); j < i;
                 j = next_fit(j, n, step))
                values[j] = last == n ? values[i]
                                      : values[last] + (values[i] - values[last]) *
                                                           (double)(j - last) / (double)(i - last);
            last = i;
        }
        if (i == n - 1)
            break;
    }
    if (last == n)
        return false;
    for (size_t j = last; j < n - 1;) {
        j = next_fit(j, n, step);
        values[j] = values[last];
    }
    return true;
}

void loess_smooth(const struct loess *loess, const double *z, const double *v, double *ret)
{
    size_t n = loess->n, jump = jump_of(loess);
    bool whole = true;
    for (size_t i = 0; i < n; i += jump) {
        struct loess_window window = loess_window_of(loess->span, n, i);
        ret[i] = fit(loess, i, &window, z, v);
        whole = whole && !isnan(ret[i]);
    }
    if ((n - 1) % jump != 0) {
        struct loess_window window = window_of_last(loess, jump);
        ret[n - 1] = fit(loess, n - 1, &window, z, v);
        whole = whole && !isnan(ret[n - 1]);
    }
    if (!whole)
        loess_bridge(ret, n, jump);
    for (size_t i = 0; jump > 1 && i < n - 1; i = next_fit(i, n, jump))
        draw_line(ret, i, next_fit(i, n, jump));
}

size_t loess_doubles(size_t span, size_t n_max)
{
    size_t window = span < n_max ? span : n_max;
    return 2 * n_max + 6 * window;
}

void loess_init(struct loess *loess, size_t span, unsigned degree, size_t jump, size_t n_max,
                double *memory)
{
    size_t window = span < n_max ? span : n_max;
    double *weights = memory + 2 * n_max;
    *loess = (struct loess){.span = span, .degree = degree, .jump = jump};
    loess->alpha = memory;
    loess->beta = memory + n_max;
    loess->inner = (struct loess_weights){weights, weights + window, weights + 2 * window};
    loess->edge =
        (struct loess_weights){weights + 3 * window, weights + 4 * window, weights + 5 * window};
    if (span <= n_max) {
        struct loess_window middle = loess_window_of(span, span, span / 2);
        loess_tricube(&middle, &loess->inner);
    }
}
