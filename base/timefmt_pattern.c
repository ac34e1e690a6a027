#include "base/timefmt_pattern.h"

bool scan_digits(struct scan *in, int min, int max, int *ret)
{
    int v = 0, n = 0;
    for (; n < max && in->at < in->end && (unsigned char)(*in->at - '0') <= 9; n++)
        v = v * 10 + (*in->at++ - '0');
    *ret = v;
    return n >= min;
}

bool scan_fraction(struct scan *in, int *ret_us)
{
    int us = 0, n = 0;
    for (; in->at < in->end && (unsigned char)(*in->at - '0') <= 9; in->at++, n++)
        us = n < 6 ? us * 10 + (*in->at - '0') : us;
    for (int i = n; i < 6; i++)
        us *= 10;
    *ret_us = us;
    return n > 0;
}

static bool scan_char(struct scan *in, char c)
{
    if (in->at == in->end || *in->at != c)
        return false;
    in->at++;
    return true;
}

bool scan_offset(struct scan *in, struct moment *ret)
{
    ret->has_offset = true;
    ret->offset_s = 0;
    if (scan_char(in, 'Z') || scan_char(in, 'z'))
        return true;
    bool minus = scan_char(in, '-');
    int hours, minutes = 0;
    if ((!minus && !scan_char(in, '+')) || !scan_digits(in, 2, 2, &hours))
        return false;
    bool colon = scan_char(in, ':');
    bool more = in->at < in->end && (unsigned char)(*in->at - '0') <= 9;
    if ((colon || more) && !scan_digits(in, 2, 2, &minutes))
        return false;
    ret->offset_s = (minus ? -60 : 60) * (hours * 60 + minutes);
    return hours < 24 && minutes < 60;
}

/* Letters in either case, without heed of a locale. */
static bool scan_word(struct scan *in, const char *word, size_t len)
{
    if ((size_t)(in->end - in->at) < len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if ((in->at[i] | 32) != (word[i] | 32))
            return false;
    }
    in->at += len;
    return true;
}

/* The whole English name or its first three letters. */
static bool scan_month(struct scan *in, int *ret)
{
    static const char *const names[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
    for (int i = 0; i < 12; i++) {
        if (scan_word(in, names[i], strlen(names[i])) || scan_word(in, names[i], 3)) {
            *ret = i + 1;
            return true;
        }
    }
    return false;
}

static bool scan_utc(struct scan *in, struct moment *ret)
{
    ret->has_offset = true;
    ret->offset_s = 0;
    return scan_word(in, "UTC", 3) || scan_word(in, "GMT", 3) || scan_word(in, "Z", 1);
}

static bool scan_half(struct scan *in, struct moment *ret)
{
    ret->pm = scan_word(in, "PM", 2);
    return ret->pm || scan_word(in, "AM", 2);
}

/* POSIX: 69 to 99 are of the twentieth century, 00 to 68 of the next. */
static bool scan_short_year(struct scan *in, int *ret)
{
    int v;
    if (!scan_digits(in, 2, 2, &v))
        return false;
    *ret = v + (v < 69 ? 2000 : 1900);
    return true;
}

static bool scan_conversion(char conversion, struct scan *in, struct moment *ret)
{
    switch (conversion) {
    case 'Y':
        return scan_digits(in, 4, 4, &ret->year);
    case 'y':
        return scan_short_year(in, &ret->year);
    case 'm':
        return scan_digits(in, 1, 2, &ret->month);
    case 'b':
    case 'B':
        return scan_month(in, &ret->month);
    case 'd':
        return scan_digits(in, 1, 2, &ret->day);
    case 'j':
        return scan_digits(in, 1, 3, &ret->yearday) && ret->yearday > 0;
    case 'H':
        return scan_digits(in, 1, 2, &ret->hour);
    case 'I':
        ret->hour_is_12 = true;
        return scan_digits(in, 1, 2, &ret->hour);
    case 'p':
        return scan_half(in, ret);
    case 'M':
        return scan_digits(in, 1, 2, &ret->minute);
    case 'S':
        return scan_digits(in, 1, 2, &ret->second);
    case 'f':
        return scan_fraction(in, &ret->us);
    case 'z':
        return scan_offset(in, ret);
    case 'Z':
        return scan_utc(in, ret);
    case 'F':
        return pattern_scan("%Y-%m-%d", in, ret);
    case 'T':
        return pattern_scan("%H:%M:%S", in, ret);
    default:
        return scan_char(in, '%');
    }
}

/* A blank of the pattern stands for one or more, so that padded days are read too. */
static bool scan_blanks(struct scan *in)
{
    if (!scan_char(in, ' '))
        return false;
    while (scan_char(in, ' '))
        ;
    return true;
}

bool pattern_scan(const char *pattern, struct scan *in, struct moment *ret)
{
    for (const char *p = pattern; *p; p++) {
        bool good = *p == '%'   ? scan_conversion(*++p, in, ret)
                    : *p == ' ' ? scan_blanks(in)
                                : scan_char(in, *p);
        if (!good)
            return false;
    }
    return true;
}

/* What a conversion tells, as bits; 0: unknown. */
enum {
    YEAR = 1,
    MONTH = 2,
    DAY = 4,
    YEARDAY = 8,
    HOUR = 16,
    HOUR_12 = 32,
    HALF = 64,
    MINUTE = 128,
    SECOND = 256,
    FRACTION = 512,
    OFFSET = 1024,
};

static int told_by(char conversion)
{
    switch (conversion) {
    case 'Y':
    case 'y':
        return YEAR;
    case 'm':
    case 'b':
    case 'B':
        return MONTH;
    case 'd':
        return DAY;
    case 'j':
        return YEARDAY;
    case 'H':
        return HOUR;
    case 'I':
        return HOUR_12;
    case 'p':
        return HALF;
    case 'M':
        return MINUTE;
    case 'S':
        return SECOND;
    case 'f':
        return FRACTION;
    case 'z':
    case 'Z':
        return OFFSET;
    case 'F':
        return YEAR | MONTH | DAY;
    case 'T':
        return HOUR | MINUTE | SECOND;
    default:
        return 0;
    }
}

static bool has(int told, int bits)
{
    return (told & bits) == bits;
}

/* A day is a must; a smaller unit only makes sense with the next larger one. */
static bool told_enough(int told)
{
    bool date = has(told, YEAR | MONTH | DAY) && !has(told, YEARDAY);
    bool day_of_year = has(told, YEAR | YEARDAY) && !(told & (MONTH | DAY));
    bool half = has(told, HOUR_12) == has(told, HALF);
    bool hour = told & (HOUR | HOUR_12);
    return (date || day_of_year) && half && !has(told, HOUR | HOUR_12) &&
           (hour || !has(told, MINUTE)) && (has(told, MINUTE) || !has(told, SECOND)) &&
           (has(told, SECOND) || !has(told, FRACTION));
}

bool pattern_is_good(const char *pattern)
{
    int told = 0;
    for (const char *p = pattern; *p; p++) {
        if (*p != '%' || *++p == '%')
            continue;
        int now = told_by(*p);
        if (now == 0 || (told & now))
            return false;
        told |= now;
    }
    return told_enough(told);
}
