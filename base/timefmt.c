#include "base/timefmt.h"

#include <math.h>

#include "base/number.h"
#include "base/timefmt_pattern.h"
#include "base/zone.h"

#define US         INT64_C(1000000)
#define TIME_FIRST (INT64_C(-62135596800) * US) /* 0001-01-01T00:00:00Z */
#define TIME_END   (INT64_C(253402300800) * US) /* 10000-01-01T00:00:00Z */

static bool clock_is_good(const struct moment *m)
{
    return (unsigned)m->hour < 24 && (unsigned)m->minute < 60 && (unsigned)m->second <= 60;
}

/* A second 60 is a leap second and exists at the end of a UTC day alone; it counts as the second
 * that follows it, as POSIX time has it. */
static enum status seconds_of(const struct moment *m, int64_t days, const struct zone *zone,
                              int64_t *ret)
{
    int64_t s = days * 86400 + (m->hour * 3600 + m->minute * 60 + m->second);
    if (m->has_offset)
        s -= m->offset_s;
    else if (zone)
        s -= zone_offset_local(zone, s);
    if (m->second == 60 && s % 86400 != 0)
        return ST_EINVAL;
    *ret = s;
    return ST_OK;
}

static bool to_24_hours(struct moment *m)
{
    if (m->hour < 1 || m->hour > 12)
        return false;
    m->hour = m->hour % 12 + (m->pm ? 12 : 0);
    return true;
}

static bool days_of(const struct moment *m, int64_t *ret)
{
    if (m->year < 1 || m->year > 9999)
        return false;
    if (m->yearday > 0) {
        *ret = civil_days(m->year, 1, 1) + m->yearday - 1;
        return m->yearday <= 365 + civil_is_leap(m->year);
    }
    if (m->month < 1 || m->month > 12 || m->day < 1)
        return false;
    if (m->day > 28 && m->day > civil_month_days(m->year, m->month))
        return false;
    *ret = civil_days(m->year, m->month, m->day);
    return true;
}

enum status moment_time(const struct moment *moment, const struct zone *zone, int64_t *ret)
{
    struct moment m = *moment;
    int64_t days, s;
    if ((m.hour_is_12 && !to_24_hours(&m)) || !clock_is_good(&m) || !days_of(&m, &days))
        return ST_EINVAL;
    TRY(seconds_of(&m, days, zone, &s));
    *ret = s * US + m.us;
    return ST_OK;
}

/* Fixed places: the forms nearly all events have. Other characters than digits are remembered in
 * *bad, so that there is one branch for all of them. */
static int two(const char *at, unsigned *bad)
{
    unsigned tens = (unsigned char)(at[0] - '0'), ones = (unsigned char)(at[1] - '0');
    *bad |= (tens > 9) | (ones > 9);
    return (int)(tens * 10 + ones);
}

static void fixed_date(const char *at, struct moment *ret, unsigned *bad)
{
    ret->year = two(at, bad) * 100 + two(at + 2, bad);
    ret->month = two(at + 5, bad);
    ret->day = two(at + 8, bad);
}

static void fixed_clock(const char *at, struct moment *ret, unsigned *bad)
{
    ret->hour = two(at, bad);
    ret->minute = two(at + 3, bad);
    ret->second = two(at + 6, bad);
}

enum { DATE = 10, DATE_CLOCK = 19 };

static bool fixed_scan(const struct timefmt *format, struct slice text, struct moment *ret)
{
    const char *at = text.data, *between = format->between;
    if (text.len != format->fixed)
        return false;
    unsigned bad = (at[4] != between[0]) | (at[7] != between[1]);
    fixed_date(at, ret, &bad);
    if (text.len == DATE_CLOCK) {
        bad |= (at[10] != between[2]) | (at[13] != between[3]) | (at[16] != between[4]);
        fixed_clock(at + 11, ret, &bad);
    }
    return bad == 0;
}

static bool rfc3339_scan(struct slice text, struct moment *ret)
{
    const char *at = text.data;
    if (text.len < DATE_CLOCK)
        return false;
    unsigned bad = (at[4] != '-') | (at[7] != '-') | (at[13] != ':') | (at[16] != ':') |
                   ((at[10] | 32) != 't' && at[10] != ' ');
    fixed_date(at, ret, &bad);
    fixed_clock(at + 11, ret, &bad);
    if (bad)
        return false;
    struct scan in = {at + DATE_CLOCK, at + text.len};
    if (in.at < in.end && *in.at == '.' && (in.at++, !scan_fraction(&in, &ret->us)))
        return false;
    return in.at == in.end || (scan_offset(&in, ret) && in.at == in.end);
}

/* A number with an exponent, as some languages write large ones. */
static enum status epoch_double(struct slice text, int64_t unit, int64_t *ret)
{
    double v;
    TRY(number_to_double(text, &v));
    v *= (double)unit;
    if (!(v >= (double)TIME_FIRST && v < (double)TIME_END))
        return ST_EINVAL;
    *ret = llround(v);
    return ST_OK;
}

