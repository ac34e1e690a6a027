/*
 * Tests of online/top.h. What is read is known from a list of all offers: the best of those in the
 * newest twelve stretches of five seconds, in order.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/event.h"
#include "online/rows.h"
#include "online/top.h"

enum { OFFERS = 20000 };

static struct top *make(void)
{
    struct top *top = NULL;
    cr_assert(eq(int, top_create(&top), ST_OK));
    return top;
}

static uint64_t next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

struct offer {
    int64_t time;
    float score;
};

static int by_score(const void *a, const void *b)
{
    const struct offer *x = a, *y = b;
    return (x->score < y->score) - (x->score > y->score);
}

/* Stretches by floor, also before 1970. */
static int64_t stretch(int64_t time)
{
    return (int64_t)floor((double)time / TOP_STRETCH_US);
}

static size_t best_of(const struct offer *offers, size_t n, struct offer *ret)
{
    int64_t newest = INT64_MIN;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        newest = stretch(offers[i].time) > newest ? stretch(offers[i].time) : newest;
    for (size_t i = 0; i < n; i++)
        if (stretch(offers[i].time) > newest - TOP_STRETCHES)
            ret[kept++] = offers[i];
    qsort(ret, kept, sizeof *ret, by_score);
    return kept < TOP_N ? kept : TOP_N;
}

TheoryDataPoints(top, keeps_the_best_of_the_minute) = {
    DataPoints(int64_t, 100, 20000, 3000000, 100000000), /* us between offers */
    DataPoints(int64_t, 0, 1000000, 20000000),           /* us that one may be late */
    DataPoints(int64_t, 0, -1000000000),                 /* where time begins */
};

Theory((int64_t every, int64_t late, int64_t from), top, keeps_the_best_of_the_minute)
{
    static struct offer offers[OFFERS], best[OFFERS];
    struct top *top = make();
    uint64_t seed = 7;
    for (size_t i = 0; i < OFFERS; i++) {
        int64_t behind = late ? (int64_t)(next(&seed) % (uint64_t)late) : 0;
        offers[i] = (struct offer){from + (int64_t)i * every - behind,
                                   (float)next(&seed) / (float)(UINT64_C(1) << 31)};
        char id[32];
        int len = snprintf(id, sizeof id, "%zu", i);
        top_offer(top, (struct slice){id, (size_t)len}, offers[i].time, offers[i].score,
                  (uint32_t)i);
        if (i % 1999 != 0 && i + 1 != OFFERS)
            continue;
        struct top_entry entries[TOP_N];
        size_t n = top_read(top, entries), m = best_of(offers, i + 1, best);
        cr_assert(eq(sz, n, m), "after %zu", i);
        for (size_t j = 0; j < n; j++) {
            cr_assert(eq(flt, entries[j].score, best[j].score), "after %zu, place %zu", i, j);
            cr_assert(eq(flt, offers[entries[j].version].score, best[j].score));
            cr_assert(eq(i64, entries[j].time, offers[entries[j].version].time));
            cr_assert(eq(int, atoi(entries[j].id), (int)entries[j].version));
        }
    }
    top_free(top);
}

Test(top, passes_over_what_is_no_score_and_what_is_old)
{
    struct top *top = make();
    struct top_entry entries[TOP_N];
    cr_expect(eq(sz, top_read(top, entries), 0));
    top_offer(top, slice_of("nan"), 100 * SECOND_US, NAN, 1);
    cr_expect(eq(sz, top_read(top, entries), 0));
    top_offer(top, slice_of("now"), 100 * SECOND_US, 0.5f, 1);
    top_offer(top, slice_of("old"), 40 * SECOND_US, 0.9f, 1);
    cr_assert(eq(sz, top_read(top, entries), 1));
    cr_expect(eq(int, memcmp(entries[0].id, "now", 3), 0));
    top_free(top);
}

/* What a model that knows nothing yet gives: the first to come stay, and the rest costs nothing. */
Test(top, of_equal_scores_the_first_stay)
{
    struct top *top = make();
    for (uint32_t i = 0; i < 100; i++)
        top_offer(top, slice_of("x"), 100 + i, 0.5f, i);
    cr_expect(not(top_wants(top, 300, 0.5f)));
    struct top_entry entries[TOP_N];
    cr_assert(eq(sz, top_read(top, entries), TOP_N));
    for (uint32_t i = 0; i < TOP_N; i++)
        cr_expect(eq(u32, entries[i].version, i));
    top_free(top);
}

Test(top, cuts_long_ids_and_names_rows_without_one)
{
    struct top *top = make();
    char long_id[200];
    memset(long_id, 'a', sizeof long_id);
    struct event with = {.id = {long_id, sizeof long_id}}, without = {.origin = {0, 42}};
    top_on_score(top, &(struct row_score){.event = &with, .time = 1, .score = 0.9f});
    top_on_score(top, &(struct row_score){.event = &without, .time = 1, .score = 0.8f});
    struct top_entry entries[TOP_N];
    cr_assert(eq(sz, top_read(top, entries), 2));
    cr_expect(eq(int, entries[0].id_len, TOP_ID_MAX));
    cr_expect(eq(int, entries[1].id_len, 9));
    cr_expect(eq(int, memcmp(entries[1].id, "offset 42", 9), 0));
    top_free(top);
}

Test(top, free_accepts_null)
{
    top_free(NULL);
}
