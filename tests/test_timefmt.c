/*
 * Tests of base/timefmt.h: timestamps and the calendar.
 *
 * Known without running it: a handful of moments whose epoch second is on record, the days of the
 * months and of leap years, that writing and reading are inverse, and which texts name no moment.
 * Time zones have their own tests in test_zone.c.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include <stdlib.h>

#include "base/timefmt.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define US     INT64_C(1000000)

static enum status parse(const char *format, const char *text, int64_t *ret)
{
    struct timefmt compiled;
    cr_assert(eq(int, timefmt_compile(slice_of(format), NULL, &compiled), ST_OK), "%s", format);
    /* An exact allocation, so that AddressSanitizer sees a read behind the text. */
    size_t len = strlen(text);
    char *copy = malloc(len + (len == 0));
    memcpy(copy, text, len);
    enum status st = timefmt_parse(&compiled, (struct slice){copy, len}, ret);
    free(copy);
    return st;
}

/* Exact answers. */

struct moment_case {
    char format[32];
    char text[44];
    int64_t t;
};

ParameterizedTestParameters(timefmt, reads)
{
    static struct moment_case cases[] = {
        {"%Y-%m-%d %H:%M:%S", "2018-04-01 00:00:31", 1522540831 * US},
        {"%Y-%m-%d %H:%M:%S", "1970-01-01 00:00:00", 0},
        {"%Y-%m-%d %H:%M:%S", "1969-12-31 23:59:59", -US},
        {"%Y-%m-%d %H:%M:%S", "2000-02-29 12:00:00", 951825600 * US},
        {"%Y-%m-%d %H:%M:%S", "2018-4-1 0:00:31", 1522540831 * US},
        {"%Y-%m-%d %H:%M:%S", "2018-04-01   00:00:31", 1522540831 * US},
        {"%Y-%m-%d %H:%M:%S", "2016-12-31 23:59:60", 1483228800 * US},
        {"%Y-%m-%d", "2018-04-01", 1522540800 * US},
        {"%Y-%m-%d", "0001-01-01", -62135596800 * US},
        {"%Y-%m-%d", "9999-12-31", 253402214400 * US},
        {"%F", "2018-04-01", 1522540800 * US},
        {"%FT%TZ", "2018-04-01T00:00:31Z", 1522540831 * US},
        {"%Y/%m/%d %H.%M.%S", "2018/04/01 00.00.31", 1522540831 * US},
        {"%Y1%m1%d", "2018104101", 1522540800 * US},
        {"%Y\xb7%m\xb7%d",
         "2018\xb7"
         "04\xb7"
         "01",
         1522540800 * US},
        {"%Y%m%d", "20180401", 1522540800 * US},
        {"%Y%m%d%H%M%S", "20180401000031", 1522540831 * US},
        {"%Y-%m-%d %H:%M:%S.%f", "2018-04-01 00:00:31.25", 1522540831 * US + 250000},
        {"%Y-%m-%d %H:%M:%S.%f", "2018-04-01 00:00:31.123456789", 1522540831 * US + 123456},
        {"%d/%m/%Y %H:%M", "01/04/2018 00:01", 1522540860 * US},
        {"%d.%m.%y", "01.04.18", 1522540800 * US},
        {"%d.%m.%y", "31.12.69", -US * 86400},
        {"%b %d %Y", "Apr 01 2018", 1522540800 * US},
        {"%B %d, %Y", "april 1, 2018", 1522540800 * US},
        {"%d %b %Y", "1 May 2018", 1525132800 * US},
        {"%B %d %Y", "September 9 2001", 999993600 * US},
        {"%Y-%j", "2018-091", 1522540800 * US},
        {"%Y-%j", "2016-366", 1483142400 * US},
        {"%F %I:%M %p", "2018-04-01 12:00 AM", 1522540800 * US},
        {"%F %I:%M %p", "2018-04-01 12:30 pm", 1522585800 * US},
        {"%F %I:%M %p", "2018-04-01 11:59 PM", 1522627140 * US},
        {"%F %T %z", "2018-04-01 02:00:31 +0200", 1522540831 * US},
        {"%F %T%z", "2018-03-31 18:30:31-05:30", 1522540831 * US},
        {"%F %T %Z", "2018-04-01 00:00:31 UTC", 1522540831 * US},
        {"100%% %F", "100% 2018-04-01", 1522540800 * US},
        {"rfc3339", "2018-04-01T00:00:31Z", 1522540831 * US},
        {"rfc3339", "2018-04-01t00:00:31z", 1522540831 * US},
        {"rfc3339", "2018-04-01 00:00:31.5+02:00", 1522533631 * US + 500000},
        {"rfc3339", "1985-04-12T23:20:50.52Z", 482196050 * US + 520000}, /* RFC 3339, 5.8 */
        {"rfc3339", "1996-12-19T16:39:57-08:00", 851042397 * US},        /* RFC 3339, 5.8 */
        {"rfc3339", "1990-12-31T23:59:60Z", 662688000 * US},             /* RFC 3339, 5.8 */
        {"rfc3339", "1990-12-31T15:59:60-08:00", 662688000 * US},        /* RFC 3339, 5.8 */
        {"rfc3339", "2018-04-01T00:00:31", 1522540831 * US},
        {"epoch_s", "1522540831", 1522540831 * US},
        {"epoch_s", "1522540831.000001", 1522540831 * US + 1},
        {"epoch_s", "-1.5", -1500000},
        {"epoch_s", "1.522540831E9", 1522540831 * US},
        {"epoch_ms", "1522540831123", 1522540831 * US + 123000},
        {"epoch_ms", "1522540831123.25", 1522540831 * US + 123250},
        {"epoch_us", "1522540831123456", 1522540831 * US + 123456},
        {"epoch_us", "1522540831123456.9", 1522540831 * US + 123456},
        {"epoch_us", "0", 0},
    };
    return cr_make_param_array(struct moment_case, cases, LEN(cases));
}

