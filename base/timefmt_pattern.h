/*
 * base/timefmt_pattern.h -- inside base/: timestamps read by a strptime pattern, and the calendar
 * time that every written form is first read into.
 */
#ifndef BASE_TIMEFMT_PATTERN_H
#define BASE_TIMEFMT_PATTERN_H

#include "base/timefmt.h"

/* What a text said, not yet checked against the calendar. */
struct moment {
    int year, month, day;
    int yearday; /* in place of month and day where it is not 0 */
    int hour, minute, second;
    int us;
    bool hour_is_12; /* hour is 1-12, and pm tells the half */
    bool pm;
    bool has_offset;
    int offset_s; /* seconds east of UTC */
};

/* Returns ST_EINVAL if there is no such day or time; may change moment. */
STATUS_CHECKED enum status moment_time(struct moment *moment, const struct zone *zone,
                                       int64_t *ret);

/* Text still to be read. */
struct scan {
    const char *at;
    const char *end;
};
/* min to max decimal digits. */
bool scan_digits(struct scan *in, int min, int max, int *ret);
/* 1 or more digits of a fraction of a second; those behind the sixth do not count. */
bool scan_fraction(struct scan *in, int *ret_us);
/* "Z", "+01", "+0100" or "+01:00". */
bool scan_offset(struct scan *in, struct moment *ret);

/* Whether every conversion is known, none is there twice, and together they make a time. */
bool pattern_is_good(const char *pattern);
bool pattern_scan(const char *pattern, struct scan *in, struct moment *ret);

#endif
