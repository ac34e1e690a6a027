/*
 * features/stl_buckets.h -- events of an entity, put into buckets of event time whose values feed a
 * streaming STL: what {stl: ...} keeps of each entity, one record of state each.
 *
 * A bucket can be fed once no event that is not too late can still come into it: when the entity's
 * newest event is `lateness` behind its end. Those that are over and not fed yet are fed whenever
 * the parts are read, and taken back; so a late event counts from its moment on just as if it had
 * come in order.
 *
 *     struct stl_buckets buckets = {.width = DAY_US, .lateness = lateness, .fold = STL_SUM};
 *     TRY(stl_buckets_ready(&buckets, &params));              // and buckets.family
 *     stl_buckets_read(&buckets, rec, time, &value, &parts);  // rec may be NULL; leaves no trace
 *     stl_buckets_observe(&buckets, state, id, time, value);
 *
 * A record is 24 bytes, 16 for each bucket that can be open at once (lateness / width, rounded up,
 * and four) and a state of stl_online.h: at most 904 bytes, and 544 from when it has begun on,
 * where the period is 24 buckets and lateness is within one.
 */
#ifndef FEATURES_STL_BUCKETS_H
#define FEATURES_STL_BUCKETS_H

#include "features/stl_online.h"
#include "ingest/event.h"
#include "ingest/state.h"

/* Buckets that can be open at once. */
#define STL_OPEN_MAX 64

enum stl_fold { STL_SUM, STL_COUNT, STL_MEAN };

struct stl_buckets {
    /* Set by the caller. */
    int64_t width; /* us; bucket n is [n width, (n + 1) width) since 1970 UTC */
    int64_t lateness;
    enum stl_fold fold;
    bool zeros; /* a bucket without events is 0 rather than a gap */
    uint16_t family;

    /* Derived. */
    struct stl_online *stl;
    uint32_t open;  /* buckets that can be open at once */
    int64_t silent; /* an entity without events for more buckets than this begins anew */
    struct stl_undo *undo;
};

/* What is known at an event. All NaN until the decomposer has begun. */
struct stl_reading {
    double trend, seasonal, remainder, score; /* of the last bucket that is over */
    double strength;
    /* What the open bucket has, the event itself included, less the part of its forecast that
     * should be there by now; of a mean: less all of its forecast. */
    double open;
};

/* False: lateness lets more than STL_OPEN_MAX buckets be open. */
bool stl_buckets_fit(int64_t width, int64_t lateness);
/* stl_buckets_fit() holds. Returns ST_EINVAL (see stl_online_create()), ST_ENOMEM. */
STATUS_CHECKED enum status stl_buckets_ready(struct stl_buckets *buckets,
                                             const struct stl_online_params *params);
void stl_buckets_done(struct stl_buckets *buckets);

/* As it is at `time`; self: the event's own value, NULL: it has none. What the record holds is
 * changed and put back. Cost: some 50 ns, and 150 for each bucket that is over and not fed yet. */
void stl_buckets_read(const struct stl_buckets *buckets, struct record *rec, int64_t time,
                      const double *self, struct stl_reading *ret);
/* Adds an event. One whose bucket was fed already is passed over. */
void stl_buckets_observe(const struct stl_buckets *buckets, struct state *state, struct key128 id,
                         int64_t time, double value);
/* For people: the start of the oldest bucket that was not fed, and the newest event's time. False:
 * the record is spoilt. */
bool stl_buckets_describe(const struct stl_buckets *buckets, struct record *rec, int64_t *ret_from,
                          int64_t *ret_newest, const void **ret_state);

#endif
