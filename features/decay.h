/*
 * features/decay.h -- counts and sums of an entity's events that fade: each event weighs half as
 * much with every half-life that has passed. What {decay: ...} keeps of each entity, one record of
 * state.
 *
 * With age d and half-life h an event weighs 2^(-d/h), so count and sum at t are exact recurrences
 * of those at the event before: c(t) = c(s) 2^(-(t-s)/h) + 1. No entries are kept, and no window
 * has an edge. A late event is added with the weight that it has by now: in whatever order events
 * come, the sums are the same but for rounding, which is below 1e-15 times the number of events
 * within some 50 half-lives.
 *
 *     struct decay decay = {.n = 2, .half_life = {HOUR_US, 7 * DAY_US}};    // and decay.family
 *     decay_read(&decay, rec, time, &own, sums);           // rec and own may be NULL
 *     decay_observe(&decay, state, id, time, own);
 *
 * A record is 8 bytes and 16 for each half-life.
 */
#ifndef FEATURES_DECAY_H
#define FEATURES_DECAY_H

#include "ingest/event.h"
#include "ingest/state.h"

#define DECAY_MAX 16

struct decay {
    size_t n;
    int64_t half_life[DECAY_MAX]; /* us */
    uint16_t family;
};

struct decay_sum {
    double count, sum;
};

/* As they are at `time`, or at the entity's newest event if that is later, the event's own value
 * included (NULL: it has none): what decay_observe() will leave. Cost: about 15 ns a half-life. */
void decay_read(const struct decay *decay, const struct record *rec, int64_t time,
                const double *own, struct decay_sum *ret);
void decay_observe(const struct decay *decay, struct state *state, struct key128 id, int64_t time,
                   double own);
/* For people: the newest event's time. False: there is none. */
bool decay_describe(const struct decay *decay, const struct record *rec, int64_t *ret_newest);

#endif
