/*
 * tests/sim/world.h -- the world of a simulated service: chance, time, and the moment it dies.
 *
 * All that reaches out of the service (a write to the store, a row for the broker, an fsync of a
 * model file) is a touch. A life is told beforehand at which of its touches it ends: that one may
 * still take effect without the service hearing of it, and none does after it. So a crash can fall
 * between any two things that a disk or a broker could tell apart.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stdio.h>

#include "base/rng.h"

struct world {
    struct rng rng;
    int64_t clock; /* us, monotonic; wall clock and CPU time are made of it */
    bool dead;
    uint64_t touches;  /* of this life */
    uint64_t dies_at;  /* touch; UINT64_MAX: none */
    uint64_t fails_at; /* touch that fails although the process lives: a full disk, a broken pipe */
    bool failed;       /* it has */
    bool slow;         /* time hardly goes on in this life */
    unsigned life;
    uint64_t steps;
    FILE *trace; /* NULL: none */
};

enum touch {
    TOUCH_DONE,    /* it happens, and the service hears of it */
    TOUCH_UNHEARD, /* it happens, but the process is dead, or told that it failed */
    TOUCH_LOST,    /* it does not happen, and fails if the process lives */
};

/* what: for the trace. */
__attribute__((format(printf, 2, 3))) enum touch world_touch(struct world *world, const char *what,
                                                             ...);
__attribute__((format(printf, 2, 3))) void world_tell(struct world *world, const char *what, ...);

/* A new process, which dies at that touch from now, and sees that one fail. */
void world_begin_life(struct world *world, uint64_t dies_at, uint64_t fails_at);
/* Time goes on a little, or, now and then, jumps. */
void world_pass_time(struct world *world);

/* True once in n. */
bool world_chance(struct world *world, unsigned n);

/* The one that clocks and files are of (disk.h); NULL: the real ones. */
extern struct world *the_world;

#endif
