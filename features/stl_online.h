/*
 * features/stl_online.h -- seasonal-trend decomposition point by point, in O(1).
 *
 * Each point is split as it comes, y = trend + seasonal + remainder, at a cost that does not depend
 * on the period. Method: He et al., "OneShotSTL", PVLDB 16(6), 2023: the seasonal part of a period
 * ago is taken as known, what is left of the point goes to a trend under l1 penalties on its first
 * and second differences, and the penalties are solved by a few reweighted passes, each of which
 * goes one point on from where it was and never back. What differs from the paper:
 *
 * - The paper factorises a banded system; here the seasonal part is eliminated on paper and the
 *   system of the trend is kept as the quadratic that its past leaves on its last two values: five
 *   numbers a pass.
 * - Penalties are in units of the running scale of the forecast's errors, so that nothing depends
 *   on the unit of the series; the first difference is taken from a slowly moving slope, so that a
 *   steady climb is no series of jumps.
 * - A point further than `sigmas` scales from its forecast moves the state little. After three in a
 *   row the level may have jumped, and where four of the last 16 were so the season may have
 *   shifted (a search over at most shift_max points both ways, as in the paper, but by all points
 *   since instead of one): what explains them far better than nothing having happened is taken
 *   over. Where nothing does, the scale grows until points count again.
 *
 *     struct stl_online_params params = stl_online_params_default(24);
 *     struct stl_online *stl = NULL;
 *     TRY(stl_online_create(&params, &stl));                  // once per worker
 *     void *state = calloc(1, stl_online_bytes_max(stl));     // one a key; zeros: a new one
 *     stl_online_add(stl, state, y, &point);                  // NaN: a gap
 *     if (!isnan(point.trend)) ...
 *
 * Where more than a quarter of the values it has collected are gaps, or a phase of the season is
 * unknown, it lets the oldest period go and waits for another.
 *
 * The state of a key is flat bytes without pointers, the same after a copy. It begins by collecting
 * init_points values (a batch STL of them is where it starts), then keeps one number for each point
 * of the period:
 *
 *     while it collects    32 bytes and 8 a value          800 at most at period 24, 5,408 at 168
 *     then                 248 bytes and 8 a point of the period         440 at 24, 1,592 at 168
 *
 * Pure arithmetic: no I/O, no clock, no randomness; nothing is allocated after create.
 */
#ifndef FEATURES_STL_ONLINE_H
#define FEATURES_STL_ONLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define STL_ONLINE_PERIOD_MAX 100000

struct stl_online_params {
    size_t period;      /* points in one season, 2..STL_ONLINE_PERIOD_MAX */
    size_t init_points; /* collected before it starts: 2..100 periods of them */
    size_t shift_max;   /* how far a season is looked for; at most a third of the period is used */
    double seasonal_rate; /* share of a deviation that the season takes, in [0, 1] */
    double level_penalty; /* of a change of level, in scales, > 0 */
    double slope_penalty; /* of a change of slope, likewise */
    double sigmas; /* a point further from its forecast than so many scales is strange, > 0 */
};

struct stl_online;

/* Four periods to begin with; shifts of 20; rate .3; penalties 1 and 5; 3 sigmas. */
struct stl_online_params stl_online_params_default(size_t period);

/* Parameters, and scratch memory for the batch STL. One thread at a time; any number of states.
 * Returns ST_EINVAL if params break a rule written beside their fields, ST_ENOMEM. */
STATUS_CHECKED enum status stl_online_create(const struct stl_online_params *params,
                                             struct stl_online **ret);
void stl_online_free(struct stl_online *stl);

/* Bytes a state ever takes, and those that it must have before the next point (zero ones behind
 * those it had; state NULL: a new one). A caller that allots the most at once need not ask for the
 * latter. */
size_t stl_online_bytes_max(const struct stl_online *stl);
size_t stl_online_bytes_next(const struct stl_online *stl, const void *state);

/* What became of a point. All are NaN while it collects. After a gap (a NaN, an infinity, or what
 * is 1e100 times larger than all values it began with) remainder and score are NaN. */
struct stl_online_point {
    double forecast; /* made before the point was seen */
    double trend, seasonal, remainder;
    double score; /* the remainder over the running scale of the remainders before it */
    /* The 8-byte words behind the state's head that it changed, and what they were. With a copy of
     * the head the point can be undone. */
    size_t n_changes;
    struct stl_online_change {
        size_t at; /* in bytes */
        uint64_t was;
    } changes[2];
};

/* Adds the next point. state: 8-byte aligned, with the bytes that stl_online_bytes_next() told. */
void stl_online_add(struct stl_online *stl, void *state, double y, struct stl_online_point *ret);

/* Whether it has seen no point yet, and whether it has begun to decompose. */
bool stl_online_is_new(const void *state);
bool stl_online_is_live(const void *state);
/* Whether the bytes can be a state of these parameters: of this version, with indices in range.
 * Numbers may still be anything. */
bool stl_online_is_valid(const struct stl_online *stl, const void *state, size_t size);

/* What the last point became; its forecast is not kept. */
void stl_online_last(const void *state, struct stl_online_point *ret);
/* The forecast of the h-th point from now, h >= 1: the trend goes on with its slope, the season
 * repeats. NaN while it collects. */
double stl_online_forecast(const void *state, size_t h);
/* How much of what is not trend the season explains lately, in [0, 1]; NaN while it collects. */
double stl_online_strength(const void *state);

/* The bytes at the front of a live state that any point changes. One that collects, or goes live
 * with this point, may change all over. */
size_t stl_online_head_bytes(void);

#endif
