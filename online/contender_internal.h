/*
 * online/contender_internal.h -- what contender.c and contender_file.c share. Nobody else includes
 * it.
 */
#ifndef ONLINE_CONTENDER_INTERNAL_H
#define ONLINE_CONTENDER_INTERNAL_H

#include "online/contender.h"
#include "online/contest.h"

/* The newest of one label. */
struct sighting_ring {
    struct sighting *rows;
    size_t max, n, first;
};

/* What was handed in last, for or against one challenger. */
struct contender_met {
    uint32_t rival, version; /* as in the act; version 0: nothing */
    int64_t time;
    struct contender_half half;
};

struct contender {
    struct contest *contest;
    uint32_t number;
    uint64_t labels[2]; /* seen, lately */
    uint64_t stride;
    struct sighting_ring rings[2];                /* by label */
    struct contender_met met[CONTEST_MODELS_MAX]; /* by the challenger's number */
};

void contender_push(struct sighting_ring *ring, const struct sighting *row);
/* What a file of it says was handed in. */
STATUS_CHECKED enum status contender_hand_in_again(const struct contender *contender);

#endif
