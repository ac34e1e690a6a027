#include <stdlib.h>

#include "ingest/sink_kafka_internal.h"

enum fate sink_kafka_fate(rd_kafka_resp_err_t err)
{
    switch ((int)err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return FATE_WRITTEN;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
        return FATE_REFUSED;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
        return FATE_AT_FAULT;
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR__DESTROY:
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
        return FATE_UNKNOWN;
    default:
        return FATE_AGAIN;
    }
}

void sink_kafka_refuse(struct sink_kafka *self, uint64_t row, rd_kafka_resp_err_t err)
{
    if (self->head.refused)
        self->head.refused(self->head.refused_arg, row, rd_kafka_err2str(err));
    ack_window_mark(&self->window, row, true);
}

static struct sink_kafka_spare *spare_of(const rd_kafka_message_t *message, uint64_t row)
{
    struct sink_kafka_spare *spare = calloc(1, sizeof *spare);
    if (!spare)
        abort(); /* as base/bytes.h does: a batch at most is copied */
    spare->row = row;
    spare->topic = message->rkt;
    buf_append(&spare->key, message->key, message->key_len);
    buf_append(&spare->payload, message->payload, message->len);
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(message, &headers) == 0)
        spare->headers = rd_kafka_headers_copy(headers);
    return spare;
}

static void spare_free(struct sink_kafka_spare *spare)
{
    buf_done(&spare->key);
    buf_done(&spare->payload);
    if (spare->headers)
        rd_kafka_headers_destroy(spare->headers);
    free(spare);
}

static void take_first(struct sink_kafka *self)
{
    struct sink_kafka_spare *spare = self->spares;
    self->spares = spare->next;
    if (!self->spares)
        self->spares_end = &self->spares;
    spare_free(spare);
}

void sink_kafka_drop_spares(struct sink_kafka *self)
{
    while (self->spares)
        take_first(self);
}

/* Of the row that was sent alone: it is the first of the spares, and stays there to be tried again
 * unless its fate is decided. */
static void report_spare(struct sink_kafka *self, enum fate fate, rd_kafka_resp_err_t err)
{
    uint64_t row = self->spares->row;
    self->spare_sent = false;
    if (fate == FATE_WRITTEN)
        ack_window_mark(&self->window, row, false);
    else if (fate == FATE_REFUSED || fate == FATE_AT_FAULT)
        sink_kafka_refuse(self, row, err);
    else
        return;
    take_first(self);
}

void sink_kafka_report(rd_kafka_t *client, const rd_kafka_message_t *message, void *arg)
{
    struct sink_kafka *self = arg;
    uint64_t row = (uint64_t)(uintptr_t)message->_private - 1;
    enum fate fate = message->err && rd_kafka_fatal_error(client, NULL, 0)
                         ? FATE_UNKNOWN
                         : sink_kafka_fate(message->err);
    self->in_flight--;
    if (self->txn.on) {
        txn_report(self, row, fate, message->err);
    } else if (self->spare_sent) {
        report_spare(self, fate, message->err);
    } else if (fate == FATE_WRITTEN) {
        ack_window_mark(&self->window, row, false);
    } else if (fate == FATE_REFUSED) {
        sink_kafka_refuse(self, row, message->err);
    } else if (fate != FATE_UNKNOWN) {
        *self->spares_end = spare_of(message, row);
        self->spares_end = &(*self->spares_end)->next;
    }
}

void sink_kafka_send_spare(struct sink_kafka *self)
{
    struct sink_kafka_spare *spare = self->spares;
    if (!spare || self->in_flight > 0 || self->failed < 0)
        return;
    rd_kafka_headers_t *headers = spare->headers ? rd_kafka_headers_copy(spare->headers) : NULL;
    rd_kafka_resp_err_t err = rd_kafka_producev(
        self->client, RD_KAFKA_V_RKT(spare->topic), RD_KAFKA_V_PARTITION(RD_KAFKA_PARTITION_UA),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(spare->key.len ? spare->key.data : NULL, spare->key.len),
        RD_KAFKA_V_VALUE(spare->payload.data, spare->payload.len), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_OPAQUE(sink_kafka_opaque(spare->row)), RD_KAFKA_V_END);
    if (err) {
        if (headers)
            rd_kafka_headers_destroy(headers);
        return; /* it waits for the next poll */
    }
    self->spare_sent = true;
    self->in_flight++;
}
