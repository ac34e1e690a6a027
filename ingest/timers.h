/*
 * ingest/timers.h -- what is due when, in order; made for due times that mostly come in order.
 *
 * A sorted circular array: adding costs one comparison where the new one is the last, and a move of
 * those behind it where it is not. Ties are popped in order of seq.
 */
#ifndef INGEST_TIMERS_H
#define INGEST_TIMERS_H

#include "ingest/join.h"

struct timer {
    int64_t due;
    uint64_t seq;
    struct pending_ref ref;
};

/* {0} is an empty one. */
struct timers {
    struct timer *items; /* cap of them, a power of two; item i is at (first + i) & (cap - 1) */
    size_t first, n, cap;
};

void timers_done(struct timers *timers);
void timers_add(struct timers *timers, int64_t due, uint64_t seq, struct pending_ref ref);
/* INT64_MAX if there is none. */
int64_t timers_next(const struct timers *timers);
/* The first; there must be one. */
struct timer timers_pop(struct timers *timers);
/* After many were added in any order with timers_add() they are in order anyhow; this is for
 * timers_add_unsorted(). */
void timers_add_unsorted(struct timers *timers, int64_t due, uint64_t seq, struct pending_ref ref);
void timers_sort(struct timers *timers);
size_t timers_count(const struct timers *timers);
size_t timers_bytes(const struct timers *timers);

#endif
