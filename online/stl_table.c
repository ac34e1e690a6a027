#include "online/stl_table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/number.h"
#include "online/csv_line.h"

static void keep_name(struct slice name, char *ret, size_t size)
{
    snprintf(ret, size, "%.*s", (int)name.len, name.data);
}

static enum status choose_column(const char *column, const char *file, FILE *errors, bool found,
                                 struct stl_table *ret)
{
    struct stl_table_columns *columns = &ret->columns;
    if (column && !found) {
        fprintf(errors, "%s:1: there is no column \"%s\"\n", file, column);
        return ST_EINVAL;
    }
    if (!column && columns->n > 2) {
        fprintf(errors,
                "%s:1: %zu columns; one of values, or times and values, are read, or the "
                "one that --column names\n",
                file, columns->n);
        return ST_EINVAL;
    }
    if (!column)
        columns->y = columns->n - 1;
    columns->timed = columns->n > 1 && columns->y > 0;
    return ST_OK;
}

enum status stl_table_read_header(struct slice line, const char *column, const char *file,
                                  FILE *errors, struct stl_table *ret)
{
    struct slice cell, rest = line;
    struct stl_table_columns *columns = &ret->columns;
    bool more = true, found = false;
    double number;
    *columns = (struct stl_table_columns){0};
    if (rest.len >= 3 && memcmp(rest.data, "\xef\xbb\xbf", 3) == 0)
        rest = (struct slice){rest.data + 3, rest.len - 3};
    line = rest;
    while (csv_take_cell(&rest, &more, &cell)) {
        if (number_to_double(csv_trim(cell), &number) == ST_OK) {
            fprintf(errors, "%s:1: \"%.*s\" is a number; the first line is a header\n", file,
                    (int)cell.len, cell.data);
            return ST_EINVAL;
        }
        if (column && slice_eq(csv_trim(cell), slice_of(column))) {
            found = true;
            columns->y = columns->n;
        }
        columns->n++;
    }
    TRY(choose_column(column, file, errors, found, ret));
    more = true;
    for (size_t i = 0; csv_take_cell(&line, &more, &cell); i++) {
        if (i == columns->y)
            keep_name(csv_trim(cell), ret->y_name, sizeof ret->y_name);
        else if (i == 0)
            keep_name(csv_trim(cell), ret->time_name, sizeof ret->time_name);
    }
    return ST_OK;
}

static enum status read_value(struct slice cell, bool gaps, const char *file, size_t line_number,
                              FILE *errors, double *ret)
{
    cell = csv_trim(cell);
    if (csv_is_missing(cell)) {
        if (!gaps)
            fprintf(errors, "%s:%zu: a value is missing; --gaps lets values be missing\n", file,
                    line_number);
        *ret = NAN;
        return gaps ? ST_OK : ST_EINVAL;
    }
    if (number_to_double(cell, ret) == ST_OK && fabs(*ret) <= STL_Y_MAX)
        return ST_OK;
    fprintf(errors, "%s:%zu: \"%.*s\" is no number of magnitude up to 1e300\n", file, line_number,
            cell.len < 80 ? (int)cell.len : 80, cell.data);
    return ST_EINVAL;
}

enum status stl_table_read_row(const struct stl_table_columns *columns, struct slice line,
                               bool gaps, const char *file, size_t line_number, FILE *errors,
                               double *ret_y, struct slice *ret_time)
{
    struct slice cell, value = {0}, time = {0};
    bool more = true;
    size_t n = 0;
    for (; csv_take_cell(&line, &more, &cell); n++) {
        if (n == columns->y)
            value = cell;
        else if (n == 0)
            time = cell;
    }
    if (n != columns->n || more) {
        fprintf(errors, "%s:%zu: %zu cells, where the header has %zu\n", file, line_number, n,
                columns->n);
        return ST_EINVAL;
    }
    *ret_time = time;
    return read_value(value, gaps, file, line_number, errors, ret_y);
}

