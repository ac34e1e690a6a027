/*
 * base/ring.h -- the bounded hand-over of pointers from one thread to another, and its doorbell.
 *
 * A ring has one producer and one consumer. Ring and doorbell are apart so that a thread may sleep
 * on one bell while several rings may wake it: it checks all it waits for, and sleeps only if the
 * bell was not rung since it looked.
 *
 *     // consumer                                  // producer
 *     for (;;) {                                   while (!ring_push(ring, p))
 *         uint32_t seen = bell_seen(bell);             wait for room on the producer's own bell
 *         void *p = ring_pop(ring);
 *         if (p) { work(p); continue; }
 *         bell_wait(bell, seen, timeout_us);
 *     }
 *
 * C11 atomics rather than Concurrency Kit's: ThreadSanitizer sees through them.
 */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* A futex word. {0} is ready for use; nothing to free. */
struct bell {
    _Atomic uint32_t rung;
    _Atomic uint32_t sleepers;
};

static inline uint32_t bell_seen(struct bell *bell)
{
    return atomic_load_explicit(&bell->rung, memory_order_seq_cst);
}

/* Wakes whoever sleeps; costs no system call if nobody does. A signal handler may call it. */
void bell_ring(struct bell *bell);
/* Sleeps until the bell is rung after `seen` was read, or the time is over (< 0: no limit). A
 * signal ends it early, so that its flag can be looked at. */
void bell_wait(struct bell *bell, uint32_t seen, int64_t timeout_us);

struct ring;

/* size: a power of two. consumer: rung at each push; producer: rung at each pop; either may be
 * NULL. Bells must outlive the ring. */
STATUS_CHECKED enum status ring_create(size_t size, struct bell *consumer, struct bell *producer,
                                       struct ring **ret);
void ring_free(struct ring *ring);

/* False if the ring is full. p must not be NULL. */
bool ring_push(struct ring *ring, void *p);
/* NULL if the ring is empty. */
void *ring_pop(struct ring *ring);
/* Of any thread: how many are in it, for the metric. */
size_t ring_depth(const struct ring *ring);
size_t ring_size(const struct ring *ring);

/* As ring_push and ring_pop, but sleep on the ring's own bells (which must be set) while they must.
 */
void ring_push_wait(struct ring *ring, void *p);
void *ring_pop_wait(struct ring *ring);

#endif
