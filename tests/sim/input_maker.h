/*
 * tests/sim/input_maker.h -- what the two halves of making an input share: input.c makes the
 * records, input_config.c the configuration.
 */
#ifndef TESTS_SIM_INPUT_MAKER_H
#define TESTS_SIM_INPUT_MAKER_H

#include "base/rng.h"
#include "tests/sim/input.h"

#define HOUR_US (3600 * SECOND_US)

enum { EVENTS_MAX = 1000 };

struct made {
    int64_t time;
    unsigned number; /* of its id */
    int64_t label_known;
    bool positive;
};

struct maker {
    struct rng rng;
    struct input *input;
    unsigned payments, logins, labels; /* partitions; lanes come in this order */
    int64_t delay;
    int64_t grain; /* all times are multiples of it, so that much falls into one instant */
    unsigned hot;  /* percent of events that are of one card and one shop */
    unsigned n;
    uint64_t number;
    bool champion_stays; /* no model takes over from another: the oracle knows one model only */
    struct made made[EVENTS_MAX];
};

static inline uint64_t below(struct maker *maker, uint64_t n)
{
    return rng_below(&maker->rng, n);
}

static inline bool chance(struct maker *maker, unsigned percent)
{
    return below(maker, 100) < percent;
}

static inline const char *one_of(struct maker *maker, const char *const *texts)
{
    size_t n = 0;
    while (texts[n])
        n++;
    return texts[below(maker, n)];
}

/* Sets the delay of labels, too. */
void input_put_config(struct maker *maker, struct buf *yaml);

#endif
