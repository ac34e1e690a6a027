/*
 * Tests of ingest/ack_window.h.
 *
 * What is known without running it: the prefix is the least row not yet answered, whatever the
 * order of the answers, so it can be computed by looking at all rows again after each answer.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include "ingest/ack_window.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct order_case {
    char name[24];
    int order[6];  /* rows in the order of their answers; all 6 are sent first */
    int prefix[6]; /* rows acknowledged after each */
};

ParameterizedTestParameters(ack_window, counts_without_gaps)
{
    static struct order_case cases[] = {
        {"in order", {0, 1, 2, 3, 4, 5}, {1, 2, 3, 4, 5, 6}},
        {"backwards", {5, 4, 3, 2, 1, 0}, {0, 0, 0, 0, 0, 6}},
        {"two partitions", {1, 3, 0, 5, 2, 4}, {0, 0, 2, 2, 4, 6}},
        {"first is last", {1, 2, 3, 4, 5, 0}, {0, 0, 0, 0, 0, 6}},
        {"answered twice", {0, 0, 2, 2, 1, 1}, {1, 1, 1, 1, 3, 3}},
    };
    return cr_make_param_array(struct order_case, cases, LEN(cases));
}

ParameterizedTest(struct order_case *c, ack_window, counts_without_gaps)
{
    struct ack_window window;
    cr_assert(eq(int, ack_window_init(&window, 8), ST_OK));
    for (int i = 0; i < 6; i++)
        cr_assert(eq(u64, ack_window_send(&window), (uint64_t)i));
    for (int i = 0; i < 6; i++) {
        ack_window_mark(&window, (uint64_t)c->order[i], false);
        cr_expect(eq(u64, window.acked, (uint64_t)c->prefix[i]), "%s, answer %d", c->name, i);
    }
    ack_window_done(&window);
}

Test(ack_window, a_refused_row_counts_once_the_prefix_reaches_it)
{
    struct ack_window window;
    cr_assert(eq(int, ack_window_init(&window, 4), ST_OK));
    for (int i = 0; i < 3; i++)
        ack_window_send(&window);
    ack_window_mark(&window, 1, true);
    cr_expect(eq(u64, window.refused, 0));
    ack_window_mark(&window, 0, false);
    cr_expect(eq(u64, window.acked, 2));
    cr_expect(eq(u64, window.refused, 1));
    ack_window_mark(&window, 1, false);
    cr_expect(eq(u64, window.refused, 1), "the first answer stands");
    ack_window_done(&window);
}

Test(ack_window, is_full_at_its_size_and_goes_round)
{
    struct ack_window window;
    cr_assert(eq(int, ack_window_init(&window, 4), ST_OK));
    for (uint64_t round = 0; round < 100; round++) {
        for (int i = 0; i < 4; i++) {
            cr_assert(not(ack_window_full(&window)));
            ack_window_send(&window);
        }
        cr_assert(ack_window_full(&window));
        for (uint64_t old = 0; old < 4 * round; old++) /* long answered: nothing to the new rows */
            ack_window_mark(&window, old, false);
        cr_assert(eq(u64, window.acked, 4 * round));
        for (uint64_t i = 0; i < 4; i++)
            ack_window_mark(&window, 4 * round + (i * 3 + round) % 4, i == 2);
        cr_assert(eq(u64, window.acked, 4 * (round + 1)));
        cr_assert(eq(u64, window.refused, round + 1));
    }
    ack_window_done(&window);
}

TheoryDataPoints(ack_window, prefix_is_the_least_row_not_answered) = {
    DataPoints(uint64_t, 1, 7, 42, 1000003),
    DataPoints(size_t, 1, 2, 64, 256),
};

Theory((uint64_t seed, size_t size), ack_window, prefix_is_the_least_row_not_answered)
{
    struct ack_window window;
    bool answered[2000] = {false};
    uint64_t least = 0;
    cr_assert(eq(int, ack_window_init(&window, size), ST_OK));
    while (least < LEN(answered)) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        if (window.sent < LEN(answered) && !ack_window_full(&window) && seed >> 63) {
            ack_window_send(&window);
        } else if (window.sent > least) {
            uint64_t row = least + (seed >> 33) % (window.sent - least);
            answered[row] = true;
            ack_window_mark(&window, row, false);
            while (least < LEN(answered) && answered[least])
                least++;
            cr_assert(eq(u64, window.acked, least));
        }
    }
    ack_window_done(&window);
}
