/*
 * Tests of the time zones of base/timefmt.h and of base/zone.h behind them.
 *
 * Known without running it: the moments at which Berlin and New York changed their clocks, what a
 * skipped and a repeated hour should count as, and that the C library, which has another reader of
 * the same files, must agree about any moment. Damaged files are refused.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/zone.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define US     INT64_C(1000000)

static const struct zone *find(const char *name)
{
    const struct zone *zone = NULL;
    cr_assert(eq(int, zone_find(name, &zone), ST_OK), "%s", name);
    return zone;
}

/* Exact answers: a local time, and the moment it is. */

struct local_case {
    char zone[24], local[24], utc[32];
    bool skipped; /* there is no way back: this hour is on no clock */
};

ParameterizedTestParameters(zone, reads_local_times)
{
    static struct local_case cases[] = {
        {"Europe/Berlin", "2018-01-15 12:00:00", "2018-01-15T11:00:00Z", false},
        {"Europe/Berlin", "2018-07-15 12:00:00", "2018-07-15T10:00:00Z", false},
        /* 25 March 2018, 02:00 CET: clocks go to 03:00 */
        {"Europe/Berlin", "2018-03-25 01:59:59", "2018-03-25T00:59:59Z", false},
        {"Europe/Berlin", "2018-03-25 02:00:00", "2018-03-25T01:00:00Z", true},
        {"Europe/Berlin", "2018-03-25 02:30:00", "2018-03-25T01:30:00Z", true},
        {"Europe/Berlin", "2018-03-25 03:00:00", "2018-03-25T01:00:00Z", false},
        /* 28 October 2018, 03:00 CEST: clocks go to 02:00 */
        {"Europe/Berlin", "2018-10-28 01:59:59", "2018-10-27T23:59:59Z", false},
        {"Europe/Berlin", "2018-10-28 02:00:00", "2018-10-28T00:00:00Z", false},
        {"Europe/Berlin", "2018-10-28 02:59:59", "2018-10-28T00:59:59Z", false},
        {"Europe/Berlin", "2018-10-28 03:00:00", "2018-10-28T02:00:00Z", false},
        /* 11 March and 4 November 2018, 02:00 */
        {"America/New_York", "2018-03-11 01:59:59", "2018-03-11T06:59:59Z", false},
        {"America/New_York", "2018-03-11 02:30:00", "2018-03-11T07:30:00Z", true},
        {"America/New_York", "2018-03-11 03:00:00", "2018-03-11T07:00:00Z", false},
        {"America/New_York", "2018-11-04 01:30:00", "2018-11-04T05:30:00Z", false},
        {"America/New_York", "2018-11-04 02:00:00", "2018-11-04T07:00:00Z", false},
        /* the year before the rules of 2007: first Sunday of April */
        {"America/New_York", "2006-03-20 12:00:00", "2006-03-20T17:00:00Z", false},
        /* beyond every list, by the rule: 2500-03-28 and 2500-10-31 are last Sundays */
        {"Europe/Berlin", "2500-03-28 01:59:59", "2500-03-28T00:59:59Z", false},
        {"Europe/Berlin", "2500-03-28 03:00:00", "2500-03-28T01:00:00Z", false},
        {"Europe/Berlin", "2500-10-31 03:00:00", "2500-10-31T02:00:00Z", false},
        {"Europe/Berlin", "9999-07-01 12:00:00", "9999-07-01T10:00:00Z", false},
        {"Australia/Sydney", "2018-01-15 12:00:00", "2018-01-15T01:00:00Z", false},
        {"Australia/Sydney", "3018-07-15 12:00:00", "3018-07-15T02:00:00Z", false},
        {"Asia/Kolkata", "2018-04-01 05:30:00", "2018-04-01T00:00:00Z", false},
        {"Asia/Kolkata", "4018-04-01 05:30:00", "4018-04-01T00:00:00Z", false},
        {"UTC", "2018-04-01 00:00:00", "2018-04-01T00:00:00Z", false},
    };
    return cr_make_param_array(struct local_case, cases, LEN(cases));
}

ParameterizedTest(struct local_case *c, zone, reads_local_times)
{
    struct timefmt format;
    int64_t t;
    char text[32], local[40];
    const struct zone *zone = find(c->zone);
    cr_assert(eq(int, timefmt_compile(slice_of("%Y-%m-%d %H:%M:%S"), zone, &format), ST_OK));
    cr_assert(eq(int, timefmt_parse(&format, slice_of(c->local), &t), ST_OK));
    time_format(t, text);
    cr_expect(eq(str, text, c->utc), "%s %s", c->zone, c->local);
    struct civil civil = civil_of(t, zone);
    snprintf(local, sizeof local, "%04d-%02d-%02d %02d:%02d:%02d", civil.year, civil.month,
             civil.day, civil.hour, civil.minute, civil.second);
    cr_expect(c->skipped == (strcmp(local, c->local) != 0), "%s: %s, %s", c->zone, c->local, local);
}

