/*
 * ingest/sink.h -- where rows go once they are durable: topics, files, or an array in a test.
 *
 * A row is bytes for a channel (scores or dead letters) with the origin of the event that caused
 * it. The commit thread sends the rows of an epoch in order and learns how many are acknowledged.
 * It sends them again, as stored, after a crash.
 */
#ifndef INGEST_SINK_H
#define INGEST_SINK_H

#include "base/bytes.h"
#include "base/status.h"

enum channel { CHANNEL_SCORES, CHANNEL_DEAD, CHANNEL_FEATURES, CHANNEL_COUNT };

/* topic, partition, offset and ordinal are what a row is known by: a Kafka sink writes them as a
 * header, and readers drop repeats by it. */
struct row {
    enum channel channel;
    const char *topic; /* of the source */
    int32_t partition;
    int64_t offset;
    uint32_t ordinal; /* among the rows of one input record */
    struct slice key; /* message key; empty: none */
    struct slice payload;
    struct slice reason; /* dead letters only */
};

struct sink;

struct sink_ops {
    const char *kind;
    /* Hands over one row; its bytes are copied or written before this returns. ST_EAGAIN: the
     * queue is full, poll and try again. */
    enum status (*send)(struct sink *sink, const struct row *row);
    /* Takes acknowledgements for up to timeout_us. Afterwards *ret_acked rows, counted from the
     * first ever sent through this sink, in order, are safe; *ret_refused of them were refused for
     * good. */
    enum status (*poll)(struct sink *sink, int64_t timeout_us, uint64_t *ret_acked,
                        uint64_t *ret_refused);
    /* Sends what is buffered, does not wait for acknowledgements. Optional. */
    enum status (*flush)(struct sink *sink);
    void (*free)(struct sink *sink);
    const char *(*error)(const struct sink *sink);
};

struct sink {
    const struct sink_ops *ops;
};

#endif
