/*
 * Tests of features/stl_online.h.
 *
 * What is known without running it: parts add up to the point; a season and a level without noise
 * leave nothing and are forecast exactly; scaling by a power of two scales the parts to the bit,
 * any other scale or level to rounding; a copy of a state goes on as the state; a point is undone
 * by the head and the one number behind it. A jump of the level and a shift of the season are taken
 * over within a few points, an outlier is not. How long a state is follows from its header.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include <math.h>
#include <stdlib.h>

#include "features/stl_online.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct fixture {
    struct stl_online *stl;
    void *state;
    size_t period, n; /* points so far */
    struct stl_online_point point;
};

static struct fixture begin(size_t period)
{
    struct fixture f = {.period = period};
    struct stl_online_params params = stl_online_params_default(period);
    cr_assert(eq(int, stl_online_create(&params, &f.stl), ST_OK));
    f.state = calloc(1, stl_online_bytes_max(f.stl));
    return f;
}

static void end(struct fixture *f)
{
    free(f->state);
    stl_online_free(f->stl);
}

static void add(struct fixture *f, double y)
{
    stl_online_add(f->stl, f->state, y, &f->point);
    cr_assert(stl_online_is_valid(f->stl, f->state, stl_online_bytes_max(f->stl)));
    f->n++;
}

static double season_at(size_t i, size_t period)
{
    double turn = 6.283185307179586 * (double)(i % period) / (double)period;
    return sin(turn) + .5 * cos(2 * turn);
}

static double noise_at(uint64_t i)
{
    i = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    i = (i ^ (i >> 31)) * UINT64_C(0xbf58476d1ce4e5b9);
    return (double)((i ^ (i >> 29)) >> 11) / (double)(UINT64_C(1) << 53) - .5;
}

/* A season, a slow climb and noise. */
static double made(size_t i, size_t period)
{
    return 3 + .002 * (double)i + season_at(i, period) + .2 * noise_at(i);
}

static void add_made(struct fixture *f, size_t points)
{
    for (size_t i = 0; i < points; i++)
        add(f, made(f->n, f->period));
}

/* Laws. */

TheoryDataPoints(stl_online, parts_add_up) = {
    DataPoints(size_t, 2, 3, 7, 24, 100),
    DataPoints(double, 1e-200, 1e-5, 1, 123456, 1e200),
};

Theory((size_t period, double scale), stl_online, parts_add_up)
{
    struct fixture f = begin(period);
    for (size_t i = 0; i < 10 * period; i++) {
        double y = scale * made(i, period);
        add(&f, y);
        cr_assert(eq(int, isnan(f.point.trend), i < 4 * period));
        if (i >= 4 * period)
            cr_assert(fabs(f.point.trend + f.point.seasonal + f.point.remainder - y) <=
                      1e-13 * fabs(y));
    }
    end(&f);
}

TheoryDataPoints(stl_online, what_has_no_noise_leaves_nothing) = {
    DataPoints(size_t, 5, 7, 24),
    DataPoints(double, 0, 1, 1e6),
};

Theory((size_t period, double height), stl_online, what_has_no_noise_leaves_nothing)
{
    struct fixture f = begin(period);
    for (size_t i = 0; i < 12 * period; i++) {
        double y = 5 + height * season_at(i, period);
        add(&f, y);
        if (i >= 4 * period) {
            cr_assert(fabs(f.point.forecast - y) <= 1e-9 * (5 + height));
            cr_assert(fabs(f.point.remainder) <= 1e-9 * (5 + height));
            cr_assert(fabs(f.point.trend - 5) <= 1e-9 * (5 + height));
        }
    }
    end(&f);
}

Test(stl_online, scales_by_powers_of_two_to_the_bit)
{
    struct fixture f = begin(12), g = begin(12);
    for (size_t i = 0; i < 200; i++) {
        double y = i % 31 == 30 ? NAN : made(i, 12) + (i == 100) * 9 + (i > 150) * 7;
        add(&f, y);
        add(&g, y * 0x1p40);
        if (i < 48)
            continue;
        cr_assert(eq(dbl, f.point.trend * 0x1p40, g.point.trend));
        cr_assert(eq(dbl, f.point.seasonal * 0x1p40, g.point.seasonal));
        cr_assert(isnan(y) ? isnan(f.point.score) && isnan(g.point.score)
                           : f.point.score == g.point.score);
    }
    end(&f);
    end(&g);
}

