#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ingest/event.h"
#include "ingest/source_kafka_internal.h"

enum {
    TIMEOUT_MS = 10000,        /* defaults of the options */
    FETCH_WAIT_MS = 10,        /* */
    QUEUED_RECORDS = 60000,    /* read ahead, shared out among the lanes */
    QUEUED_KIB = 64 * 1024,    /* likewise */
    QUEUED_RECORDS_MIN = 2000, /* a lane's least share */
    QUEUED_KIB_MIN = 1024,     /* likewise: one fetch */
    RETRY_US = 50 * 1000,      /* between questions that got no answer */
    CLOSE_MS = 2000,           /* for the last offsets to be committed */
};

int64_t source_kafka_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

/* A failed commit is made up for by the next one. */
static void ignore_commit(rd_kafka_t *client, rd_kafka_resp_err_t err,
                          rd_kafka_topic_partition_list_t *offsets, void *arg)
{
    (void)client;
    (void)err;
    (void)offsets;
    (void)arg;
}

/* The share of a lane in what may be read ahead. */
static int share(int all, size_t n_lanes, int least)
{
    int each = n_lanes > 0 ? (int)((size_t)all / n_lanes) : all;
    return each > least ? each : least;
}

static enum status make_conf(const struct source_kafka_options *options, size_t n_lanes,
                             struct buf *error, rd_kafka_conf_t **ret)
{
    char records[16], kib[16], wait_ms[16];
    snprintf(records, sizeof records, "%d", share(QUEUED_RECORDS, n_lanes, QUEUED_RECORDS_MIN));
    snprintf(kib, sizeof kib, "%d", share(QUEUED_KIB, n_lanes, QUEUED_KIB_MIN));
    snprintf(wait_ms, sizeof wait_ms, "%d",
             options->fetch_wait_ms > 0 ? options->fetch_wait_ms : FETCH_WAIT_MS);
    const struct kafka_setting fixed[] = {
        {"group.id", options->group ? options->group : "freshet"},
        {"enable.partition.eof", "true"},      /* ST_EEND */
        {"auto.offset.reset", "error"},        /* never skip what was deleted */
        {"enable.auto.offset.store", "false"}, /* offsets are committed when we say so */
        {"enable.auto.commit", "false"},
        {NULL, NULL},
    };
    const struct kafka_setting defaults[] = {
        {"queued.min.messages", records},
        {"queued.max.messages.kbytes", kib},
        {"fetch.wait.max.ms", wait_ms},
        {"fetch.error.backoff.ms", "50"},
        {"reconnect.backoff.ms", "50"},
        {"reconnect.backoff.max.ms", "1000"},
        {"socket.nagle.disable", "true"},
        {"check.crcs", "true"},
        {NULL, NULL},
    };
    struct kafka_conf_spec spec = {options->brokers, fixed, defaults, options->properties};
    return kafka_conf_create(&spec, error, ret);
}

enum status source_kafka_check(const struct conf_map *properties, struct buf *error)
{
    struct source_kafka_options options = {.brokers = "127.0.0.1:9", .properties = properties};
    rd_kafka_conf_t *conf = NULL;
    TRY(make_conf(&options, 0, error, &conf));
    return kafka_client_check(RD_KAFKA_CONSUMER, conf, error);
}

static enum status make_client(struct source_kafka *self,
                               const struct source_kafka_options *options, struct buf *error)
{
    rd_kafka_conf_t *conf = NULL;
    TRY(make_conf(options, self->n_lanes, error, &conf));
    rd_kafka_conf_set_opaque(conf, self);
    rd_kafka_conf_set_error_cb(conf, source_kafka_note_event);
    rd_kafka_conf_set_offset_commit_cb(conf, ignore_commit);
    TRY(kafka_client_create(RD_KAFKA_CONSUMER, conf, error, &self->client));
    rd_kafka_poll_set_consumer(self->client);
    return ST_OK;
}

/* A broker that is down is not waited for long: a client that still waits for answers would hold up
 * its end for a minute. False: it is left as it is, and may go on ringing the bell. */
static bool close_client(struct source_kafka *self)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(self->client);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(self->client, queue);
    int64_t until = source_kafka_now() + CLOSE_MS * 1000;
    while (!error && !rd_kafka_consumer_closed(self->client) && source_kafka_now() < until) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 10);
        if (event)
            rd_kafka_event_destroy(event);
    }
    bool closed = error || rd_kafka_consumer_closed(self->client);
    if (error)
        rd_kafka_error_destroy(error);
    rd_kafka_queue_destroy(queue);
    if (closed)
        rd_kafka_destroy_flags(self->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    self->client = NULL;
    return closed;
}

static enum status add_lanes(struct source_kafka *self, const struct source_kafka_topic *topic,
                             int partitions)
{
    size_t n = self->n_lanes + (size_t)partitions;
    struct kafka_lane *lanes = realloc(self->lanes, n * sizeof *lanes);
    if (!lanes)
        return ST_ENOMEM;
    self->lanes = lanes;
    for (int i = 0; i < partitions; i++) {
        struct kafka_lane *lane = &lanes[self->n_lanes];
        *lane = (struct kafka_lane){.topic = strdup(topic->name)};
        lane->info =
            (struct lane_info){.stream = topic->stream, .topic = lane->topic, .partition = i};
        lane->held = calloc(KAFKA_FETCH_MAX, sizeof(rd_kafka_message_t *));
        self->n_lanes++;
        if (!lane->topic || !lane->held)
            return ST_ENOMEM;
    }
    return ST_OK;
}

