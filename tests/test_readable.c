/*
 * Tests of online/readable.h: each form at its edges, where units change and digits are dropped.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>

#include "online/readable.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

enum form { COUNT, RATE, BYTES, SPAN, CLOCK, DELAY, REAL3 };

struct form_case {
    enum form form;
    double v;
    char text[40];
};

static struct readable form_of(const struct form_case *c)
{
    switch (c->form) {
    case COUNT:
        return readable_count((uint64_t)c->v);
    case RATE:
        return readable_rate(c->v);
    case BYTES:
        return readable_bytes(c->v);
    case SPAN:
        return readable_span(c->v);
    case CLOCK:
        return readable_clock(c->v);
    case DELAY:
        return readable_delay(c->v);
    case REAL3:
        return readable_real(c->v, 3);
    }
    return (struct readable){""};
}

ParameterizedTestParameters(readable, writes)
{
    static struct form_case cases[] = {
        {COUNT, 0, "0"},
        {COUNT, 999, "999"},
        {COUNT, 1000, "1,000"},
        {COUNT, 1293144, "1,293,144"},
        {RATE, 0.04, "0.0"},
        {RATE, 9.84, "9.8"},
        {RATE, 12.4, "12"},
        {RATE, 9999, "9,999"},
        {RATE, 153945.7, "153,900"},
        {RATE, 99996, "100,000"},
        {RATE, NAN, "-"},
        {BYTES, 0, "0 bytes"},
        {BYTES, 999, "999 bytes"},
        {BYTES, 1000, "0.98 KiB"},
        {BYTES, 1024, "1.00 KiB"},
        {BYTES, 12.3 * 1024 * 1024, "12.3 MiB"},
        {BYTES, 512.4 * 1024 * 1024, "512 MiB"},
        {BYTES, 1e30, "888178419700125 PiB"},
        {BYTES, NAN, "-"},
        {SPAN, 0, "0.0s"},
        {SPAN, 8.44, "8.4s"},
        {SPAN, 59.94, "59.9s"},
        {SPAN, 59.96, "1m 00s"},
        {SPAN, 83, "1m 23s"},
        {SPAN, 3599.6, "1h 00m"},
        {SPAN, 7500, "2h 05m"},
        {SPAN, 86400 * 3 + 3600 * 4, "3d 04h"},
        {SPAN, -1, "-"},
        {SPAN, NAN, "-"},
        {CLOCK, 8.9, "0:08"},
        {CLOCK, 754, "12:34"},
        {CLOCK, 3723, "1:02:03"},
        {CLOCK, NAN, "-"},
        {DELAY, 0.000035, "35 us"},
        {DELAY, 0.0008, "0.80 ms"},
        {DELAY, 0.0031, "3.1 ms"},
        {DELAY, 0.25, "250 ms"},
        {DELAY, 1.2, "1.20 s"},
        {DELAY, 100, "100.0 s"},
        {DELAY, NAN, "-"},
        {REAL3, 0.81234, "0.812"},
        {REAL3, NAN, "-"},
    };
    return cr_make_param_array(struct form_case, cases, LEN(cases));
}

ParameterizedTest(struct form_case *c, readable, writes)
{
    struct readable text = form_of(c);
    cr_expect(eq(str, text.text, c->text), "form %d of %g", (int)c->form, c->v);
}

/* The greatest number of each kind has room. */
Test(readable, has_room_for_the_greatest)
{
    cr_expect(eq(str, readable_count(UINT64_MAX).text, "18,446,744,073,709,551,615"));
    cr_expect(eq(str, readable_rate(1e300).text, "-"));
    cr_expect(lt(int, (int)strlen(readable_bytes(1e300).text), 40));
    cr_expect(lt(int, (int)strlen(readable_real(-1e300, 9).text), 40));
}

Test(readable, instants)
{
    cr_expect(eq(str, readable_time(1522540831000000).text, "2018-04-01T00:00:31Z"));
    cr_expect(eq(str, readable_time(0).text, "1970-01-01T00:00:00Z"));
    cr_expect(eq(str, readable_time(INT64_MIN).text, "-"));
}
