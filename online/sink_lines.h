/*
 * online/sink_lines.h -- rows as JSON lines (row_line.h) to a stream.
 *
 * A row is acknowledged once the stream has taken it. Where that fails, poll gives ST_EIO.
 */
#ifndef ONLINE_SINK_LINES_H
#define ONLINE_SINK_LINES_H

#include <stdio.h>

#include "ingest/sink.h"

/* key: rows with another one are passed over; NULL: all are written. Both stay the caller's. */
STATUS_CHECKED enum status sink_lines_create(FILE *to, const char *key, struct sink **ret);
uint64_t sink_lines_written(const struct sink *sink);

#endif
