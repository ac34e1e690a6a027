#include "online/kafka_ends.h"

#include <stdlib.h>

#include "base/log.h"
#include "ingest/sink_kafka.h"
#include "ingest/source_kafka.h"

enum { TOPICS_MAX = 66, FENCE_MS = 60 * 1000 };

static enum status start_broker(const struct settings *settings, struct kafka_ends *ends)
{
    struct embedded_topic topics[TOPICS_MAX];
    size_t n = 0;
    int partitions = (int)settings->kafka.partitions;
    for (size_t i = 0; i < settings->schema.n_streams && n < TOPICS_MAX - 3; i++)
        topics[n++] = (struct embedded_topic){settings->schema.streams[i].topic, partitions};
    if (settings->schema.labels.present)
        topics[n++] = (struct embedded_topic){settings->schema.labels.topic, partitions};
    topics[n++] = (struct embedded_topic){settings->scores.topic, partitions};
    topics[n++] = (struct embedded_topic){settings->scores.dead_letters, 1};
    enum status st = broker_embedded_start(topics, n, &ends->broker);
    if (st < 0) {
        log_error("broker.start", "why=\"%s\"", status_text(st));
        return st;
    }
    ends->brokers = broker_embedded_address(ends->broker);
    log_info("broker.embedded", "address=%s", ends->brokers);
    return ST_OK;
}

static enum status open_source(const struct settings *settings, struct kafka_ends *ends)
{
    struct source_kafka_topic topics[TOPICS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < settings->schema.n_streams && n < TOPICS_MAX - 1; i++)
        topics[n++] = (struct source_kafka_topic){settings->schema.streams[i].topic, (uint16_t)i};
    if (settings->schema.labels.present)
        topics[n++] = (struct source_kafka_topic){settings->schema.labels.topic, LABEL_STREAM};
    struct source_kafka_options options = {
        .brokers = ends->brokers,
        .group = settings->kafka.group,
        .topics = topics,
        .n_topics = n,
        .properties = &settings->kafka.properties,
        .fetch_wait_ms = ends->broker ? 1 : 0,
    };
    struct buf error = {0};
    enum status st = source_kafka_create(&options, &error, &ends->source);
    if (st < 0)
        log_error("source.open", "brokers=%s why=\"%s: %.*s\"", ends->brokers, status_text(st),
                  (int)error.len, error.len ? error.data : "");
    buf_done(&error);
    return st;
}

enum status kafka_ends_open_source(const struct settings *settings, struct source **ret)
{
    struct kafka_ends ends = {.brokers = settings->kafka.brokers};
    TRY(open_source(settings, &ends));
    *ret = ends.source;
    return ST_OK;
}

static void tell_group(void *arg, const struct rd_kafka_topic_partition_list_s *offsets)
{
    source_kafka_commit(arg, offsets);
}

static enum status open_sink(const struct settings *settings, struct kafka_ends *ends)
{
    struct sink_kafka_options options = {
        .brokers = ends->brokers,
        .topics = {[CHANNEL_SCORES] = settings->scores.topic,
                   [CHANNEL_DEAD] = settings->scores.dead_letters},
        .partitions = ends->broker ? 0 : (int)settings->kafka.partitions,
        .replication = (int)settings->kafka.replication,
        .properties = &settings->kafka.properties,
        .transactional_id =
            settings->delivery == EXACTLY_ONCE ? settings->kafka.transactional_id : NULL,
        .group = settings->kafka.group,
        .tell = tell_group,
        .tell_arg = ends->source,
    };
    struct buf error = {0};
    enum status st = sink_kafka_create(&options, &error, &ends->sink);
    if (st < 0)
        log_error("sink.open", "brokers=%s why=\"%s: %.*s\"", ends->brokers, status_text(st),
                  (int)error.len, error.len ? error.data : "");
    buf_done(&error);
    return st;
}

enum status kafka_ends_open(const struct settings *settings, struct kafka_ends *ret)
{
    struct kafka_ends ends = {.brokers = settings->kafka.brokers};
    enum status st = ST_OK;
    if (strcmp(settings->kafka.brokers, "embedded") == 0)
        st = start_broker(settings, &ends);
    if (st == ST_OK)
        st = open_source(settings, &ends);
    if (st == ST_OK)
        st = open_sink(settings, &ends);
    if (st < 0)
        kafka_ends_close(&ends);
    else
        *ret = ends;
    return st;
}

enum status kafka_ends_resume(struct kafka_ends *ends, struct group_offset *ret)
{
    enum status st = sink_kafka_fence(ends->sink, FENCE_MS);
    if (st < 0) {
        log_error("sink.fence", "brokers=%s why=\"%s\"", ends->brokers,
                  ends->sink->ops->error(ends->sink));
        return st;
    }
    st = source_kafka_committed(ends->source, ret);
    if (st < 0)
        log_error("source.group", "brokers=%s why=\"%s\"", ends->brokers,
                  ends->source->ops->error(ends->source));
    return st;
}

/* Clients go before the broker that they are connected to. */
void kafka_ends_close(struct kafka_ends *ends)
{
    if (ends->source)
        ends->source->ops->free(ends->source);
    if (ends->sink)
        ends->sink->ops->free(ends->sink);
    broker_embedded_stop(ends->broker);
    *ends = (struct kafka_ends){0};
}