Test(stl_online, a_higher_series_has_a_higher_trend_and_nothing_else)
{
    struct fixture f = begin(12), g = begin(12);
    for (size_t i = 0; i < 200; i++) {
        add(&f, made(i, 12));
        add(&g, 3 * made(i, 12) + 1000);
        if (i < 48)
            continue;
        cr_assert(fabs(3 * f.point.trend + 1000 - g.point.trend) < 1e-4);
        cr_assert(fabs(3 * f.point.seasonal - g.point.seasonal) < 1e-4);
    }
    end(&f);
    end(&g);
}

/* States. */

struct bytes_row {
    size_t period, collecting, live;
};

ParameterizedTestParameters(stl_online, a_state_is_so_long)
{
    static struct bytes_row rows[] = {
        {2, 32 + 8 * 8, 248 + 16},
        {24, 32 + 8 * 96, 248 + 192},
        {168, 32 + 8 * 672, 248 + 1344},
    };
    return cr_make_param_array(struct bytes_row, rows, LEN(rows));
}

ParameterizedTest(struct bytes_row *row, stl_online, a_state_is_so_long)
{
    struct fixture f = begin(row->period);
    size_t most = row->collecting > row->live ? row->collecting : row->live;
    cr_assert(eq(sz, stl_online_bytes_max(f.stl), most));
    cr_assert(eq(sz, stl_online_bytes_next(f.stl, NULL), 32 + 8 * 8));
    add_made(&f, 5 * row->period);
    cr_assert(eq(sz, stl_online_bytes_next(f.stl, f.state), row->live));
    cr_assert(row->period != 24 || most <= 1024);
    end(&f);
}

/* It is given no more than it asks for; AddressSanitizer sees if it uses more. */
Test(stl_online, room_is_made_as_it_asks)
{
    struct fixture f = begin(7);
    void *state = NULL;
    size_t size = 0;
    for (size_t i = 0; i < 60; i++) {
        size_t need = stl_online_bytes_next(f.stl, state);
        state = realloc(state, need);
        if (need > size)
            memset((char *)state + size, 0, need - size);
        size = need;
        add(&f, made(i, 7));
        struct stl_online_point point;
        stl_online_add(f.stl, state, made(i, 7), &point);
        cr_assert(i < 28 ? isnan(point.trend) : point.trend == f.point.trend);
    }
    cr_assert(memcmp(state, f.state, size) == 0);
    free(state);
    end(&f);
}

Test(stl_online, a_copy_goes_on_and_a_point_is_undone)
{
    struct fixture f = begin(24);
    add_made(&f, 150);
    size_t size = stl_online_bytes_next(f.stl, f.state);
    char *before = malloc(size);
    for (size_t i = 150; i < 400; i++) {
        double y = i % 50 == 0 ? NAN : made(i, 24) + (i > 300) * 8 + (i % 37 == 0) * 6;
        memcpy(before, f.state, size);
        add(&f, y);
        char *state = f.state;
        struct stl_online_point copied;
        char *copy = malloc(size);
        memcpy(copy, before, size);
        stl_online_add(f.stl, copy, y, &copied);
        cr_assert(memcmp(copy, state, size) == 0);
        memcpy(copy, before, stl_online_head_bytes());
        for (size_t c = copied.n_changes; c-- > 0;)
            memcpy(copy + copied.changes[c].at, &copied.changes[c].was, 8);
        cr_assert(memcmp(copy, before, size) == 0);
        free(copy);
    }
    free(before);
    end(&f);
}

/* What happens to a series. */

TheoryDataPoints(stl_online, a_jump_of_the_level_is_taken_over) = {
    DataPoints(size_t, 7, 24, 168),
    DataPoints(double, -20, 3, 1000),
};

Theory((size_t period, double jump), stl_online, a_jump_of_the_level_is_taken_over)
{
    struct fixture f = begin(period);
    add_made(&f, 8 * period);
    double trend = f.point.trend, season = stl_online_forecast(f.state, period);
    for (size_t i = 0; i < 5; i++)
        add(&f, made(f.n, period) + jump);
    cr_assert(fabs(f.point.trend - trend - jump) < .2);
    for (size_t i = 5; i < period; i++)
        add(&f, made(f.n, period) + jump);
    cr_assert(fabs(stl_online_forecast(f.state, period) - season - jump) < .5);
    end(&f);
}

