/*
 * tests/kafka_fixture.h -- an embedded broker with a plain librdkafka client on either side, for
 * the tests of our own source and sink. Header-only; everything must be made inside the test,
 * because Criterion forks.
 */
#ifndef TESTS_KAFKA_FIXTURE_H
#define TESTS_KAFKA_FIXTURE_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "ingest/broker_embedded.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct fixture {
    struct broker_embedded *broker;
    rd_kafka_t *producer;
};

static inline rd_kafka_t *fixture_client(rd_kafka_type_t type, const char *brokers)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text);
    rd_kafka_conf_set(conf, "group.id", "fixture", text, sizeof text);
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", text, sizeof text);
    rd_kafka_conf_set(conf, "auto.offset.reset", "earliest", text, sizeof text);
    rd_kafka_conf_set(conf, "fetch.wait.max.ms", "1", text, sizeof text);
    rd_kafka_conf_set(conf, "log_level", "0", text, sizeof text);
    return rd_kafka_new(type, conf, text, sizeof text);
}

static inline struct fixture fixture_start(const struct embedded_topic *topics, size_t n)
{
    struct fixture f = {0};
    if (broker_embedded_start(topics, n, &f.broker) == ST_OK)
        f.producer = fixture_client(RD_KAFKA_PRODUCER, broker_embedded_address(f.broker));
    return f;
}

static inline void fixture_stop(struct fixture *f)
{
    rd_kafka_destroy(f->producer);
    broker_embedded_stop(f->broker);
}

/* Queued only; see fixture_flush(). Yields while the producer's queue is full. */
static inline void fixture_produce(struct fixture *f, const char *topic, int partition,
                                   const void *payload, size_t len, int64_t ms)
{
    while (rd_kafka_producev(f->producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                             RD_KAFKA_V_VALUE((void *)(uintptr_t)payload, len),
                             RD_KAFKA_V_TIMESTAMP(ms),
                             RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(f->producer, 10);
}

static inline void fixture_flush(struct fixture *f)
{
    rd_kafka_flush(f->producer, 20000);
}

/* A timestamp of 0 would mean now. */
#define FIXTURE_MS(number) (1 + (int64_t)(number))

/* Records from..to-1 as decimal text, stamped FIXTURE_MS(). */
static inline void fixture_count(struct fixture *f, const char *topic, int partition, int from,
                                 int to)
{
    char text[16];
    for (int i = from; i < to; i++)
        fixture_produce(f, topic, partition, text, (size_t)snprintf(text, sizeof text, "%d", i),
                        FIXTURE_MS(i));
    fixture_flush(f);
}

/* Hands every message of a topic as it is now to fn: partition after partition, in order. */
static inline void fixture_read(struct fixture *f, const char *topic, int partitions,
                                void (*fn)(void *arg, const rd_kafka_message_t *message), void *arg)
{
    rd_kafka_t *consumer = fixture_client(RD_KAFKA_CONSUMER, broker_embedded_address(f->broker));
    rd_kafka_poll_set_consumer(consumer);
    for (int i = 0; i < partitions; i++) {
        rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = 0;
        rd_kafka_assign(consumer, list);
        rd_kafka_topic_partition_list_destroy(list);
        for (bool end = false; !end;) {
            rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 10000);
            end = !message || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
            if (message && !message->err)
                fn(arg, message);
            if (message)
                rd_kafka_message_destroy(message);
        }
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
}

static inline double fixture_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
