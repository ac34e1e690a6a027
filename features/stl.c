#include "features/stl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "features/stl_loess.h"
#include "features/stl_robust.h"
#include "features/stl_season.h"

struct stl {
    struct stl_params params;
    size_t n_max;
    struct season season;
    struct loess trend, low_pass;
    double *y;        /* moved and scaled, NaN in gaps */
    double *robust;   /* weights, 0 in gaps */
    double *z, *v;    /* what is smoothed, and that times its weights */
    double *cycle;    /* the smoothed phases, a season longer at both ends */
    double *averages; /* scratch as long as cycle */
    double memory[];
};

/* The parts before they are moved and scaled back. */
struct work {
    const double *robust; /* NULL: all weights are 1 */
    double *trend, *seasonal;
    size_t n;
};

static size_t least_odd(double at_least)
{
    size_t n = (size_t)ceil(at_least);
    return n | 1;
}

size_t stl_trend_span_default(size_t period, size_t seasonal_span)
{
    double share = seasonal_span == 0 ? 0 : 1.5 / (double)seasonal_span;
    return least_odd(1.5 * (double)period / (1 - share));
}

struct stl_params stl_params_default(size_t period)
{
    return (struct stl_params){.period = period,
                               .seasonal_span = 7,
                               .trend_span = stl_trend_span_default(period, 7),
                               .low_pass_span = (period + 1) | 1,
                               .inner_loops = 5,
                               .seasonal_degree = 1,
                               .trend_degree = 1,
                               .low_pass_degree = 1,
                               .seasonal_jump = 1,
                               .trend_jump = 1,
                               .low_pass_jump = 1};
}

static bool odd_at_least(size_t span, size_t least)
{
    return span % 2 == 1 && span >= least;
}

static const char *season_wrong(const struct stl_params *params)
{
    if (params->periodic)
        return NULL;
    if (!odd_at_least(params->seasonal_span, 7))
        return "the seasonal span must be odd and at least 7";
    if (params->seasonal_degree > 1)
        return "the seasonal degree must be 0 or 1";
    if (params->seasonal_jump < 1)
        return "the seasonal jump must be at least 1";
    return NULL;
}

static const char *smoothers_wrong(const struct stl_params *params)
{
    if (!odd_at_least(params->trend_span, 3) || params->trend_span <= params->period)
        return "the trend span must be odd, at least 3 and longer than the period";
    if (!odd_at_least(params->low_pass_span, 3))
        return "the low-pass span must be odd and at least 3";
    if (params->trend_degree > 1 || params->low_pass_degree > 1)
        return "degrees must be 0 or 1";
    if (params->trend_jump < 1 || params->low_pass_jump < 1)
        return "jumps must be at least 1";
    if (params->inner_loops < 1)
        return "there must be at least one inner loop";
    return NULL;
}

const char *stl_params_wrong(const struct stl_params *params, size_t n)
{
    if (params->period < 2)
        return "the period must be at least 2";
    if (n > STL_N_MAX)
        return "the series is too long";
    if (n / 2 < params->period)
        return "the series is shorter than two periods";
    const char *wrong = season_wrong(params);
    return wrong ? wrong : smoothers_wrong(params);
}

static size_t cycle_max(const struct stl_params *params, size_t n_max)
{
    return n_max + 2 * params->period;
}

static double *take(double **memory, size_t n)
{
    double *at = *memory;
    *memory += n;
    return at;
}

static size_t doubles_of(const struct stl_params *params, size_t n_max)
{
    return 4 * n_max + 2 * cycle_max(params, n_max) + season_doubles(params, n_max) +
           loess_doubles(params->trend_span, n_max) + loess_doubles(params->low_pass_span, n_max);
}

static void lay_out(struct stl *stl)
{
    const struct stl_params *params = &stl->params;
    size_t n = stl->n_max;
    double *memory = stl->memory;
    stl->y = take(&memory, n);
    stl->robust = take(&memory, n);
    stl->z = take(&memory, n);
    stl->v = take(&memory, n);
    stl->cycle = take(&memory, cycle_max(params, n));
    stl->averages = take(&memory, cycle_max(params, n));
    season_init(&stl->season, params, n, take(&memory, season_doubles(params, n)));
    loess_init(&stl->trend, params->trend_span, params->trend_degree, params->trend_jump, n,
               take(&memory, loess_doubles(params->trend_span, n)));
    loess_init(&stl->low_pass, params->low_pass_span, params->low_pass_degree,
               params->low_pass_jump, n, take(&memory, loess_doubles(params->low_pass_span, n)));
}

enum status stl_create(const struct stl_params *params, size_t n_max, struct stl **ret)
{
    if (stl_params_wrong(params, n_max))
        return ST_EINVAL;
    struct stl *stl = malloc(sizeof *stl + doubles_of(params, n_max) * sizeof(double));
    if (!stl)
        return ST_ENOMEM;
    stl->params = *params;
    stl->n_max = n_max;
    lay_out(stl);
    *ret = stl;
    return ST_OK;
}

void stl_free(struct stl *stl)
{
    free(stl);
}

/* Means of each `width` consecutive values. The sum that runs along is taken anew from time to
 * time, lest rounding adds up. Returns how many there are; ret may be x. */
