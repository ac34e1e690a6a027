/*
 * Tests of the durations in base/timefmt.h.
 *
 * Known without running it: units are exact multiples of a microsecond, what is written reads back
 * as the same number, and which texts leave their unit or their order open.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "base/timefmt.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct duration_case {
    char text[32];
    int64_t us;
    char written[32];
};

ParameterizedTestParameters(duration, reads_and_writes)
{
    static struct duration_case cases[] = {
        {"0s", 0, "0s"},
        {"0d", 0, "0s"},
        {"5us", 5, "5us"},
        {"250ms", 250000, "250ms"},
        {"90s", 90000000, "1m30s"},
        {"1h30m", INT64_C(5400000000), "1h30m"},
        {"90m", INT64_C(5400000000), "1h30m"},
        {"1d", INT64_C(86400000000), "1d"},
        {"24h", INT64_C(86400000000), "1d"},
        {"2w", INT64_C(1209600000000), "14d"},
        {"30d", INT64_C(2592000000000), "30d"},
        {"1w1d1h1m1s1ms1us", INT64_C(694861001001), "8d1h1m1s1ms1us"},
        {"1s500ms", 1500000, "1s500ms"},
        {"9223372036854775807us", INT64_MAX, "106751991d4h54s775ms807us"},
        {"007m", 420000000, "7m"},
    };
    return cr_make_param_array(struct duration_case, cases, LEN(cases));
}

ParameterizedTest(struct duration_case *c, duration, reads_and_writes)
{
    int64_t us = -1, again = -1;
    char text[48];
    cr_assert(eq(int, duration_parse(slice_of(c->text), &us), ST_OK), "%s", c->text);
    cr_expect(eq(i64, us, c->us), "%s", c->text);
    cr_expect(eq(sz, duration_format(us, text), strlen(c->written)));
    cr_expect(eq(str, text, c->written));
    cr_expect(eq(int, duration_parse(slice_of(text), &again), ST_OK));
    cr_expect(eq(i64, again, us), "%s", c->text);
}

Test(duration, writes_negative_ones_for_people)
{
    char text[48];
    duration_format(-1500000, text);
    cr_expect(eq(str, text, "-1s500ms"));
    duration_format(INT64_MIN, text);
    cr_expect(eq(str, text, "-106751991d4h54s775ms808us"));
}

struct refused_case {
    char text[32];
};

ParameterizedTestParameters(duration, refuses)
{
    static struct refused_case cases[] = {
        {""},
        {"7"},
        {"d"},
        {"7 d"},
        {" 7d"},
        {"7d "},
        {"-1d"},
        {"+1d"},
        {"1.5h"},
        {"1D"},
        {"1min"},
        {"1M"},
        {"30m1h"},
        {"1h1h"},
        {"1h30"},
        {"1d-2h"},
        {"1y"},
        {"0"},
        {"1d,2d"},
        {"9223372036854775808us"},
        {"106751992d"},
        {"15250285w"},
        {"9223372036854775807us1"},
        {"99999999999999999999s"},
    };
    return cr_make_param_array(struct refused_case, cases, LEN(cases));
}

ParameterizedTest(struct refused_case *c, duration, refuses)
{
    int64_t us = 42;
    cr_expect(eq(int, duration_parse(slice_of(c->text), &us), ST_EINVAL), "%s", c->text);
    cr_expect(eq(i64, us, 42), "%s: wrote its result on failure", c->text);
}
