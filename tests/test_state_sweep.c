/*
 * Tests of ingest/state.h: sweeps.
 *
 * What is known without running it: which pages of a record a change touches follows from the size
 * of a page, and a share of a sweep stops at about the bytes asked for.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "ingest/state.h"
#include "tests/state_fixture.h"

struct pages_case {
    char name[40];
    uint32_t size, from, len, resize; /* a clean record of size; touched or, if not 0, resized */
    uint32_t puts, drops;
};

ParameterizedTestParameters(state, sweeps_the_pages_that_changed)
{
    static struct pages_case cases[] = {
        {"one byte", 4 * PAGE + 99, 0, 1, 0, 1, 0},
        {"last byte of a page", 4 * PAGE + 99, PAGE - 1, 1, 0, 1, 0},
        {"two bytes across pages", 4 * PAGE + 99, PAGE - 1, 2, 0, 2, 0},
        {"all", 4 * PAGE + 99, 0, 4 * PAGE + 99, 0, 5, 0},
        {"last, short page", 4 * PAGE + 99, 4 * PAGE + 98, 1, 0, 1, 0},
        {"page 62 has its own bit", 80 * PAGE, 62 * PAGE, 1, 0, 1, 0},
        {"page 70 takes all from 63", 80 * PAGE, 70 * PAGE, 1, 0, 17, 0},
        {"grown within its page: its size", 100, 0, 0, 200, 1, 0},
        {"grown by a page: that and the first", 3 * PAGE - 9, 0, 0, 3 * PAGE + 9, 3, 0},
        {"shrunk within its page", 200, 0, 0, 100, 1, 0},
        {"shrunk by two pages", 3 * PAGE - 9, 0, 0, PAGE - 9, 1, 2},
        {"shrunk to a page's end", 3 * PAGE - 9, 0, 0, 2 * PAGE, 1, 1},
    };
    return cr_make_param_array(struct pages_case, cases, LEN(cases));
}

ParameterizedTest(struct pages_case *c, state, sweeps_the_pages_that_changed)
{
    struct state *state = state_make();
    struct record *rec = state_obtain(state, 1, id_of(1), c->size);
    sealed_bytes(state);
    size_t drops;
    struct buf pages = swept(state);
    cr_expect(eq(sz, count_pages(&pages, &drops), (c->size + PAGE - 1) / PAGE), "%s: first",
              c->name);
    if (c->resize)
        state_resize(state, rec, c->resize);
    else
        state_touch(state, rec, c->from, c->len);
    sealed_bytes(state);
    pages = swept(state);
    cr_expect(eq(sz, count_pages(&pages, &drops), c->puts), "%s", c->name);
    cr_expect(eq(sz, drops, c->drops), "%s", c->name);
    pages = swept(state);
    cr_expect(eq(sz, count_pages(&pages, &drops), 0), "%s: clean", c->name);
    state_free(state);
}

/* A share stops at about the bytes asked for; what changes behind it waits for the next sweep. */
Test(state, sweeps_in_shares)
{
    struct state *state = state_make();
    for (uint32_t i = 0; i < 100; i++)
        state_obtain(state, 1, id_of(i), 1000);
    sealed_bytes(state);
    struct buf pages = {0};
    state_sweep_begin(state);
    size_t shares = 1;
    while (state_sweep_some(state, 10000, &pages)) {
        cr_assert(lt(sz, pages.len, shares * 12000));
        cr_assert(eq(sz, state_sweep_left(state), 100 - shares * 10));
        shares++;
        state_obtain(state, 2, id_of((uint32_t)shares), 1000);
        sealed_bytes(state);
    }
    cr_expect(eq(sz, shares, 10));
    size_t drops;
    cr_expect(eq(sz, count_pages(&pages, &drops), 100));
    state_sweep_begin(state);
    cr_expect(eq(sz, state_sweep_left(state), 9), "those made meanwhile");
    state_free(state);
}
