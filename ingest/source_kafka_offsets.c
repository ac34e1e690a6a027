#include <assert.h>
#include <inttypes.h>

#include "ingest/source_kafka_internal.h"

enum {
    NUDGE_MIN = 1000, /* queued records from which on a broker thread may be asleep */
    DOUBT_MS = 100,   /* for the brokers to say what a lane holds after a disconnection */
    DOUBT_EVERY_US = 1000 * 1000,
    COMMIT_EVERY_US = 1000 * 1000,
    COMMIT_AGAIN_US = 20 * 1000,
};

rd_kafka_topic_partition_list_t *source_kafka_list(const struct source_kafka *self, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)self->n_lanes);
    for (size_t i = 0; i < self->n_lanes; i++)
        rd_kafka_topic_partition_list_add(list, self->lanes[i].topic, self->lanes[i].info.partition)
            ->offset = offset;
    return list;
}

/* Asks the leaders of the listed partitions where their logs begin or end, as the offsets say
 * (RD_KAFKA_OFFSET_BEGINNING or END): to the protocol those are two special times. One request a
 * broker. */
static rd_kafka_resp_err_t ask(struct source_kafka *self, rd_kafka_topic_partition_list_t *list,
                               int timeout_ms)
{
    rd_kafka_resp_err_t err = rd_kafka_offsets_for_times(self->client, list, timeout_ms);
    for (int i = 0; !err && i < list->cnt; i++)
        err = list->elems[i].err;
    return err;
}

rd_kafka_resp_err_t source_kafka_ask_bounds(struct source_kafka *self, int timeout_ms)
{
    rd_kafka_topic_partition_list_t *low = source_kafka_list(self, RD_KAFKA_OFFSET_BEGINNING);
    rd_kafka_topic_partition_list_t *high = source_kafka_list(self, RD_KAFKA_OFFSET_END);
    rd_kafka_resp_err_t err = ask(self, low, timeout_ms);
    if (!err)
        err = ask(self, high, timeout_ms);
    for (size_t i = 0; !err && i < self->n_lanes; i++) {
        self->lanes[i].low = low->elems[i].offset;
        self->lanes[i].high = high->elems[i].offset;
    }
    rd_kafka_topic_partition_list_destroy(low);
    rd_kafka_topic_partition_list_destroy(high);
    return err;
}

enum status source_kafka_fail_offset(struct source_kafka *self, const struct kafka_lane *lane)
{
    return source_kafka_fail(
        self, ST_ENOTFOUND,
        "%s [%" PRId32 "]: offset %" PRId64 " %s: the log holds [%" PRId64 ", %" PRId64 ")",
        lane->topic, lane->info.partition, lane->next,
        lane->next < lane->low ? "is gone, deleted by the topic's retention"
                               : "was never there, as if the topic had been made anew",
        lane->low, lane->high);
}

enum status source_kafka_seek(struct source *source, size_t i, int64_t offset)
{
    struct source_kafka *self = source_kafka_of(source);
    struct kafka_lane *lane = &self->lanes[i];
    assert(!self->started);
    lane->next = offset;
    if (offset >= lane->low && offset <= lane->high)
        return ST_OK;
    enum status st = source_kafka_fail_offset(self, lane);
    lane->next = lane->low;
    return st;
}

/* The end of the log as the last fetch told it; before the first, as it was at the start. */
int64_t source_kafka_lag(struct source *source, size_t i)
{
    struct source_kafka *self = source_kafka_of(source);
    const struct kafka_lane *lane = &self->lanes[i];
    int64_t low = -1, high = -1;
    rd_kafka_get_watermark_offsets(self->client, lane->topic, lane->info.partition, &low, &high);
    if (high < lane->high)
        high = lane->high;
    return lane->at_end || high < lane->next ? 0 : high - lane->next;
}

/* A broker thread whose lanes are all full sleeps for up to a second, and is not woken by their
 * being emptied (librdkafka 2.0.2). A request wakes it; with no time given for the answer, nobody
 * waits for that. A queue that is less than half of what it was may belong to a sleeper. */
void source_kafka_nudge(struct source_kafka *self, struct kafka_lane *lane)
{
    size_t queued = rd_kafka_queue_length(lane->queue);
    if (queued > lane->queued_most)
        lane->queued_most = queued;
    if (lane->queued_most < NUDGE_MIN || queued >= lane->queued_most / 2)
        return;
    lane->queued_most = queued;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, lane->topic, lane->info.partition)->offset =
        RD_KAFKA_OFFSET_END;
    ask(self, list, 0);
    rd_kafka_topic_partition_list_destroy(list);
}

