/*
 * Two threads at base/ring.h: a million hand-overs, each of which must come out whole, once and in
 * order, with rings from one place to many, so that both sides sleep and wake often.
 *
 * ThreadSanitizer watches the plain memory behind the pointers: it complains if the ring does not
 * order the producer's writes before the consumer's reads, and the consumer's before their reuse.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/ring.h"

enum { ITEMS = 1000000, LOANS_MAX = 64 };

struct item {
    uint64_t number; /* plain memory, written by one thread and read by the other */
    uint64_t check;
};

/* Items go to the consumer through `full` and come back through `empty`. */
struct line {
    struct bell producer, consumer;
    struct ring *full, *empty;
    size_t loans;
    size_t n;
};

static void *produce(void *arg)
{
    struct line *line = arg;
    for (uint64_t i = 0; i < line->n; i++) {
        struct item *item = ring_pop_wait(line->empty);
        item->number = i;
        item->check = ~i;
        ring_push_wait(line->full, item);
    }
    return NULL;
}

static int consume(struct line *line)
{
    for (uint64_t i = 0; i < line->n; i++) {
        struct item *item = ring_pop_wait(line->full);
        if (item->number != i || item->check != ~i) {
            fprintf(stderr, "item %llu came as %llu\n", (unsigned long long)i,
                    (unsigned long long)item->number);
            return 1;
        }
        item->number = UINT64_MAX;
        ring_push_wait(line->empty, item);
    }
    return 0;
}

static int run(size_t size, size_t loans, size_t n)
{
    static struct item items[LOANS_MAX];
    struct line line = {.loans = loans, .n = n};
    if (ring_create(size, &line.consumer, &line.producer, &line.full) < 0 ||
        ring_create(LOANS_MAX, &line.producer, &line.consumer, &line.empty) < 0)
        return 1;
    for (size_t i = 0; i < loans; i++)
        ring_push_wait(line.empty, &items[i]);
    pthread_t producer;
    if (pthread_create(&producer, NULL, produce, &line) != 0)
        return 1;
    int bad = consume(&line);
    if (bad)
        exit(bad);
    pthread_join(producer, NULL);
    bad = ring_depth(line.full) != 0 || ring_depth(line.empty) != loans;
    ring_free(line.full);
    ring_free(line.empty);
    return bad;
}

/* Without bells nothing but the ring itself orders what the two do, the reuse of slots included. */
static void *push_polling(void *arg)
{
    static struct item items[ITEMS / 10];
    for (uint64_t i = 0; i < ITEMS / 10; i++) {
        items[i].number = i;
        while (!ring_push(arg, &items[i]))
            sched_yield();
    }
    return NULL;
}

static int run_polling(size_t size)
{
    struct ring *ring;
    pthread_t producer;
    if (ring_create(size, NULL, NULL, &ring) < 0 ||
        pthread_create(&producer, NULL, push_polling, ring) != 0)
        return 1;
    int bad = 0;
    for (uint64_t i = 0; i < ITEMS / 10;) {
        struct item *item = ring_pop(ring);
        if (!item) {
            sched_yield();
            continue;
        }
        bad |= item->number != i++;
    }
    pthread_join(producer, NULL);
    ring_free(ring);
    return bad;
}

/* One bell, several rings: the sleeper must be woken by each of them. */
struct knock {
    struct ring *ring;
    size_t n;
};

static void *knock(void *arg)
{
    static char something;
    struct knock *knock = arg;
    for (size_t i = 0; i < knock->n; i++)
        ring_push_wait(knock->ring, &something);
    return NULL;
}

static int run_shared_bell(size_t n)
{
    struct bell consumer = {0}, producers[2] = {{0}, {0}};
    struct knock knocks[2] = {{NULL, n}, {NULL, n}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        if (ring_create(4, &consumer, &producers[i], &knocks[i].ring) < 0 ||
            pthread_create(&threads[i], NULL, knock, &knocks[i]) != 0)
            return 1;
    }
    for (size_t got = 0; got < 2 * n;) {
        uint32_t seen = bell_seen(&consumer);
        size_t now = 0;
        for (int i = 0; i < 2; i++)
            now += ring_pop(knocks[i].ring) != NULL;
        got += now;
        if (now == 0)
            bell_wait(&consumer, seen, -1);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        ring_free(knocks[i].ring);
    }
    return 0;
}

int main(void)
{
    int bad = run(1, 1, ITEMS / 20) || run(2, 3, ITEMS / 4) || run(64, LOANS_MAX, ITEMS) ||
              run_polling(1) || run_polling(16) || run_shared_bell(ITEMS / 10);
    puts(bad ? "failed" : "passed");
    return bad;
}
