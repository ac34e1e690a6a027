/*
 * base/timefmt.h -- time as people write it: timestamps, time zones, durations.
 *
 * Inside, time is int64 microseconds since 1970-01-01 UTC and durations are int64 microseconds.
 *
 *     struct timefmt format;
 *     TRY(timefmt_compile(slice_of("%Y-%m-%d %H:%M:%S"), NULL, &format));
 *     int64_t t;
 *     TRY(timefmt_parse(&format, slice_of("2018-04-01 00:00:31"), &t));
 *
 * Parsing allocates nothing, reads no environment and no locale, and costs about 30 ns for the
 * common forms (year-month-day, optional time, RFC 3339).
 */
#ifndef BASE_TIMEFMT_H
#define BASE_TIMEFMT_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"

/* A time zone's rules, read from the system's tzdata once; shared, immutable, never freed. */
struct zone;

enum timefmt_kind { TIMEFMT_S, TIMEFMT_MS, TIMEFMT_US, TIMEFMT_RFC3339, TIMEFMT_STRPTIME };

struct timefmt {
    enum timefmt_kind kind;
    char pattern[64];        /* TIMEFMT_STRPTIME */
    const struct zone *zone; /* for forms that carry no offset; NULL is UTC */
    unsigned char fixed;     /* length of a pattern's texts with all digits in fixed places, or 0 */
    char layout[20];         /* such a text with each digit 0 */
};

/* text: "epoch_s", "epoch_ms", "epoch_us" (an integer or a decimal fraction), "rfc3339" (an offset
 * may be missing), or a strptime pattern of %Y %m %d %H %M %S %f (fraction of a second) %y %b %B %z
 * %Z(UTC only) %j %p %I %T %F %%. A blank in it stands for one or more. zone: the zone of times
 * that carry no offset, NULL for UTC. Parts of a second below microseconds do not count. Returns
 * ST_EINVAL for a pattern with an unknown, repeated or missing conversion. */
STATUS_CHECKED enum status timefmt_compile(struct slice text, const struct zone *zone,
                                           struct timefmt *ret);

/* The whole text must match. Dates are checked (no 30 February); years 1 to 9999. A local time that
 * a change of clocks skips counts by the offset before it; one that comes twice is its first. A
 * leap second counts as the second after it. Returns ST_EINVAL. */
STATUS_CHECKED enum status timefmt_parse(const struct timefmt *format, struct slice text,
                                         int64_t *ret);

/* "2018-04-01T00:00:31Z", with a fraction of 3 or 6 digits only where it is not zero; at most 32
 * bytes with the NUL. Returns the length. */
size_t time_format(int64_t t, char *ret);

/* A name of the tz database ("Europe/Berlin"); "UTC" is known without one. Thread-safe; reads a
 * file the first time. Returns ST_ENOTFOUND. */
STATUS_CHECKED enum status zone_find(const char *name, const struct zone **ret);

/* Local calendar time. zone NULL: UTC. Cost: a few ns for UTC, tens for zones. */
struct civil {
    int year, month, day;     /* month 1-12, day 1-31 */
    int hour, minute, second; /* second 0-59: POSIX time has no leap seconds */
    int weekday;              /* 0 Monday .. 6 Sunday */
    int yearday;              /* 1-366 */
};
struct civil civil_of(int64_t t, const struct zone *zone);
/* Days since 1970-01-01 of a date. */
int64_t civil_days(int year, int month, int day);

/* "90s", "1d", "1h30m", "250ms", "5us", "2w", "0s": whole numbers, larger units first; no bare
 * numbers. Returns ST_EINVAL. */
STATUS_CHECKED enum status duration_parse(struct slice text, int64_t *ret);
/* In units from days down, without those that are 0: "1d", "1m30s", "30d", "0s". duration_parse()
 * reads it back; a negative one, which that refuses, has a '-' in front. At most 48 bytes with the
 * NUL; returns the length. */
size_t duration_format(int64_t us, char *ret);

#endif
