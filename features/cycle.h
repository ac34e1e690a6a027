/*
 * features/cycle.h -- where an instant lies in something that comes round again, as points of a
 * circle: what {cycle: ...} writes.
 *
 * A model that adds up columns cannot know that hour 23 is next to hour 0, nor that 1 January
 * follows 31 December. The Fourier terms of a period, sin(2 pi k p) and cos(2 pi k p) of the share
 * p of it that has passed, say so: the first puts the period on a circle, and each further one can
 * bend what is learnt of it twice as sharply.
 *
 *     struct cycle_point point = cycle_at(18, 24, 1);         // 18:00: {-1, 0}
 *     uint64_t into = cycle_phase(time, 7 * DAY_US, zone);    // us since Thursday 0:00
 *
 * k p is reduced to less than a quarter turn in whole numbers first, so that quarters are exact and
 * nothing is lost far from 1970; then it is libm's sin and cos, within 2 units in the last place.
 */
#ifndef FEATURES_CYCLE_H
#define FEATURES_CYCLE_H

#include "base/timefmt.h"

/* Bounds of what cycle_at() takes, so that nothing overflows: 64 and 100 years. */
#define CYCLE_TERMS_MAX  64
#define CYCLE_PERIOD_MAX (INT64_C(36525) * 86400 * 1000000)

struct cycle_point {
    double sin, cos;
};

/* Term k of the period, after `phase` of it: phase < period <= CYCLE_PERIOD_MAX, k <=
 * CYCLE_TERMS_MAX. Cost: about 30 ns. */
struct cycle_point cycle_at(uint64_t phase, uint64_t period, uint32_t k);

/* How far the local time has come since the last multiple of period (us) since 1970-01-01 0:00, a
 * Thursday. zone NULL: UTC. Where clocks are changed, local time jumps, and the phase with it. */
uint64_t cycle_phase(int64_t time, int64_t period, const struct zone *zone);

#endif
