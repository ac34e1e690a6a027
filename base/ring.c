#include "base/ring.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { CACHE_LINE = 64 };

/* Producer and consumer each keep to their own cache line, and a copy of the other's position
 * there: they look at the other's line only when the copy says full or empty. Positions count up
 * for ever; a slot is the position modulo size. */
struct ring {
    size_t size;
    struct bell *consumer;
    struct bell *producer;
    _Alignas(CACHE_LINE) _Atomic size_t pushed;
    size_t popped_seen;
    _Alignas(CACHE_LINE) _Atomic size_t popped;
    size_t pushed_seen;
    _Alignas(CACHE_LINE) void *slots[];
};

/* Ringing first counts and then looks for sleepers, waiting first counts itself a sleeper and then
 * looks whether the bell was rung, all in one total order: one of the two sees the other. */
void bell_ring(struct bell *bell)
{
    atomic_fetch_add_explicit(&bell->rung, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&bell->sleepers, memory_order_seq_cst) == 0)
        return;
    int saved = errno; /* a signal handler may ring too */
    syscall(SYS_futex, &bell->rung, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    errno = saved;
}

void bell_wait(struct bell *bell, uint32_t seen, int64_t timeout_us)
{
    struct timespec timeout = {timeout_us / 1000000, timeout_us % 1000000 * 1000};
    atomic_fetch_add_explicit(&bell->sleepers, 1, memory_order_seq_cst);
    /* The kernel looks again whether rung is still what was seen, so that no ring is missed. */
    if (bell_seen(bell) == seen)
        syscall(SYS_futex, &bell->rung, FUTEX_WAIT_PRIVATE, seen, timeout_us < 0 ? NULL : &timeout,
                NULL, 0);
    atomic_fetch_sub_explicit(&bell->sleepers, 1, memory_order_seq_cst);
}

enum status ring_create(size_t size, struct bell *consumer, struct bell *producer,
                        struct ring **ret)
{
    if (size == 0 || (size & (size - 1)) != 0 || size > SIZE_MAX / sizeof(void *) / 2)
        return ST_EINVAL;
    size_t bytes = sizeof(struct ring) + size * sizeof(void *);
    bytes = (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    struct ring *ring = aligned_alloc(CACHE_LINE, bytes);
    if (!ring)
        return ST_ENOMEM;
    memset(ring, 0, bytes);
    ring->size = size;
    ring->consumer = consumer;
    ring->producer = producer;
    *ret = ring;
    return ST_OK;
}

void ring_free(struct ring *ring)
{
    free(ring);
}

bool ring_push(struct ring *ring, void *p)
{
    assert(p);
    size_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);
    if (pushed - ring->popped_seen == ring->size) {
        ring->popped_seen = atomic_load_explicit(&ring->popped, memory_order_acquire);
        if (pushed - ring->popped_seen == ring->size)
            return false;
    }
    ring->slots[pushed & (ring->size - 1)] = p;
    atomic_store_explicit(&ring->pushed, pushed + 1, memory_order_release);
    if (ring->consumer)
        bell_ring(ring->consumer);
    return true;
}

void *ring_pop(struct ring *ring)
{
    size_t popped = atomic_load_explicit(&ring->popped, memory_order_relaxed);
    if (popped == ring->pushed_seen) {
        ring->pushed_seen = atomic_load_explicit(&ring->pushed, memory_order_acquire);
        if (popped == ring->pushed_seen)
            return NULL;
    }
    void *p = ring->slots[popped & (ring->size - 1)];
    atomic_store_explicit(&ring->popped, popped + 1, memory_order_release);
    if (ring->producer)
        bell_ring(ring->producer);
    return p;
}

size_t ring_depth(const struct ring *ring)
{
    /* popped first: it never passes pushed, so that the difference cannot be negative. */
    size_t popped = atomic_load_explicit(&ring->popped, memory_order_acquire);
    size_t depth = atomic_load_explicit(&ring->pushed, memory_order_acquire) - popped;
    return depth < ring->size ? depth : ring->size;
}

size_t ring_size(const struct ring *ring)
{
    return ring->size;
}

void ring_push_wait(struct ring *ring, void *p)
{
    assert(ring->producer);
    for (;;) {
        uint32_t seen = bell_seen(ring->producer);
        if (ring_push(ring, p))
            return;
        bell_wait(ring->producer, seen, -1);
    }
}

void *ring_pop_wait(struct ring *ring)
{
    assert(ring->consumer);
    for (;;) {
        uint32_t seen = bell_seen(ring->consumer);
        void *p = ring_pop(ring);
        if (p)
            return p;
        bell_wait(ring->consumer, seen, -1);
    }
}
