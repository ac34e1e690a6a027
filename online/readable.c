#include "online/readable.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/timefmt.h"

static const struct readable unknown = {"-"};

struct readable readable_count(uint64_t n)
{
    char digits[24];
    struct readable ret;
    int len = snprintf(digits, sizeof digits, "%" PRIu64, n);
    char *at = ret.text;
    for (int i = 0; i < len; i++) {
        *at++ = digits[i];
        if (i + 1 < len && (len - i - 1) % 3 == 0)
            *at++ = ',';
    }
    *at = '\0';
    return ret;
}

struct readable readable_real(double v, int digits)
{
    struct readable ret = unknown;
    if (!isnan(v))
        snprintf(ret.text, sizeof ret.text, "%.*f", digits, v);
    return ret;
}

/* Past a few thousand the last digits of a rate only flicker. */
struct readable readable_rate(double v)
{
    if (!(fabs(v) < 1e15))
        return unknown;
    if (v < 10)
        return readable_real(v, 1);
    if (v < 1e4)
        return readable_count((uint64_t)(v + 0.5));
    double step = pow(10, floor(log10(v)) - 3);
    return readable_count((uint64_t)(floor(v / step + 0.5) * step));
}

struct readable readable_bytes(double bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
    struct readable ret = unknown;
    if (isnan(bytes))
        return ret;
    size_t unit = 0;
    while (bytes >= 1000 && unit < 5) { /* not 1024: four digits are harder to read than a unit */
        bytes /= 1024;
        unit++;
    }
    int digits = unit == 0 || bytes >= 100 ? 0 : bytes >= 10 ? 1 : 2;
    snprintf(ret.text, sizeof ret.text, "%.*f %s", digits, bytes, units[unit]);
    return ret;
}

struct readable readable_span(double seconds)
{
    struct readable ret = unknown;
    if (!(seconds >= 0 && seconds < 1e12))
        return ret;
    if (seconds < 59.95) {
        snprintf(ret.text, sizeof ret.text, "%.1fs", seconds);
        return ret;
    }
    uint64_t s = (uint64_t)(seconds + 0.5);
    if (s < 3600)
        snprintf(ret.text, sizeof ret.text, "%" PRIu64 "m %02" PRIu64 "s", s / 60, s % 60);
    else if (s < 86400)
        snprintf(ret.text, sizeof ret.text, "%" PRIu64 "h %02" PRIu64 "m", s / 3600, s / 60 % 60);
    else
        snprintf(ret.text, sizeof ret.text, "%" PRIu64 "d %02" PRIu64 "h", s / 86400,
                 s / 3600 % 24);
    return ret;
}

struct readable readable_clock(double seconds)
{
    struct readable ret = unknown;
    if (!(seconds >= 0 && seconds < 1e12))
        return ret;
    uint64_t s = (uint64_t)seconds;
    if (s < 3600)
        snprintf(ret.text, sizeof ret.text, "%" PRIu64 ":%02" PRIu64, s / 60, s % 60);
    else
        snprintf(ret.text, sizeof ret.text, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s / 3600,
                 s / 60 % 60, s % 60);
    return ret;
}

struct readable readable_delay(double seconds)
{
    struct readable ret = unknown;
    if (isnan(seconds))
        return ret;
    if (seconds < 1e-4)
        snprintf(ret.text, sizeof ret.text, "%.0f us", seconds * 1e6);
    else if (seconds < 1)
        snprintf(ret.text, sizeof ret.text, "%.*f ms",
                 seconds < 1e-3  ? 2
                 : seconds < 0.1 ? 1
                                 : 0,
                 seconds * 1e3);
    else
        snprintf(ret.text, sizeof ret.text, "%.*f s", seconds < 10 ? 2 : 1, seconds);
    return ret;
}

struct readable readable_time(int64_t us)
{
    struct readable ret = {"-"};
    if (us != INT64_MIN)
        ret.text[time_format(us, ret.text)] = '\0';
    return ret;
}