ParameterizedTest(struct moment_case *c, timefmt, reads)
{
    int64_t t = -1;
    cr_assert(eq(int, parse(c->format, c->text, &t), ST_OK), "%s: %s", c->format, c->text);
    cr_expect(eq(i64, t, c->t), "%s: %s", c->format, c->text);
}

struct written_case {
    int64_t t;
    char text[36];
};

ParameterizedTestParameters(timefmt, writes)
{
    static struct written_case cases[] = {
        {1522540831 * US, "2018-04-01T00:00:31Z"},
        {0, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {1522540831 * US + 123000, "2018-04-01T00:00:31.123Z"},
        {1522540831 * US + 123456, "2018-04-01T00:00:31.123456Z"},
        {1522540831 * US + 1, "2018-04-01T00:00:31.000001Z"},
        {-62135596800 * US, "0001-01-01T00:00:00Z"},
        {253402300799 * US, "9999-12-31T23:59:59Z"},
        {253402300800 * US, "+10000-01-01T00:00:00Z"},
        {-62198755200 * US, "-0001-01-01T00:00:00Z"},
        {INT64_MAX, "+294247-01-10T04:00:54.775807Z"},
        {INT64_MIN, "-290308-12-21T19:59:05.224192Z"},
    };
    return cr_make_param_array(struct written_case, cases, LEN(cases));
}

ParameterizedTest(struct written_case *c, timefmt, writes)
{
    char text[32];
    cr_expect(eq(sz, time_format(c->t, text), strlen(c->text)));
    cr_expect(eq(str, text, c->text));
}

struct civil_case {
    int64_t t;
    struct civil civil;
};

ParameterizedTestParameters(timefmt, knows_the_calendar)
{
    static struct civil_case cases[] = {
        {0, {1970, 1, 1, 0, 0, 0, 3, 1}},                 /* a Thursday */
        {1522540831 * US, {2018, 4, 1, 0, 0, 31, 6, 91}}, /* a Sunday */
        {951825600 * US, {2000, 2, 29, 12, 0, 0, 1, 60}}, /* 400 years: a leap year */
        {-2203891200 * US, {1900, 3, 1, 0, 0, 0, 3, 60}}, /* 100 years: none */
        {1483228799 * US, {2016, 12, 31, 23, 59, 59, 5, 366}},
        {-1, {1969, 12, 31, 23, 59, 59, 2, 365}},
    };
    return cr_make_param_array(struct civil_case, cases, LEN(cases));
}

ParameterizedTest(struct civil_case *c, timefmt, knows_the_calendar)
{
    struct civil civil = civil_of(c->t, NULL);
    cr_expect(eq(int, civil.year, c->civil.year));
    cr_expect(eq(int, civil.month, c->civil.month));
    cr_expect(eq(int, civil.day, c->civil.day));
    cr_expect(eq(int, civil.hour, c->civil.hour));
    cr_expect(eq(int, civil.minute, c->civil.minute));
    cr_expect(eq(int, civil.second, c->civil.second));
    cr_expect(eq(int, civil.weekday, c->civil.weekday));
    cr_expect(eq(int, civil.yearday, c->civil.yearday));
}

/* Laws. */

/* Every day from year 1 to 9999, counted by hand beside the formula. */
Test(timefmt, days_follow_one_another)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = civil_days(1, 1, 1);
    int weekday = civil_of(days * 86400 * US, NULL).weekday;
    for (int year = 1; year <= 9999; year++) {
        int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0), yearday = 1;
        for (int month = 1; month <= 12; month++) {
            int length = lengths[month - 1] + (month == 2 && leap);
            for (int day = 1; day <= length;
                 day++, days++, yearday++, weekday = (weekday + 1) % 7) {
                struct civil civil = civil_of(days * 86400 * US, NULL);
                if (civil_days(year, month, day) != days || civil.year != year ||
                    civil.month != month || civil.day != day || civil.yearday != yearday ||
                    civil.weekday != weekday)
                    cr_fatal("%d-%d-%d", year, month, day);
            }
        }
    }
    cr_expect(eq(i64, days, INT64_C(253402300800) / 86400));
}

