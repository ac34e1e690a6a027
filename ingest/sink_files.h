/*
 * ingest/sink_files.h -- one file a channel behind one sink, for backtests.
 *
 * A row's payload is appended as it is. Rows of a channel without a file are passed over. A row is
 * acknowledged once write(2) has taken it: it outlives this process, not the machine. Where a file
 * cannot be written (a full disk), send, flush and poll give ST_EIO, and error() names the file;
 * they may be called again, and go on where they stopped, without a byte lost or doubled.
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
