/*
 * online/stl_table.h -- a series out of a CSV file, and its parts into one.
 *
 * The file has a header. Its column of values is the only one, the second of two (then the first
 * holds times), or one that is named; with more than one the first is the time. A value that is
 * missing is an empty cell, NA, NaN or null, in any case of letters.
 */
#ifndef ONLINE_STL_TABLE_H
#define ONLINE_STL_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/bytes.h"
#include "features/mstl.h"

/* Which cells of a row are the series. */
struct stl_table_columns {
    size_t n;   /* cells in a row */
    size_t y;   /* which one is the value */
    bool timed; /* cell 0 is the time */
};

struct stl_table {
    struct buf text; /* the file */
    struct stl_table_columns columns;
    char time_name[64], y_name[64];
    size_t n, cap;
    size_t missing;
    double *y;           /* NaN where it is missing */
    struct slice *times; /* into text, or NULL */
};

/* For single lines, as they come. line: without its line end. Complains with `file` and the number
 * of the line. stl_table_read_header() fills in columns and names; column: as in stl_options. */
STATUS_CHECKED enum status stl_table_read_header(struct slice line, const char *column,
                                                 const char *file, FILE *errors,
                                                 struct stl_table *ret);
STATUS_CHECKED enum status stl_table_read_row(const struct stl_table_columns *columns,
                                              struct slice line, bool gaps, const char *file,
                                              size_t line_number, FILE *errors, double *ret_y,
                                              struct slice *ret_time);

/* A whole file; path "-": standard input. Complains on errors. Returns ST_EIO, ST_EINVAL. */
STATUS_CHECKED enum status stl_table_read(const char *path, const char *column, bool gaps,
                                          FILE *errors, struct stl_table *ret);
void stl_table_done(struct stl_table *series);

/* Parts of n samples, and what comes after. */
struct stl_table_parts {
    struct mstl_params params;
    struct mstl_parts parts;
    double *ahead; /* forecasts */
    size_t n_ahead;
};

/* `y,trend,seasonal,remainder` (several: seasonal_24,seasonal_168), with f1..fH in the last row. */
void stl_table_write_header(const struct stl_table *series, const struct stl_table_parts *parts,
                            bool with_time, struct buf *out);
void stl_table_write_row(const struct stl_table *series, const struct stl_table_parts *parts,
                         size_t i, bool with_time, struct buf *out);

/* Cells: a number, empty for NaN; a time as it came, with the comma behind it. */
void stl_table_put_number(struct buf *out, double v);
void stl_table_put_time(struct buf *out, struct slice time);

#endif
