/* A producer that ends for want of anything to abort, and the next one in its place.
 *
 * A transaction whose first rows are for topics that nobody may write registers nothing with the
 * coordinator. librdkafka asks it all the same to abort (it cannot know whether its request
 * arrived); the coordinator, for which the last transaction is committed, answers that its state is
 * not one to abort from; and librdkafka holds that to be the producer's end. Nothing was written
 * and nothing is open. */
#include "ingest/sink_kafka_internal.h"

/* The coordinator looks at the producer's epoch first: so nobody has taken over. */
bool txn_had_nothing_to_abort(const struct sink_kafka *self)
{
    return rd_kafka_fatal_error(self->client, NULL, 0) == RD_KAFKA_RESP_ERR_INVALID_TXN_STATE;
}

/* Reports that were not polled will not come. */
static void close_client(rd_kafka_t *client, rd_kafka_topic_t *topics[CHANNEL_COUNT])
{
    for (size_t i = 0; i < CHANNEL_COUNT; i++)
        if (topics[i])
            rd_kafka_topic_destroy(topics[i]);
    rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy(client);
}

static bool open_topics(rd_kafka_t *client, rd_kafka_topic_t *const like[CHANNEL_COUNT],
                        rd_kafka_topic_t *ret[CHANNEL_COUNT])
{
    bool all = true;
    for (size_t i = 0; i < CHANNEL_COUNT; i++) {
        ret[i] = like[i] ? rd_kafka_topic_new(client, rd_kafka_topic_name(like[i]), NULL) : NULL;
        all &= !like[i] == !ret[i];
    }
    return all;
}

enum status txn_renew(struct sink_kafka *self)
{
    rd_kafka_topic_t *topics[CHANNEL_COUNT];
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(rd_kafka_conf(self->client));
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, self->error, sizeof self->error);
    if (!client) {
        rd_kafka_conf_destroy(conf);
        return ST_EIO;
    }
    if (!open_topics(client, self->topics, topics)) {
        close_client(client, topics);
        return ST_EIO;
    }
    close_client(self->client, self->topics);
    self->client = client;
    memcpy(self->topics, topics, sizeof topics);
    self->in_flight = self->round_rows = 0;
    self->failed = ST_OK; /* the old one's end may have been told meanwhile */
    return ST_OK;
}
