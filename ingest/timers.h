/*
 * ingest/timers.h -- what is due when, in order; made for due times that mostly come in order.
 *
 * Those that come in order queue up in a circular array: adding and popping cost a comparison or
 * two. A straggler goes to a heap beside it, and costs the logarithm of how many stragglers wait,
 * however many others do. Ties are popped in order of seq, whichever way they came.
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
    struct timer *heap; /* binary, the first due on top */
    size_t n_heap, cap_heap;
};

void timers_done(struct timers *timers);
void timers_add(struct timers *timers, int64_t due, uint64_t seq, struct pending_ref ref);
/* INT64_MAX if there is none. */
int64_t timers_next(const struct timers *timers);
/* The first; there must be one. */
struct timer timers_pop(struct timers *timers);
/* After many were added in no order: puts them all in the queue. */
void timers_settle(struct timers *timers);
/* The one that is n places behind the first, stragglers left aside; NULL if there is none. */
const struct timer *timers_ahead(const struct timers *timers, size_t n);
/* Calls fn for all that are due at or before a time, in no order. */
void timers_each(const struct timers *timers, int64_t due,
                 void (*fn)(void *arg, const struct timer *timer), void *arg);
size_t timers_count(const struct timers *timers);
size_t timers_bytes(const struct timers *timers);

#endif