/* The fraction in microseconds; its digits below one do not count. */
static bool epoch_fraction(struct scan *in, int64_t unit, int64_t *ret)
{
    int digits_us;
    if (!scan_fraction(in, &digits_us))
        return false;
    *ret = digits_us * unit / US;
    return true;
}

/* unit: microseconds of one. */
static enum status epoch_parse(struct slice text, int64_t unit, int64_t *ret)
{
    struct scan in = {text.data, text.data + text.len};
    bool minus = in.at < in.end && *in.at == '-';
    in.at += minus;
    const char *digits = in.at;
    int64_t v = 0, fraction = 0;
    while (in.at < in.end && (unsigned char)(*in.at - '0') <= 9 && in.at - digits < 18)
        v = v * 10 + (*in.at++ - '0');
    if (in.at == digits || __builtin_mul_overflow(v, unit, &v))
        return ST_EINVAL;
    if (in.at < in.end && *in.at == '.' && (in.at++, !epoch_fraction(&in, unit, &fraction)))
        return ST_EINVAL;
    if (in.at < in.end)
        return epoch_double(text, unit, ret);
    v = minus ? -v - fraction : v + fraction;
    if (v < TIME_FIRST || v >= TIME_END)
        return ST_EINVAL;
    *ret = v;
    return ST_OK;
}

static enum status pattern_parse(const struct timefmt *format, struct slice text, int64_t *ret)
{
    struct moment moment = {0};
    if (format->fixed > 0 && fixed_scan(format, text, &moment))
        return moment_time(&moment, format->zone, ret);
    moment = (struct moment){0};
    struct scan in = {text.data, text.data + text.len};
    if (!pattern_scan(format->pattern, &in, &moment) || in.at != in.end)
        return ST_EINVAL;
    return moment_time(&moment, format->zone, ret);
}

enum status timefmt_parse(const struct timefmt *format, struct slice text, int64_t *ret)
{
    struct moment moment = {0};
    switch (format->kind) {
    case TIMEFMT_S:
        return epoch_parse(text, US, ret);
    case TIMEFMT_MS:
        return epoch_parse(text, 1000, ret);
    case TIMEFMT_US:
        return epoch_parse(text, 1, ret);
    case TIMEFMT_RFC3339:
        return rfc3339_scan(text, &moment) ? moment_time(&moment, format->zone, ret) : ST_EINVAL;
    default:
        return pattern_parse(format, text, ret);
    }
}

/* %F and %T written out; false if that is too long for us. */
static bool expand(const char *pattern, char *ret, size_t size)
{
    size_t len = 0;
    for (const char *p = pattern; *p; p++) {
        bool date = strncmp(p, "%F", 2) == 0, clock = strncmp(p, "%T", 2) == 0;
        struct slice part = date    ? slice_of("%Y-%m-%d")
                            : clock ? slice_of("%H:%M:%S")
                                    : (struct slice){p, 1 + (*p == '%')};
        p += *p == '%';
        if (len + part.len >= size)
            return false;
        memcpy(ret + len, part.data, part.len);
        len += part.len;
    }
    ret[len] = '\0';
    return true;
}

/* Finds the patterns that fixed_scan() reads: the wanted conversions with one character between. */
static void find_fixed(struct timefmt *format)
{
    static const char order[] = "YmdHMS";
    char p[128];
    if (!expand(format->pattern, p, sizeof p))
        return;
    size_t n = 0, at = 0;
    char between[5];
    for (; n < 6 && p[at] == '%' && p[at + 1] == order[n]; n++) {
        at += 2;
        if (p[at] == '\0' || n == 5)
            break;
        if (p[at] == '%')
            return;
        between[n] = p[at++];
    }
    bool whole = p[at] == '\0' && (n == 2 || n == 5);
    if (!whole)
        return;
    format->fixed = n == 2 ? DATE : DATE_CLOCK;
    memcpy(format->between, between, n);
}

enum status timefmt_compile(struct slice text, const struct zone *zone, struct timefmt *ret)
{
    static const char *const names[] = {"epoch_s", "epoch_ms", "epoch_us", "rfc3339"};
    struct timefmt format = {.zone = zone};
    for (int i = 0; i < 4; i++) {
        if (slice_eq(text, slice_of(names[i]))) {
            format.kind = (enum timefmt_kind)i;
            *ret = format;
            return ST_OK;
        }
    }
    if (text.len >= sizeof format.pattern || (text.len > 0 && memchr(text.data, '\0', text.len)))
        return ST_EINVAL;
    format.kind = TIMEFMT_STRPTIME;
    if (text.len > 0)
        memcpy(format.pattern, text.data, text.len);
    if (!pattern_is_good(format.pattern))
        return ST_EINVAL;
    find_fixed(&format);
    *ret = format;
    return ST_OK;
}