TheoryDataPoints(timefmt, what_is_written_reads_back) = {
    DataPoints(int64_t, -62135596800 * US, -1, 0, 951825600 * US, 1522540831 * US,
               253402214400 * US),
    DataPoints(int64_t, 0, 1, 999, 1000, 86399 * US, 86399 * US + 999999),
};

Theory((int64_t day, int64_t more), timefmt, what_is_written_reads_back)
{
    char text[32];
    int64_t t = INT64_MIN;
    time_format(day + more, text);
    cr_assert(eq(int, parse("rfc3339", text, &t), ST_OK), "%s", text);
    cr_assert(eq(i64, t, day + more), "%s", text);
}

/* Refusals. */

struct refused_case {
    char format[32];
    char text[44];
};

static struct refused_case refusals[] = {
    {"%Y-%m-%d", "2018-02-29"},
    {"%Y-%m-%d", "1900-02-29"},
    {"%Y-%m-%d", "2018-04-31"},
    {"%Y-%m-%d", "2018-13-01"},
    {"%Y-%m-%d", "2018-00-01"},
    {"%Y-%m-%d", "2018-01-00"},
    {"%Y-%m-%d", "0000-01-01"},
    {"%Y-%m-%d", "18-01-01"},
    {"%Y-%m-%d", "2018-04-01 "},
    {"%Y-%m-%d", " 2018-04-01"},
    {"%Y-%m-%d", "2018-04-0x"},
    {"%Y-%m-%d", "2018-0:-01"},
    {"%Y-%m-%d", "/018-04-01"},
    {"%Y-%m-%d", "2018-04-0\xb1"},
    {"%Y-%m-%d", "2018\xac"
                 "04-01"},
    {"%Y-%m-%d", "2018-\xfa"
                 "4-01"},
    {"%Y\xb7%m\xb7%d", "2018\xbe"
                       "04\xb7"
                       "01"},
    {"%Y1%m1%d", "2018004101"},
    {"%Y-%m-%d", "2018/04/01"},
    {"%Y-%m-%d", "2018-04"},
    {"%Y-%m-%d", ""},
    {"%Y-%m-%d %H:%M:%S", "2018-04-01 24:00:00"},
    {"%Y-%m-%d %H:%M:%S", "2018-04-01 00:60:00"},
    {"%Y-%m-%d %H:%M:%S", "2018-04-01 00:00:61"},
    {"%Y-%m-%d %H:%M:%S", "2018-04-01 12:34:60"}, /* no leap second at noon */
    {"%Y-%m-%d %H:%M:%S", "2018-04-01T00:00:31"},
    {"%Y-%m-%d %H:%M:%S", "2018/04-01 00:00:31"},
    {"%Y-%m-%d %H:%M:%S", "2018-04/01 00:00:31"},
    {"%Y-%m-%d %H:%M:%S", "2018-04-01 00.00:31"},
    {"%Y-%m-%d %H:%M:%S", "2018-04-01 00:00.31"},
    {"%Y-%m-%d %H:%M:%S", "2018-04-01 00:00"},
    {"%Y-%m-%d %H:%M:%S", "2018-04-01 00:00:-1"},
    {"%F %T %Z", "2018-04-01 00:00:31 CET"},
    {"%F %T %z", "2018-04-01 00:00:31 02:00"},
    {"%F %T %z", "2018-04-01 00:00:31 +2:00"},
    {"%F %T %z", "2018-04-01 00:00:31 +24:00"},
    {"%F %I:%M %p", "2018-04-01 13:00 PM"},
    {"%F %I:%M %p", "2018-04-01 00:00 AM"},
    {"%F %I:%M %p", "2018-04-01 10:00 XM"},
    {"%Y-%j", "2018-366"},
    {"%Y-%j", "2018-000"},
    {"%b %d %Y", "Apx 01 2018"},
    {"%F %T.%f", "2018-04-01 00:00:31."},
    {"rfc3339", "2018-04-01"},
    {"rfc3339", "2018-04-01T00:00:31+0"},
    {"rfc3339", "2018-04-01T00:00:31Z "},
    {"rfc3339", "2018-04-01T00:00:31."},
    {"rfc3339", "2018-04-01X00:00:31Z"},
    {"rfc3339", "2018/04-01T00:00:31Z"},
    {"rfc3339", "2018-04/01T00:00:31Z"},
    {"rfc3339", "2018-04-01T00.00:31Z"},
    {"rfc3339", "2018-04-01T00:00.31Z"},
    {"rfc3339", "2018-04-01T00:00:31+02:60"},
    {"rfc3339", ""},
    {"epoch_s", ""},
    {"epoch_s", "-"},
    {"epoch_s", "+1"},
    {"epoch_s", "1x"},
    {"epoch_s", "1."},
    {"epoch_s", "nan"},
    {"epoch_s", "253402300800"},
    {"epoch_s", "-62135596801"},
    {"epoch_s", "99999999999999999999"},
    {"epoch_s", "1e300"},
    {"epoch_ms", "1522540831123x"},
    {"epoch_us", "999999999999999999999999"},
};

