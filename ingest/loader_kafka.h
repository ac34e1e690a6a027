/*
 * ingest/loader_kafka.h -- puts made-up or recorded events on topics, stamped with their event
 * time.
 *
 *     TRY(loader_kafka_create("127.0.0.1:9092", &error, &loader));
 *     TRY(loader_kafka_send(loader, "transactions", id, json, time));
 *     TRY(loader_kafka_flush(loader, 10000));
 *
 * For demonstrations, `generate` and tests; the service itself sends through sink_kafka.h.
 */
#ifndef INGEST_LOADER_KAFKA_H
#define INGEST_LOADER_KAFKA_H

#include "base/bytes.h"
#include "base/status.h"

struct loader_kafka;

/* Returns ST_EINVAL; a line goes to error. Does not wait for the broker. */
STATUS_CHECKED enum status loader_kafka_create(const char *brokers, struct buf *error,
                                               struct loader_kafka **ret);
/* What was not flushed is lost. NULL is allowed. */
void loader_kafka_free(struct loader_kafka *loader);

/* key and payload are copied; the same key always goes to the same partition. time: us, becomes the
 * record's timestamp. Waits while the queue is full. Returns ST_EIO. */
STATUS_CHECKED enum status loader_kafka_send(struct loader_kafka *loader, const char *topic,
                                             struct slice key, struct slice payload, int64_t time);
/* Waits until all is acknowledged. Returns ST_EAGAIN after timeout_ms, ST_EIO if some were refused.
 */
STATUS_CHECKED enum status loader_kafka_flush(struct loader_kafka *loader, int timeout_ms);

#endif
