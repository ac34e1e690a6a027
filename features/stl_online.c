#include "features/stl_online.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "features/stl.h"
#include "features/stl_online_state.h"

/* In units. Squares of it are still numbers. */
#define VALUE_MAX 1e100

enum { COLLECT_STEP = 8 }; /* values that room is made for at a time */

/* The decomposer. */

struct stl_online_params stl_online_params_default(size_t period)
{
    return (struct stl_online_params){.period = period,
                                      .init_points = 4 * period,
                                      .shift_max = 20,
                                      .seasonal_rate = .3,
                                      .level_penalty = 1,
                                      .slope_penalty = 5,
                                      .sigmas = 3};
}

static bool params_are_right(const struct stl_online_params *params)
{
    return params->period >= 2 && params->period <= STL_ONLINE_PERIOD_MAX &&
           params->init_points >= 2 * params->period &&
           params->init_points <= 100 * params->period && params->seasonal_rate >= 0 &&
           params->seasonal_rate <= 1 && params->level_penalty > 0 && params->slope_penalty > 0 &&
           params->sigmas > 0 && isfinite(params->level_penalty) &&
           isfinite(params->slope_penalty) && isfinite(params->sigmas);
}

/* Few periods: each phase's mean is the steadiest season. Long spans are fitted at ten places each:
 * what begins a key with a long period must not hold up the others for seconds. */
static struct stl_params batch_params(size_t period)
{
    struct stl_params batch = stl_params_default(period);
    batch.periodic = batch.gaps = true;
    batch.inner_loops = batch.robust_loops = 2;
    batch.trend_jump = batch.trend_span / 10 + 1;
    batch.low_pass_jump = batch.low_pass_span / 10 + 1;
    return batch;
}

static enum status create_parts(struct stl_online *stl)
{
    size_t n = stl->params.init_points;
    struct stl_params batch = batch_params(stl->params.period);
    TRY(stl_create(&batch, n, &stl->batch));
    stl->values = calloc(n, 4 * sizeof *stl->values);
    if (!stl->values)
        return ST_ENOMEM;
    stl->trend = stl->values + n;
    stl->seasonal = stl->trend + n;
    stl->remainder = stl->seasonal + n;
    return ST_OK;
}

enum status stl_online_create(const struct stl_online_params *params, struct stl_online **ret)
{
    if (!params_are_right(params))
        return ST_EINVAL;
    struct stl_online *stl = calloc(1, sizeof *stl);
    if (!stl)
        return ST_ENOMEM;
    stl->params = *params;
    enum status st = create_parts(stl);
    if (st < 0) {
        stl_online_free(stl);
        return st;
    }
    *ret = stl;
    return ST_OK;
}

void stl_online_free(struct stl_online *stl)
{
    if (!stl)
        return;
    stl_free(stl->batch);
    free(stl->values);
    free(stl);
}

/* Bytes. */

static size_t bytes_collecting(size_t n)
{
    return sizeof(struct stl_state) + n * sizeof(double);
}

