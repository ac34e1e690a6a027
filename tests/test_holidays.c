/*
 * Tests of features/holidays.h and of {calendar: holiday, country: ...}.
 *
 * What is known without running it: days that law or an almanac names; that Good Friday, where it
 * is kept, is two days before the Easter that the Gregorian computus gives, in every year; that the
 * table is in order and within its years.
 */
#include "features/plan.h"
#include "tests/plan_fixture.h"

#include "features/holidays.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

enum { FROM = 2012, TO = 2035 };

static bool is_holiday(const char *country, int64_t date)
{
    int64_t days[HOLIDAYS_MAX];
    size_t n = holidays_of(country, days);
    for (size_t i = 0; i < n; i++)
        if (days[i] == date)
            return true;
    return false;
}

struct day_case {
    char country[4];
    int year, month, day;
    bool expected;
};

ParameterizedTestParameters(holidays, days)
{
    static struct day_case cases[] = {
        {"DE", 2018, 10, 3, true},  {"DE", 2018, 10, 31, false}, {"DE", 2017, 10, 31, true},
        {"US", 2018, 7, 4, true},   {"US", 2021, 6, 18, true},   {"US", 2020, 6, 19, false},
        {"US", 2023, 11, 23, true}, {"GB", 2023, 5, 8, true},    {"FR", 2020, 7, 14, true},
        {"FR", 2020, 7, 15, false}, {"IN", 2018, 8, 15, true},   {"CN", 2018, 10, 1, true},
        {"BR", 2030, 9, 7, true},   {"JP", 2019, 5, 1, true},    {"XX", 2018, 1, 1, false},
        {"", 2018, 1, 1, false},    {"de", 2018, 10, 3, false},
    };
    return cr_make_param_array(struct day_case, cases, LEN(cases));
}

ParameterizedTest(struct day_case *c, holidays, days)
{
    cr_expect(is_holiday(c->country, civil_days(c->year, c->month, c->day)) == c->expected,
              "%s %d-%d-%d", c->country, c->year, c->month, c->day);
}

/* Sunday of Easter: the anonymous Gregorian algorithm (Nature, 1876), as in Meeus, "Astronomical
 * Algorithms" (1991), ch. 8. */
static int64_t easter(int year)
{
    int a = year % 19, b = year / 100, c = year % 100, d = b / 4, e = b % 4;
    int g = (8 * b + 13) / 25, h = (19 * a + b - d - g + 15) % 30;
    int i = c / 4, k = c % 4, l = (32 + 2 * e + 2 * i - h - k) % 7;
    int m = (a + 11 * h + 19 * l) / 433, n = (h + l - 7 * m + 90) / 25;
    return civil_days(year, n, (h + l - 7 * m + 33 * n + 19) % 32);
}

Test(holidays, good_friday_is_two_days_before_easter)
{
    static const char *const keep[] = {"DE", "GB", "ES", "SE", "BR"};
    for (int year = FROM; year <= TO; year++)
        for (size_t i = 0; i < LEN(keep); i++)
            cr_expect(is_holiday(keep[i], easter(year) - 2), "%s %d", keep[i], year);
}

Test(holidays, the_table_is_in_order)
{
    const char *names[HOLIDAYS_COUNTRIES_MAX];
    int64_t days[HOLIDAYS_MAX];
    size_t n = holidays_countries(names);
    cr_assert(n > 50 && names[n] == NULL);
    for (size_t i = 0; i < n; i++) {
        cr_expect(i == 0 || strcmp(names[i - 1], names[i]) < 0);
        size_t count = holidays_of(names[i], days);
        cr_expect(count >= 4 * (TO - FROM + 1) && count < HOLIDAYS_MAX, "%s", names[i]);
        for (size_t d = 0; d < count; d++)
            cr_expect(days[d] >= holidays_begin() && days[d] < holidays_end() &&
                      (d == 0 || days[d - 1] < days[d]));
    }
}

static double hour_of(int year, int month, int day)
{
    return (double)civil_days(year, month, day) * 24;
}

Test(holidays, of_a_country_and_days_of_ones_own)
{
    struct fixture f =
        begin("- {calendar: holiday, country: DE, days: [2018-12-24]}\n"
              "- {calendar: holiday, country: DE, zone: Europe/Berlin, as: there}\n");
    struct {
        double hour, expected, there;
    } rows[] = {
        {hour_of(2018, 12, 23), 0, 0},        {hour_of(2018, 12, 24), 1, 0},
        {hour_of(2018, 12, 24) + 23.5, 1, 1}, {hour_of(2018, 12, 25), 1, 1},
        {hour_of(2018, 12, 26) + 23.5, 1, 0}, {hour_of(2011, 12, 25), NAN, NAN},
        {hour_of(2036, 1, 2), NAN, NAN},      {hour_of(2035, 12, 25), 1, 1},
    };
    for (size_t i = 0; i < LEN(rows); i++) {
        double *dense = extract(&f, &(struct event_parts){.hour = rows[i].hour});
        cr_expect(same(dense[0], rows[i].expected) && same(dense[1], rows[i].there), "row %zu", i);
    }
    end(&f);
}

Test(holidays, refuses_a_country_it_does_not_know)
{
    struct fixture f = begin_with(&test_schema, "- {calendar: holiday, country: XY}\n", DAY_US);
    buf_byte(&f.errors.text, 0);
    cr_expect(eq(int, f.status, ST_EINVAL));
    cr_expect(strstr(f.errors.text.data, "\"XY\" are not known; expected one of AR") != NULL);
    end(&f);
}
