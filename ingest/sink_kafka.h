/*
 * ingest/sink_kafka.h -- rows to Kafka topics, through an idempotent producer.
 *
 *     struct sink_kafka_options options = {.brokers = "localhost:9092",
 *         .topics = {[CHANNEL_SCORES] = "scores", [CHANNEL_DEAD] = "scores.dead"},
 *         .partitions = 4, .replication = -1};
 *     TRY(sink_kafka_create(&options, &error, &sink));
 *
 * Rows of one key go to one partition, in the order of sending. The header `source` says where a
 * row comes from, as TOPIC:PARTITION:OFFSET:ORDINAL: readers drop a row whose `source` they have
 * seen. Dead letters carry the parts by name, too (source.topic, source.partition, source.offset,
 * source.ordinal), and the reason. A row that the broker cannot take now is tried again for ever;
 * send() gives ST_EAGAIN once 131,072 rows wait.
 *
 * A row is refused for good where the topic cannot be written (no right, no such topic) or the
 * broker finds fault with the row (too large, malformed). A broker refuses whole batches: the rows
 * of such a batch are tried again one at a time, so that none is lost for its neighbour's sake.
 * They may then arrive behind younger rows.
 *
 * ST_EIO from send() or poll(): the producer is broken for good (fenced, or its sequence lost).
 * Rows not acknowledged must be sent through a new sink.
 */
#ifndef INGEST_SINK_KAFKA_H
#define INGEST_SINK_KAFKA_H

#include "base/conf.h"
#include "ingest/sink.h"

/* A row was refused for good; row: how many were sent through this sink before it. Called within
 * send() and poll(), before the row counts as acknowledged. */
typedef void (*sink_kafka_refused_fn)(void *arg, uint64_t row, const char *reason);

/* Read during create only, but for arg. */
struct sink_kafka_options {
    const char *brokers;
    const char *topics[CHANNEL_COUNT]; /* NULL: rows of that channel are an ST_EINVAL */
    int partitions;                    /* of a topic that has to be made; 0: none is made */
    int replication;                   /* likewise; -1: the broker's default */
    const struct conf_map *properties; /* librdkafka's own settings, over our defaults; or NULL */
    int timeout_ms;                    /* for making topics; 0: 10 s */
    sink_kafka_refused_fn refused;     /* may be NULL */
    void *arg;
};

/* Returns ST_EINVAL (a setting), ST_EIO (a topic that is not there and cannot be made), ST_ENOMEM;
 * a line goes to error. Waits for the brokers only where topics may have to be made. */
STATUS_CHECKED enum status sink_kafka_create(const struct sink_kafka_options *options,
                                             struct buf *error, struct sink **ret);

/* Would create take these settings? Asks no broker. Returns ST_EINVAL with a line in error. */
STATUS_CHECKED enum status sink_kafka_check(const struct conf_map *properties, struct buf *error);

/* The producer, for what goes beyond rows (transactions, offsets); it stays the sink's. */
struct rd_kafka_s *sink_kafka_client(struct sink *sink);

#endif
