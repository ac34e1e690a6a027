/*
 * ingest/sink_files.h -- one file a channel behind one sink, for backtests.
 *
 * Rows of a channel without a file are passed over. A row is acknowledged once its file has taken
 * it.
 */
#ifndef INGEST_SINK_FILES_H
#define INGEST_SINK_FILES_H

#include "ingest/sink.h"

struct sink_files_channel {
    const char *path;    /* NULL: no file; "-": standard output */
    struct slice header; /* first line, with its newline; may be empty */
};

struct sink_files_options {
    struct sink_files_channel channels[CHANNEL_COUNT];
};

/* Opens the files anew (what was there is gone). Returns ST_EIO; error says which and why. */
STATUS_CHECKED enum status sink_files_create(const struct sink_files_options *options,
                                             struct buf *error, struct sink **ret);

#endif
