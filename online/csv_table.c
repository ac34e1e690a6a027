#include "online/csv_table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/number.h"
#include "online/csv_line.h"

/* Where complaints are about. */
struct place {
    const char *file;
    size_t line;
    FILE *errors;
};

static enum status complain(const struct place *place, const char *what)
{
    fprintf(place->errors, "%s:%zu: %s\n", place->file, place->line, what);
    return ST_EINVAL;
}

/* The header. */

static enum status add_column(struct csv_table *table, struct slice name, const struct place *place)
{
    double number;
    if (name.len == 0)
        return complain(place, "a column without a name");
    if (number_to_double(name, &number) == ST_OK)
        return complain(place,
                        "a number where a column's name should be: the first line is a header");
    if (csv_table_find(table, name))
        return complain(place, "two columns of the same name");
    struct csv_column *columns =
        realloc(table->columns, (table->n_columns + 1) * sizeof *table->columns);
    if (!columns)
        return ST_ENOMEM;
    table->columns = columns;
    columns[table->n_columns] = (struct csv_column){.name = strndup(name.data, name.len)};
    return columns[table->n_columns++].name ? ST_OK : ST_ENOMEM;
}

static enum status read_header(struct csv_table *table, struct slice line,
                               const struct place *place)
{
    struct slice cell;
    bool more = true;
    if (line.len >= 3 && memcmp(line.data, "\xef\xbb\xbf", 3) == 0)
        line = (struct slice){line.data + 3, line.len - 3};
    while (csv_take_cell(&line, &more, &cell))
        TRY(add_column(table, csv_trim(cell), place));
    return more ? complain(place, "quotes that do not match") : ST_OK;
}

/* Rows. */

static enum status make_room(struct csv_table *table)
{
    if (table->n_rows < table->cap)
        return ST_OK;
    size_t cap = table->cap > 0 ? 2 * table->cap : 1024;
    for (size_t i = 0; i < table->n_columns; i++) {
        struct csv_column *column = &table->columns[i];
        if (column->text_line > 0)
            continue;
        double *values = realloc(column->values, cap * sizeof *values);
        if (!values)
            return ST_ENOMEM;
        column->values = values;
    }
    table->cap = cap;
    return ST_OK;
}

static void keep_cell(struct csv_column *column, size_t row, struct slice cell, size_t line)
{
    double v = NAN;
    if (column->text_line > 0)
        return;
    if (!csv_is_missing(cell) && number_to_double(cell, &v) < 0) {
        column->text_line = line;
        free(column->values);
        column->values = NULL;
        return;
    }
    column->values[row] = v;
}

static enum status read_row(struct csv_table *table, struct slice line, const struct place *place)
{
    struct slice cell;
    bool more = true;
    size_t n = 0;
    TRY(make_room(table));
    for (; n < table->n_columns && csv_take_cell(&line, &more, &cell); n++)
        keep_cell(&table->columns[n], table->n_rows, csv_trim(cell), place->line);
    if (n < table->n_columns || more) {
        fprintf(place->errors, "%s:%zu: %s cells than the header's %zu, or quotes do not match\n",
                place->file, place->line, n < table->n_columns ? "fewer" : "more",
                table->n_columns);
        return ST_EINVAL;
    }
    table->n_rows++;
    return ST_OK;
}

static enum status read_text(struct csv_table *table, struct slice text, struct place *place)
{
    if (text.len == 0)
        return complain(place, "the file is empty");
    TRY(read_header(table, csv_take_line(&text), place));
    while (text.len > 0) {
        struct slice line = csv_take_line(&text);
        place->line++;
        if (line.len > 0 || table->n_columns == 1)
            TRY(read_row(table, line, place));
    }
    return ST_OK;
}

enum status csv_table_read(const char *path, FILE *errors, struct csv_table *ret)
{
    struct buf text = {0};
    struct place place = {path, 1, errors};
    *ret = (struct csv_table){0};
    enum status st = file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, &text);
    if (st < 0) {
        fprintf(errors, "%s: %s\n", path, strerror(errno));
        return ST_EIO;
    }
    st = read_text(ret, buf_slice(&text), &place);
    buf_done(&text);
    if (st < 0)
        csv_table_done(ret);
    return st;
}

void csv_table_done(struct csv_table *table)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        free(table->columns[i].name);
        free(table->columns[i].values);
    }
    free(table->columns);
    *table = (struct csv_table){0};
}

const struct csv_column *csv_table_find(const struct csv_table *table, struct slice name)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (slice_eq(slice_of(table->columns[i].name), name))
            return &table->columns[i];
    return NULL;
}
