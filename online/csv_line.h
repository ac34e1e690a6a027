/*
 * online/csv_line.h -- lines and cells of CSV files that commands for analysts read whole.
 *
 * (Events come through ingest/decode_csv.h, which knows the schema and is made for speed.)
 */
#ifndef ONLINE_CSV_LINE_H
#define ONLINE_CSV_LINE_H

#include <stdbool.h>

#include "base/bytes.h"

/* Off the front of text, without its line end. */
struct slice csv_take_line(struct slice *text);
/* The next cell off the front of line, which loses its comma too; quotes around it are taken off,
 * doubled ones inside stay. more: true at first; whether there is another. False: there is none, or
 * its quotes are off, and then more is still true. */
bool csv_take_cell(struct slice *line, bool *more, struct slice *ret);
struct slice csv_trim(struct slice text);
/* Empty, NA, NaN or null, in any case of letters; of a trimmed cell. */
bool csv_is_missing(struct slice cell);

#endif