Test(stl_online, a_shift_of_the_season_is_found)
{
    struct fixture f = begin(48);
    add_made(&f, 8 * 48 + 12);
    double wrong = 0;
    for (size_t i = 0; i < 48; i++) {
        double y = season_at(f.n + 9, 48) + made(f.n, 48) - season_at(f.n, 48);
        add(&f, y);
        wrong += i >= 24 ? fabs(f.point.forecast - y) : 0;
    }
    cr_assert(wrong / 24 < .15);
    end(&f);
}

Test(stl_online, an_outlier_is_told_and_forgotten)
{
    struct fixture f = begin(24);
    add_made(&f, 200);
    double next = stl_online_forecast(f.state, 2);
    add(&f, made(f.n, 24) + 5);
    cr_assert(gt(dbl, f.point.score, 10));
    cr_assert(fabs(f.point.remainder - 5) < .5);
    cr_assert(fabs(stl_online_forecast(f.state, 1) - next) < .1);
    end(&f);
}

Test(stl_online, a_gap_is_passed_over)
{
    struct fixture f = begin(24);
    add_made(&f, 240);
    double twelfth = stl_online_forecast(f.state, 12);
    for (size_t i = 0; i < 11; i++)
        add(&f, i % 2 ? NAN : INFINITY);
    cr_assert(isnan(f.point.remainder) && isnan(f.point.score) && !isnan(f.point.trend));
    cr_assert(fabs(stl_online_forecast(f.state, 1) - twelfth) < .05);
    f.n = 251;
    add(&f, made(f.n, 24));
    cr_assert(lt(dbl, fabs(f.point.remainder), .5));
    end(&f);
}

Test(stl_online, it_begins_when_every_phase_is_known)
{
    struct fixture f = begin(6);
    for (size_t i = 0; i < 60; i++) {
        add(&f, i % 6 == 4 && i < 30 ? NAN : made(i, 6));
        cr_assert(eq(int, stl_online_is_live(f.state), i >= 35), "at %zu", i);
    }
    cr_assert(lt(dbl, fabs(f.point.remainder), .5));
    end(&f);
}

Test(stl_online, the_season_explains_what_it_does)
{
    struct fixture f = begin(24), g = begin(24);
    cr_assert(isnan(stl_online_strength(f.state)));
    for (size_t i = 0; i < 400; i++) {
        add(&f, season_at(i, 24) + .01 * noise_at(i));
        add(&g, noise_at(i));
    }
    cr_assert(gt(dbl, stl_online_strength(f.state), .99));
    cr_assert(lt(dbl, stl_online_strength(g.state), .6));
    end(&f);
    end(&g);
}

/* Odd numbers. */

TheoryDataPoints(stl_online, odd_values_leave_numbers) = {
    DataPoints(double, 0, -0.0, 1, 1e308, -1e308, 5e-324, 1e-300),
    DataPoints(double, 0, -1, 1e308, 1e-308, INFINITY, NAN),
};

Theory((double first, double then), stl_online, odd_values_leave_numbers)
{
    struct fixture f = begin(3);
    for (size_t i = 0; i < 60; i++) {
        add(&f, i < 20 ? first : i % 4 == 0 ? then : first);
        cr_assert(eq(int, isnan(f.point.trend), i < 12));
        bool wild = isinf(f.point.trend) || isinf(f.point.forecast) || isinf(f.point.score);
        cr_assert(not(wild));
    }
    end(&f);
}

struct refusal {
    struct stl_online_params params;
};

ParameterizedTestParameters(stl_online, refuses)
{
    static struct refusal rows[] = {
        {{1, 8, 20, .3, 1, 5, 3}},    {{7, 13, 20, .3, 1, 5, 3}},
        {{7, 701, 20, .3, 1, 5, 3}},  {{7, 28, 20, 1.1, 1, 5, 3}},
        {{7, 28, 20, NAN, 1, 5, 3}},  {{7, 28, 20, .3, 0, 5, 3}},
        {{7, 28, 20, .3, 1, -1, 3}},  {{7, 28, 20, .3, 1, INFINITY, 3}},
        {{7, 28, 20, .3, 1, 5, 0}},   {{STL_ONLINE_PERIOD_MAX + 1, 400004, 20, .3, 1, 5, 3}},
        {{7, 28, 20, .3, 1, 5, NAN}}, {{0, 0, 0, 0, 0, 0, 0}},
    };
    return cr_make_param_array(struct refusal, rows, LEN(rows));
}

ParameterizedTest(struct refusal *row, stl_online, refuses)
{
    struct stl_online *stl = NULL;
    cr_assert(eq(int, stl_online_create(&row->params, &stl), ST_EINVAL));
    cr_assert(stl == NULL);
}
