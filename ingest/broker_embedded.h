/*
 * ingest/broker_embedded.h -- a Kafka broker inside this process, for the demo, tests and small
 * installations: librdkafka's mock cluster.
 *
 *     struct embedded_topic topics[] = {{"transactions", 4}, {"scores", 1}};
 *     struct broker_embedded *broker = NULL;
 *     TRY(broker_embedded_start(topics, 2, &broker));
 *     ... connect anything to broker_embedded_address(broker) ...
 *     broker_embedded_stop(broker);
 *
 * Any Kafka client can connect, over loopback only. It keeps everything in memory, and of each
 * partition at most the last 5 MiB: whoever reads slower loses what was dropped, and is told so by
 * an offset that is gone. It has no transactions that mean anything, no topic administration, and
 * it forgets everything when it stops: each start is a new incarnation, whose offsets begin at 0. A
 * topic not named at the start gets 4 partitions when a producer asks for it. An empty fetch is
 * held for as long as the reader allows, even if something arrives meanwhile.
 */
#ifndef INGEST_BROKER_EMBEDDED_H
#define INGEST_BROKER_EMBEDDED_H

#include <stddef.h>

#include "base/status.h"

struct broker_embedded;

struct embedded_topic {
    const char *name;
    int partitions;
};

/* Returns ST_EINVAL for a topic that cannot be made, ST_ENOMEM, ST_EIO (no port to be had). */
STATUS_CHECKED enum status broker_embedded_start(const struct embedded_topic *topics, size_t n,
                                                 struct broker_embedded **ret);
/* Disconnects all. NULL is allowed. Clients should be gone before. */
void broker_embedded_stop(struct broker_embedded *broker);

/* "127.0.0.1:PORT"; lives as long as the broker. */
const char *broker_embedded_address(const struct broker_embedded *broker);

/* librdkafka's handle, for tests that inject faults (rdkafka_mock.h). */
struct rd_kafka_mock_cluster_s *broker_embedded_mock(struct broker_embedded *broker);

#endif
