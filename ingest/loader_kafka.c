#include "ingest/loader_kafka.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>

struct loader_kafka {
    rd_kafka_t *producer;
    uint64_t refused;
};

static void on_report(rd_kafka_t *producer, const rd_kafka_message_t *message, void *arg)
{
    (void)producer;
    struct loader_kafka *loader = arg;
    loader->refused += message->err != RD_KAFKA_RESP_ERR_NO_ERROR;
}

enum status loader_kafka_create(const char *brokers, struct buf *error, struct loader_kafka **ret)
{
    static const char *const settings[][2] = {
        {"linger.ms", "2"}, {"enable.idempotence", "true"}, {"partitioner", "murmur2_random"}};
    char text[256] = "";
    struct loader_kafka *loader = calloc(1, sizeof *loader);
    if (!loader)
        return ST_ENOMEM;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof text);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_opaque(conf, loader);
    loader->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!loader->producer) {
        buf_text(error, text);
        rd_kafka_conf_destroy(conf);
        free(loader);
        return ST_EINVAL;
    }
    *ret = loader;
    return ST_OK;
}

void loader_kafka_free(struct loader_kafka *loader)
{
    if (!loader)
        return;
    rd_kafka_purge(loader->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy(loader->producer);
    free(loader);
}

static rd_kafka_resp_err_t produce(struct loader_kafka *loader, const char *topic, struct slice key,
                                   struct slice payload, int64_t time)
{
    return rd_kafka_producev(loader->producer, RD_KAFKA_V_TOPIC(topic),
                             RD_KAFKA_V_KEY((void *)(uintptr_t)key.data, key.len),
                             RD_KAFKA_V_VALUE((void *)(uintptr_t)payload.data, payload.len),
                             RD_KAFKA_V_TIMESTAMP(time / 1000),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
}

enum status loader_kafka_send(struct loader_kafka *loader, const char *topic, struct slice key,
                              struct slice payload, int64_t time)
{
    rd_kafka_resp_err_t err;
    while ((err = produce(loader, topic, key, payload, time)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(loader->producer, 100);
    rd_kafka_poll(loader->producer, 0);
    return err ? ST_EIO : ST_OK;
}

enum status loader_kafka_flush(struct loader_kafka *loader, int timeout_ms)
{
    if (rd_kafka_flush(loader->producer, timeout_ms) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return ST_EAGAIN;
    return loader->refused ? ST_EIO : ST_OK;
}
