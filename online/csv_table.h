/*
 * online/csv_table.h -- a CSV file with a header as columns of numbers.
 *
 * A cell that is missing (empty, NA, NaN, null) is NaN. A column with any other cell that is no
 * finite number is text: its numbers are not kept, and it is remembered where it was first seen not
 * to be one.
 */
#ifndef ONLINE_CSV_TABLE_H
#define ONLINE_CSV_TABLE_H

#include <stdio.h>

#include "base/bytes.h"
#include "base/status.h"

struct csv_column {
    char *name;
    double *values;   /* n_rows of the table; NULL: it is text */
    size_t text_line; /* where, if it is text; else 0 */
};

struct csv_table {
    size_t n_columns, n_rows;
    struct csv_column *columns;
    size_t cap; /* rows that there is room for */
};

/* path "-": standard input. Complains on errors, with file and line: a file that cannot be read
 * (ST_EIO), or is no table (ST_EINVAL). */
STATUS_CHECKED enum status csv_table_read(const char *path, FILE *errors, struct csv_table *ret);
void csv_table_done(struct csv_table *table);
/* NULL if there is none of that name. */
const struct csv_column *csv_table_find(const struct csv_table *table, struct slice name);

#endif
