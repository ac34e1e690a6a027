/* The part of kafka_conf.h that makes topics. */
#include "ingest/kafka_conf.h"

/* What the broker said to the one topic of a CreateTopics request. */
static rd_kafka_resp_err_t creation_result(rd_kafka_event_t *event, struct buf *why)
{
    if (!event)
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    rd_kafka_resp_err_t err = rd_kafka_event_error(event);
    if (err) {
        buf_text(why, rd_kafka_event_error_string(event));
        return err;
    }
    size_t n = 0;
    const rd_kafka_topic_result_t **topics =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n);
    if (n == 0)
        return RD_KAFKA_RESP_ERR__FAIL;
    const char *text = rd_kafka_topic_result_error_string(topics[0]);
    buf_text(why, text ? text : "");
    return rd_kafka_topic_result_error(topics[0]);
}

static rd_kafka_resp_err_t create(rd_kafka_t *client, rd_kafka_NewTopic_t *topic, int timeout_ms,
                                  struct buf *why)
{
    char text[256];
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    /* The second makes the broker answer only when the topic can be used. */
    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, text, sizeof text);
    rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms, text, sizeof text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_CreateTopics(client, &topic, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms + 1000);
    rd_kafka_resp_err_t err = creation_result(event, why);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    return err;
}

enum status kafka_topic_partitions(rd_kafka_t *client, const char *topic, int timeout_ms,
                                   struct buf *error, int *ret)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
    if (!handle) {
        buf_printf(error, "topic `%s`: %s", topic, rd_kafka_err2str(rd_kafka_last_error()));
        return ST_EIO;
    }
    const struct rd_kafka_metadata *found = NULL;
    rd_kafka_resp_err_t err = rd_kafka_metadata(client, 0, handle, &found, timeout_ms);
    if (!err)
        err = found->topic_cnt == 1 ? found->topics[0].err : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    int n = err ? 0 : found->topics[0].partition_cnt;
    if (found)
        rd_kafka_metadata_destroy(found);
    rd_kafka_topic_destroy(handle);
    if (n > 0) {
        *ret = n;
        return ST_OK;
    }
    buf_printf(error, "topic `%s`: %s", topic, err ? rd_kafka_err2str(err) : "no partitions");
    bool missing =
        err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    return missing ? ST_ENOTFOUND : ST_EIO;
}

static bool is_listed(rd_kafka_t *client, const char *topic, int timeout_ms)
{
    const struct rd_kafka_metadata *all = NULL;
    if (rd_kafka_metadata(client, 1, NULL, &all, timeout_ms))
        return false;
    bool found = false;
    for (int i = 0; i < all->topic_cnt && !found; i++)
        found = strcmp(all->topics[i].topic, topic) == 0 && all->topics[i].err == 0;
    rd_kafka_metadata_destroy(all);
    return found;
}

static bool can_be_had(rd_kafka_t *client, const char *topic, int timeout_ms)
{
    struct buf ignored = {0};
    int n = 0;
    bool exists = kafka_topic_partitions(client, topic, timeout_ms, &ignored, &n) == ST_OK;
    buf_done(&ignored);
    return exists;
}

/* All topics are listed first, because to ask for one that is not there makes some brokers create
 * it with a number of partitions of their own. Where creation fails, for want of the right or of
 * that request, such a topic is better than none. */
enum status kafka_topic_ensure(rd_kafka_t *client, const char *topic, int partitions,
                               int replication, int timeout_ms, struct buf *error)
{
    if (is_listed(client, topic, timeout_ms))
        return ST_OK;
    char text[256];
    rd_kafka_NewTopic_t *new_topic =
        rd_kafka_NewTopic_new(topic, partitions, replication, text, sizeof text);
    if (!new_topic) {
        buf_printf(error, "topic `%s`: %s", topic, text);
        return ST_EINVAL;
    }
    struct buf why = {0};
    rd_kafka_resp_err_t err = create(client, new_topic, timeout_ms, &why);
    bool good = err == 0 || err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS ||
                can_be_had(client, topic, timeout_ms);
    if (!good)
        buf_printf(error, "topic `%s` cannot be made: %s%s%.*s", topic, rd_kafka_err2str(err),
                   why.len ? ": " : "", (int)why.len, why.data ? why.data : "");
    rd_kafka_NewTopic_destroy(new_topic);
    buf_done(&why);
    return good ? ST_OK : ST_EIO;
}
