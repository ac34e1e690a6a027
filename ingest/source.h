/*
 * ingest/source.h -- where records come from: Kafka, files, a generator, or an array in a test.
 *
 * A source has a fixed number of lanes: one a topic partition, one a file. Within a lane records
 * come in the order of their offsets; merging the lanes by time is not the source's business
 * (merge.h). Sources yield raw bytes; decoding is decode.h's. One thread uses a source.
 */
#ifndef INGEST_SOURCE_H
#define INGEST_SOURCE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"

struct record_in {
    struct slice payload; /* valid until the next fetch on the same lane */
    int64_t offset;
    int64_t broker_time; /* us, TIME_NONE if the source has none */
    bool cut;            /* longer than the source holds: payload is only its beginning */
};

struct lane_info {
    uint16_t stream;   /* index into the schema's streams, or LABEL_STREAM */
    const char *topic; /* or the file's name */
    int32_t partition;
    const char *format;  /* "csv" or "json" of a file; NULL: what the schema says */
    struct slice header; /* the first row of a CSV file */
    bool is_file;        /* events without an id are known by their row number */
};

struct source; /* each kind begins with a struct source_head */

struct source_ops {
    const char *kind;
    size_t (*lanes)(const struct source *source);
    struct lane_info (*lane)(const struct source *source, size_t lane);
    /* Where to read next; before the first fetch. A lane that is never sought starts at its
     * beginning. ST_ENOTFOUND: the record there is
     * gone; the lane then starts at its beginning. */
    enum status (*seek)(struct source *source, size_t lane, int64_t offset);
    /* Up to max records of one lane, without waiting. ST_EAGAIN: none now, more may come at once;
     * ST_EEND: read to the end as it is now (a topic may grow; a file does not). */
    enum status (*fetch)(struct source *source, size_t lane, struct record_in *ret, size_t max,
                         size_t *ret_n);
    /* Sleeps until some lane may have records, or the time is over. */
    void (*wait)(struct source *source, int64_t timeout_us);
    /* May its lanes grow after ST_EEND? */
    bool grows;
    /* Records not yet fetched in a lane, for the lag metric; -1: unknown. Optional. */
    int64_t (*lag)(struct source *source, size_t lane);
    /* The share in [0, 1] of a file that is read, NaN if its size is not known. Optional. */
    double (*progress)(const struct source *source);
    void (*free)(struct source *source);
    /* Text of the last failure, for the log. */
    const char *(*error)(const struct source *source);
};

struct source {
    const struct source_ops *ops;
};

#endif
