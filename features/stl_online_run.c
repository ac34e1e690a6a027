/* Strange points one after another: has the level jumped, or the season shifted? */
#include <math.h>

#include "features/stl_online_state.h"

/* What the last n points leave when the season is moved by some places. */
static void season_left(const struct stl_state *state, const struct stl_live *live, size_t move,
                        size_t n, double *ret)
{
    size_t place = stl_place(state, (size_t)state->period * STL_RECENT - (n - 1) + move);
    for (size_t i = 0; i < n; i++) {
        ret[i] = live->recent[(state->newest + 1 - n + i) % STL_RECENT] - live->season[place];
        place = place + 1 == state->period ? 0 : place + 1;
    }
}

static double mean_distance(const double *values, size_t n, double from)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += fabs(values[i] - from);
    return sum / (double)n;
}

static double mean(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum / (double)n;
}

/* The upper one of two. */
static double median(const double *values, size_t n)
{
    double sorted[STL_RECENT];
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && sorted[at - 1] > values[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = values[i];
    }
    return sorted[n / 2];
}

static void try_move(const struct stl_state *state, const struct stl_live *live, size_t move,
                     size_t n, struct stl_shift *best)
{
    double left[STL_RECENT];
    season_left(state, live, move, n, left);
    double level = mean(left, n), distance = mean_distance(left, n, level);
    if (distance < best->distance)
        *best = (struct stl_shift){move, level, distance};
}

/* Near ones first: of equals the nearest is taken. */
static struct stl_shift find_shift(const struct stl_online_params *params,
                                   const struct stl_state *state, const struct stl_live *live,
                                   size_t n)
{
    struct stl_shift best = {0, 0, INFINITY};
    size_t third = state->period / 3;
    size_t most = params->shift_max < third ? params->shift_max : third;
    try_move(state, live, 0, n, &best);
    best.distance /= 2; /* to move the season must explain far more */
    for (size_t far = 1; far <= most; far++) {
        try_move(state, live, far, n, &best);
        try_move(state, live, state->period - far, n, &best);
    }
    return best;
}

/* From the first strange point that is remembered on. */
static bool explain_by_shift(const struct stl_online_params *params, struct stl_state *state,
                             struct stl_live *live)
{
    size_t n = 32 - (size_t)__builtin_clz(state->strange | 1u);
    if (n < STL_SHIFT_WINDOW || __builtin_popcount(state->strange) < STL_SHIFT_STRANGE)
        return false;
    struct stl_shift best = find_shift(params, state, live, n);
    if (best.move == 0 || best.distance > live->scale)
        return false;
    state->shift = (uint32_t)((state->shift + best.move) % state->period);
    stl_trend_restart(live, best.level, (double)n);
    state->strange = 0;
    return true;
}

static bool explain_by_jump(struct stl_state *state, struct stl_live *live)
{
    size_t n = state->run < STL_RUN_MAX ? state->run : STL_RUN_MAX;
    if (n < STL_JUMP_RUN)
        return false;
    double left[STL_RECENT];
    season_left(state, live, 0, n, left);
    double level = median(left, n), jump = mean_distance(left, n, level);
    double nothing = mean_distance(left, n, live->passes[STL_PASSES - 1].last);
    if (!(jump < nothing / 2 && jump < 2 * live->scale))
        return false;
    stl_trend_restart(live, level, (double)n);
    return true;
}

bool stl_explain_run(const struct stl_online_params *params, struct stl_state *state)
{
    struct stl_live *live = stl_live_of(state);
    if (!explain_by_shift(params, state, live) && !explain_by_jump(state, live))
        return false;
    state->run = 0;
    return true;
}
