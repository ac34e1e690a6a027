/*
 * features/holidays.h -- the public holidays of countries, from a table in the program.
 *
 * The table (holidays_table.h) is made by scripts/make-holidays from the Python package `holidays`
 * (MIT licence) and holds what is a holiday in all of a country, observed days included, not those
 * of single states. Of years to come it holds what follows from rules and what was announced when
 * it was made; feasts by the moon may come a day apart.
 *
 *     int64_t days[HOLIDAYS_MAX];
 *     size_t n = holidays_of("DE", days);        // 0: not a country of the table
 *     if (date >= holidays_begin() && date < holidays_end()) ...
 */
#ifndef FEATURES_HOLIDAYS_H
#define FEATURES_HOLIDAYS_H

#include <stddef.h>
#include <stdint.h>

#define HOLIDAYS_MAX 1024

/* Writes the days since 1970-01-01 of a country's holidays, ascending, at most HOLIDAYS_MAX, and
 * returns how many. country: two letters of ISO 3166. */
size_t holidays_of(const char *country, int64_t *ret);
/* The table knows days [begin, end). */
int64_t holidays_begin(void);
int64_t holidays_end(void);
/* All countries, NULL-terminated; room for HOLIDAYS_COUNTRIES_MAX. Returns how many. */
#define HOLIDAYS_COUNTRIES_MAX 256
size_t holidays_countries(const char **ret);

#endif
