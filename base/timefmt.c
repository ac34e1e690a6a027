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

enum status moment_time(struct moment *moment, const struct zone *zone, int64_t *ret)
{
    int64_t days, s;
    if (moment->hour_is_12 && !to_24_hours(moment))
        return ST_EINVAL;
    if (!clock_is_good(moment) || !days_of(moment, &days))
        return ST_EINVAL;
    TRY(seconds_of(moment, days, zone, &s));
    *ret = s * US + moment->us;
    return ST_OK;
}

/*
 * Fixed places: the forms nearly all events have, read eight bytes at a time. A layout has a '0'
 * where the text has a digit, and elsewhere the very character that must be there: what remains of
 * a text after ^ with it is at most 9 in the one kind of place and 0 in the other.
 */
enum { DATE = 10, DATE_CLOCK = 19 };
static const char rfc3339_layout[] = "0000-00-00T00:00:00";

static uint64_t load8(const char *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

/* The digits' values; the high bit of any byte of *bad is set if something else was there. */
static uint64_t digits8(const char *at, const char *layout, uint64_t *bad)
{
    uint64_t wanted = load8(layout), got = load8(at) ^ wanted;
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t digit = ((wanted ^ (ones * '0')) - ones) & (ones * 0x80); /* the places of a '0' */
    uint64_t room = ones * 0x7f - (digit >> 7) * 9; /* what may be added without the high bit */
    *bad |= (got + room) | got;
    return got;
}

/* Each byte ten times, plus the one behind it: numbers of two digits. */
static uint64_t pairs_of(uint64_t digits)
{
    return digits * 10 + (digits >> 8);
}

static int pair(uint64_t pairs, int at)
{
    return (int)(pairs >> (8 * at) & 0xff);
}

/* "0000-00-00", the day from eight bytes that overlap the first eight. */
static uint64_t fixed_date(const char *at, const char *layout, struct moment *ret)
{
    uint64_t bad = 0;
    uint64_t first = pairs_of(digits8(at, layout, &bad));
    uint64_t last = pairs_of(digits8(at + 2, layout + 2, &bad));
    ret->year = pair(first, 0) * 100 + pair(first, 2);
    ret->month = pair(first, 5);
    ret->day = pair(last, 6);
    return bad;
}

/* "00:00:00" */
static uint64_t fixed_clock(const char *at, const char *layout, struct moment *ret)
{
    uint64_t bad = 0;
    uint64_t pairs = pairs_of(digits8(at, layout, &bad));
    ret->hour = pair(pairs, 0);
    ret->minute = pair(pairs, 3);
    ret->second = pair(pairs, 6);
    return bad;
}

static bool is_bad(uint64_t bad)
{
    return (bad & UINT64_C(0x8080808080808080)) != 0;
}

static bool fixed_scan(const char *layout, struct slice text, struct moment *ret)
{
    uint64_t bad = fixed_date(text.data, layout, ret);
    if (text.len == DATE_CLOCK) {
        bad |= fixed_clock(text.data + 11, layout + 11, ret);
        bad |= (uint64_t)(text.data[10] != layout[10]) << 7;
    }
    return !is_bad(bad);
}

static bool rfc3339_scan(struct slice text, struct moment *ret)
{
    if (text.len < DATE_CLOCK)
        return false;
    char between = text.data[10];
    uint64_t bad = fixed_date(text.data, rfc3339_layout, ret) |
                   fixed_clock(text.data + 11, rfc3339_layout + 11, ret);
    if (is_bad(bad) || ((between | 32) != 't' && between != ' '))
        return false;
    struct scan in = {text.data + DATE_CLOCK, text.data + text.len};
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

/* Behind the point: the fraction in microseconds; its digits below one do not count. Returns where
 * it ends, or NULL. */
static const char *epoch_fraction(const char *at, const char *end, int64_t unit, int64_t *ret)
{
    struct scan in = {at, end};
    int digits_us;
    if (!scan_fraction(&in, &digits_us))
        return NULL;
    *ret = digits_us * unit / US;
    return in.at;
}

/* unit: microseconds of one. */
static enum status epoch_parse(struct slice text, int64_t unit, int64_t *ret)
{
    const char *at = text.data, *end = text.data + text.len;
    bool minus = at < end && *at == '-';
    at += minus;
    const char *digits = at, *digits_end = end - at > 18 ? at + 18 : end;
    int64_t v = 0, fraction = 0;
    for (; at < digits_end && (unsigned char)(*at - '0') <= 9; at++)
        v = v * 10 + (*at - '0');
    if (at == digits || __builtin_mul_overflow(v, unit, &v))
        return ST_EINVAL;
    if (at < end && *at == '.' && !(at = epoch_fraction(at + 1, end, unit, &fraction)))
        return ST_EINVAL;
    if (at < end)
        return epoch_double(text, unit, ret);
    v = minus ? -v - fraction : v + fraction;
    if (v < TIME_FIRST || v >= TIME_END)
        return ST_EINVAL;
    *ret = v;
    return ST_OK;
}

static enum status rfc3339_parse(const struct timefmt *format, struct slice text, int64_t *ret)
{
    struct moment moment = {0};
    return rfc3339_scan(text, &moment) ? moment_time(&moment, format->zone, ret) : ST_EINVAL;
}

static enum status pattern_parse(const struct timefmt *format, struct slice text, int64_t *ret)
{
    struct moment moment = {0};
    if (format->fixed > 0 && text.len == format->fixed && fixed_scan(format->layout, text, &moment))
        return moment_time(&moment, format->zone, ret);
    moment = (struct moment){0};
    struct scan in = {text.data, text.data + text.len};
    if (!pattern_scan(format->pattern, &in, &moment) || in.at != in.end)
        return ST_EINVAL;
    return moment_time(&moment, format->zone, ret);
}

enum status timefmt_parse(const struct timefmt *format, struct slice text, int64_t *ret)
{
    switch (format->kind) {
    case TIMEFMT_S:
        return epoch_parse(text, US, ret);
    case TIMEFMT_MS:
        return epoch_parse(text, 1000, ret);
    case TIMEFMT_US:
        return epoch_parse(text, 1, ret);
    case TIMEFMT_RFC3339:
        return rfc3339_parse(format, text, ret);
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

/* Other digits and bytes beyond ASCII would be taken for the place of a digit. */
static bool stands_between(char c)
{
    return c > 0 && c != '%' && !(c >= '0' && c <= '9');
}

/* Finds the patterns that fixed_scan() reads: the wanted conversions, one character between them.
 */
static void find_fixed(struct timefmt *format)
{
    static const char order[] = "YmdHMS";
    char p[128];
    if (!expand(format->pattern, p, sizeof p))
        return;
    char layout[sizeof format->layout] = "0000-00-00 00:00:00";
    size_t n = 0, length = 4;
    for (const char *at = p;; n++, length += 3) {
        if (n == 6 || at[0] != '%' || at[1] != order[n])
            return;
        at += 2;
        if (*at == '\0')
            break;
        if (!stands_between(*at))
            return;
        layout[length] = *at++;
    }
    if (length != DATE && length != DATE_CLOCK)
        return;
    format->fixed = (unsigned char)length;
    memcpy(format->layout, layout, sizeof layout);
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
