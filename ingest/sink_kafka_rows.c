/* Rows, handed to librdkafka a request's worth at a time. */
#include <stdio.h>

#include "base/number.h"
#include "ingest/sink_kafka_internal.h"

enum {
    TOPIC_MAX = 249, /* of Kafka's names */
    SOURCE_MAX = TOPIC_MAX + 3 * (1 + NUMBER_TEXT_MAX),
    ROUND_BYTES = 800 * 1000, /* below librdkafka's batch.size, with what a row has around it */
};

static inline void add_header(rd_kafka_headers_t *headers, const char *name, struct slice value)
{
    rd_kafka_header_add(headers, name, (ssize_t)strlen(name), value.data, (ssize_t)value.len);
}

static void add_number(rd_kafka_headers_t *headers, const char *name, int64_t v)
{
    char text[NUMBER_TEXT_MAX];
    add_header(headers, name, (struct slice){text, number_from_int(v, text)});
}

/* What a row is known by: TOPIC:PARTITION:OFFSET:ORDINAL (a topic's name has no colon). */
static struct slice source_of(const struct row *row, char text[SOURCE_MAX])
{
    size_t len = strnlen(row->topic, TOPIC_MAX);
    memcpy(text, row->topic, len);
    char *at = text + len;
    const int64_t numbers[] = {row->partition, row->offset, row->ordinal};
    for (size_t i = 0; i < 3; i++) {
        *at++ = ':';
        at += number_from_int(numbers[i], at);
    }
    return (struct slice){text, (size_t)(at - text)};
}

/* One header rather than four on every score: librdkafka allocates and copies each by itself, and
 * three more cost 0.75 us a row. Dead letters are few, and read by people. */
static rd_kafka_headers_t *headers_of(const struct row *row)
{
    char text[SOURCE_MAX];
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
    add_header(headers, "source", source_of(row, text));
    if (row->channel == CHANNEL_DEAD) {
        add_header(headers, "source.topic", slice_of(row->topic));
        add_number(headers, "source.partition", row->partition);
        add_number(headers, "source.offset", row->offset);
        add_number(headers, "source.ordinal", row->ordinal);
        add_header(headers, "reason", row->reason);
    }
    return headers;
}

static rd_kafka_resp_err_t produce(struct sink_kafka *self, const struct row *row, uint64_t number)
{
    rd_kafka_headers_t *headers = headers_of(row);
    rd_kafka_resp_err_t err = rd_kafka_producev(
        self->client, RD_KAFKA_V_RKT(self->topics[row->channel]),
        RD_KAFKA_V_PARTITION(RD_KAFKA_PARTITION_UA), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(row->key.len ? row->key.data : NULL, row->key.len),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)row->payload.data, row->payload.len),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(sink_kafka_opaque(number)), RD_KAFKA_V_END);
    if (err)
        rd_kafka_headers_destroy(headers); /* librdkafka takes them only on success */
    return err;
}

enum status sink_kafka_produce(struct sink_kafka *self, const struct row *row, uint64_t number,
                               rd_kafka_resp_err_t *ret_err)
{
    *ret_err = produce(self, row, number);
    if (*ret_err == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return ST_EAGAIN;
    if (*ret_err == RD_KAFKA_RESP_ERR__FATAL)
        return sink_kafka_fail(self, rd_kafka_err2str(*ret_err));
    return ST_OK;
}

/* Rows are handed over in rounds of what makes one request, and the next begins when nearly all of
 * it is acknowledged: librdkafka has one request of an idempotent producer in flight to a partition
 * whatever it is told, and while rows are left for another its thread asks for the answer without
 * a pause. */
static bool has_round(const struct sink_kafka *self)
{
    enum { FEW = 64 };
    if (self->round_rows == 0)
        return self->in_flight <= FEW;
    return self->round_rows < SINK_KAFKA_BATCH && self->round_bytes < ROUND_BYTES;
}

/* While spares wait to be sent alone, nothing else may be in flight. */
static bool is_full(const struct sink_kafka *self)
{
    return self->spares || ack_window_full(&self->window) || !has_round(self);
}

/* Ends a round: what it has goes out without lingering for more. */
enum status sink_kafka_end_round(struct sink *sink)
{
    enum { WAIT_MS = 1 };
    struct sink_kafka *self = sink_kafka_of(sink);
    if (self->txn.on || self->round_rows == 0)
        return ST_OK;
    self->round_rows = self->round_bytes = 0;
    rd_kafka_flush(self->client, WAIT_MS);
    return ST_OK;
}

enum status sink_kafka_send(struct sink *sink, const struct row *row)
{
    struct sink_kafka *self = sink_kafka_of(sink);
    if (!self->txn.busy && self->failed < 0)
        return self->failed;
    if (!self->topics[row->channel]) {
        snprintf(self->error, sizeof self->error, "no topic for rows of channel %d", row->channel);
        return ST_EINVAL;
    }
    if (self->txn.on)
        return txn_send(self, row);
    if (self->in_flight == 0)
        self->round_rows = self->round_bytes = 0;
    if (is_full(self))
        return ST_EAGAIN;
    rd_kafka_resp_err_t err;
    TRY(sink_kafka_produce(self, row, self->window.sent, &err));
    if (err == RD_KAFKA_RESP_ERR__STATE)
        return sink_kafka_fail(self, rd_kafka_err2str(err));
    uint64_t number = ack_window_send(&self->window);
    if (err)
        sink_kafka_refuse(self, number, err);
    else
        self->in_flight++;
    self->round_rows++;
    self->round_bytes += row->key.len + row->payload.len + row->reason.len + 64;
    return ST_OK;
}
