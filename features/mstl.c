#include "features/mstl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct mstl {
    struct mstl_params params;
    size_t n_max;
    struct stl *stl[MSTL_SEASONS_MAX];
    double rest[]; /* y without the seasons found so far */
};

enum status mstl_params_default(const size_t *periods, size_t n, struct mstl_params *ret)
{
    if (n < 1 || n > MSTL_SEASONS_MAX)
        return ST_EINVAL;
    for (size_t i = 1; i < n; i++)
        if (periods[i] <= periods[i - 1])
            return ST_EINVAL;
    *ret = (struct mstl_params){.n_seasons = n, .iterations = 2};
    for (size_t i = 0; i < n; i++) {
        struct stl_params *season = &ret->seasons[i];
        *season = stl_params_default(periods[i]);
        if (n > 1)
            season->seasonal_span = 11 + 4 * i;
        season->trend_span = stl_trend_span_default(periods[i], season->seasonal_span);
    }
    return ST_OK;
}

const char *mstl_params_wrong(const struct mstl_params *params, size_t n, size_t *ret_season)
{
    *ret_season = 0;
    if (params->n_seasons < 1 || params->n_seasons > MSTL_SEASONS_MAX)
        return "there must be one to eight seasons";
    if (params->iterations < 1)
        return "there must be at least one iteration";
    for (size_t i = 0; i < params->n_seasons; i++) {
        *ret_season = i;
        if (i > 0 && params->seasons[i].period <= params->seasons[i - 1].period)
            return "periods must rise";
        const char *wrong = stl_params_wrong(&params->seasons[i], n);
        if (wrong)
            return wrong;
    }
    return NULL;
}

enum status mstl_create(const struct mstl_params *params, size_t n_max, struct mstl **ret)
{
    size_t season;
    if (mstl_params_wrong(params, n_max, &season))
        return ST_EINVAL;
    struct mstl *mstl = calloc(1, sizeof *mstl + n_max * sizeof(double));
    if (!mstl)
        return ST_ENOMEM;
    mstl->params = *params;
    mstl->n_max = n_max;
    for (size_t i = 0; i < params->n_seasons; i++) {
        enum status st = stl_create(&params->seasons[i], n_max, &mstl->stl[i]);
        if (st < 0) {
            mstl_free(mstl);
            return st;
        }
    }
    *ret = mstl;
    return ST_OK;
}

void mstl_free(struct mstl *mstl)
{
    if (!mstl)
        return;
    for (size_t i = 0; i < MSTL_SEASONS_MAX; i++)
        stl_free(mstl->stl[i]);
    free(mstl);
}

/* One season anew, out of what the others leave. */
static enum status take_season(struct mstl *mstl, size_t season, size_t n,
                               const struct mstl_parts *ret)
{
    double *seasonal = ret->seasonal[season];
    for (size_t i = 0; i < n; i++)
        mstl->rest[i] += seasonal[i];
    struct stl_parts parts = {ret->trend, seasonal, ret->remainder, ret->weights};
    TRY(stl_decompose(mstl->stl[season], mstl->rest, n, &parts));
    for (size_t i = 0; i < n; i++)
        mstl->rest[i] -= seasonal[i];
    return ST_OK;
}

enum status mstl_decompose(struct mstl *mstl, const double *y, size_t n,
                           const struct mstl_parts *ret)
{
    size_t n_seasons = mstl->params.n_seasons;
    unsigned iterations = n_seasons == 1 ? 1 : mstl->params.iterations;
    if (n > mstl->n_max)
        return ST_EINVAL;
    memcpy(mstl->rest, y, n * sizeof *y);
    for (size_t i = 0; i < n_seasons; i++)
        memset(ret->seasonal[i], 0, n * sizeof *y);
    for (unsigned k = 0; k < iterations; k++)
        for (size_t i = 0; i < n_seasons; i++)
            TRY(take_season(mstl, i, n, ret));
    for (size_t i = 0; i < n; i++) {
        double rest = y[i] - ret->trend[i];
        for (size_t season = 0; season < n_seasons; season++)
            rest -= ret->seasonal[season][i];
        ret->remainder[i] = rest;
    }
    return ST_OK;
}

void mstl_forecast(const struct mstl_params *params, const struct mstl_parts *parts, size_t n,
                   size_t h, double *ret)
{
    size_t longest = params->seasons[params->n_seasons - 1].period;
    double damping = pow(0.5, 1 / (double)longest), fading = 1, value = parts->trend[n - 1];
    double slope = (parts->trend[n - 1] - parts->trend[n - longest]) / (double)(longest - 1);
    for (size_t i = 0; i < h; i++) {
        fading *= damping;
        value += slope * fading;
        ret[i] = value;
        for (size_t season = 0; season < params->n_seasons; season++) {
            size_t period = params->seasons[season].period;
            ret[i] += parts->seasonal[season][n - period + i % period];
        }
    }
}
