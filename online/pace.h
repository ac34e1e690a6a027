/*
 * online/pace.h -- what an event cost early and late in a run: processor time by tenth of the
 * input.
 *
 *     struct pace *pace = pace_start();
 *     ... the run ...
 *     struct pace_figures figures = pace_stop(pace);
 *
 * A thread looks ten times a second; how many events there will be need not be known.
 */
#ifndef ONLINE_PACE_H
#define ONLINE_PACE_H

#include <stddef.h>

#include "base/status.h"

enum { PACE_TENTHS = 10 };

/* Microseconds of processor time an event, of the whole process; NaN where a run was too short. */
struct pace_figures {
    double us[PACE_TENTHS];
};

/* What was seen at one moment, both since the start; neither ever falls. */
struct pace_point {
    double events, cpu_seconds;
};

/* NULL if there is no memory: then there are no figures. */
struct pace *pace_start(void);
struct pace_figures pace_stop(struct pace *pace);

/* The arithmetic alone: between two points the cost is taken as even. */
struct pace_figures pace_tenths(const struct pace_point *points, size_t n);

#endif
