/*
 * tests/sim/life.h -- one life of the simulated service: from its start to a crash, an orderly stop
 * or the end of the input.
 *
 * In each life the steps of the service's threads are taken in an order that chance decides.
 */
#ifndef TESTS_SIM_LIFE_H
#define TESTS_SIM_LIFE_H

#include "online/service_internal.h"
#include "tests/sim/trial.h"

enum life_actor {
    LIFE_INGEST,
    LIFE_STATE,
    LIFE_COMMIT,
    LIFE_PRODUCE,
    LIFE_FETCH,
    LIFE_TRAIN,
    LIFE_ACTORS,
};

struct life {
    struct trial *trial;
    struct service *service;
    struct source *source;
    struct sink *sink;
    unsigned weights[LIFE_ACTORS]; /* how often each gets its turn */
    uint64_t stop_at;              /* step; UINT64_MAX: not asked to */
    bool input_ended, state_ended;
};

/* last: it does not crash. False if the service does not start, because it died or is wrong. */
bool life_open(struct life *life, struct trial *trial, bool last);
/* Until all of the input is taken in and what came of it is sent, or it is asked to stop. Fails if
 * it died, or if something is wrong. */
enum status life_live(struct life *life);
/* The same in the order of recorded runs (trial->options.runs). */
enum status life_replay(struct life *life);
/* Waits until all examples are learnt by every model. */
enum status life_drain_trainers(struct service *service);
/* Frees it and cuts the power. */
void life_close(struct life *life);
/* Is all of the input taken in? */
bool life_read_all(const struct life *life);

#endif
