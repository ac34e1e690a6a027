/*
 * Tests of ingest/timers.h.
 *
 * What is known without running it: whatever the order of adding, timers come out sorted by (due,
 * seq). The oracle is a plain array, searched from end to end.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include "ingest/timers.h"

enum { N = 3000 };

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

struct naive {
    struct timer items[N];
    size_t n;
};

static struct timer naive_pop(struct naive *naive)
{
    size_t best = 0;
    for (size_t i = 1; i < naive->n; i++) {
        const struct timer *a = &naive->items[i], *b = &naive->items[best];
        if (a->due < b->due || (a->due == b->due && a->seq < b->seq))
            best = i;
    }
    struct timer timer = naive->items[best];
    naive->items[best] = naive->items[--naive->n];
    return timer;
}

static void expect_pop(struct timers *timers, struct naive *naive)
{
    struct timer want = naive_pop(naive);
    cr_assert(eq(i64, timers_next(timers), want.due));
    struct timer got = timers_pop(timers);
    cr_assert(eq(i64, got.due, want.due));
    cr_assert(eq(u64, got.seq, want.seq));
    cr_assert(eq(u32, got.ref.block, want.ref.block));
    cr_assert(eq(sz, timers_count(timers), naive->n));
}

/* late: of how many one is a straggler; spread: how far behind; 0: due times often tie. */
TheoryDataPoints(timers, come_out_in_order) = {
    DataPoints(uint32_t, 1, 2, 10, 1000000),
    DataPoints(uint32_t, 1, 5, 1000),
    DataPoints(uint32_t, 1, 3, 200), /* added for each that is popped */
    DataPoints(bool, false, true),
};

Theory((uint32_t late, uint32_t spread, uint32_t burst, bool settle), timers, come_out_in_order)
{
    static struct naive naive;
    naive.n = 0;
    struct timers timers = {0};
    uint64_t seed = late * 31 + spread * 7 + burst;
    for (uint32_t i = 0; i < N; i++) {
        int64_t due = (int64_t)(i / 4) - (draw(&seed, late) == 0 ? draw(&seed, spread) : 0);
        naive.items[naive.n++] = (struct timer){due, i, {i, 8}};
        timers_add(&timers, due, i, (struct pending_ref){i, 8});
        if (i % burst == burst - 1)
            expect_pop(&timers, &naive);
        if (settle && i == N / 2)
            timers_settle(&timers);
    }
    while (naive.n > 0)
        expect_pop(&timers, &naive);
    cr_assert(eq(i64, timers_next(&timers), INT64_MAX));
    timers_done(&timers);
}

Test(timers, nothing_is_due_in_none)
{
    struct timers timers = {0};
    cr_expect(eq(i64, timers_next(&timers), INT64_MAX));
    cr_expect(eq(sz, timers_count(&timers), 0));
    cr_expect(eq(ptr, (void *)timers_ahead(&timers, 0), NULL));
    timers_settle(&timers);
    timers_done(&timers);
}

Test(timers, shows_those_next_in_the_queue)
{
    struct timers timers = {0};
    for (uint32_t i = 0; i < 3; i++)
        timers_add(&timers, 10 + i, i, (struct pending_ref){i, 0});
    timers_add(&timers, 5, 3, (struct pending_ref){3, 0});
    cr_expect(eq(i64, timers_next(&timers), 5));
    cr_expect(eq(u64, timers_ahead(&timers, 2)->seq, 2));
    cr_expect(eq(ptr, (void *)timers_ahead(&timers, 3), NULL), "the straggler is not in it");
    timers_settle(&timers);
    cr_expect(eq(u64, timers_ahead(&timers, 0)->seq, 3), "now it is");
    timers_done(&timers);
}

static void add_up(void *arg, const struct timer *timer)
{
    *(uint64_t *)arg += UINT64_C(1) << timer->seq;
}

/* Those of the queue and stragglers alike, each once; the ones at the limit too. */
Test(timers, names_all_that_are_due)
{
    static const int64_t due[] = {10, 12, 14, 16, 3, 9, 15, 2, 13};
    struct timers timers = {0};
    for (uint32_t i = 0; i < sizeof due / sizeof due[0]; i++)
        timers_add(&timers, due[i], i, (struct pending_ref){i, 0});
    for (int64_t limit = 0; limit <= 17; limit++) {
        uint64_t want = 0, got = 0;
        for (uint32_t i = 0; i < sizeof due / sizeof due[0]; i++)
            want += due[i] <= limit ? UINT64_C(1) << i : 0;
        timers_each(&timers, limit, add_up, &got);
        cr_expect(eq(u64, got, want), "limit %d", (int)limit);
    }
    timers_done(&timers);
}
