#include "ingest/sink_kafka.h"

#include <stdio.h>
#include <stdlib.h>

#include "ingest/lineage.h"
#include "ingest/sink_kafka_internal.h"

enum {
    WINDOW = 1 << 17, /* rows sent and not acknowledged */
    WINDOW_KIB = 128 * 1024,
    TIMEOUT_MS = 10000,
    CLOSE_MS = 2000, /* for what is in flight to be acknowledged; the rest is sent again later */
};

/* Errors reach here while the client is polled. Only fatal ones end anything: librdkafka connects
 * again by itself. */
static void note_event(rd_kafka_t *client, int err, const char *text, void *arg)
{
    struct sink_kafka *self = arg;
    snprintf(self->error, sizeof self->error, "kafka: %s", text);
    if (err != RD_KAFKA_RESP_ERR__FATAL)
        return;
    char why[256] = "";
    rd_kafka_resp_err_t first = rd_kafka_fatal_error(client, why, sizeof why);
    bool fenced = first == RD_KAFKA_RESP_ERR__FENCED;
    if (first)
        snprintf(self->error, sizeof self->error, "%s%s",
                 fenced ? "another process took over the transactional id, this one ends: " : "",
                 why);
    self->failed = ST_EIO;
}

enum status sink_kafka_fail(struct sink_kafka *self, const char *why)
{
    char text[sizeof self->error - 16];
    snprintf(text, sizeof text, "%s", why); /* it may be our own error */
    if (self->failed == ST_OK)
        note_event(self->client, RD_KAFKA_RESP_ERR__FATAL, text, self);
    return self->failed;
}

/* Marks. */

void sink_kafka_mark_done(struct sink_kafka_mark *mark)
{
    if (mark->offsets)
        rd_kafka_topic_partition_list_destroy(mark->offsets);
    *mark = (struct sink_kafka_mark){0};
}

void sink_kafka_mark_set(struct sink_kafka_mark *mark, const struct sink_mark *from, uint64_t row)
{
    char note[LINEAGE_NOTE_MAX];
    lineage_note(from->life, from->epoch, note);
    sink_kafka_mark_done(mark);
    mark->row = row;
    mark->offsets = rd_kafka_topic_partition_list_new((int)from->n);
    for (size_t i = 0; i < from->n; i++) {
        const struct sink_position *position = &from->positions[i];
        if (position->next < 0)
            continue; /* nothing was read there yet */
        rd_kafka_topic_partition_t *to =
            rd_kafka_topic_partition_list_add(mark->offsets, position->topic, position->partition);
        to->offset = position->next;
        to->metadata = strdup(note); /* the list frees it */
        to->metadata_size = strlen(note);
    }
}

/* Of the marks behind the one that is told next only the last one counts. */
static enum status take_mark(struct sink *sink, const struct sink_mark *mark)
{
    struct sink_kafka *self = sink_kafka_of(sink);
    if (self->txn.on)
        txn_take_mark(self, mark);
    else if (self->tell)
        sink_kafka_mark_set(self->next_mark.offsets ? &self->last_mark : &self->next_mark, mark,
                            self->window.sent);
    return ST_OK;
}

/* One poll after the rows were reported as acknowledged: what was refused of them is stored by
 * then. */
static void tell_marks(struct sink_kafka *self)
{
    while (self->next_mark.offsets && self->next_mark.row <= self->told_acked) {
        self->tell(self->tell_arg, self->next_mark.offsets);
        sink_kafka_mark_done(&self->next_mark);
        self->next_mark = self->last_mark;
        self->last_mark = (struct sink_kafka_mark){0};
    }
}

static bool has_mark(const struct sink *sink)
{
    const struct sink_kafka *self = (const struct sink_kafka *)sink;
    return self->next_mark.offsets || self->txn.mark.offsets || self->txn.busy;
}

static enum status poll_reports(struct sink *sink, int64_t timeout_us, uint64_t *ret_acked,
                                uint64_t *ret_refused)
{
    struct sink_kafka *self = sink_kafka_of(sink);
    if (self->txn.on)
        return txn_poll(self, timeout_us, ret_acked, ret_refused);
    tell_marks(self);
    sink_kafka_send_spare(self);
    int64_t ms = (timeout_us + 999) / 1000;
    rd_kafka_poll(self->client, ms > INT32_MAX ? INT32_MAX : (int)ms);
    sink_kafka_send_spare(self);
    if (self->failed < 0)
        return self->failed;
    *ret_acked = self->told_acked = self->window.acked;
    *ret_refused = self->window.refused;
    return ST_OK;
}

static void ring_bell(rd_kafka_t *client, void *bell)
{
    (void)client;
    bell_ring(bell);
}

/* With transactions the client is another thread's at times, which rings a bell of its own. */
static bool watch_reports(struct sink *sink, struct bell *bell)
{
    struct sink_kafka *self = sink_kafka_of(sink);
    if (self->txn.on)
        return false;
    rd_kafka_queue_t *reports = rd_kafka_queue_get_main(self->client);
    rd_kafka_queue_cb_event_enable(reports, bell ? ring_bell : NULL, bell);
    rd_kafka_queue_destroy(reports);
    return bell;
}

static const char *error_text(const struct sink *sink)
{
    return ((const struct sink_kafka *)sink)->error;
}

static void count_transactions(const struct sink *sink, uint64_t *ret_committed,
                               uint64_t *ret_aborted)
{
    const struct sink_kafka_txn *txn = &((const struct sink_kafka *)sink)->txn;
    *ret_committed = txn->committed;
    *ret_aborted = txn->aborted;
}

/* Life. */

