#include "ingest/broker_embedded.h"

#include <stdlib.h>
#include <string.h>

#include "ingest/kafka_conf.h"

#include <librdkafka/rdkafka_mock.h>

struct broker_embedded {
    rd_kafka_t *client; /* the cluster needs one to live in; it connects to nothing */
    rd_kafka_mock_cluster_t *cluster;
};

static enum status make_client(struct broker_embedded *broker)
{
    struct kafka_conf_spec spec = {.brokers = ""};
    struct buf error = {0};
    rd_kafka_conf_t *conf = NULL;
    enum status st = kafka_conf_create(&spec, &error, &conf);
    if (st == ST_OK)
        st = kafka_client_create(RD_KAFKA_PRODUCER, conf, &error, &broker->client);
    buf_done(&error);
    return st;
}

static enum status make_topics(struct broker_embedded *broker, const struct embedded_topic *topics,
                               size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (topics[i].partitions < 1 ||
            rd_kafka_mock_topic_create(broker->cluster, topics[i].name, topics[i].partitions, 1))
            return ST_EINVAL;
    return ST_OK;
}

enum status broker_embedded_start(const struct embedded_topic *topics, size_t n,
                                  struct broker_embedded **ret)
{
    struct broker_embedded *broker = calloc(1, sizeof *broker);
    if (!broker)
        return ST_ENOMEM;
    enum status st = make_client(broker);
    if (st == ST_OK) {
        broker->cluster = rd_kafka_mock_cluster_new(broker->client, 1);
        st = broker->cluster ? make_topics(broker, topics, n) : ST_EIO;
    }
    if (st < 0) {
        broker_embedded_stop(broker);
        return st;
    }
    *ret = broker;
    return ST_OK;
}

void broker_embedded_stop(struct broker_embedded *broker)
{
    if (!broker)
        return;
    if (broker->cluster)
        rd_kafka_mock_cluster_destroy(broker->cluster);
    if (broker->client)
        rd_kafka_destroy(broker->client);
    free(broker);
}

const char *broker_embedded_address(const struct broker_embedded *broker)
{
    return rd_kafka_mock_cluster_bootstraps(broker->cluster);
}

struct rd_kafka_mock_cluster_s *broker_embedded_mock(struct broker_embedded *broker)
{
    return broker->cluster;
}
