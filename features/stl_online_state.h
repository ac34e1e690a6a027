/* features/stl_online_state.h -- how a state of features/stl_online.h lies in its bytes; for its
 * files alone. All values are in units of `unit`, a power of two near the largest of those it began
 * with: nothing overflows, and scaling a series by a power of two scales its parts exactly. */
#ifndef FEATURES_STL_ONLINE_STATE_H
#define FEATURES_STL_ONLINE_STATE_H

#include "features/stl_online.h"

enum {
    STL_ONLINE_VERSION = 1,
    STL_PASSES = 3,        /* of reweighting */
    STL_RECENT = 16,       /* points that are remembered */
    STL_RUN_MAX = 8,       /* a longer run of strange points is how it is from now on */
    STL_JUMP_RUN = 3,      /* so many in a row may be a jump of the level */
    STL_SHIFT_STRANGE = 4, /* so many of those remembered may be a shift of the season, */
    STL_SHIFT_WINDOW = 6,  /* from so many points after the first one on */
    STL_SCALE_SPAN = 64    /* points that the running scales look back over */
};

/* The quadratic of the trend's last two values, after all points so far: least at them, and half
 * its second derivatives, which weigh what comes next against what was: floats will do. */
struct stl_pass {
    double before, last;
    float bb, bl, ll;
    float unused;
};

struct stl_live {
    double slope;            /* of the trend, a point */
    double scale;            /* of the forecast's errors */
    double rest;             /* of the remainders */
    double power;            /* mean square of seasonal + remainder */
    double remainder, score; /* of the last point */
    struct stl_pass passes[STL_PASSES];
    /* Up to here a point changes all. */
    double floor;             /* of both scales */
    float recent[STL_RECENT]; /* a ring of the last points, while one of them was strange */
    double season[];          /* one a phase */
};

struct stl_state {
    uint8_t version; /* 0: all else is 0 too */
    uint8_t live;
    uint8_t run;      /* strange points in a row, 255 at most */
    uint8_t newest;   /* place of the last point in recent */
    uint32_t strange; /* which of the last STL_RECENT points were; bit 0: the newest */
    uint32_t period;
    uint32_t phase; /* of the next point; while it collects: how many there are */
    uint32_t shift; /* the season of phase p is at (p + shift) % period */
    uint32_t unused;
    double unit;
    double after[]; /* what it has collected; of a live one a struct stl_live */
};

static inline struct stl_live *stl_live_of(struct stl_state *state)
{
    return (struct stl_live *)(void *)state->after;
}

/* The season moved by some places, and what the last points then leave. */
struct stl_shift {
    size_t move;
    double level, distance;
};

struct stl;
struct stl_online {
    struct stl_online_params params;
    struct stl *batch;
    double *values, *trend, *seasonal, *remainder; /* scratch, init_points each */
};

/* The place of the season `ahead` points after the next one. */
static inline size_t stl_place(const struct stl_state *state, size_t ahead)
{
    return ((size_t)state->phase + state->shift + ahead) % state->period;
}

/* One point for the trend alone: what is left of it without the season, with a weight in [0, 1] (0:
 * unknown). Returns the trend there. */
double stl_trend_add(const struct stl_online_params *params, struct stl_live *live, double left,
                     double weight);
/* The trend has been at `level` for `points` points and what was before tells nothing. */
void stl_trend_restart(struct stl_live *live, double level, double points);
/* Whether the last points, the newest of them strange, are a jump or a shift; takes it over. */
bool stl_explain_run(const struct stl_online_params *params, struct stl_state *state);
/* From what it collected to a live state. If too little is there it lets the oldest period go. */
void stl_go_live(struct stl_online *stl, struct stl_state *state);

#endif