static size_t bytes_live(const struct stl_online *stl)
{
    return sizeof(struct stl_state) + sizeof(struct stl_live) + stl->params.period * sizeof(double);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t stl_online_head_bytes(void)
{
    return sizeof(struct stl_state) + offsetof(struct stl_live, floor);
}

size_t stl_online_bytes_max(const struct stl_online *stl)
{
    return larger(bytes_collecting(stl->params.init_points), bytes_live(stl));
}

size_t stl_online_bytes_next(const struct stl_online *stl, const void *bytes)
{
    static const struct stl_state none;
    const struct stl_state *state = bytes ? bytes : &none;
    if (state->live)
        return bytes_live(stl);
    if (state->phase + 1 >= stl->params.init_points)
        return stl_online_bytes_max(stl);
    size_t n = state->phase / COLLECT_STEP * COLLECT_STEP + COLLECT_STEP;
    return bytes_collecting(n < stl->params.init_points ? n : stl->params.init_points);
}

bool stl_online_is_new(const void *bytes)
{
    return ((const struct stl_state *)bytes)->version == 0;
}

bool stl_online_is_live(const void *bytes)
{
    return ((const struct stl_state *)bytes)->live;
}

bool stl_online_is_valid(const struct stl_online *stl, const void *bytes, size_t size)
{
    const struct stl_state *state = bytes;
    if (size < sizeof(struct stl_state))
        return false;
    if (state->version == 0)
        return state->live == 0 && state->phase == 0;
    if (state->version != STL_ONLINE_VERSION || state->period != stl->params.period)
        return false;
    if (state->live)
        return size >= bytes_live(stl) && state->phase < state->period &&
               state->shift < state->period;
    return state->phase < stl->params.init_points && size >= bytes_collecting(state->phase);
}

/* Points. */

static void collect(struct stl_online *stl, struct stl_state *state, double y)
{
    state->version = STL_ONLINE_VERSION;
    state->period = (uint32_t)stl->params.period;
    state->after[state->phase++] = isfinite(y) ? y : NAN;
    if (state->phase == stl->params.init_points)
        stl_go_live(stl, state);
}

/* A mean square goes on; what is further than `most` counts as that. */
static double scale_after(double scale, double by, double most, double least)
{
    double distance = fabs(by) < most ? fabs(by) : most;
    scale = sqrt(scale * scale + (distance * distance - scale * scale) / STL_SCALE_SPAN);
    return scale > least ? scale : least;
}

/* In a run of strange points each may be further than the one before, so that the scale finds its
 * way to where the errors are within a few points. */
static double strange_from(const struct stl_online *stl, const struct stl_state *state,
                           double scale)
{
    int doublings = state->run > 30 ? 30 : state->run > 0 ? state->run - 1 : 0;
    return stl->params.sigmas * scale * (double)(1 << doublings);
}

/* Notes the word that a number behind the head lies in, before it is set. */
static void note_change(const struct stl_state *state, const void *at, struct stl_online_point *ret)
{
    struct stl_online_change *change = &ret->changes[ret->n_changes++];
    change->at = (size_t)((const char *)at - (const char *)state) / 8 * 8;
    memcpy(&change->was, (const char *)state + change->at, sizeof change->was);
}

/* The last points are of use only from a strange one on. */
static void remember(struct stl_state *state, double y, bool strange, struct stl_online_point *ret)
{
    state->strange = (state->strange << 1 | strange) & ((1u << STL_RECENT) - 1);
    state->run = !strange ? 0 : state->run < UINT8_MAX ? state->run + 1 : UINT8_MAX;
    if (state->strange == 0)
        return;
    state->newest = (uint8_t)((state->newest + 1) % STL_RECENT);
    float *recent = &stl_live_of(state)->recent[state->newest];
    note_change(state, recent, ret);
    *recent = (float)y;
}

/* How much a point may move the state, in (0, 1], once it is known what the run that it may belong
 * to is. */
static double weigh(struct stl_online *stl, struct stl_state *state, double y, double error,
                    struct stl_online_point *ret)
{
    double far = fabs(error) / (stl->params.sigmas * stl_live_of(state)->scale);
    remember(state, y, far > 1, ret);
    if (far <= 1 || stl_explain_run(&stl->params, state) || state->run > STL_RUN_MAX)
        return 1;
    return 1 / (far * far);
}

/* The slope follows the trend's steps, those of a jump only so far, over about a period. */
static void follow_slope(const struct stl_online *stl, struct stl_live *live)
{
    const struct stl_pass *last = &live->passes[STL_PASSES - 1];
    double off = last->last - last->before - live->slope, most = live->scale / 2;
    off = off > most ? most : off < -most ? -most : off;
    live->slope += off / (double)larger(stl->params.period, 16);
}

static void add_known(struct stl_online *stl, struct stl_state *state, double y, double forecast,
                      struct stl_online_point *ret)
{
    struct stl_live *live = stl_live_of(state);
    double error = y - forecast, weight = weigh(stl, state, y, error, ret);
    double *season = &live->season[stl_place(state, 0)];
    double trend = stl_trend_add(&stl->params, live, y - *season, weight);
    note_change(state, season, ret);
    *season += stl->params.seasonal_rate * weight * (y - trend - *season);
    double rest = y - trend - *season, most = strange_from(stl, state, live->rest);
    ret->trend = trend;
    ret->seasonal = *season;
    ret->remainder = rest;
    ret->score = rest / live->rest;
    double counted = rest > most ? most : rest < -most ? -most : rest;
    double power = (*season + counted) * (*season + counted);
    live->power += (power - live->power) / STL_SCALE_SPAN;
    live->rest = scale_after(live->rest, rest, most, live->floor);
    live->scale =
        scale_after(live->scale, error, strange_from(stl, state, live->scale), live->floor);
}

static void add_gap(struct stl_online *stl, struct stl_state *state, struct stl_online_point *ret)
{
    struct stl_live *live = stl_live_of(state);
    state->run = 0;
    state->strange = 0;
    ret->seasonal = live->season[stl_place(state, 0)];
    ret->trend = stl_trend_add(&stl->params, live, 0, 0);
    ret->remainder = ret->score = NAN;
}

static void scale_parts(struct stl_online_point *point, double unit)
{
    point->forecast *= unit;
    point->trend *= unit;
    point->seasonal *= unit;
    point->remainder *= unit;
}

void stl_online_add(struct stl_online *stl, void *bytes, double y, struct stl_online_point *ret)
{
    struct stl_state *state = bytes;
    *ret = (struct stl_online_point){NAN, NAN, NAN, NAN, NAN, 0, {{0, 0}, {0, 0}}};
    if (!state->live) {
        collect(stl, state, y);
        return;
    }
    struct stl_live *live = stl_live_of(state);
    y /= state->unit;
    ret->forecast =
        live->passes[STL_PASSES - 1].last + live->slope + live->season[stl_place(state, 0)];
    if (fabs(y) <= VALUE_MAX)
        add_known(stl, state, y, ret->forecast, ret);
    else
        add_gap(stl, state, ret);
    follow_slope(stl, live);
    state->phase = state->phase + 1 == state->period ? 0 : state->phase + 1;
    live->remainder = ret->remainder;
    live->score = ret->score;
    scale_parts(ret, state->unit);
}

/* Reading. */

void stl_online_last(const void *bytes, struct stl_online_point *ret)
{
    const struct stl_state *state = bytes;
    const struct stl_live *live = (const void *)state->after;
    *ret = (struct stl_online_point){NAN, NAN, NAN, NAN, NAN, 0, {{0, 0}, {0, 0}}};
    if (!state->live)
        return;
    ret->trend = live->passes[STL_PASSES - 1].last;
    ret->seasonal = live->season[stl_place(state, (size_t)state->period - 1)];
    ret->remainder = live->remainder;
    ret->score = live->score;
    scale_parts(ret, state->unit);
}

double stl_online_forecast(const void *bytes, size_t h)
{
    const struct stl_state *state = bytes;
    const struct stl_live *live = (const void *)state->after;
    if (!state->live)
        return NAN;
    double trend = live->passes[STL_PASSES - 1].last + live->slope * (double)h;
    return (trend + live->season[stl_place(state, h - 1)]) * state->unit;
}

double stl_online_strength(const void *bytes)
{
    const struct stl_state *state = bytes;
    const struct stl_live *live = (const void *)state->after;
    if (!state->live)
        return NAN;
    double left = live->rest * live->rest / live->power;
    return left < 1 ? 1 - left : 0; /* 0 where there is nothing to explain */
}