ParameterizedTestParameters(timefmt, refuses)
{
    return cr_make_param_array(struct refused_case, refusals, LEN(refusals));
}

ParameterizedTest(struct refused_case *c, timefmt, refuses)
{
    int64_t t = 42;
    cr_expect(eq(int, parse(c->format, c->text, &t), ST_EINVAL), "%s: %s", c->format, c->text);
    cr_expect(eq(i64, t, 42), "%s: %s: wrote its result on failure", c->format, c->text);
}

struct pattern_case {
    char pattern[80];
};

ParameterizedTestParameters(timefmt, compile_refuses)
{
    static struct pattern_case cases[] = {
        {""}, /* no conversion at all */
        {"epoch"},
        {"now"},
        {"%Y-%m"},       /* no day */
        {"%H:%M:%S"},    /* no date */
        {"%m-%d"},       /* no year */
        {"%Y-%m-%d %q"}, /* unknown */
        {"%Y-%m-%d %"},  /* cut off */
        {"%Y-%m-%d %Y"}, /* twice */
        {"%F %d"},       /* twice */
        {"%Y-%m-%d %j"}, /* may contradict */
        {"%F %I:%M"},    /* morning or evening? */
        {"%F %H:%M %p"},
        {"%F %H %I %p"},
        {"%F %M:%S"}, /* of which hour? */
        {"%F %H:%S"},
        {"%F %H:%M.%f"},
        {"%F %T %z %Z"}, /* two offsets */
        {"%Y-%m-%d ----------------------------------------------------------"},
    };
    return cr_make_param_array(struct pattern_case, cases, LEN(cases));
}

ParameterizedTest(struct pattern_case *c, timefmt, compile_refuses)
{
    struct timefmt format = {.kind = TIMEFMT_US};
    cr_expect(eq(int, timefmt_compile(slice_of(c->pattern), NULL, &format), ST_EINVAL), "%s",
              c->pattern);
    cr_expect(eq(int, format.kind, TIMEFMT_US));
}

/* No text may make it read where it should not; AddressSanitizer looks on. */
Test(timefmt, takes_any_text)
{
    static const char *const formats[] = {"%Y-%m-%d %H:%M:%S", "%b %d %y %I:%M:%S.%f %p %z",
                                          "rfc3339", "epoch_ms"};
    static const char letters[] = "0123456789-: T.Z+eAprPM";
    uint64_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        char text[32];
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t len = (seed >> 33) % (sizeof text - 1);
        for (size_t k = 0; k < len; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            text[k] = letters[(seed >> 33) % (sizeof letters - 1)];
        }
        text[len] = '\0';
        int64_t t;
        (void)!parse(formats[i % LEN(formats)], text, &t);
    }
}
