/*
 * online/row_line.h -- a row for a topic as a JSON line, for people and scripts.
 *
 *     {"source":"payments:0:17:0","to":"scores","key":"7","payload":"{\"id\":\"7\",...}"}
 *
 * source is the header that the message has; `why` is added where it is not empty, `reason` to dead
 * letters.
 */
#ifndef ONLINE_ROW_LINE_H
#define ONLINE_ROW_LINE_H

#include "ingest/sink.h"

/* Appends the line with its newline. */
void row_line_put(struct buf *ret, const struct row *row, struct slice why);

#endif