/* Lanes that are still at their end stay so; the others will get records. */
void source_kafka_settle(struct source_kafka *self)
{
    if (source_kafka_now() - self->doubt_asked < DOUBT_EVERY_US)
        return;
    rd_kafka_topic_partition_list_t *list = source_kafka_list(self, RD_KAFKA_OFFSET_END);
    if (ask(self, list, DOUBT_MS) == 0) {
        self->in_doubt = false;
        for (size_t i = 0; i < self->n_lanes; i++) {
            struct kafka_lane *lane = &self->lanes[i];
            lane->high = list->elems[i].offset;
            lane->at_end = lane->at_end && lane->next >= lane->high;
            lane->in_doubt = false;
        }
    }
    self->doubt_asked = source_kafka_now();
    rd_kafka_topic_partition_list_destroy(list);
}

/* The group's offsets. */

void source_kafka_commit(struct source *source, const rd_kafka_topic_partition_list_t *offsets)
{
    struct source_kafka *self = source_kafka_of(source);
    rd_kafka_topic_partition_list_t *copy = rd_kafka_topic_partition_list_copy(offsets);
    pthread_mutex_lock(&self->lock);
    rd_kafka_topic_partition_list_t *old = self->to_commit;
    self->to_commit = copy;
    pthread_mutex_unlock(&self->lock);
    if (old)
        rd_kafka_topic_partition_list_destroy(old);
}

static rd_kafka_topic_partition_list_t *take_commit(struct source_kafka *self)
{
    pthread_mutex_lock(&self->lock);
    rd_kafka_topic_partition_list_t *offsets = self->to_commit;
    self->to_commit = NULL;
    pthread_mutex_unlock(&self->lock);
    return offsets;
}

void source_kafka_send_commit(struct source_kafka *self)
{
    int64_t now = source_kafka_now();
    if (now - self->committed_at < COMMIT_EVERY_US)
        return;
    self->committed_at = now;
    rd_kafka_topic_partition_list_t *offsets = take_commit(self);
    if (!offsets)
        return;
    rd_kafka_commit(self->client, offsets, 1);
    rd_kafka_topic_partition_list_destroy(offsets);
}

/* The broker's answer, or that there was none in time. */
static rd_kafka_resp_err_t commit_and_wait(struct source_kafka *self, rd_kafka_queue_t *queue,
                                           const rd_kafka_topic_partition_list_t *offsets,
                                           int64_t until)
{
    int64_t left_ms = (until - source_kafka_now()) / 1000;
    rd_kafka_resp_err_t err = rd_kafka_commit_queue(self->client, offsets, queue, NULL, NULL);
    if (err || left_ms <= 0)
        return err ? err : RD_KAFKA_RESP_ERR__TIMED_OUT;
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, (int)left_ms);
    if (!event)
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    err = rd_kafka_event_error(event);
    rd_kafka_event_destroy(event);
    return err;
}

void source_kafka_finish_commit(struct source_kafka *self, int timeout_ms)
{
    rd_kafka_topic_partition_list_t *offsets = take_commit(self);
    if (!offsets)
        return;
    struct bell never = {0};
    int64_t until = source_kafka_now() + timeout_ms * INT64_C(1000);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(self->client);
    while (commit_and_wait(self, queue, offsets, until) != RD_KAFKA_RESP_ERR_NO_ERROR &&
           source_kafka_now() < until)
        bell_wait(&never, 0, COMMIT_AGAIN_US);
    rd_kafka_queue_destroy(queue);
    rd_kafka_topic_partition_list_destroy(offsets);
}

static struct group_offset committed_of(const rd_kafka_topic_partition_t *from)
{
    struct group_offset to = {.next = from->offset < 0 ? -1 : from->offset};
    struct slice note = {from->metadata, from->metadata_size};
    if (to.next >= 0 && !lineage_parse_note(note, &to.life, &to.epoch))
        to.life = to.epoch = 0;
    return to;
}

enum status source_kafka_committed(struct source *source, struct group_offset *ret)
{
    struct source_kafka *self = source_kafka_of(source);
    rd_kafka_topic_partition_list_t *list = source_kafka_list(self, RD_KAFKA_OFFSET_INVALID);
    rd_kafka_resp_err_t err = rd_kafka_committed(self->client, list, self->timeout_ms);
    for (int i = 0; !err && i < list->cnt; i++)
        err = list->elems[i].err;
    for (int i = 0; !err && i < list->cnt; i++)
        ret[i] = committed_of(&list->elems[i]);
    rd_kafka_topic_partition_list_destroy(list);
    if (err)
        return source_kafka_fail(self, ST_EIO, "kafka: the group's offsets cannot be read: %s",
                                 rd_kafka_err2str(err));
    return ST_OK;
}
