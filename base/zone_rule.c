/* base/zone_rule.c -- the POSIX TZ rule at the end of a TZif file, for the years beyond its list.
 */
#include "base/zone.h"

static bool take(struct slice *in, char c)
{
    if (in->len == 0 || *in->data != c)
        return false;
    in->data++;
    in->len--;
    return true;
}

static bool take_int(struct slice *in, int max, int *ret)
{
    int v = 0;
    size_t digits = 0;
    for (; digits < in->len && in->data[digits] >= '0' && in->data[digits] <= '9'; digits++) {
        v = v * 10 + (in->data[digits] - '0');
        if (v > max)
            return false;
    }
    in->data += digits;
    in->len -= digits;
    *ret = v;
    return digits > 0;
}

/* A zone's abbreviation: letters, or anything in <>. We only need its end. */
static bool skip_name(struct slice *in)
{
    size_t len = 0;
    bool quoted = take(in, '<');
    while (len < in->len && (quoted ? in->data[len] != '>'
                                    : (in->data[len] | 32) >= 'a' && (in->data[len] | 32) <= 'z'))
        len++;
    in->data += len;
    in->len -= len;
    return len >= 1 && (!quoted || take(in, '>'));
}

/* [+-]h[:m[:s]] in seconds; RFC 8536 lets the hours of a change go to 167. */
static bool take_time(struct slice *in, int32_t *ret)
{
    bool minus = take(in, '-');
    if (!minus)
        (void)take(in, '+');
    int hour, minute = 0, second = 0;
    if (!take_int(in, 167, &hour))
        return false;
    if (take(in, ':') &&
        (!take_int(in, 59, &minute) || (take(in, ':') && !take_int(in, 59, &second))))
        return false;
    int32_t s = hour * 3600 + minute * 60 + second;
    *ret = minus ? -s : s;
    return true;
}

static bool take_offset(struct slice *in, int32_t *ret)
{
    int32_t west;
    if (!skip_name(in) || !take_time(in, &west))
        return false;
    *ret = -west;
    return true;
}

static bool take_month_week_day(struct slice *in, struct zone_change *ret)
{
    ret->kind = ZONE_DAY_MONTH_WEEK;
    return take_int(in, 12, &ret->month) && ret->month >= 1 && take(in, '.') &&
           take_int(in, 5, &ret->week) && ret->week >= 1 && take(in, '.') &&
           take_int(in, 6, &ret->day);
}

static bool take_day(struct slice *in, struct zone_change *ret)
{
    if (take(in, 'M'))
        return take_month_week_day(in, ret);
    ret->kind = take(in, 'J') ? ZONE_DAY_JULIAN : ZONE_DAY_ZERO;
    return take_int(in, 365, &ret->day) && (ret->kind == ZONE_DAY_ZERO || ret->day >= 1);
}

static bool take_change(struct slice *in, struct zone_change *ret)
{
    ret->time_s = 2 * 3600;
    return take(in, ',') && take_day(in, ret) && (!take(in, '/') || take_time(in, &ret->time_s));
}

static bool take_summer(struct slice *in, struct zone_rule *ret)
{
    ret->has_summer = true;
    ret->summer = ret->standard + 3600;
    if (!skip_name(in))
        return false;
    int32_t west;
    if (in->len > 0 && *in->data != ',') {
        if (!take_time(in, &west))
            return false;
        ret->summer = -west;
    }
    return take_change(in, &ret->start) && take_change(in, &ret->end);
}

enum status zone_rule_parse(struct slice text, struct zone_rule *ret)
{
    struct zone_rule rule = {0};
    bool good = take_offset(&text, &rule.standard) && (text.len == 0 || take_summer(&text, &rule));
    if (!good || text.len > 0)
        return ST_ECORRUPT;
    *ret = rule;
    return ST_OK;
}

/* The week-th given weekday (0 Sunday) of the month; week 5 is the last. */
static int64_t month_week_day(int year, const struct zone_change *change)
{
    int64_t first = civil_days(year, change->month, 1);
    int weekday = (int)((first % 7 + 11) % 7); /* 0 Sunday: 1970-01-01 was 4 */
    int day = 1 + (change->day - weekday + 7) % 7 + 7 * (change->week - 1);
    while (day > civil_month_days(year, change->month))
        day -= 7;
    return first + day - 1;
}

static int64_t day_of(int year, const struct zone_change *change)
{
    int64_t new_year = civil_days(year, 1, 1);
    switch (change->kind) {
    case ZONE_DAY_MONTH_WEEK:
        return month_week_day(year, change);
    case ZONE_DAY_JULIAN:
        return new_year + change->day - 1 + (change->day >= 60 && civil_is_leap(year));
    default:
        return new_year + change->day;
    }
}

void zone_rule_year(const struct zone_rule *rule, int year, int64_t *ret_start, int64_t *ret_end)
{
    *ret_start = day_of(year, &rule->start) * 86400 + rule->start.time_s - rule->standard;
    *ret_end = day_of(year, &rule->end) * 86400 + rule->end.time_s - rule->summer;
}
