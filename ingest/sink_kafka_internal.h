/*
 * ingest/sink_kafka_internal.h -- the inside of the Kafka sink: sink_kafka.c makes it and sends
 * rows, sink_kafka_reports.c takes what the brokers say to them.
 */
#ifndef INGEST_SINK_KAFKA_INTERNAL_H
#define INGEST_SINK_KAFKA_INTERNAL_H

#include "ingest/ack_window.h"
#include "ingest/kafka_conf.h"
#include "ingest/sink_kafka.h"

/* A row whose batch was refused, kept to be sent by itself. */
struct sink_kafka_spare {
    uint64_t row;
    rd_kafka_topic_t *topic; /* the sink's */
    rd_kafka_headers_t *headers;
    struct buf key, payload;
    struct sink_kafka_spare *next;
};

struct sink_kafka {
    struct sink head;
    rd_kafka_t *client;
    rd_kafka_topic_t *topics[CHANNEL_COUNT];
    sink_kafka_refused_fn refused;
    void *arg;
    struct ack_window window;
    uint64_t in_flight;                            /* rows that librdkafka has */
    struct sink_kafka_spare *spares, **spares_end; /* oldest first */
    bool spare_sent;                               /* the first of them is in flight, alone */
    enum status failed;                            /* ST_OK, or what everything gives from now on */
    char error[512];
};

/* librdkafka's delivery report; arg is the sink. */
void sink_kafka_report(rd_kafka_t *client, const rd_kafka_message_t *message, void *arg);
/* Ends waiting for a row that will never be written. */
void sink_kafka_refuse(struct sink_kafka *self, uint64_t row, rd_kafka_resp_err_t err);
/* Sends the first spare, once nothing else is in flight. */
void sink_kafka_send_spare(struct sink_kafka *self);
void sink_kafka_drop_spares(struct sink_kafka *self);

/* The row's number travels as the message's opaque; + 1, because NULL means none. */
static inline void *sink_kafka_opaque(uint64_t row)
{
    return (void *)(uintptr_t)(row + 1);
}

#endif
