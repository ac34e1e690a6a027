/*
 * ingest/sink.h -- where rows go once they are durable: topics, files, or an array in a test.
 *
 * A row is bytes for a channel (scores or dead letters) with the origin of the event that caused
 * it. The commit thread sends the rows of an epoch in order and learns how many are acknowledged.
 * It sends them again, as stored, after a crash.
 */
#ifndef INGEST_SINK_H
#define INGEST_SINK_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/ring.h"
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

/* What the broker's group is told once all rows of an epoch are safe: where input stands after it,
 * and in the metadata of these offsets the epoch and the life of the state directory (lineage.h),
 * by which a later start knows what is out already. */
struct sink_position {
    const char *topic;
    int32_t partition;
    int64_t next;
};
struct sink_mark {
    uint64_t life;
    uint64_t epoch;
    const struct sink_position *positions;
    size_t n;
};

struct sink;

struct sink_ops {
    const char *kind;
    /* Hands over one row; its bytes are copied or written before this returns. ST_EAGAIN: the
     * queue is full, poll and try again. */
    enum status (*send)(struct sink *sink, const struct row *row);
    /* Takes acknowledgements for up to timeout_us. Afterwards *ret_acked rows, counted from the
     * first ever sent through this sink, in order, are safe; *ret_refused of them were refused for
     * good. ST_EAGAIN: all rows past those told last were taken back (their transaction was
     * aborted); they are to be sent again from there on, marks included, and keep their numbers. */
    enum status (*poll)(struct sink *sink, int64_t timeout_us, uint64_t *ret_acked,
                        uint64_t *ret_refused);
    /* From now on the bell is rung whenever poll has news, so that who waits for something else too
     * need not wait here; NULL: no more. False: it rings none. Optional. */
    bool (*watch)(struct sink *sink, struct bell *bell);
    /* Sends what is buffered, does not wait for acknowledgements. Optional. */
    enum status (*flush)(struct sink *sink);
    /* All rows sent so far are of epochs up to the mark's. The mark is copied; it replaces one not
     * yet told to the group. With transactions, rows and mark become visible as one. Optional. */
    enum status (*mark)(struct sink *sink, const struct sink_mark *mark);
    /* Does a mark wait to be told? Then poll has work even where no rows are out. Optional. */
    bool (*unsettled)(const struct sink *sink);
    /* Transactions so far, for any thread. Optional. */
    void (*transactions)(const struct sink *sink, uint64_t *ret_committed, uint64_t *ret_aborted);
    void (*free)(struct sink *sink);
    const char *(*error)(const struct sink *sink);
};

/* A row was refused for good: its number is how many were sent through this sink before it. Called
 * within send() and poll(), once, and never after the row counted as safe. */
typedef void (*sink_refused_fn)(void *arg, uint64_t row, const char *why);

struct sink {
    const struct sink_ops *ops;
    sink_refused_fn refused; /* set by the user of the sink; may be NULL */
    void *refused_arg;
};

#endif
