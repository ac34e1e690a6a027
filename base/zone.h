/*
 * base/zone.h -- inside base/: how far a time zone is from UTC, and what it is read from.
 *
 * A zone is a list of the moments at which its offset changes. Where tzdata ends in a rule ("summer
 * time from the last Sunday of March") the list is continued by it for 400 years, after which the
 * calendar repeats, weekdays included, and so does the list.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include "base/timefmt.h"

struct zone {
    struct zone *next; /* of all zones found so far */
    const char *name;
    size_t n;         /* changes, in order */
    int64_t *at;      /* n: the change's second in UTC */
    int64_t *wall;    /* n: its second in local time, counted by the larger of the two offsets */
    int32_t *offset;  /* n: seconds east of UTC from then on */
    int32_t first;    /* the offset before all changes */
    bool repeats;     /* the list ends in a rule ... */
    int64_t repeat_s; /* ... which covers the 400 years before this second */
};

/* Seconds east of UTC at a moment of UTC, in seconds. */
int32_t zone_offset(const struct zone *zone, int64_t t_s);
/* The offset at a local time. One that a change of clocks skips counts by the offset before it, one
 * that comes twice is its first, as in RFC 5545 (3.3.5). */
int32_t zone_offset_local(const struct zone *zone, int64_t local_s);

/* Reads a TZif file (RFC 8536; version 1 as well). The caller frees with zone_free().
 * Returns ST_ECORRUPT for anything else, and for files that count leap seconds. */
STATUS_CHECKED enum status zone_read(struct slice file, struct zone **ret);
void zone_free(struct zone *zone);

/* What a POSIX TZ rule such as "CET-1CEST,M3.5.0,M10.5.0/3" says of one year. */
enum zone_day { ZONE_DAY_MONTH_WEEK, ZONE_DAY_JULIAN, ZONE_DAY_ZERO };
struct zone_change {
    enum zone_day kind;
    int month, week, day; /* Mm.w.d; else day alone: 1-365 without leap days, or 0-365 */
    int32_t time_s;       /* local, may be negative or beyond a day */
};
struct zone_rule {
    int32_t standard, summer; /* seconds east of UTC */
    bool has_summer;
    struct zone_change start, end; /* of summer time */
};
/* Returns ST_ECORRUPT. */
STATUS_CHECKED enum status zone_rule_parse(struct slice text, struct zone_rule *ret);
/* The seconds in UTC at which summer time starts and ends in a year. */
void zone_rule_year(const struct zone_rule *rule, int year, int64_t *ret_start, int64_t *ret_end);

bool civil_is_leap(int year);
int civil_month_days(int year, int month);

#endif
