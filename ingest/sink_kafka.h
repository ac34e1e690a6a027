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
 * A mark is told to the group once all rows before it are acknowledged, through options.tell.
 *
 * With a transactional id, rows and marks go out in transactions instead: all rows of the epochs
 * that wait, then the group's offsets, become visible to read_committed readers as one. Rows count
 * as acknowledged when their transaction is committed. A thread of the sink's own waits for the
 * coordinator, so that send() and poll() never do; while it is at work send() gives ST_EAGAIN. A
 * transaction that cannot be committed is aborted and its rows are taken back (poll() gives
 * ST_EAGAIN, see sink.h): a row that the broker found fault with, found out by sending the suspects
 * alone, is then left out. A topic that cannot be written at all is found out by sending each
 * topic's rows in a transaction that is aborted; its rows are then refused, for a second at a time.
 *
 * ST_EIO from send() or poll(): the producer is broken for good (fenced, or its sequence lost).
 * Rows not acknowledged must be sent through a new sink.
 */
#ifndef INGEST_SINK_KAFKA_H
#define INGEST_SINK_KAFKA_H

#include "base/conf.h"
#include "ingest/sink.h"

struct rd_kafka_topic_partition_list_s; /* librdkafka's */

/* Read during create only. */
struct sink_kafka_options {
    const char *brokers;
    const char *topics[CHANNEL_COUNT]; /* NULL: rows of that channel are an ST_EINVAL */
    int partitions;                    /* of a topic that has to be made; 0: none is made */
    int replication;                   /* likewise; -1: the broker's default */
    const struct conf_map *properties; /* librdkafka's own settings, over our defaults; or NULL */
    int timeout_ms;                    /* for making topics; 0: 10 s */
    const char *transactional_id;      /* NULL: without transactions */
    const char *group;                 /* whose offsets are part of the transactions */
    /* Without transactions: tells the group, with an epoch in the offsets' metadata. Called within
     * poll(); the list is the sink's. May be NULL. */
    void (*tell)(void *arg, const struct rd_kafka_topic_partition_list_s *offsets);
    void *tell_arg;
};

/* Returns ST_EINVAL (a setting), ST_EIO (a topic that is not there and cannot be made), ST_ENOMEM;
 * a line goes to error. Waits for the brokers only where topics may have to be made. */
STATUS_CHECKED enum status sink_kafka_create(const struct sink_kafka_options *options,
                                             struct buf *error, struct sink **ret);

/* With transactions, once, before the first row: takes the transactional id over. A predecessor's
 * open transaction is aborted, and it can write nothing any more. Waits for the coordinator up to
 * timeout_ms. Returns ST_EIO (see error()). Does nothing without transactions. */
STATUS_CHECKED enum status sink_kafka_fence(struct sink *sink, int timeout_ms);

/* Would create take these settings? Asks no broker. Returns ST_EINVAL with a line in error. */
STATUS_CHECKED enum status sink_kafka_check(const struct conf_map *properties, struct buf *error);
STATUS_CHECKED enum status sink_kafka_check_transactions(const struct conf_map *properties,
                                                         struct buf *error);

#endif
