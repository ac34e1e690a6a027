/*
 * Tests of base/ring.h in one thread; thread_ring.c is the one with two.
 *
 * Known without running it: a ring is a queue, first in first out, of exactly `size` places, and a
 * bell rung after it was looked at does not let anyone sleep.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include "base/ring.h"

static char items[64];

TheoryDataPoints(ring, is_a_bounded_queue) = {
    DataPoints(size_t, 1, 2, 8, 64),
    DataPoints(size_t, 0, 1, 5),
};

/* Filled and emptied more than once around, from every kind of start. */
Theory((size_t size, size_t before), ring, is_a_bounded_queue)
{
    struct ring *ring = NULL;
    cr_assert(eq(int, ring_create(size, NULL, NULL, &ring), ST_OK));
    cr_assert(eq(sz, ring_size(ring), size));
    for (size_t i = 0; i < before; i++) {
        cr_assert(ring_push(ring, &items[i]));
        cr_assert(eq(ptr, ring_pop(ring), &items[i]));
    }
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < size; i++) {
            cr_assert(eq(sz, ring_depth(ring), i));
            cr_assert(ring_push(ring, &items[i]));
        }
        cr_assert(not(ring_push(ring, &items[0])), "more than size");
        for (size_t i = 0; i < size; i++)
            cr_assert(eq(ptr, ring_pop(ring), &items[i]));
        cr_assert(eq(ptr, ring_pop(ring), NULL));
        cr_assert(eq(sz, ring_depth(ring), 0));
    }
    ring_free(ring);
}

Test(ring, rings_its_bells)
{
    struct bell consumer = {0}, producer = {0};
    struct ring *ring = NULL;
    cr_assert(eq(int, ring_create(1, &consumer, &producer, &ring), ST_OK));
    uint32_t consumer_seen = bell_seen(&consumer), producer_seen = bell_seen(&producer);
    cr_assert(ring_push(ring, &items[0]));
    cr_expect(ne(u32, bell_seen(&consumer), consumer_seen));
    cr_expect(eq(u32, bell_seen(&producer), producer_seen));
    cr_assert(not(ring_push(ring, &items[1])));
    consumer_seen = bell_seen(&consumer);
    cr_assert(eq(ptr, ring_pop(ring), &items[0]));
    cr_expect(eq(u32, bell_seen(&consumer), consumer_seen));
    cr_expect(ne(u32, bell_seen(&producer), producer_seen));
    ring_free(ring);
}

/* Would hang, were the ring lost: the limit of the test is the judge. */
Test(ring, a_bell_rung_before_the_wait_is_heard, .timeout = 10)
{
    struct bell bell = {0};
    uint32_t seen = bell_seen(&bell);
    bell_ring(&bell);
    bell_wait(&bell, seen, -1);
    seen = bell_seen(&bell);
    bell_wait(&bell, seen, 1000); /* not rung: comes back by time */
    cr_expect(eq(u32, bell_seen(&bell), seen));
}

Test(ring, create_refuses_what_is_no_power_of_two)
{
    struct ring *ring = NULL;
    cr_expect(eq(int, ring_create(0, NULL, NULL, &ring), ST_EINVAL));
    cr_expect(eq(int, ring_create(3, NULL, NULL, &ring), ST_EINVAL));
    cr_expect(eq(int, ring_create(SIZE_MAX / 2 + 1, NULL, NULL, &ring), ST_EINVAL));
    cr_expect(eq(ptr, ring, NULL));
}

Test(ring, free_accepts_null)
{
    ring_free(NULL);
}
