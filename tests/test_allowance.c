/*
 * Tests of online/allowance.h: exact small answers, and that whoever waits as told uses no more
 * than its share and what it had saved.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "online/allowance.h"

Test(allowance, what_was_saved_is_spent_first)
{
    struct allowance allowance = allowance_of(0.25, 1000, 0, 0);
    cr_expect(eq(i64, allowance_wait(&allowance, 1000, 1000), 0), "1000 were saved, not more came");
    cr_expect(eq(i64, allowance_wait(&allowance, 1400, 1400), 1200), "100 came, 400 went");
    cr_expect(eq(i64, allowance_wait(&allowance, 2600, 1400), 0));
    cr_expect(eq(i64, allowance_wait(&allowance, 2610, 1410), 30), "nothing is left of it");
}

Test(allowance, no_more_is_saved_than_a_burst)
{
    struct allowance allowance = allowance_of(0.5, 100, 0, 0);
    cr_expect(eq(i64, allowance_wait(&allowance, 1000000, 0), 0));
    cr_expect(eq(i64, allowance_wait(&allowance, 1000000, 150), 100));
}

Test(allowance, who_waits_as_told_keeps_to_the_share)
{
    struct allowance allowance = allowance_of(0.1, 500, 0, 0);
    int64_t now = 0, used = 0;
    for (int64_t i = 0; i < 1000; i++) {
        used += i * 7919 % 3001;
        now += i * 7919 % 3001;
        now += allowance_wait(&allowance, now, used);
    }
    cr_expect(le(dbl, (double)used, 0.1 * (double)now + 500));
    cr_expect(ge(dbl, (double)used, 0.1 * (double)now - 1000));
}