/* What librdkafka last complained of says more than that nobody answered. */
static enum status no_answer(struct source_kafka *self, enum status st, struct buf *error)
{
    while (rd_kafka_poll(self->client, 0) > 0)
        ;
    if (st == ST_EIO && self->error[0])
        buf_printf(error, " (%s)", self->error);
    return st;
}

/* Counts the partitions with a client of its own: what a lane may read ahead depends on how many
 * there are, and must be said before a client is made. */
static enum status find_lanes(struct source_kafka *self, const struct source_kafka_options *options,
                              struct buf *error)
{
    TRY(make_client(self, options, error));
    enum status st = ST_OK;
    for (size_t i = 0; i < options->n_topics && st == ST_OK; i++) {
        int n = 0;
        st = kafka_topic_partitions(self->client, options->topics[i].name, self->timeout_ms, error,
                                    &n);
        if (st == ST_OK)
            st = add_lanes(self, &options->topics[i], n);
    }
    if (st < 0)
        return no_answer(self, st, error);
    (void)close_client(self); /* it rings no bell: it may be left behind */
    return ST_OK;
}

static void ring_bell(rd_kafka_t *client, void *bell)
{
    (void)client;
    bell_ring(bell);
}

/* Before anything is assigned, so that no record takes the way through the common queue. */
static void open_queues(struct source_kafka *self)
{
    for (size_t i = 0; i < self->n_lanes; i++) {
        struct kafka_lane *lane = &self->lanes[i];
        lane->queue = rd_kafka_queue_get_partition(self->client, lane->topic, lane->info.partition);
        rd_kafka_queue_forward(lane->queue, NULL);
        rd_kafka_queue_cb_event_enable(lane->queue, ring_bell, &self->bell);
    }
    self->events = rd_kafka_queue_get_consumer(self->client);
    rd_kafka_queue_cb_event_enable(self->events, ring_bell, &self->bell);
}

/* Just after a topic was made, or while brokers change places, leaders are refused as such for a
 * moment. */
static rd_kafka_resp_err_t ask_until_answered(struct source_kafka *self)
{
    int64_t until = source_kafka_now() + self->timeout_ms * INT64_C(1000);
    struct bell never = {0};
    for (;;) {
        rd_kafka_resp_err_t err = source_kafka_ask_bounds(self, self->timeout_ms);
        if (!err || source_kafka_now() >= until ||
            err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
            return err;
        bell_wait(&never, 0, RETRY_US);
    }
}

static enum status open_lanes(struct source_kafka *self, const struct source_kafka_options *options,
                              struct buf *error)
{
    TRY(make_client(self, options, error));
    open_queues(self);
    rd_kafka_resp_err_t err = ask_until_answered(self);
    if (err) {
        buf_printf(error, "kafka: offsets cannot be read: %s", rd_kafka_err2str(err));
        return no_answer(self, ST_EIO, error);
    }
    for (size_t i = 0; i < self->n_lanes; i++)
        self->lanes[i].next = self->lanes[i].low;
    return ST_OK;
}

enum status source_kafka_create(const struct source_kafka_options *options, struct buf *error,
                                struct source **ret)
{
    struct source_kafka *self = calloc(1, sizeof *self);
    if (!self)
        return ST_ENOMEM;
    self->head.ops = &source_kafka_ops;
    pthread_mutex_init(&self->lock, NULL);
    self->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS;
    enum status st = find_lanes(self, options, error);
    if (st == ST_OK)
        st = open_lanes(self, options, error);
    if (st < 0) {
        source_kafka_free(&self->head);
        return st;
    }
    *ret = &self->head;
    return ST_OK;
}

static void lane_done(struct kafka_lane *lane)
{
    for (size_t i = 0; i < lane->n_held; i++)
        rd_kafka_message_destroy(lane->held[i]);
    free(lane->held);
    if (lane->queue)
        rd_kafka_queue_destroy(lane->queue);
    free(lane->topic);
}

/* Queues stop ringing the bell with the client, which ends after them. */
void source_kafka_free(struct source *source)
{
    if (!source)
        return;
    struct source_kafka *self = source_kafka_of(source);
    for (size_t i = 0; i < self->n_lanes; i++)
        lane_done(&self->lanes[i]);
    if (self->events)
        rd_kafka_queue_destroy(self->events);
    if (self->client) {
        source_kafka_finish_commit(self, CLOSE_MS);
        if (!close_client(self))
            return; /* the process is about to end, and the client's threads with it */
    }
    if (self->to_commit)
        rd_kafka_topic_partition_list_destroy(self->to_commit);
    pthread_mutex_destroy(&self->lock);
    free(self->lanes);
    free(self);
}
