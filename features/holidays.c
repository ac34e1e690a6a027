#include "features/holidays.h"

#include <string.h>

#include "base/timefmt.h"
#include "features/holidays_table.h"

enum { ROWS = sizeof holiday_rows / sizeof *holiday_rows };

int64_t holidays_begin(void)
{
    return civil_days(HOLIDAYS_FROM, 1, 1);
}

int64_t holidays_end(void)
{
    return civil_days(HOLIDAYS_TO + 1, 1, 1);
}

static int two_digits(const char *text)
{
    return (text[0] - '0') * 10 + (text[1] - '0');
}

/* "0101 0330 ...": month and day. */
static size_t add_days(const struct holiday_row *row, int64_t *ret, size_t n)
{
    for (const char *at = row->days; *at && n < HOLIDAYS_MAX; at += at[4] ? 5 : 4)
        ret[n++] = civil_days(row->year, two_digits(at), two_digits(at + 2));
    return n;
}

size_t holidays_of(const char *country, int64_t *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(holiday_rows[i].country, country) == 0)
            n = add_days(&holiday_rows[i], ret, n);
    return n;
}

size_t holidays_countries(const char **ret)
{
    size_t n = 0;
    for (size_t i = 0; i < ROWS && n + 1 < HOLIDAYS_COUNTRIES_MAX; i++)
        if (i == 0 || strcmp(holiday_rows[i].country, holiday_rows[i - 1].country) != 0)
            ret[n++] = holiday_rows[i].country;
    ret[n] = NULL;
    return n;
}