static size_t average(const double *x, size_t n, size_t width, double *ret)
{
    size_t count = n - width + 1;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (i % (width + 64) == 0) {
            sum = 0;
            for (size_t k = 0; k < width; k++)
                sum += x[i + k];
        } else {
            sum += x[i + width - 1] - x[i - 1];
        }
        ret[i] = sum / (double)width;
    }
    return count;
}

/* What of the smoothed phases is slow, and so no season: three moving averages and a loess. */
static void pass_low(struct stl *stl, size_t n)
{
    size_t period = stl->params.period, length = n + 2 * period;
    length = average(stl->cycle, length, period, stl->averages);
    length = average(stl->averages, length, period, stl->v);
    average(stl->v, length, 3, stl->averages);
    loess_smooth(&stl->low_pass, stl->averages, stl->averages, stl->z);
}

/* The values that a loess sums: weighted, and 0 in gaps. */
static const double *weigh(struct stl *stl, const struct work *work)
{
    if (!work->robust)
        return stl->z;
    for (size_t i = 0; i < work->n; i++)
        stl->v[i] = work->robust[i] > 0 ? work->robust[i] * stl->z[i] : 0;
    return stl->v;
}

static void refine(struct stl *stl, const struct work *work)
{
    size_t n = work->n;
    for (size_t i = 0; i < n; i++)
        stl->z[i] = stl->y[i] - work->trend[i];
    const double *v = weigh(stl, work);
    season_smooth(&stl->season, stl->z, n, work->robust, v, stl->cycle);
    pass_low(stl, n);
    for (size_t i = 0; i < n; i++)
        work->seasonal[i] = stl->cycle[stl->params.period + i] - stl->z[i];
    for (size_t i = 0; i < n; i++)
        stl->z[i] = stl->y[i] - work->seasonal[i];
    v = weigh(stl, work);
    loess_smooth(&stl->trend, stl->z, v, work->trend);
}

static void run(struct stl *stl, struct work *work)
{
    loess_weigh(&stl->low_pass, work->n, NULL);
    memset(work->trend, 0, work->n * sizeof *work->trend);
    for (unsigned k = 0;; k++) {
        loess_weigh(&stl->trend, work->n, work->robust);
        for (unsigned i = 0; i < stl->params.inner_loops; i++)
            refine(stl, work);
        if (k == stl->params.robust_loops)
            return;
        stl_robust_weights(stl->y, work->trend, work->seasonal, work->n, stl->z, stl->robust);
        work->robust = stl->robust;
    }
}

static bool each_phase_known(const double *y, size_t n, size_t period)
{
    for (size_t phase = 0; phase < period; phase++) {
        size_t i = phase;
        while (i < n && isnan(y[i]))
            i += period;
        if (i >= n)
            return false;
    }
    return true;
}

/* Where y lies: in centre - 2^exponent to centre + 2^exponent. */
struct frame {
    double centre;
    int exponent;
    bool gaps;
};

static enum status frame_of(const struct stl_params *params, const double *y, size_t n,
                            struct frame *ret)
{
    double low = INFINITY, high = -INFINITY;
    bool gaps = false;
    for (size_t i = 0; i < n; i++) {
        if (isnan(y[i]) ? !params->gaps : fabs(y[i]) > STL_Y_MAX)
            return ST_EINVAL;
        gaps = gaps || isnan(y[i]);
        low = y[i] < low ? y[i] : low;
        high = y[i] > high ? y[i] : high;
    }
    if (gaps && !each_phase_known(y, n, params->period))
        return ST_EINVAL;
    int exponent = 0;
    double centre = low / 2 + high / 2;
    frexp(fmax(high - centre, centre - low), &exponent);
    /* Beyond that the factor is no double; such numbers have few digits anyway. */
    *ret = (struct frame){centre, exponent < -1000 ? -1000 : exponent, gaps};
    return ST_OK;
}

static void move_in(struct stl *stl, const struct frame *frame, const double *y, size_t n)
{
    double factor = ldexp(1, -frame->exponent);
    for (size_t i = 0; i < n; i++) {
        stl->y[i] = (y[i] - frame->centre) * factor;
        stl->robust[i] = isnan(y[i]) ? 0 : 1;
    }
}

static void move_out(const struct stl *stl, const struct frame *frame, const double *y, size_t n,
                     const struct stl_parts *ret)
{
    double factor = ldexp(1, frame->exponent);
    for (size_t i = 0; i < n; i++) {
        ret->trend[i] = ret->trend[i] * factor + frame->centre;
        ret->seasonal[i] = ret->seasonal[i] * factor + 0.0; /* no -0 */
        ret->remainder[i] = y[i] - ret->trend[i] - ret->seasonal[i];
    }
    if (ret->weights)
        memcpy(ret->weights, stl->robust, n * sizeof *ret->weights);
}

enum status stl_decompose(struct stl *stl, const double *y, size_t n, const struct stl_parts *ret)
{
    struct frame frame;
    if (n / 2 < stl->params.period || n > stl->n_max)
        return ST_EINVAL;
    TRY(frame_of(&stl->params, y, n, &frame));
    move_in(stl, &frame, y, n);
    struct work work = {frame.gaps ? stl->robust : NULL, ret->trend, ret->seasonal, n};
    run(stl, &work);
    move_out(stl, &frame, y, n, ret);
    return ST_OK;
}
