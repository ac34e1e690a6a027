/*
 * Tests of ingest/sink_kafka.h, against the embedded broker.
 *
 * What is known without running it: whatever happens to the connection, each row must be in its
 * topic in the end, with its key, bytes and headers; of one key, first arrivals come in the order
 * of sending; and the count of acknowledged rows only grows, up to all of them. (The embedded
 * broker does not drop the repeats that a real one would, so repeats are allowed here.) What is
 * refused is reported by number, and costs no other row.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "ingest/sink_kafka.h"
#include "kafka_fixture.h"

enum { PARTITIONS = 4, PRODUCE = 0 /* the request's number */, PATIENCE_S = 30, ROWS_MAX = 4000 };

static const struct embedded_topic topics[] = {{"scores", PARTITIONS}, {"dead", 1}};

struct refusals {
    size_t n;
    uint64_t rows[ROWS_MAX];
    char reason[128]; /* of the last */
};

static void note_refusal(void *arg, uint64_t row, const char *reason)
{
    struct refusals *refusals = arg;
    refusals->rows[refusals->n++] = row;
    snprintf(refusals->reason, sizeof refusals->reason, "%s", reason);
}

static struct sink *open_with(struct fixture *f, const struct conf_map *properties,
                              struct refusals *refusals)
{
    struct sink_kafka_options options = {
        .brokers = broker_embedded_address(f->broker),
        .topics = {[CHANNEL_SCORES] = "scores", [CHANNEL_DEAD] = "dead"},
        .properties = properties};
    struct buf error = {0};
    struct sink *sink = NULL;
    enum status st = sink_kafka_create(&options, &error, &sink);
    cr_assert(eq(int, st, ST_OK), "%.*s", (int)error.len, error.data);
    sink->refused = refusals ? note_refusal : NULL;
    sink->refused_arg = refusals;
    return sink;
}

/* Row i is of input offset i, and has one of 10 keys. */
static enum status send_row(struct sink *sink, size_t i)
{
    char key[16], payload[32];
    struct row row = {.channel = CHANNEL_SCORES, .topic = "tx", .partition = 3, .ordinal = 1};
    row.offset = (int64_t)i;
    row.key = (struct slice){key, (size_t)snprintf(key, sizeof key, "k%zu", i % 10)};
    row.payload = (struct slice){payload, (size_t)snprintf(payload, sizeof payload, "row %zu", i)};
    return sink->ops->send(sink, &row);
}

static uint64_t poll_once(struct sink *sink, uint64_t *refused)
{
    uint64_t acked = 0, ignored;
    enum status st = sink->ops->poll(sink, 10000, &acked, refused ? refused : &ignored);
    cr_assert(eq(int, st, ST_OK), "%s", sink->ops->error(sink));
    return acked;
}

/* Polls until all are acknowledged; the count must not fall on the way. */
static void settle(struct sink *sink, uint64_t sent)
{
    double until = fixture_seconds() + PATIENCE_S;
    uint64_t acked = 0;
    while (acked < sent && fixture_seconds() < until) {
        uint64_t now = poll_once(sink, NULL);
        cr_assert(ge(u64, now, acked));
        acked = now;
    }
    cr_assert(eq(u64, acked, sent), "%s", sink->ops->error(sink));
}

static void send_all(struct sink *sink, size_t from, size_t to)
{
    for (size_t i = from; i < to;) {
        enum status st = send_row(sink, i);
        cr_assert(st == ST_OK || st == ST_EAGAIN, "%s", sink->ops->error(sink));
        i += st == ST_OK;
        if (st == ST_EAGAIN)
            poll_once(sink, NULL);
    }
}

/* What lies in the topic: how often each row, and whether first arrivals are in order by key. */
struct content {
    int times[ROWS_MAX];
    long last[10];
    size_t n; /* different rows */
};

static void look(void *arg, const rd_kafka_message_t *message)
{
    struct content *content = arg;
    size_t i = 0;
    char text[32] = {0};
    memcpy(text, message->payload, message->len < 31 ? message->len : 31);
    cr_assert(eq(int, sscanf(text, "row %zu", &i), 1));
    cr_assert(lt(sz, i, ROWS_MAX));
    if (content->times[i]++ > 0)
        return;
    content->n++;
    cr_expect(gt(i64, (int64_t)i, content->last[i % 10]), "rows of a key out of order");
    content->last[i % 10] = (long)i;
}

