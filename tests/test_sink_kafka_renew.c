/*
 * Tests of the Kafka sink whose transactional producer librdkafka gives up, against the embedded
 * broker.
 *
 * What is known without running it: a transaction whose only topic may not be written registers
 * nothing, so that a coordinator for which the last one is committed refuses to abort it
 * (INVALID_TXN_STATE, after which librdkafka takes nothing more). It costs only the rows of that
 * topic: they are reported as refused, once, and what comes later is written.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

#include "ingest/sink_kafka.h"
#include "kafka_fixture.h"

enum { PATIENCE_S = 30, REFUSED_FOR_US = 1000 * 1000, ADD_PARTITIONS = 24, END = 26 };

static const struct embedded_topic topics[] = {{"scores", 1}, {"tx", 1}};

struct refusals {
    size_t n;
    uint64_t last;
};

static void note_refusal(void *arg, uint64_t row, const char *reason)
{
    struct refusals *refusals = arg;
    refusals->n++;
    refusals->last = row;
    cr_expect(strstr(reason, "authorization") != NULL, "%s", reason);
}

static struct sink *open_sink(struct fixture *f, struct refusals *refusals)
{
    struct sink_kafka_options options = {.brokers = broker_embedded_address(f->broker),
                                         .topics = {[CHANNEL_SCORES] = "scores"},
                                         .transactional_id = "renew",
                                         .group = "renew"};
    struct buf error = {0};
    struct sink *sink = NULL;
    cr_assert(eq(int, sink_kafka_create(&options, &error, &sink), ST_OK));
    cr_assert(eq(int, sink_kafka_fence(sink, PATIENCE_S * 1000), ST_OK));
    sink->refused = note_refusal;
    sink->refused_arg = refusals;
    return sink;
}

static enum status send_row(struct sink *sink, uint64_t i)
{
    char text[16];
    struct row row = {.channel = CHANNEL_SCORES, .topic = "tx", .offset = (int64_t)i};
    row.key = row.payload =
        (struct slice){text, (size_t)snprintf(text, sizeof text, "row %d", (int)i)};
    return sink->ops->send(sink, &row);
}

/* Row i and the mark behind it, again for as long as its transaction is aborted, until it counts as
 * acknowledged. The mark waits a while: by then it is known that the row cannot be added. */
static void deliver(struct sink *sink, uint64_t i)
{
    struct sink_position position = {.topic = "tx", .partition = 0, .next = (int64_t)i + 1};
    struct sink_mark mark = {.n = 1, .positions = &position, .epoch = i + 1};
    double until = fixture_seconds() + PATIENCE_S, sent_at = 0;
    uint64_t acked = i, refused;
    bool marked = false;
    while (acked <= i && fixture_seconds() < until) {
        if (sent_at == 0 && send_row(sink, i) == ST_OK)
            sent_at = fixture_seconds();
        if (sent_at > 0 && !marked && fixture_seconds() > sent_at + .3) {
            marked = true;
            sink->ops->mark(sink, &mark);
        }
        enum status st = sink->ops->poll(sink, 10000, &acked, &refused);
        cr_assert(st == ST_OK || st == ST_EAGAIN, "%s", sink->ops->error(sink));
        if (st == ST_EAGAIN) {
            marked = false;
            sent_at = 0;
        }
    }
    cr_assert(eq(u64, acked, i + 1), "%s", sink->ops->error(sink));
}

static void count_rows(void *arg, const rd_kafka_message_t *message)
{
    cr_expect(memcmp(message->payload, "row 1", 5) != 0, "a refused row was written");
    ++*(size_t *)arg;
}

Test(sink_kafka_renew, goes_on_after_an_abort_of_nothing)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    struct refusals refusals = {0};
    struct sink *sink = open_sink(&f, &refusals);
    rd_kafka_mock_cluster_t *mock = broker_embedded_mock(f.broker);
    deliver(sink, 0);
    rd_kafka_mock_push_request_errors(mock, ADD_PARTITIONS, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    rd_kafka_mock_push_request_errors(mock, END, 1, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE);
    deliver(sink, 1);
    cr_expect(eq(sz, refusals.n, 1));
    cr_expect(eq(u64, refusals.last, 1));
    usleep(REFUSED_FOR_US);
    deliver(sink, 2);
    cr_expect(eq(sz, refusals.n, 1));
    size_t n = 0;
    fixture_read(&f, "scores", 1, count_rows, &n);
    cr_expect(eq(sz, n, 2));
    sink->ops->free(sink);
    fixture_stop(&f);
}