Test(zone, an_offset_in_the_text_wins)
{
    struct timefmt format;
    int64_t t;
    cr_assert(eq(int, timefmt_compile(slice_of("rfc3339"), find("Europe/Berlin"), &format), ST_OK));
    cr_assert(eq(int, timefmt_parse(&format, slice_of("2018-04-01T00:00:31Z"), &t), ST_OK));
    cr_expect(eq(i64, t, 1522540831 * US));
    cr_assert(eq(int, timefmt_parse(&format, slice_of("2018-04-01T00:00:31"), &t), ST_OK));
    cr_expect(eq(i64, t, (1522540831 - 7200) * US));
}

Test(zone, is_read_once_and_shared)
{
    cr_expect(eq(ptr, (void *)find("Europe/Berlin"), (void *)find("Europe/Berlin")));
    cr_expect(ne(ptr, (void *)find("Europe/Berlin"), (void *)find("Europe/Paris")));
}

/* The reader heeds no environment: it answers the same whatever TZ says. */
Test(zone, does_not_read_the_environment)
{
    setenv("TZ", "America/New_York", 1);
    cr_expect(eq(int, civil_of(1522540831 * US, NULL).hour, 0));
    cr_expect(eq(int, civil_of(1522540831 * US, find("Europe/Berlin")).hour, 2));
}

/* Laws. */

TheoryDataPoints(zone, agrees_with_the_c_library) = {
    DataPoints(const char *, "Europe/Berlin", "America/New_York", "America/Sao_Paulo",
               "Europe/Dublin", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia",
               "America/Nuuk", "Africa/Casablanca", "Asia/Tehran", "Antarctica/Troll", "Etc/GMT+5",
               "Africa/Monrovia"),
    DataPoints(int64_t, 1, 2, 3),
};

static void compare(const struct zone *zone, int64_t t)
{
    time_t s = t;
    struct tm tm;
    cr_assert(localtime_r(&s, &tm) != NULL);
    cr_assert(eq(i64, zone_offset(zone, t), tm.tm_gmtoff), "%s at %" PRId64, zone->name, t);
    struct civil civil = civil_of(t * US, zone);
    bool same = civil.year == tm.tm_year + 1900 && civil.month == tm.tm_mon + 1 &&
                civil.day == tm.tm_mday && civil.hour == tm.tm_hour && civil.minute == tm.tm_min &&
                civil.second == tm.tm_sec && civil.yearday == tm.tm_yday + 1 &&
                civil.weekday == (tm.tm_wday + 6) % 7;
    cr_assert(same, "%s at %" PRId64, zone->name, t);
}

/* Moments from 1850 to 2450, and each second around the changes of clocks. */
Theory((const char *name, int64_t seed_at), zone, agrees_with_the_c_library)
{
    setenv("TZ", name, 1);
    tzset();
    const struct zone *zone = find(name);
    uint64_t seed = (uint64_t)seed_at;
    for (int i = 0; i < 5000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        compare(zone, (int64_t)((seed >> 20) % UINT64_C(18934000000)) - INT64_C(3786825600));
    }
    for (size_t i = 0; i < zone->n; i++) {
        for (int64_t d = -1; d <= 1 && zone->at[i] > -(INT64_C(1) << 39); d++)
            compare(zone, zone->at[i] + d);
    }
}

TheoryDataPoints(zone, local_times_read_back) = {
    DataPoints(const char *, "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"),
    DataPoints(uint64_t, 7, 8),
};

/* Where a local time comes twice, the later of its moments reads as the earlier one. */
Theory((const char *name, uint64_t seed), zone, local_times_read_back)
{
    const struct zone *zone = find(name);
    for (int i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int64_t t = (int64_t)((seed >> 20) % UINT64_C(250000000000));
        int64_t local = t + zone_offset(zone, t);
        int64_t back = local - zone_offset_local(zone, local);
        cr_assert(back == t || (back < t && back + zone_offset(zone, back) == local), "%" PRId64,
                  t);
    }
}

/* Rules of POSIX TZ. */

struct rule_case {
    char text[48];
    int year;
    char start[24], end[24];
};