static enum status make_conf(const struct sink_kafka_options *options, struct buf *error,
                             rd_kafka_conf_t **ret)
{
    char rows[16], kib[16], batch[16];
    snprintf(batch, sizeof batch, "%d", SINK_KAFKA_BATCH);
    snprintf(rows, sizeof rows, "%d", WINDOW);
    snprintf(kib, sizeof kib, "%d", WINDOW_KIB);
    const struct kafka_setting plain[] = {
        {"enable.idempotence", "true"}, /* with it acks=all, and retries keep the order */
        {"message.timeout.ms", "0"},    /* rows never expire */
        {"transactional.id", NULL},
        {NULL, NULL},
    };
    /* In a transaction rows expire with it, and are sent again in the next one. */
    const struct kafka_setting transactional[] = {
        {"enable.idempotence", "true"},
        {"transactional.id", options->transactional_id},
        {NULL, NULL},
    };
    const struct kafka_setting defaults[] = {
        {"linger.ms", "5"}, /* for nothing but a round's rows: see sink_kafka_end_round() */
        {"batch.num.messages", batch},
        {"queue.buffering.max.messages", rows},
        {"queue.buffering.max.kbytes", kib},
        {"partitioner", "murmur2_random"}, /* as Kafka's own clients do */
        /* At 100 the offsets of a transaction take five times as long. */
        {"retry.backoff.ms", options->transactional_id ? "10" : "50"},
        {"reconnect.backoff.ms", "50"},
        {"reconnect.backoff.max.ms", "1000"},
        {"socket.nagle.disable", "true"},
        {NULL, NULL},
    };
    const struct kafka_setting *fixed = options->transactional_id ? transactional : plain;
    struct kafka_conf_spec spec = {options->brokers, fixed, defaults, options->properties};
    return kafka_conf_create(&spec, error, ret);
}

static enum status check(const struct conf_map *properties, const char *transactional_id,
                         struct buf *error)
{
    struct sink_kafka_options options = {
        .brokers = "127.0.0.1:9", .properties = properties, .transactional_id = transactional_id};
    rd_kafka_conf_t *conf = NULL;
    TRY(make_conf(&options, error, &conf));
    return kafka_client_check(RD_KAFKA_PRODUCER, conf, error);
}

enum status sink_kafka_check(const struct conf_map *properties, struct buf *error)
{
    return check(properties, NULL, error);
}

enum status sink_kafka_check_transactions(const struct conf_map *properties, struct buf *error)
{
    return check(properties, "check", error);
}

static enum status make_client(struct sink_kafka *self, const struct sink_kafka_options *options,
                               struct buf *error)
{
    rd_kafka_conf_t *conf = NULL;
    TRY(make_conf(options, error, &conf));
    rd_kafka_conf_set_opaque(conf, self);
    rd_kafka_conf_set_error_cb(conf, note_event);
    rd_kafka_conf_set_dr_msg_cb(conf, sink_kafka_report);
    return kafka_client_create(RD_KAFKA_PRODUCER, conf, error, &self->client);
}

static enum status make_topics(struct sink_kafka *self, const struct sink_kafka_options *options,
                               struct buf *error)
{
    int timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS;
    for (size_t i = 0; i < CHANNEL_COUNT; i++) {
        const char *name = options->topics[i];
        if (!name)
            continue;
        if (options->partitions > 0)
            TRY(kafka_topic_ensure(self->client, name, options->partitions, options->replication,
                                   timeout_ms, error));
        self->topics[i] = rd_kafka_topic_new(self->client, name, NULL);
        if (!self->topics[i]) {
            buf_printf(error, "topic `%s`: %s", name, rd_kafka_err2str(rd_kafka_last_error()));
            return ST_EINVAL;
        }
    }
    return ST_OK;
}

static void sink_kafka_free(struct sink *sink)
{
    if (!sink)
        return;
    struct sink_kafka *self = sink_kafka_of(sink);
    if (!txn_stop(self, CLOSE_MS))
        return; /* the process is about to end, and that thread with it */
    if (self->client) {
        rd_kafka_flush(self->client, CLOSE_MS);
        rd_kafka_purge(self->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    }
    for (size_t i = 0; i < CHANNEL_COUNT; i++)
        if (self->topics[i])
            rd_kafka_topic_destroy(self->topics[i]);
    if (self->client)
        rd_kafka_destroy(self->client);
    sink_kafka_drop_spares(self);
    sink_kafka_mark_done(&self->next_mark);
    sink_kafka_mark_done(&self->last_mark);
    txn_done(self);
    ack_window_done(&self->window);
    free(self);
}

static const struct sink_ops sink_kafka_ops = {
    .kind = "kafka",
    .send = sink_kafka_send,
    .flush = sink_kafka_end_round,
    .poll = poll_reports,
    .watch = watch_reports,
    .mark = take_mark,
    .unsettled = has_mark,
    .transactions = count_transactions,
    .free = sink_kafka_free,
    .error = error_text,
};

enum status sink_kafka_create(const struct sink_kafka_options *options, struct buf *error,
                              struct sink **ret)
{
    struct sink_kafka *self = calloc(1, sizeof *self);
    if (!self)
        return ST_ENOMEM;
    self->head.ops = &sink_kafka_ops;
    self->tell = options->tell;
    self->tell_arg = options->tell_arg;
    self->spares_end = &self->spares;
    enum status st = ack_window_init(&self->window, WINDOW);
    if (st == ST_OK)
        st = make_client(self, options, error);
    if (st == ST_OK)
        st = make_topics(self, options, error);
    if (st == ST_OK && options->transactional_id)
        st = txn_init(self, options->group);
    if (st < 0) {
        sink_kafka_free(&self->head);
        return st;
    }
    *ret = &self->head;
    return ST_OK;
}