static struct content read_scores(struct fixture *f)
{
    struct content content = {.n = 0};
    for (size_t i = 0; i < 10; i++)
        content.last[i] = -1;
    fixture_read(f, "scores", PARTITIONS, look, &content);
    return content;
}

Test(sink_kafka, writes_every_row_once)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    struct sink *sink = open_with(&f, NULL, NULL);
    send_all(sink, 0, 3000);
    settle(sink, 3000);
    struct content content = read_scores(&f);
    cr_expect(eq(sz, content.n, 3000));
    for (size_t i = 0; i < 3000; i++)
        cr_expect(eq(int, content.times[i], 1));
    sink->ops->free(sink);
    fixture_stop(&f);
}

/* Headers, as one text "name=value;" after the other. */
static void list_headers(void *arg, const rd_kafka_message_t *message)
{
    char *text = arg;
    rd_kafka_headers_t *headers = NULL;
    cr_assert(eq(int, (int)rd_kafka_message_headers(message, &headers), 0));
    const char *name;
    const void *value;
    size_t len;
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &len) == 0; i++)
        sprintf(text + strlen(text), "%s=%.*s;", name, (int)len, (const char *)value);
    sprintf(text + strlen(text), "%.*s:%.*s", (int)message->key_len,
            message->key ? (const char *)message->key : "", (int)message->len,
            (const char *)message->payload);
}

Test(sink_kafka, says_where_a_row_comes_from)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    struct sink *sink = open_with(&f, NULL, NULL);
    struct row score = {.channel = CHANNEL_SCORES, .topic = "tx", .partition = 3, .ordinal = 2};
    score.offset = INT64_C(123456789012);
    score.key = slice_of("card 7");
    score.payload = slice_of("{}");
    struct row dead = {.channel = CHANNEL_DEAD, .topic = "tx", .partition = 0, .offset = 5};
    dead.payload = slice_of("{bad");
    dead.reason = slice_of("not JSON");
    cr_assert(eq(int, sink->ops->send(sink, &score), ST_OK));
    cr_assert(eq(int, sink->ops->send(sink, &dead), ST_OK));
    settle(sink, 2);
    char text[512] = {0};
    fixture_read(&f, "scores", PARTITIONS, list_headers, text);
    cr_expect(eq(str, text, "source=tx:3:123456789012:2;card 7:{}"));
    text[0] = 0;
    fixture_read(&f, "dead", 1, list_headers, text);
    cr_expect(eq(str, text,
                 "source=tx:0:5:0;source.topic=tx;source.partition=0;source.offset=5;"
                 "source.ordinal=0;reason=not JSON;:{bad"));
    sink->ops->free(sink);
    fixture_stop(&f);
}

Test(sink_kafka, outlives_errors_that_pass)
{
    static const rd_kafka_resp_err_t errors[] = {
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RD_KAFKA_RESP_ERR__TRANSPORT,
        RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    };
    struct fixture f = fixture_start(topics, LEN(topics));
    struct sink *sink = open_with(&f, NULL, NULL);
    for (size_t round = 0; round < LEN(errors); round++) {
        rd_kafka_mock_push_request_errors(broker_embedded_mock(f.broker), PRODUCE, 2, errors[round],
                                          errors[round]);
        send_all(sink, 500 * round, 500 * (round + 1));
        settle(sink, 500 * (round + 1));
    }
    uint64_t refused = 1;
    poll_once(sink, &refused);
    cr_expect(eq(u64, refused, 0));
    struct content content = read_scores(&f);
    cr_expect(eq(sz, content.n, 500 * LEN(errors)));
    sink->ops->free(sink);
    fixture_stop(&f);
}

