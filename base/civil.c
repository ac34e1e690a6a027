/* base/civil.c -- dates of the proleptic Gregorian calendar, and timestamps written as text. */
#include "base/timefmt.h"

#include "base/zone.h"

enum {
    DAYS_400 = 146097, /* days of 400 years: then the calendar repeats */
    DAYS_TO_1970 =
        719468 /* from 0000-03-01, the start of a cycle that ends its years in February */
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Both ways count years from March, so that the leap day is a year's last. The formulas follow
 * those of H. Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013). Years are counted from
 * far before any that an int can hold, by whole cycles of 400, so that none is negative. */
int64_t civil_days(int year, int month, int day)
{
    const int64_t cycles = INT64_C(1) << 23;
    uint64_t y = (uint64_t)(year + cycles * 400 - (month <= 2));
    uint64_t centuries = y / 100;
    unsigned from_march = (unsigned)(month + (month > 2 ? -3 : 9));
    unsigned day_of_year = (153 * from_march + 2) / 5 + (unsigned)day - 1;
    uint64_t days = y * 365 + y / 4 - centuries + centuries / 4 + day_of_year;
    return (int64_t)days - cycles * DAYS_400 - DAYS_TO_1970;
}

bool civil_is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int civil_month_days(int year, int month)
{
    static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && civil_is_leap(year));
}

static void date_of(int64_t days, struct civil *ret)
{
    int64_t since = days + DAYS_TO_1970;
    int64_t era = floor_div(since, DAYS_400);
    int day_of_era = (int)(since - era * DAYS_400);
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month = (5 * day_of_year + 2) / 153; /* 0 is March */
    ret->day = day_of_year - (153 * month + 2) / 5 + 1;
    ret->month = month < 10 ? month + 3 : month - 9;
    ret->year = (int)(year_of_era + era * 400) + (month >= 10);
    ret->yearday = month < 10 ? day_of_year + 60 + civil_is_leap(ret->year) : day_of_year - 305;
    int64_t from_monday = days + 3; /* 1970-01-01 was a Thursday */
    ret->weekday = (int)(from_monday - 7 * floor_div(from_monday, 7));
}

static struct civil civil_of_second(int64_t local_s)
{
    struct civil ret;
    int64_t days = floor_div(local_s, 86400);
    int second_of_day = (int)(local_s - days * 86400);
    date_of(days, &ret);
    ret.hour = second_of_day / 3600;
    ret.minute = second_of_day / 60 % 60;
    ret.second = second_of_day % 60;
    return ret;
}

struct civil civil_of(int64_t t, const struct zone *zone)
{
    int64_t s = floor_div(t, 1000000);
    return civil_of_second(zone ? s + zone_offset(zone, s) : s);
}

static char *write_digits(char *at, unsigned v, int n)
{
    for (int i = n - 1; i >= 0; i--, v /= 10)
        at[i] = (char)('0' + v % 10);
    return at + n;
}

/* Four digits, or as ISO 8601 has it, a sign and more of them for years outside 0..9999. */
static char *write_year(char *at, int year)
{
    if (year >= 0 && year <= 9999)
        return write_digits(at, (unsigned)year, 4);
    unsigned v = (unsigned)(year < 0 ? -year : year);
    *at++ = year < 0 ? '-' : '+';
    return write_digits(at, v, v > 99999 ? 6 : v > 9999 ? 5 : 4);
}

static char *write_fraction(char *at, unsigned us)
{
    if (us == 0)
        return at;
    *at++ = '.';
    return us % 1000 == 0 ? write_digits(at, us / 1000, 3) : write_digits(at, us, 6);
}

size_t time_format(int64_t t, char *ret)
{
    int64_t s = floor_div(t, 1000000);
    struct civil civil = civil_of_second(s);
    char *at = write_year(ret, civil.year);
    *at++ = '-';
    at = write_digits(at, (unsigned)civil.month, 2);
    *at++ = '-';
    at = write_digits(at, (unsigned)civil.day, 2);
    *at++ = 'T';
    at = write_digits(at, (unsigned)civil.hour, 2);
    *at++ = ':';
    at = write_digits(at, (unsigned)civil.minute, 2);
    *at++ = ':';
    at = write_digits(at, (unsigned)civil.second, 2);
    at = write_fraction(at, (unsigned)(t - s * 1000000));
    *at++ = 'Z';
    *at = '\0';
    return (size_t)(at - ret);
}
