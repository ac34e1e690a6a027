/*
 * ingest/decode_csv.h -- named cells out of a CSV row (RFC 4180), and where a row ends.
 *
 * A cell is quoted if its first byte is a quote; inside, two quotes stand for one, and commas and
 * line ends are text. A quote further inside a bare cell is text too. Blanks belong to the cell.
 *
 * A row whose quoting is broken ends at its first line end, so that one stray quote costs one line
 * and not the rest of the file.
 */
#ifndef INGEST_DECODE_CSV_H
#define INGEST_DECODE_CSV_H

#include <stdbool.h>

#include "base/conf.h"
#include "ingest/scalar.h"

/* Length of the first row of text, its line end included, and in *ret_cut how many bytes of that
 * end are not the row's ("\n" or "\r\n"). Returns 0 if more bytes are needed to tell; never 0
 * where `last` says that none follow and len > 0. */
size_t csv_row_length(const char *text, size_t len, bool last, size_t *ret_cut);

struct csv_reader;

/* header: the first row, without its line end; a byte-order mark before it is passed over. names:
 * the columns to read, borrowed. file: for complaints. Returns ST_EINVAL if a column is missing or
 * named twice in the header, or the header is no row. */
STATUS_CHECKED enum status csv_reader_create(struct slice header, const char *const *names,
                                             size_t n, const char *file, struct conf_errors *errors,
                                             struct csv_reader **ret);
void csv_reader_free(struct csv_reader *reader);

/* Fills ret, one for each name. Returns NULL, or why the row is none. ret and the text are valid
 * until the next call; ret also borrows the row. */
const char *csv_reader_read(struct csv_reader *reader, struct slice row, struct scalar *ret);

#endif
