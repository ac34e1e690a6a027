/*
 * ingest/source_file.h -- a source of one lane: the rows of a CSV file, or the lines of a JSON
 * file.
 *
 * Plain or zstd, from a file or from standard input ("-"), streamed: memory is one buffer, grown to
 * the longest row. Blank lines are passed over; a row's offset is its number among the others, from
 * 0, a CSV file's header not counted.
 *
 *     struct source_file_options options = {.path = "events.csv.zst"};
 *     TRY(source_file_create(&options, &errors, &source));
 */
#ifndef INGEST_SOURCE_FILE_H
#define INGEST_SOURCE_FILE_H

#include "base/conf.h"
#include "ingest/source.h"

struct source_file_options {
    const char *path;   /* borrowed; "-": standard input */
    const char *format; /* "csv" or "json"; NULL: by the ending .csv, .jsonl, .json or .ndjson, with
                           or without .zst behind it */
    uint16_t stream;    /* which of the schema's */
    size_t record_max;  /* bytes; a longer row is handed out cut; 0: 1 MiB */
};

/* Reads a CSV file's header (from a pipe: waits for it). Returns ST_EINVAL (the format cannot be
 * told, a CSV file without a header), ST_ENOTFOUND, ST_EIO, ST_ECORRUPT; errors says which. */
STATUS_CHECKED enum status source_file_create(const struct source_file_options *options,
                                              struct conf_errors *errors, struct source **ret);

#endif
