/*
 * online/readable.h -- numbers for people: grouped digits, units that fit, spans of time.
 *
 *     printf("%s events in %s", readable_count(n).text, readable_span(seconds).text);
 *
 * For people only: what machines read is written with base/number.h. What is not known (NaN) is
 * "-".
 */
#ifndef ONLINE_READABLE_H
#define ONLINE_READABLE_H

#include <stdint.h>

struct readable {
    char text[40];
};

/* "1,234,567" */
struct readable readable_count(uint64_t n);
/* A rate or another estimate, without false digits: "0.4", "12", "153,900". */
struct readable readable_rate(double v);
/* "512 bytes", "12.3 MiB" */
struct readable readable_bytes(double bytes);
/* The two largest units: "8.4s", "1m 23s", "2h 05m", "3d 04h". */
struct readable readable_span(double seconds);
/* As a stopwatch shows it: "0:08", "12:34", "1:02:03". */
struct readable readable_clock(double seconds);
/* A short delay: "35 us", "0.80 ms", "3.1 ms", "1.20 s". */
struct readable readable_delay(double seconds);
/* An instant as RFC 3339; "-" for INT64_MIN, which is none. */
struct readable readable_time(int64_t us);
/* A share or a loss with so many digits behind the point: "0.8123". */
struct readable readable_real(double v, int digits);

#endif
