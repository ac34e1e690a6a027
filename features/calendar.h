/*
 * features/calendar.h -- what a calendar says of an instant, as numbers.
 *
 * Used by {calendar: ...} features and by the rules of `where:`.
 */
#ifndef FEATURES_CALENDAR_H
#define FEATURES_CALENDAR_H

#include "base/timefmt.h"

enum calendar {
    CALENDAR_HOUR,    /* 0-23 */
    CALENDAR_WEEKDAY, /* 0 Monday .. 6 Sunday */
    CALENDAR_WEEKEND, /* Saturday or Sunday: 1, else 0 */
    CALENDAR_NIGHT,   /* from 0:00 to 6:59: 1, else 0 */
    CALENDAR_DAY,     /* of the month, 1-31 */
    CALENDAR_MONTH,   /* 1-12 */
    CALENDAR_HOLIDAY, /* needs a list of days; not for calendar_value() */
};

/* Their names in a config, NULL-terminated, in the order of the enum. */
extern const char *const calendar_names[];

/* zone NULL: UTC. Cost: a few ns in UTC. */
double calendar_value(enum calendar what, int64_t time, const struct zone *zone);
/* Days since 1970-01-01 of the local date. */
int64_t calendar_date(int64_t time, const struct zone *zone);

#endif
