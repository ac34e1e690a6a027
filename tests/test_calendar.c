/*
 * Tests of features/calendar.h and of {calendar: ...}.
 *
 * What is known without running it: the calendar of some dates (1970-01-01 was a Thursday;
 * 2018-04-01 a Sunday), of both sides of midnight, of times before 1970, and of zones in summer and
 * winter.
 */
#include "features/plan.h"
#include "tests/plan_fixture.h"

#include "features/calendar.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct date_case {
    char time[32]; /* RFC 3339 */
    char zone[24]; /* "": UTC */
    double expected[6];
};

ParameterizedTestParameters(calendar, dates)
{
    /* hour, weekday, weekend, night, day, month */
    static struct date_case cases[] = {
        {"1970-01-01T00:00:00Z", "", {0, 3, 0, 1, 1, 1}},
        {"1969-12-31T23:59:59Z", "", {23, 2, 0, 0, 31, 12}},
        {"1969-12-27T06:59:59Z", "", {6, 5, 1, 1, 27, 12}},
        {"2018-04-01T00:00:31Z", "", {0, 6, 1, 1, 1, 4}},
        {"2018-03-31T23:59:59Z", "", {23, 5, 1, 0, 31, 3}},
        {"2018-04-02T00:00:00Z", "", {0, 0, 0, 1, 2, 4}},
        {"2018-04-06T23:59:59Z", "", {23, 4, 0, 0, 6, 4}},
        {"2018-04-02T06:59:59Z", "", {6, 0, 0, 1, 2, 4}},
        {"2018-04-02T07:00:00Z", "", {7, 0, 0, 0, 2, 4}},
        {"2020-02-29T12:00:00Z", "", {12, 5, 1, 0, 29, 2}},
        {"2018-07-01T22:30:00Z", "Europe/Berlin", {0, 0, 0, 1, 2, 7}},
        {"2018-12-01T22:30:00Z", "Europe/Berlin", {23, 5, 1, 0, 1, 12}},
        {"2018-04-02T02:30:00Z", "America/New_York", {22, 6, 1, 0, 1, 4}},
        {"2018-04-02T02:30:00Z", "Asia/Kolkata", {8, 0, 0, 0, 2, 4}},
    };
    return cr_make_param_array(struct date_case, cases, LEN(cases));
}

ParameterizedTest(struct date_case *c, calendar, dates)
{
    struct timefmt format;
    int64_t time;
    const struct zone *zone = NULL;
    cr_assert(eq(int, timefmt_compile(slice_of("rfc3339"), NULL, &format), ST_OK));
    cr_assert(eq(int, timefmt_parse(&format, slice_of(c->time), &time), ST_OK));
    if (c->zone[0])
        cr_assert(eq(int, zone_find(c->zone, &zone), ST_OK));
    for (int what = CALENDAR_HOUR; what < CALENDAR_HOLIDAY; what++)
        cr_expect(eq(dbl, calendar_value((enum calendar)what, time, zone), c->expected[what]),
                  "%s %s %s", calendar_names[what], c->time, c->zone);
}

/* UTC is worked out in a shorter way than zones: they agree on every hour of four years. */
Test(calendar, utc_is_a_zone_like_others)
{
    const struct zone *utc = NULL;
    cr_assert(eq(int, zone_find("UTC", &utc), ST_OK));
    for (int64_t t = -DAY_US * 800 - 1; t < DAY_US * 800; t += HOUR_US)
        for (int what = CALENDAR_HOUR; what < CALENDAR_HOLIDAY; what++)
            cr_assert(eq(dbl, calendar_value((enum calendar)what, t, NULL),
                         calendar_value((enum calendar)what, t, utc)));
}

Test(calendar, bounds_are_inclusive_and_may_go_round)
{
    struct fixture f = begin("- {calendar: hour, between: [1, 3], as: morning}\n"
                             "- {calendar: hour, between: [22, 1], as: late}\n"
                             "- {calendar: month, between: [1, 1], as: january}\n");
    double expected[24][2] = {{0, 1}, {1, 1}, {1, 0}, {1, 0}};
    expected[22][1] = expected[23][1] = 1;
    for (int hour = 0; hour < 24; hour++) {
        double *dense = extract(&f, &(struct event_parts){.hour = hour});
        cr_expect(dense[0] == expected[hour][0] && dense[1] == expected[hour][1], "%d", hour);
        cr_expect(dense[2] == 1);
    }
    end(&f);
}

Test(calendar, holidays_are_days_of_the_zone)
{
    struct fixture f =
        begin("- {calendar: holiday, days: [1970-01-05, 1970-01-02]}\n"
              "- {calendar: holiday, days: 1970-01-02, zone: Asia/Kolkata, as: there}\n");
    /* Hour, here, there (five and a half hours ahead). */
    double expected[][3] = {{0, 0, 0},  {18, 0, 0}, {19, 0, 1}, {24, 1, 1},
                            {42, 1, 1}, {43, 1, 0}, {48, 0, 0}, {100, 1, 0}};
    for (size_t i = 0; i < LEN(expected); i++) {
        double *dense = extract(&f, &(struct event_parts){.hour = expected[i][0]});
        cr_expect(dense[0] == expected[i][1] && dense[1] == expected[i][2], "hour %g",
                  expected[i][0]);
    }
    end(&f);
}