ParameterizedTestParameters(zone, reads_rules)
{
    static struct rule_case cases[] = {
        {"CET-1CEST,M3.5.0,M10.5.0/3", 2018, "2018-03-25T01:00:00Z", "2018-10-28T01:00:00Z"},
        {"EST5EDT,M3.2.0,M11.1.0", 2018, "2018-03-11T07:00:00Z", "2018-11-04T06:00:00Z"},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2024, "2024-03-31T01:00:00Z", "2024-10-27T01:00:00Z"},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", 2018, "2018-10-28T01:00:00Z", "2018-03-25T01:00:00Z"},
        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 2018, "2018-10-06T15:30:00Z",
         "2018-03-31T15:00:00Z"},
        {"AAA0BBB,J60/0,J365/0", 2016, "2016-03-01T00:00:00Z", "2016-12-30T23:00:00Z"},
        {"AAA0BBB,59/0,364/0", 2016, "2016-02-29T00:00:00Z", "2016-12-29T23:00:00Z"},
        {"AAA-1:02:03BBB-2,M1.1.1/0,M12.5.1/25:30:15", 2018, "2017-12-31T22:57:57Z",
         "2018-12-31T23:30:15Z"},
    };
    return cr_make_param_array(struct rule_case, cases, LEN(cases));
}

ParameterizedTest(struct rule_case *c, zone, reads_rules)
{
    struct zone_rule rule;
    int64_t start, end;
    char text[32];
    cr_assert(eq(int, zone_rule_parse(slice_of(c->text), &rule), ST_OK), "%s", c->text);
    cr_assert(rule.has_summer);
    zone_rule_year(&rule, c->year, &start, &end);
    time_format(start * US, text);
    cr_expect(eq(str, text, c->start), "%s", c->text);
    time_format(end * US, text);
    cr_expect(eq(str, text, c->end), "%s", c->text);
}

/* Refusals. */

struct bad_rule_case {
    char text[48];
};

ParameterizedTestParameters(zone, refuses_rules)
{
    static struct bad_rule_case cases[] = {
        {""},
        {"CET"},
        {"-1"},
        {"<CET-1"},
        {"CET-1CEST"},
        {"CET-1CEST,M3.5.0"},
        {"CET-1CEST,M3.5.0,M10.5.0/3 "},
        {"CET-1CEST,M13.5.0,M10.5.0"},
        {"CET-1CEST,M3.6.0,M10.5.0"},
        {"CET-1CEST,M3.5.7,M10.5.0"},
        {"CET-1CEST,M0.5.0,M10.5.0"},
        {"CET-1CEST,J0,J10"},
        {"CET-1CEST,366,10"},
        {"CET-1CEST,M3.5.0/,M10.5.0"},
        {"CET-168"},
        {"CET-1:60"},
    };
    return cr_make_param_array(struct bad_rule_case, cases, LEN(cases));
}

ParameterizedTest(struct bad_rule_case *c, zone, refuses_rules)
{
    struct zone_rule rule;
    cr_expect(eq(int, zone_rule_parse(slice_of(c->text), &rule), ST_ECORRUPT), "%s", c->text);
}

struct name_case {
    char name[72];
};

ParameterizedTestParameters(zone, find_refuses)
{
    static struct name_case cases[] = {
        {""},
        {"Europe/Berln"},
        {"Europe"},
        {"../../../etc/passwd"},
        {"/etc/passwd"},
        {"tzdata.zi"},
        {"Europe/Berlin "},
        {"zone.tab"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    };
    return cr_make_param_array(struct name_case, cases, LEN(cases));
}

ParameterizedTest(struct name_case *c, zone, find_refuses)
{
    const struct zone *zone = NULL;
    cr_expect(eq(int, zone_find(c->name, &zone), ST_ENOTFOUND), "%s", c->name);
    cr_expect(eq(ptr, (void *)zone, NULL));
}

static size_t berlin(char *ret, size_t size)
{
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    cr_assert(file != NULL);
    size_t n = fread(ret, 1, size, file);
    fclose(file);
    return n;
}

/* A file cut anywhere is refused, and never read past its end. */
Test(zone, refuses_a_file_cut_short)
{
    char whole[8192];
    size_t n = berlin(whole, sizeof whole);
    for (size_t len = 0; len < n; len++) {
        char *cut = malloc(len + (len == 0));
        memcpy(cut, whole, len);
        struct zone *zone = NULL;
        cr_assert(eq(int, zone_read((struct slice){cut, len}, &zone), ST_ECORRUPT), "%zu", len);
        free(cut);
    }
}

/* Any single wrong byte: refused or read as something, but never a crash. */
Test(zone, survives_wrong_bytes)
{
    char whole[8192];
    size_t n = berlin(whole, sizeof whole);
    uint64_t seed = 5;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t at = (seed >> 33) % n;
        char was = whole[at];
        whole[at] = (char)(seed >> 24);
        struct zone *zone = NULL;
        if (zone_read((struct slice){whole, n}, &zone) == ST_OK) {
            (void)zone_offset(zone, 1522540831);
            (void)zone_offset_local(zone, INT64_C(250000000000));
        }
        zone_free(zone);
        whole[at] = was;
    }
}