Test(sink_kafka, outlives_a_broker_that_goes_away_and_comes_back)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    rd_kafka_mock_cluster_t *mock = broker_embedded_mock(f.broker);
    struct sink *sink = open_with(&f, NULL, NULL);
    send_all(sink, 0, 500);
    settle(sink, 500);
    for (size_t round = 1; round <= 3; round++) {
        send_all(sink, 1000 * round - 500, 1000 * round - 400); /* some in flight */
        rd_kafka_mock_broker_set_down(mock, 1);
        send_all(sink, 1000 * round - 400, 1000 * round + 500);
        for (int i = 0; i < 10; i++)
            cr_expect(lt(u64, poll_once(sink, NULL), 1000 * round + 500));
        rd_kafka_mock_broker_set_up(mock, 1);
        settle(sink, 1000 * round + 500);
    }
    struct content content = read_scores(&f);
    cr_expect(eq(sz, content.n, 3500));
    sink->ops->free(sink);
    fixture_stop(&f);
}

Test(sink_kafka, takes_no_more_than_its_queue_holds)
{
    const char *keys[] = {"queue.buffering.max.messages"}, *values[] = {"100"};
    struct conf_map properties = {1, keys, values};
    struct fixture f = fixture_start(topics, LEN(topics));
    rd_kafka_mock_broker_set_down(broker_embedded_mock(f.broker), 1);
    struct sink *sink = open_with(&f, &properties, NULL);
    for (size_t i = 0; i < 100; i++)
        cr_assert(eq(int, send_row(sink, i), ST_OK));
    cr_expect(eq(int, send_row(sink, 100), ST_EAGAIN));
    cr_expect(eq(u64, poll_once(sink, NULL), 0));
    rd_kafka_mock_broker_set_up(broker_embedded_mock(f.broker), 1);
    send_all(sink, 100, 300);
    settle(sink, 300);
    cr_expect(eq(sz, read_scores(&f).n, 300));
    sink->ops->free(sink);
    fixture_stop(&f);
}

/* Refusals. */

Test(sink_kafka, reports_rows_that_the_topic_refuses)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    static struct refusals refusals;
    struct sink *sink = open_with(&f, NULL, &refusals);
    send_all(sink, 0, 1);
    settle(sink, 1);
    rd_kafka_mock_push_request_errors(broker_embedded_mock(f.broker), PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    send_all(sink, 1, 2);
    settle(sink, 2);
    uint64_t refused = 0;
    poll_once(sink, &refused);
    cr_expect(eq(u64, refused, 1));
    cr_assert(eq(sz, refusals.n, 1));
    cr_expect(eq(u64, refusals.rows[0], 1));
    cr_expect(strstr(refusals.reason, "authorization") != NULL, "%s", refusals.reason);
    sink->ops->free(sink);
    fixture_stop(&f);
}

/* One refusal of a batch is not the rows' fault: alone, each is taken. */
Test(sink_kafka, a_refused_batch_is_tried_again_row_by_row)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    static struct refusals refusals;
    struct sink *sink = open_with(&f, NULL, &refusals);
    send_all(sink, 0, 10);
    settle(sink, 10);
    rd_kafka_mock_push_request_errors(broker_embedded_mock(f.broker), PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    for (size_t i = 10; i < 110; i++) /* all of one key: one batch */
        cr_assert(eq(int, send_row(sink, 10 * i), ST_OK));
    settle(sink, 110);
    cr_expect(eq(sz, refusals.n, 0));
    cr_expect(eq(sz, read_scores(&f).n, 110));
    sink->ops->free(sink);
    fixture_stop(&f);
}

