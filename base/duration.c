/* base/duration.c -- durations of base/timefmt.h as text. */
#include "base/timefmt.h"

#include "base/number.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const struct unit {
    const char *name;
    int64_t us;
} units[] = {
    {"w", INT64_C(604800000000)}, {"d", INT64_C(86400000000)}, {"h", INT64_C(3600000000)},
    {"m", INT64_C(60000000)},     {"s", INT64_C(1000000)},     {"ms", INT64_C(1000)},
    {"us", INT64_C(1)},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take_count(struct slice *in, int64_t *ret)
{
    size_t n = 0;
    int64_t v = 0;
    for (; n < in->len && is_digit(in->data[n]); n++) {
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, in->data[n] - '0', &v))
            return false;
    }
    in->data += n;
    in->len -= n;
    *ret = v;
    return n > 0;
}

/* The unit's place in the table, or LEN(units). */
static size_t take_unit(struct slice *in)
{
    size_t n = 0;
    while (n < in->len && !is_digit(in->data[n]))
        n++;
    struct slice name = {in->data, n};
    in->data += n;
    in->len -= n;
    for (size_t i = 0; i < LEN(units); i++) {
        if (slice_eq(name, slice_of(units[i].name)))
            return i;
    }
    return LEN(units);
}

enum status duration_parse(struct slice text, int64_t *ret)
{
    int64_t sum = 0, count, part;
    if (text.len == 0)
        return ST_EINVAL;
    for (size_t next = 0; text.len > 0; next++) {
        if (!take_count(&text, &count))
            return ST_EINVAL;
        size_t unit = take_unit(&text);
        if (unit < next || unit == LEN(units)) /* "30m1h" and "1h1h" are slips of the pen */
            return ST_EINVAL;
        if (__builtin_mul_overflow(count, units[unit].us, &part) ||
            __builtin_add_overflow(sum, part, &sum))
            return ST_EINVAL;
        next = unit;
    }
    *ret = sum;
    return ST_OK;
}

static char *write_part(char *at, uint64_t count, const char *unit)
{
    at += number_from_int((int64_t)count, at);
    while (*unit)
        *at++ = *unit++;
    return at;
}

size_t duration_format(int64_t us, char *ret)
{
    char *at = ret;
    uint64_t left = us < 0 ? -(uint64_t)us : (uint64_t)us;
    if (us < 0)
        *at++ = '-';
    if (us == 0)
        at = write_part(at, 0, "s");
    for (size_t i = 1; i < LEN(units); i++) { /* from days down: 30d says more than 4w2d */
        uint64_t count = left / (uint64_t)units[i].us;
        left %= (uint64_t)units[i].us;
        if (count > 0)
            at = write_part(at, count, units[i].name);
    }
    *at = '\0';
    return (size_t)(at - ret);
}
