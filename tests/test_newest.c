/*
 * Tests of online/newest.h.
 *
 * Known without running it: the quantiles of 1 to 100, and that what was pushed out does not count.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "online/newest.h"

static const double shares[] = {0.001, 0.5, 0.9, 1};

Test(newest, none_are_known_at_first)
{
    struct newest newest = {0};
    int64_t ret[4] = {7};
    cr_expect(eq(sz, newest_quantiles(&newest, shares, 4, ret), 0));
    cr_expect(eq(i64, ret[0], 7));
}

Test(newest, quantiles_of_1_to_100)
{
    struct newest newest = {0};
    int64_t ret[4];
    for (int64_t i = 0; i < 100; i++)
        newest_add(&newest, 1 + i * 37 % 100);
    cr_assert(eq(sz, newest_quantiles(&newest, shares, 4, ret), 100));
    cr_expect(eq(i64, ret[0], 1));
    cr_expect(eq(i64, ret[1], 50));
    cr_expect(eq(i64, ret[2], 90));
    cr_expect(eq(i64, ret[3], 100));
}

Test(newest, old_ones_are_pushed_out)
{
    struct newest newest = {0};
    int64_t ret[4];
    for (int64_t i = 0; i < 3 * NEWEST_MAX; i++)
        newest_add(&newest, -i);
    cr_assert(eq(sz, newest_quantiles(&newest, shares, 4, ret), NEWEST_MAX));
    cr_expect(eq(i64, ret[3], -2 * NEWEST_MAX));
}
