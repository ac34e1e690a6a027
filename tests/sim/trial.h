/*
 * tests/sim/trial.h -- one simulated run of an input: a life of the service after the other, until
 * all of the input is taken in and a last one has found everything as it was left.
 *
 * A life ends by a crash at some touch of the world, by a failure of what it touches, by being
 * asked to stop, or with the input.
 */
#ifndef TESTS_SIM_TRIAL_H
#define TESTS_SIM_TRIAL_H

#include <signal.h>

#include "base/hash.h"
#include "online/settings.h"
#include "tests/sim/broker.h"
#include "tests/sim/disk.h"
#include "tests/sim/sim_store.h"

struct trial_options {
    const struct input *input;
    uint64_t seed;          /* of all that chance decides */
    bool calm;              /* no crash, no misbehaviour */
    bool acts;              /* now and then a person promotes a version or a model */
    bool timed;             /* records come in their time, and the order taken depends on when */
    const struct buf *runs; /* the order to take the input in; NULL: the merge's */
    enum fault fault;
    FILE *trace; /* NULL: none */
};

/* What is left at the end. */
struct outcome {
    struct key128 digest; /* of the state */
    uint64_t events, examples_n;
    int64_t clock;
    uint32_t version;
    size_t n_dense;      /* columns of a vector */
    struct buf examples; /* the whole example log */
    struct buf runs;     /* the order that the input was taken in */
    struct buf model;    /* the champion's learner, as a file */
    struct buf others;   /* the other learners', one behind the other */
    struct arrival *arrivals[INPUT_LANES_MAX];
};

struct trial {
    struct trial_options options;
    struct settings settings; /* the input's, but for memory: often too little */
    struct world world;
    struct broker broker;
    struct sim_store *store;
    int64_t idle_max;        /* of a timed trial */
    struct service *service; /* that lives */
    volatile sig_atomic_t stop;
    char last_error[400]; /* of the service's log */
    struct outcome outcome;
    unsigned crashes, failures, stops, acts;
    unsigned confirmed, rolled_back; /* versions that were tried */
    unsigned takeovers;              /* of one model by another that was found to be better */
    uint64_t evicted;                /* records */
    char wrong[600];                 /* "": nothing; else what is wrong */
};

/* False if something is wrong; trial_done() in either case. */
bool trial_run(const struct trial_options *options, struct trial *ret);
void trial_done(struct trial *trial);
/* Notes it, unless something was wrong before; false. */
__attribute__((format(printf, 2, 3))) bool trial_wrong(struct trial *trial, const char *format,
                                                       ...);
/* Is the outcome that of the calm run? NULL: only what is known without one. Says in trial->wrong
 * what is not. */
bool trial_compare(struct trial *trial, const struct trial *calm);

#endif