/* The batch, then its first row alone. (The producer lingers, so that it is one batch.) */
Test(sink_kafka, a_row_refused_alone_is_refused_for_good)
{
    const char *keys[] = {"linger.ms"}, *values[] = {"300"};
    struct conf_map properties = {1, keys, values};
    struct fixture f = fixture_start(topics, LEN(topics));
    static struct refusals refusals;
    struct sink *sink = open_with(&f, &properties, &refusals);
    send_all(sink, 0, 10);
    settle(sink, 10);
    rd_kafka_mock_push_request_errors(broker_embedded_mock(f.broker), PRODUCE, 2,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    for (size_t i = 10; i < 20; i++)
        cr_assert(eq(int, send_row(sink, 10 * i), ST_OK));
    settle(sink, 20);
    cr_assert(eq(sz, refusals.n, 1));
    cr_expect(eq(u64, refusals.rows[0], 10));
    struct content content = read_scores(&f);
    cr_expect(eq(sz, content.n, 19));
    cr_expect(eq(int, content.times[100], 0));
    send_all(sink, 20, 30);
    settle(sink, 30);
    sink->ops->free(sink);
    fixture_stop(&f);
}

Test(sink_kafka, a_row_over_the_limit_is_refused_at_once)
{
    const char *keys[] = {"message.max.bytes"}, *values[] = {"10000"};
    struct conf_map properties = {1, keys, values};
    static char large[20000];
    static struct refusals refusals;
    struct fixture f = fixture_start(topics, LEN(topics));
    struct sink *sink = open_with(&f, &properties, &refusals);
    struct row row = {.channel = CHANNEL_DEAD, .topic = "tx", .payload = {large, sizeof large}};
    send_all(sink, 0, 3);
    cr_assert(eq(int, sink->ops->send(sink, &row), ST_OK));
    send_all(sink, 3, 6);
    settle(sink, 7);
    uint64_t refused = 0;
    poll_once(sink, &refused);
    cr_expect(eq(u64, refused, 1));
    cr_expect(eq(u64, refusals.rows[0], 3));
    cr_expect(eq(sz, read_scores(&f).n, 6));
    sink->ops->free(sink);
    fixture_stop(&f);
}

Test(sink_kafka, a_channel_without_a_topic_is_a_mistake)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    struct sink *sink = open_with(&f, NULL, NULL);
    struct row row = {.channel = CHANNEL_FEATURES, .topic = "tx"};
    cr_expect(eq(int, sink->ops->send(sink, &row), ST_EINVAL));
    sink->ops->free(sink);
    fixture_stop(&f);
}

struct setting_case {
    char why[24], key[32], value[16], says[48];
};

ParameterizedTestParameters(sink_kafka, create_refuses)
{
    static struct setting_case cases[] = {
        {"unknown", "linger.mss", "1", "did you mean `linger.ms`?"},
        {"bad value", "linger.ms", "soon", "`linger.ms`"},
        {"ours", "enable.idempotence", "false", "cannot be changed here, it is true"},
        {"against ours", "acks", "1", "acks"},
    };
    return cr_make_param_array(struct setting_case, cases, LEN(cases));
}

ParameterizedTest(struct setting_case *c, sink_kafka, create_refuses)
{
    const char *keys[] = {c->key}, *values[] = {c->value};
    struct conf_map properties = {1, keys, values};
    struct sink_kafka_options options = {.brokers = "127.0.0.1:1", .properties = &properties};
    struct buf error = {0};
    struct sink *sink = NULL;
    cr_expect(eq(int, sink_kafka_create(&options, &error, &sink), ST_EINVAL), "%s", c->why);
    cr_expect(sink == NULL);
    buf_byte(&error, 0);
    cr_expect(strstr(error.data, c->says) != NULL, "%s: %s", c->why, error.data);
    cr_expect(eq(int, sink_kafka_check(&properties, &error), ST_EINVAL), "%s", c->why);
    cr_expect(eq(int, sink_kafka_check(NULL, &error), ST_OK));
    buf_done(&error);
}

/* The embedded broker makes topics for whoever asks for them, and not by request. */
Test(sink_kafka, finds_or_makes_its_topics)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    struct sink_kafka_options options = {
        .brokers = broker_embedded_address(f.broker),
        .topics = {[CHANNEL_SCORES] = "scores", [CHANNEL_DEAD] = "made"},
        .partitions = 2,
        .replication = -1};
    struct buf error = {0};
    struct sink *sink = NULL;
    cr_assert(eq(int, sink_kafka_create(&options, &error, &sink), ST_OK), "%.*s", (int)error.len,
              error.data);
    sink->ops->free(sink);

    rd_kafka_mock_topic_set_error(broker_embedded_mock(f.broker), "scores",
                                  RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    sink = NULL;
    cr_expect(eq(int, sink_kafka_create(&options, &error, &sink), ST_EIO));
    buf_byte(&error, 0);
    cr_expect(strstr(error.data, "topic `scores` cannot be made") != NULL, "%s", error.data);
    buf_done(&error);
    fixture_stop(&f);
}
