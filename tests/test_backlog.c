/*
 * Tests of online/backlog.h.
 *
 * What is known without running it: portions leave in the order in which they came, whole, and what
 * waits is what came less what left, however coming and leaving take turns.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>

#include "online/backlog.h"

static void add(struct backlog *backlog, unsigned number)
{
    char text[32];
    int len = snprintf(text, sizeof text, "portion %u", number);
    backlog_add(backlog, (struct slice){text, (size_t)len}, number);
}

static void expect_next(struct backlog *backlog, unsigned number)
{
    char text[32];
    snprintf(text, sizeof text, "portion %u", number);
    struct slice items;
    uint64_t n;
    cr_assert(backlog_next(backlog, &items, &n));
    cr_expect(eq(u64, n, number));
    cr_expect(slice_eq(items, slice_of(text)), "%.*s is not %s", (int)items.len, items.data, text);
}

Test(backlog, portions_leave_as_they_came)
{
    struct backlog backlog = {0};
    unsigned came = 0, left = 0;
    for (unsigned round = 0; round < 200; round++) {
        for (unsigned i = 0; i < 1 + round * 7 % 5; i++)
            add(&backlog, came++);
        for (unsigned i = 0; i < round * 3 % 5 && left < came; i++)
            expect_next(&backlog, left++);
        cr_expect(eq(int, backlog_empty(&backlog), came == left));
    }
    while (left < came)
        expect_next(&backlog, left++);
    cr_expect(backlog_empty(&backlog));
    cr_expect(eq(sz, backlog_bytes(&backlog), 0));
    backlog_done(&backlog);
}

Test(backlog, an_empty_one_has_nothing)
{
    struct backlog backlog = {0};
    struct slice items;
    uint64_t n;
    cr_expect(backlog_empty(&backlog));
    cr_expect(not(backlog_next(&backlog, &items, &n)));
    backlog_done(&backlog);
}

Test(backlog, what_left_takes_no_room_for_ever)
{
    struct backlog backlog = {0};
    add(&backlog, 0);
    for (unsigned i = 0; i < 10000; i++) {
        add(&backlog, i + 1);
        expect_next(&backlog, i);
    }
    cr_expect(lt(sz, backlog.bytes.cap, 4096));
    backlog_done(&backlog);
}