static enum status add(struct stl_table *series, double y, struct slice time)
{
    if (series->n == series->cap) {
        size_t cap = series->cap > 0 ? 2 * series->cap : 1024;
        double *more = realloc(series->y, cap * sizeof *more);
        series->y = more ? more : series->y;
        struct slice *times = realloc(series->times, cap * sizeof *times);
        series->times = times ? times : series->times;
        if (!more || !times)
            return ST_ENOMEM;
        series->cap = cap;
    }
    series->y[series->n] = y;
    series->times[series->n++] = time;
    series->missing += isnan(y);
    return ST_OK;
}

/* An empty line is a missing value where values are all there is, but not at the end. */
static enum status read_rows(struct slice text, bool gaps, const char *path, FILE *errors,
                             struct stl_table *ret)
{
    size_t line_number = 1, last = text.len;
    while (last > 0 && (text.data[last - 1] == '\n' || text.data[last - 1] == '\r'))
        last--;
    text.len = last;
    while (text.len > 0) {
        double y;
        struct slice time, line = csv_take_line(&text);
        line_number++;
        TRY(stl_table_read_row(&ret->columns, line, gaps, path, line_number, errors, &y, &time));
        TRY(add(ret, y, time));
    }
    return ST_OK;
}

enum status stl_table_read(const char *path, const char *column, bool gaps, FILE *errors,
                           struct stl_table *ret)
{
    bool standard = strcmp(path, "-") == 0;
    *ret = (struct stl_table){0};
    enum status st = file_read(standard ? "/dev/stdin" : path, &ret->text);
    if (st < 0) {
        fprintf(errors, "%s: %s\n", path, strerror(errno));
        return ST_EIO;
    }
    struct slice text = buf_slice(&ret->text);
    if (text.len == 0) {
        fprintf(errors, "%s: it is empty\n", path);
        return ST_EINVAL;
    }
    TRY(stl_table_read_header(csv_take_line(&text), column, path, errors, ret));
    return read_rows(text, gaps, path, errors, ret);
}

void stl_table_done(struct stl_table *series)
{
    buf_done(&series->text);
    free(series->y);
    free(series->times);
    *series = (struct stl_table){0};
}

void stl_table_write_header(const struct stl_table *series, const struct stl_table_parts *parts,
                            bool with_time, struct buf *out)
{
    const struct mstl_params *params = &parts->params;
    if (with_time && series->columns.timed)
        buf_printf(out, "%s,", series->time_name);
    buf_text(out, "y,trend");
    for (size_t i = 0; i < params->n_seasons; i++) {
        if (params->n_seasons == 1)
            buf_text(out, ",seasonal");
        else
            buf_printf(out, ",seasonal_%zu", params->seasons[i].period);
    }
    buf_text(out, ",remainder");
    for (size_t i = 1; i <= parts->n_ahead; i++)
        buf_printf(out, ",f%zu", i);
    buf_byte(out, '\n');
}

void stl_table_put_number(struct buf *out, double v)
{
    if (!isnan(v))
        buf_double(out, v + 0.0); /* no -0 */
}

void stl_table_put_time(struct buf *out, struct slice time)
{
    bool quoted = memchr(time.data, ',', time.len) || memchr(time.data, '"', time.len);
    if (quoted)
        buf_byte(out, '"');
    buf_append(out, time.data, time.len);
    buf_text(out, quoted ? "\"," : ",");
}

void stl_table_write_row(const struct stl_table *series, const struct stl_table_parts *parts,
                         size_t i, bool with_time, struct buf *out)
{
    if (with_time && series->columns.timed)
        stl_table_put_time(out, series->times[i]);
    stl_table_put_number(out, series->y[i]);
    buf_byte(out, ',');
    stl_table_put_number(out, parts->parts.trend[i]);
    for (size_t k = 0; k < parts->params.n_seasons; k++) {
        buf_byte(out, ',');
        stl_table_put_number(out, parts->parts.seasonal[k][i]);
    }
    buf_byte(out, ',');
    stl_table_put_number(out, parts->parts.remainder[i]);
    for (size_t k = 0; k < parts->n_ahead; k++) {
        buf_byte(out, ',');
        if (i == series->n - 1)
            stl_table_put_number(out, parts->ahead[k]);
    }
    buf_byte(out, '\n');
}
