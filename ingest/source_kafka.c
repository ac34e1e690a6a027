#include <stdarg.h>
#include <stdio.h>

#include "ingest/event.h"
#include "ingest/source_kafka_internal.h"

enum { WAIT_IN_DOUBT_US = 1000 * 1000 };

enum status source_kafka_fail(struct source_kafka *self, enum status st, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(self->error, sizeof self->error, format, args);
    va_end(args);
    return st;
}

/* Whatever it was, no lane is known to be at its end any more. */
void source_kafka_note_event(rd_kafka_t *client, int err, const char *text, void *arg)
{
    struct source_kafka *self = arg;
    /* What was said of a single broker before tells more than that now all are down. */
    if (err != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || !self->error[0])
        source_kafka_fail(self, ST_OK, "kafka: %s", text);
    if (err == RD_KAFKA_RESP_ERR__FATAL)
        rd_kafka_fatal_error(client, self->error, sizeof self->error);
    for (size_t i = 0; i < self->n_lanes; i++) {
        self->lanes[i].in_doubt = true;
        if (err == RD_KAFKA_RESP_ERR__FATAL)
            self->lanes[i].failed = ST_EIO;
    }
    self->in_doubt = true;
    self->doubt_asked = INT64_MIN / 2;
}

/* Most errors come through the callback, a few as messages; records never come here. */
static void serve_events(struct source_kafka *self)
{
    rd_kafka_message_t *message;
    while ((message = rd_kafka_consumer_poll(self->client, 0))) {
        if (message->err)
            source_kafka_note_event(self->client, (int)message->err,
                                    rd_kafka_message_errstr(message), self);
        rd_kafka_message_destroy(message);
    }
}

/* Errors after which nothing more can come of a lane, or after which librdkafka would go on behind
 * records that it could not read. All others pass. */
static bool is_for_good(rd_kafka_resp_err_t err)
{
    switch ((int)err) {
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        return true;
    default:
        return false;
    }
}

static void note_error(struct source_kafka *self, struct kafka_lane *lane,
                       const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        lane->at_end = true;
        lane->in_doubt = false;
        lane->next = message->offset;
        return;
    }
    source_kafka_fail(self, ST_OK, "%s [%d]: %s", lane->topic, (int)lane->info.partition,
                      rd_kafka_message_errstr(message));
    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
        source_kafka_ask_bounds(self, self->timeout_ms);
        lane->failed = source_kafka_fail_offset(self, lane);
    } else if (is_for_good(message->err)) {
        lane->failed = ST_EIO;
    }
}

/* Producers may write any number; one that does not fit is refused with what is no date. */
static int64_t us_of(int64_t ms)
{
    int64_t us;
    return __builtin_mul_overflow(ms, 1000, &us) ? INT64_MAX : us;
}

static struct record_in record_of(const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    int64_t ms = rd_kafka_message_timestamp(message, &type);
    return (struct record_in){
        .payload = {message->payload, message->len},
        .offset = message->offset,
        .broker_time = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? TIME_NONE : us_of(ms),
    };
}

/* Nothing behind a failure is given out: what it stands for would be lost silently. */
static size_t take_held(struct source_kafka *self, struct kafka_lane *lane, struct record_in *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < lane->n_held && lane->failed == ST_OK; i++) {
        const rd_kafka_message_t *message = lane->held[i];
        if (message->err) {
            note_error(self, lane, message);
            continue;
        }
        ret[n++] = record_of(message);
        lane->next = message->offset + 1;
        lane->at_end = lane->in_doubt = false;
    }
    return n;
}

/* Takes up to max messages out of the lane's queue; true if that may have left some there. */
static bool hold(struct kafka_lane *lane, size_t max)
{
    for (size_t i = 0; i < lane->n_held; i++)
        rd_kafka_message_destroy(lane->held[i]);
    lane->n_held = 0;
    if (lane->failed < 0)
        return false;
    ssize_t n = rd_kafka_consume_batch_queue(lane->queue, 0, lane->held, max);
    lane->n_held = n > 0 ? (size_t)n : 0;
    return lane->n_held == max;
}

static enum status start(struct source_kafka *self)
{
    rd_kafka_topic_partition_list_t *list = source_kafka_list(self, 0);
    for (size_t i = 0; i < self->n_lanes; i++)
        list->elems[i].offset = self->lanes[i].next;
    rd_kafka_resp_err_t err = rd_kafka_assign(self->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (err)
        return source_kafka_fail(self, ST_EIO, "kafka: cannot assign partitions: %s",
                                 rd_kafka_err2str(err));
    self->started = true;
    return ST_OK;
}

static enum status fetch(struct source *source, size_t i, struct record_in *ret, size_t max,
                         size_t *ret_n)
{
    struct source_kafka *self = source_kafka_of(source);
    struct kafka_lane *lane = &self->lanes[i];
    if (!self->started)
        TRY(start(self));
    source_kafka_send_commit(self);
    if (max > KAFKA_FETCH_MAX)
        max = KAFKA_FETCH_MAX;
    /* The bell is not rung for a queue that is not empty: never say that nothing is there unless it
     * is. */
    size_t n;
    bool more;
    do {
        more = hold(lane, max);
        n = take_held(self, lane, ret);
    } while (n == 0 && more);
    if (n > 0) {
        source_kafka_nudge(self, lane);
        *ret_n = n;
        return ST_OK;
    }
    if (lane->failed < 0)
        return lane->failed;
    return lane->at_end && !lane->in_doubt ? ST_EEND : ST_EAGAIN;
}

/* What rings the bell after `seen` was read, while the caller fetches, ends the next wait. */
static void wait_for_any(struct source *source, int64_t timeout_us)
{
    struct source_kafka *self = source_kafka_of(source);
    if (self->in_doubt && (timeout_us < 0 || timeout_us > WAIT_IN_DOUBT_US))
        timeout_us = WAIT_IN_DOUBT_US;
    bell_wait(&self->bell, self->seen, timeout_us);
    self->seen = bell_seen(&self->bell);
    source_kafka_send_commit(self);
    serve_events(self);
    if (self->in_doubt && self->started)
        source_kafka_settle(self);
}

static size_t count_lanes(const struct source *source)
{
    return ((const struct source_kafka *)source)->n_lanes;
}

static struct lane_info lane_info(const struct source *source, size_t i)
{
    return ((const struct source_kafka *)source)->lanes[i].info;
}

static const char *error_text(const struct source *source)
{
    return ((const struct source_kafka *)source)->error;
}

const struct source_ops source_kafka_ops = {
    .kind = "kafka",
    .lanes = count_lanes,
    .lane = lane_info,
    .seek = source_kafka_seek,
    .fetch = fetch,
    .wait = wait_for_any,
    .grows = true,
    .lag = source_kafka_lag,
    .free = source_kafka_free,
    .error = error_text,
};
