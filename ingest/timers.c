#include "ingest/timers.h"

#include <assert.h>
#include <stdlib.h>

void timers_done(struct timers *timers)
{
    free(timers->items);
    free(timers->heap);
    *timers = (struct timers){0};
}

static bool earlier(const struct timer *a, const struct timer *b)
{
    return a->due < b->due || (a->due == b->due && a->seq < b->seq);
}

/* The queue. */

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

static void queue_add(struct timers *timers, struct timer timer)
{
    if (timers->n == timers->cap)
        grow(timers);
    *at(timers, timers->n++) = timer;
}

static struct timer queue_pop(struct timers *timers)
{
    struct timer timer = *at(timers, 0);
    timers->first = (timers->first + 1) & (timers->cap - 1);
    timers->n--;
    return timer;
}

/* The heap: item i is before items 2i + 1 and 2i + 2. */

static void heap_add(struct timers *timers, struct timer timer)
{
    if (timers->n_heap == timers->cap_heap) {
        timers->cap_heap = timers->cap_heap ? timers->cap_heap * 2 : 64;
        timers->heap = realloc(timers->heap, timers->cap_heap * sizeof *timers->heap);
        if (!timers->heap)
            abort();
    }
    size_t i = timers->n_heap++;
    for (; i > 0 && earlier(&timer, &timers->heap[(i - 1) / 2]); i = (i - 1) / 2)
        timers->heap[i] = timers->heap[(i - 1) / 2];
    timers->heap[i] = timer;
}

static size_t earlier_child(const struct timers *timers, size_t i)
{
    size_t child = 2 * i + 1;
    return child +
           (child + 1 < timers->n_heap && earlier(&timers->heap[child + 1], &timers->heap[child]));
}

static struct timer heap_pop(struct timers *timers)
{
    struct timer top = timers->heap[0], last = timers->heap[--timers->n_heap];
    size_t i = 0;
    for (size_t child; (child = earlier_child(timers, i)) < timers->n_heap; i = child) {
        if (!earlier(&timers->heap[child], &last))
            break;
        timers->heap[i] = timers->heap[child];
    }
    timers->heap[i] = last;
    return top;
}

/* Both. */

void timers_add(struct timers *timers, int64_t due, uint64_t seq, struct pending_ref ref)
{
    struct timer timer = {due, seq, ref};
    if (timers->n > 0 && earlier(&timer, at(timers, timers->n - 1)))
        heap_add(timers, timer);
    else
        queue_add(timers, timer);
}

static bool heap_is_first(const struct timers *timers)
{
    return timers->n_heap > 0 && (timers->n == 0 || earlier(&timers->heap[0], at(timers, 0)));
}

int64_t timers_next(const struct timers *timers)
{
    if (heap_is_first(timers))
        return timers->heap[0].due;
    return timers->n ? at(timers, 0)->due : INT64_MAX;
}

struct timer timers_pop(struct timers *timers)
{
    assert(timers_count(timers) > 0);
    return heap_is_first(timers) ? heap_pop(timers) : queue_pop(timers);
}

void timers_settle(struct timers *timers)
{
    struct timers settled = {0};
    while (timers_count(timers) > 0)
        queue_add(&settled, timers_pop(timers));
    timers_done(timers);
    *timers = settled;
}

const struct timer *timers_ahead(const struct timers *timers, size_t n)
{
    return n < timers->n ? at(timers, n) : NULL;
}

/* Below an item of the heap that is not due none is. */
static void heap_each(const struct timers *timers, size_t i, int64_t due,
                      void (*fn)(void *arg, const struct timer *timer), void *arg)
{
    if (i >= timers->n_heap || timers->heap[i].due > due)
        return;
    fn(arg, &timers->heap[i]);
    heap_each(timers, 2 * i + 1, due, fn, arg);
    heap_each(timers, 2 * i + 2, due, fn, arg);
}

void timers_each(const struct timers *timers, int64_t due,
                 void (*fn)(void *arg, const struct timer *timer), void *arg)
{
    for (size_t i = 0; i < timers->n && at(timers, i)->due <= due; i++)
        fn(arg, at(timers, i));
    heap_each(timers, 0, due, fn, arg);
}

size_t timers_count(const struct timers *timers)
{
    return timers->n + timers->n_heap;
}

size_t timers_bytes(const struct timers *timers)
{
    return (timers->cap + timers->cap_heap) * sizeof *timers->items;
}
