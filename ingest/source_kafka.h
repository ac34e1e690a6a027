/*
 * ingest/source_kafka.h -- all partitions of some Kafka topics as the lanes of a source.
 *
 *     struct source_kafka_topic topics[] = {{"transactions", 0}, {"frauds", LABEL_STREAM}};
 *     struct source_kafka_options options = {
 *         .brokers = "localhost:9092", .group = "fraud", .topics = topics, .n_topics = 2};
 *     struct buf error = {0};
 *     struct source *source = NULL;
 *     TRY(source_kafka_create(&options, &error, &source));
 *
 * Partitions are assigned by us, not by the group: a join costs seconds, and one process reads them
 * all. They are counted once, at the start. The group id only says where offsets are committed to,
 * so that lag tools see progress, and a start what the broker has; where to read on is said by
 * seek().
 *
 * Each lane has a queue of its own, filled ahead by librdkafka up to a bound: a lane that is not
 * fetched stops being read, and holds up no other. The bounds are shared out among the lanes (about
 * 60,000 records and 64 MiB in all), so that memory does not grow with their number.
 *
 * A broker that goes away does not end anything: fetch gives ST_EAGAIN until librdkafka is
 * connected again, also on lanes that had been read to their end, because nobody knows what they
 * hold now. ST_ENOTFOUND: the offset to be read next is gone, or was never there; ST_EIO: nothing
 * more can come of this lane (no right to read it, the topic was deleted, a damaged batch). error()
 * says which.
 */
#ifndef INGEST_SOURCE_KAFKA_H
#define INGEST_SOURCE_KAFKA_H

#include "base/conf.h"
#include "ingest/lineage.h"
#include "ingest/source.h"

struct rd_kafka_topic_partition_list_s; /* librdkafka's */

struct source_kafka_topic {
    const char *name;
    uint16_t stream; /* index into the schema's streams, or LABEL_STREAM */
};

/* Read during create only. */
struct source_kafka_options {
    const char *brokers; /* host:port,... */
    const char *group;   /* NULL: "freshet" */
    const struct source_kafka_topic *topics;
    size_t n_topics;
    const struct conf_map
        *properties;   /* librdkafka's own settings, over our defaults; may be NULL */
    int timeout_ms;    /* for the brokers to answer at start; 0: 10 s */
    int fetch_wait_ms; /* how long a broker may hold an empty fetch; 0: 10. The embedded broker does
                          not cut it short when something arrives: there it is latency */
};

/* Lanes in the order of the topics, then of partitions. Waits for the brokers.
 * Returns ST_EINVAL (a setting), ST_ENOTFOUND (no such topic), ST_EIO (no answer); a line goes to
 * error. */
STATUS_CHECKED enum status source_kafka_create(const struct source_kafka_options *options,
                                               struct buf *error, struct source **ret);

/* Would create take these settings? Asks no broker. Returns ST_EINVAL with a line in error. */
STATUS_CHECKED enum status source_kafka_check(const struct conf_map *properties, struct buf *error);

/* Tells the group that everything below these offsets is done with; their metadata goes along. Sent
 * while records are fetched or waited for, at most once a second, and when the source is freed; of
 * several only the last. A failure is kept quiet, the next one makes up for it. The list is copied.
 * Any thread may call it.
 */
void source_kafka_commit(struct source *source,
                         const struct rd_kafka_topic_partition_list_s *offsets);

/* What the group has committed, one a lane. Waits for the group's coordinator at most the timeout
 * of the start. Returns ST_EIO (see error()). */
STATUS_CHECKED enum status source_kafka_committed(struct source *source, struct group_offset *ret);

#endif
