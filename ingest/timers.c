#include "ingest/timers.h"

#include <assert.h>
#include <stdlib.h>

void timers_done(struct timers *timers)
{
    free(timers->items);
    *timers = (struct timers){0};
}

static struct timer *at(const struct timers *timers, size_t i)
{
    return &timers->items[(timers->first + i) & (timers->cap - 1)];
}

static void grow(struct timers *timers)
{
    size_t cap = timers->cap ? timers->cap * 2 : 1024;
    struct timer *items = malloc(cap * sizeof *items);
    if (!items)
        abort();
    for (size_t i = 0; i < timers->n; i++)
        items[i] = *at(timers, i);
    free(timers->items);
    timers->items = items;
    timers->cap = cap;
    timers->first = 0;
}

static bool earlier(const struct timer *a, const struct timer *b)
{
    return a->due < b->due || (a->due == b->due && a->seq < b->seq);
}

void timers_add_unsorted(struct timers *timers, int64_t due, uint64_t seq, struct pending_ref ref)
{
    if (timers->n == timers->cap)
        grow(timers);
    *at(timers, timers->n++) = (struct timer){due, seq, ref};
}

void timers_add(struct timers *timers, int64_t due, uint64_t seq, struct pending_ref ref)
{
    struct timer timer = {due, seq, ref};
    timers_add_unsorted(timers, due, seq, ref);
    size_t i = timers->n - 1;
    for (; i > 0 && earlier(&timer, at(timers, i - 1)); i--)
        *at(timers, i) = *at(timers, i - 1);
    *at(timers, i) = timer;
}

int64_t timers_next(const struct timers *timers)
{
    return timers->n ? at(timers, 0)->due : INT64_MAX;
}

struct timer timers_pop(struct timers *timers)
{
    assert(timers->n > 0);
    struct timer timer = *at(timers, 0);
    timers->first = (timers->first + 1) & (timers->cap - 1);
    timers->n--;
    return timer;
}

static int by_due(const void *a, const void *b)
{
    const struct timer *x = a, *y = b;
    return earlier(y, x) - earlier(x, y);
}

/* Only straight after recovery, when nothing was popped: the array starts at its beginning. */
void timers_sort(struct timers *timers)
{
    assert(timers->first == 0);
    if (timers->n > 0)
        qsort(timers->items, timers->n, sizeof *timers->items, by_due);
}

size_t timers_count(const struct timers *timers)
{
    return timers->n;
}

size_t timers_bytes(const struct timers *timers)
{
    return timers->cap * sizeof *timers->items;
}
