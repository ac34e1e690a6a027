/* Where a streaming STL begins: a batch STL of what it collected. */
#include <math.h>
#include <string.h>

#include "features/stl.h"
#include "features/stl_online_state.h"

/* The scales are never less than this share of how far the first values lie apart. */
#define SCALE_MIN 1e-3

static double power_of_two_near(double v)
{
    int exponent;
    if (!(v > 0))
        return 1;
    frexp(v, &exponent);
    return ldexp(1, exponent < -1000 ? -1000 : exponent > 1000 ? 1000 : exponent);
}

/* The collected values in units; gaps stay NaN. False: more than a quarter are gaps, and parts that
 * fit the few others exactly would be made of nothing. */
static bool take_values(struct stl_online *stl, struct stl_state *state)
{
    size_t n = stl->params.init_points, known = 0;
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fabs(state->after[i]) > most ? fabs(state->after[i]) : most;
    state->unit = power_of_two_near(most);
    for (size_t i = 0; i < n; i++) {
        stl->values[i] = state->after[i] / state->unit;
        known += !isnan(stl->values[i]);
    }
    return 4 * known >= 3 * n;
}

static double mean_square(const double *values, size_t n, double from)
{
    double sum = 0, known = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i])) {
            sum += (values[i] - from) * (values[i] - from);
            known++;
        }
    return sum / known;
}

static double mean_of(const double *values, size_t n)
{
    double sum = 0, known = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i])) {
            sum += values[i];
            known++;
        }
    return sum / known;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static void set_scales(struct stl_online *stl, struct stl_live *live)
{
    size_t n = stl->params.init_points;
    double spread = sqrt(mean_square(stl->values, n, mean_of(stl->values, n)));
    live->floor = SCALE_MIN * spread + 1e-9;
    live->scale = larger(sqrt(mean_square(stl->remainder, n, 0)), live->floor);
    live->rest = larger(live->scale * (1 - stl->params.seasonal_rate), live->floor);
    live->power = mean_square(stl->seasonal, n, 0) + live->rest * live->rest;
}

static void add_warm(struct stl_online *stl, struct stl_live *live, size_t i)
{
    bool known = !isnan(stl->values[i]);
    stl_trend_add(&stl->params, live, known ? stl->values[i] - stl->seasonal[i] : 0, known);
}

/* The last period once more, point by point, for what the trend's passes remember. */
static void warm_up(struct stl_online *stl, struct stl_live *live)
{
    size_t n = stl->params.init_points, from = n - stl->params.period;
    stl_trend_restart(live, stl->trend[from], 1);
    live->slope = (stl->trend[n - 1] - stl->trend[from]) / (double)(n - 1 - from);
    for (size_t i = from; i < n; i++)
        add_warm(stl, live, i);
}

static void start(struct stl_online *stl, struct stl_state *state)
{
    struct stl_live *live = stl_live_of(state);
    size_t n = stl->params.init_points, period = stl->params.period;
    memset(live, 0, sizeof *live);
    set_scales(stl, live);
    warm_up(stl, live);
    for (size_t i = n - period; i < n; i++)
        live->season[i % period] = stl->seasonal[i];
    state->live = 1;
    state->phase = (uint32_t)(n % period);
    live->remainder = live->score = NAN;
}

static void forget_oldest_period(struct stl_online *stl, struct stl_state *state)
{
    size_t period = stl->params.period, left = stl->params.init_points - period;
    memmove(state->after, state->after + period, left * sizeof *state->after);
    memset(state->after + left, 0, period * sizeof *state->after);
    state->phase = (uint32_t)left;
}

void stl_go_live(struct stl_online *stl, struct stl_state *state)
{
    struct stl_parts parts = {stl->trend, stl->seasonal, stl->remainder, NULL};
    if (take_values(stl, state) &&
        stl_decompose(stl->batch, stl->values, stl->params.init_points, &parts) == ST_OK)
        start(stl, state);
    else
        forget_oldest_period(stl, state);
}
