/*
 * Tests of ingest/source_kafka.h, against the embedded broker.
 *
 * What is known without running it: a partition is a list numbered from 0, so whatever happens to
 * the connection, the lane must give that list once, in order, without a gap; it is at its end
 * exactly when the list is exhausted. Offsets outside the log must be refused and never be replaced
 * by others.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "ingest/event.h"
#include "ingest/source_kafka.h"
#include "ingest/source_kafka_internal.h"
#include "kafka_fixture.h"

enum { FETCH = 500, WAIT_US = 50 * 1000, PATIENCE_S = 30 };

static const struct embedded_topic topics[] = {{"events", 3}, {"labels", 1}};

static struct source *open_topics(struct fixture *f, const struct source_kafka_topic *lanes,
                                  size_t n, const struct conf_map *properties)
{
    struct source_kafka_options options = {.brokers = broker_embedded_address(f->broker),
                                           .group = "test",
                                           .topics = lanes,
                                           .n_topics = n,
                                           .properties = properties,
                                           .fetch_wait_ms = 1};
    struct buf error = {0};
    struct source *source = NULL;
    enum status st = source_kafka_create(&options, &error, &source);
    cr_assert(eq(int, st, ST_OK), "%.*s", (int)error.len, error.data);
    return source;
}

static struct source *open_all(struct fixture *f)
{
    struct source_kafka_topic lanes[] = {{"events", 0}, {"labels", LABEL_STREAM}};
    return open_topics(f, lanes, LEN(lanes), NULL);
}

static void check_record(const struct record_in *record, int64_t number)
{
    char text[16];
    int len = snprintf(text, sizeof text, "%d", (int)number);
    cr_assert(eq(i64, record->offset, number));
    cr_assert(eq(sz, record->payload.len, (size_t)len));
    cr_assert(memcmp(record->payload.data, text, (size_t)len) == 0);
    cr_assert(eq(i64, record->broker_time, FIXTURE_MS(number) * 1000));
}

/* Reads a lane of fixture_count()'s records from `next` to its end; returns how many there were. */
static int64_t read_to_end(struct source *source, size_t lane, int64_t next)
{
    static struct record_in records[FETCH];
    int64_t from = next;
    double until = fixture_seconds() + PATIENCE_S;
    enum status st;
    do {
        size_t n = 0;
        st = source->ops->fetch(source, lane, records, FETCH, &n);
        for (size_t i = 0; i < n; i++)
            check_record(&records[i], next++);
        if (st == ST_EAGAIN)
            source->ops->wait(source, WAIT_US);
    } while (st != ST_EEND && (st == ST_OK || st == ST_EAGAIN) && fixture_seconds() < until);
    cr_assert(eq(int, st, ST_EEND), "%s", source->ops->error(source));
    return next - from;
}

/* Fetches until the status is the one awaited; the records on the way are dropped. */
static enum status fetch_until(struct source *source, size_t lane, enum status awaited)
{
    struct record_in records[FETCH];
    double until = fixture_seconds() + PATIENCE_S;
    enum status st;
    do {
        size_t n = 0;
        st = source->ops->fetch(source, lane, records, FETCH, &n);
        if (st != awaited)
            source->ops->wait(source, WAIT_US);
    } while (st != awaited && fixture_seconds() < until);
    return st;
}

Test(source_kafka, lanes_are_the_partitions_in_the_order_of_the_topics)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    struct source *source = open_all(&f);
    cr_assert(eq(sz, source->ops->lanes(source), 4));
    for (int i = 0; i < 3; i++) {
        struct lane_info lane = source->ops->lane(source, (size_t)i);
        cr_expect(eq(int, lane.stream, 0));
        cr_expect(eq(str, (char *)lane.topic, "events"));
        cr_expect(eq(int, lane.partition, i));
    }
    cr_expect(eq(int, source->ops->lane(source, 3).stream, LABEL_STREAM));
    cr_expect(source->ops->grows);
    source->ops->free(source);
    fixture_stop(&f);
}

Test(source_kafka, gives_every_record_once_in_order_and_then_the_end)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    for (int i = 0; i < 3; i++)
        fixture_count(&f, "events", i, 0, 1000 * (i + 1));
    struct source *source = open_all(&f);
    cr_expect(eq(i64, source->ops->lag(source, 2), 3000));
    for (size_t i = 0; i < 3; i++)
        cr_expect(eq(i64, read_to_end(source, i, 0), 1000 * ((int64_t)i + 1)));
    cr_expect(eq(i64, read_to_end(source, 3, 0), 0));
    cr_expect(eq(i64, source->ops->lag(source, 2), 0));

    fixture_count(&f, "events", 1, 2000, 2500);
    cr_expect(eq(int, fetch_until(source, 0, ST_EEND), ST_EEND));
    cr_expect(eq(i64, read_to_end(source, 3, 0), 0));
    for (int64_t next = 2000; next < 2500;) /* the lane was at its end, and may still say so */
        next += read_to_end(source, 1, next);
    source->ops->free(source);
    fixture_stop(&f);
}

struct seek_case {
    char name[24];
    int64_t offset;
};

ParameterizedTestParameters(source_kafka, reads_on_where_it_is_told)
{
    static struct seek_case cases[] = {
        {"beginning", 0}, {"middle", 321}, {"last", 999}, {"end", 1000}};
    return cr_make_param_array(struct seek_case, cases, LEN(cases));
}

ParameterizedTest(struct seek_case *c, source_kafka, reads_on_where_it_is_told)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    fixture_count(&f, "events", 0, 0, 1000);
    struct source *source = open_all(&f);
    cr_assert(eq(int, source->ops->seek(source, 0, c->offset), ST_OK), "%s", c->name);
    cr_expect(eq(i64, source->ops->lag(source, 0), 1000 - c->offset));
    cr_expect(eq(i64, read_to_end(source, 0, c->offset), 1000 - c->offset));
    source->ops->free(source);
    fixture_stop(&f);
}

/* The embedded broker keeps 5 MiB a partition. */
static void overfill(struct fixture *f, const char *topic)
{
    static char payload[10000];
    for (int i = 0; i < 1500; i++)
        fixture_produce(f, topic, 0, payload, sizeof payload, i);
    fixture_flush(f);
}

Test(source_kafka, refuses_offsets_that_the_log_does_not_hold)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    overfill(&f, "events");
    struct source *source = open_all(&f);
    cr_assert(eq(int, source->ops->seek(source, 0, 7), ST_ENOTFOUND));
    cr_expect(strstr(source->ops->error(source), "events [0]: offset 7 is gone") != NULL, "%s",
              source->ops->error(source));
    cr_assert(eq(int, source->ops->seek(source, 1, 1), ST_ENOTFOUND));
    cr_expect(strstr(source->ops->error(source), "offset 1 was never there") != NULL, "%s",
              source->ops->error(source));
    source->ops->free(source);
    fixture_stop(&f);
}

Test(source_kafka, stops_loudly_where_the_log_is_cut_under_the_reader)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    struct source *source = open_all(&f);
    cr_assert(eq(int, source->ops->seek(source, 0, 0), ST_OK));
    overfill(&f, "events");
    cr_assert(eq(int, fetch_until(source, 0, ST_ENOTFOUND), ST_ENOTFOUND));
    cr_expect(strstr(source->ops->error(source), "offset 0 is gone") != NULL, "%s",
              source->ops->error(source));
    cr_expect(eq(int, fetch_until(source, 1, ST_EEND), ST_EEND), "other lanes go on");
    struct record_in record;
    size_t n = 0;
    cr_expect(eq(int, source->ops->fetch(source, 0, &record, 1, &n), ST_ENOTFOUND), "it stays so");
    source->ops->free(source);
    fixture_stop(&f);
}

/* A queue of `records` at most (and what one fetch brings beyond), filled by many small fetches. */
static struct source *open_small(struct fixture *f, const char *topic, const char *records)
{
    struct source_kafka_topic lane = {topic, 0};
    const char *keys[] = {"queued.min.messages", "fetch.message.max.bytes"};
    const char *values[] = {records, "2000"};
    struct conf_map properties = {LEN(keys), keys, values};
    return open_topics(f, &lane, 1, &properties);
}

static size_t queued(struct source *source, size_t lane)
{
    return rd_kafka_queue_length(source_kafka_of(source)->lanes[lane].queue);
}

Test(source_kafka, a_lane_that_is_not_fetched_is_bounded_and_holds_up_no_other)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    for (int from = 0; from < 10000; from += 100)
        for (int i = 0; i < 2; i++)
            fixture_count(&f, "events", i, from, from + 100);
    struct source *source = open_small(&f, "events", "500");
    cr_expect(eq(i64, read_to_end(source, 0, 0), 10000));
    cr_expect(le(sz, queued(source, 1), 700));
    cr_expect(eq(i64, read_to_end(source, 1, 0), 10000));
    source->ops->free(source);
    fixture_stop(&f);
}

/* When all its lanes are full, librdkafka's thread sleeps for up to a second: without our nudge
 * each of the rounds would take half a second and more. */
Test(source_kafka, full_queues_are_filled_again_as_soon_as_they_are_emptied)
{
    enum { ROUNDS = 8, QUEUE = 2000 };
    struct fixture f = fixture_start(topics, LEN(topics));
    for (int from = 0; from < (ROUNDS + 2) * QUEUE; from += 200)
        fixture_count(&f, "labels", 0, from, from + 200);
    struct source *source = open_small(&f, "labels", "2000");
    struct record_in records[FETCH];
    double from = fixture_seconds();
    for (int64_t round = 0, next = 0; round < ROUNDS; round++) {
        while (round > 0 && queued(source, 0) < QUEUE && fixture_seconds() - from < PATIENCE_S)
            source->ops->wait(source, 1000);
        size_t n = 0;
        while (next < (round + 1) * QUEUE)
            if (source->ops->fetch(source, 0, records, FETCH, &n) == ST_OK)
                for (size_t i = 0; i < n; i++)
                    check_record(&records[i], next++);
    }
    cr_expect(lt(dbl, fixture_seconds() - from, 0.25 * ROUNDS));
    source->ops->free(source);
    fixture_stop(&f);
}

Test(source_kafka, outlives_a_broker_that_goes_away_and_comes_back)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    rd_kafka_mock_cluster_t *mock = broker_embedded_mock(f.broker);
    fixture_count(&f, "events", 0, 0, 1000);
    struct source *source = open_all(&f);
    cr_expect(eq(i64, read_to_end(source, 0, 0), 1000));
    cr_expect(eq(i64, read_to_end(source, 3, 0), 0));
    for (int round = 1; round <= 2; round++) {
        rd_kafka_mock_broker_set_down(mock, 1);
        cr_expect(eq(int, fetch_until(source, 0, ST_EAGAIN), ST_EAGAIN));
        cr_expect(eq(int, fetch_until(source, 3, ST_EAGAIN), ST_EAGAIN),
                  "nobody knows whether the lane is still at its end");
        cr_expect(source->ops->error(source)[0] != 0);
        rd_kafka_mock_broker_set_up(mock, 1);
        fixture_count(&f, "events", 0, 1000 * round, 1000 * (round + 1));
        for (int64_t next = 1000 * round; next < 1000 * (round + 1);)
            next += read_to_end(source, 0, next);
        cr_expect(eq(int, fetch_until(source, 3, ST_EEND), ST_EEND));
    }
    source->ops->free(source);
    fixture_stop(&f);
}

Test(source_kafka, outlives_errors_that_pass)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    enum { FETCH_REQUEST = 1 };
    rd_kafka_mock_push_request_errors(broker_embedded_mock(f.broker), FETCH_REQUEST, 4,
                                      RD_KAFKA_RESP_ERR_UNKNOWN, RD_KAFKA_RESP_ERR__TRANSPORT,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
    fixture_count(&f, "events", 0, 0, 1000);
    struct source *source = open_all(&f);
    cr_expect(eq(i64, read_to_end(source, 0, 0), 1000));
    source->ops->free(source);
    fixture_stop(&f);
}

/* As just after a topic was made. */
Test(source_kafka, opens_while_leaders_are_being_chosen)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    enum { LIST_OFFSETS_REQUEST = 2 };
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION;
    rd_kafka_mock_push_request_errors(broker_embedded_mock(f.broker), LIST_OFFSETS_REQUEST, 3, err,
                                      err, err);
    fixture_count(&f, "events", 0, 0, 10);
    struct source *source = open_all(&f);
    cr_expect(eq(i64, read_to_end(source, 0, 0), 10));
    source->ops->free(source);
    fixture_stop(&f);
}

Test(source_kafka, the_wait_ends_when_something_arrives)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    struct source *source = open_all(&f);
    for (size_t i = 0; i < 4; i++)
        cr_assert(eq(i64, read_to_end(source, i, 0), 0));
    source->ops->wait(source, 0);
    double from = fixture_seconds();
    for (int i = 0; i < 20; i++) {
        fixture_count(&f, "events", 2, i, i + 1);
        struct record_in record;
        size_t n = 0;
        while (source->ops->fetch(source, 2, &record, 1, &n) != ST_OK)
            source->ops->wait(source, 60 * SECOND_US);
    }
    cr_expect(lt(dbl, fixture_seconds() - from, 20.0), "20 rounds with a wait of 60 s each");
    source->ops->free(source);
    fixture_stop(&f);
}

/* Of the first lane; the epoch that goes along is the same number. */
static void commit_to(struct source *source, int64_t offset)
{
    char note[LINEAGE_NOTE_MAX];
    lineage_note(77, (uint64_t)offset, note);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_add(list, "events", 0);
    at->offset = offset;
    at->metadata = strdup(note);
    at->metadata_size = strlen(note);
    source_kafka_commit(source, list);
    rd_kafka_topic_partition_list_destroy(list);
}

Test(source_kafka, commits_offsets_to_the_group)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    fixture_count(&f, "events", 0, 0, 10);
    struct group_offset committed[4];
    struct source *source = open_all(&f);
    cr_assert(eq(int, source_kafka_committed(source, committed), ST_OK));
    for (size_t i = 0; i < 4; i++)
        cr_expect(eq(i64, committed[i].next, -1));
    read_to_end(source, 0, 0);
    commit_to(source, 4);
    commit_to(source, 7);
    source->ops->free(source); /* sends what is left to be sent */

    source = open_all(&f);
    cr_assert(eq(int, source_kafka_committed(source, committed), ST_OK));
    cr_expect(eq(i64, committed[0].next, 7));
    cr_expect(eq(u64, committed[0].life, 77));
    cr_expect(eq(u64, committed[0].epoch, 7));
    cr_expect(eq(i64, committed[1].next, -1));
    source->ops->free(source);
    fixture_stop(&f);
}

/* Refusals at the start. */

static enum status try_open(const char *brokers, const char *topic,
                            const struct conf_map *properties, struct buf *error)
{
    struct source_kafka_topic lane = {topic, 0};
    struct source_kafka_options options = {.brokers = brokers,
                                           .topics = &lane,
                                           .n_topics = 1,
                                           .properties = properties,
                                           .timeout_ms = 500};
    struct source *source = NULL;
    enum status st = source_kafka_create(&options, error, &source);
    cr_assert(source == NULL);
    buf_byte(error, 0);
    return st;
}

struct refusal_case {
    char why[32];
    char key[32], value[16]; /* a property */
    char says[64];
};

ParameterizedTestParameters(source_kafka, create_refuses)
{
    static struct refusal_case cases[] = {
        {"unknown", "fetch.wait.max.mss", "1", "`fetch.wait.max.mss`"},
        {"no number", "fetch.wait.max.ms", "soon", "`fetch.wait.max.ms`"},
        {"out of bounds", "fetch.wait.max.ms", "-1", "`fetch.wait.max.ms`"},
        {"no such choice", "security.protocol", "magic", "`security.protocol`"},
        {"ours", "auto.offset.reset", "latest", "`auto.offset.reset`: cannot be changed"},
        {"the brokers", "bootstrap.servers", "x:1", "cannot be changed here, it is 127.0.0.1:"},
        {"no such file", "ssl.ca.location", "/none", "ssl.ca.location failed"},
    };
    return cr_make_param_array(struct refusal_case, cases, LEN(cases));
}

ParameterizedTest(struct refusal_case *c, source_kafka, create_refuses)
{
    bool ssl = strncmp(c->key, "ssl", 3) == 0;
    const char *keys[] = {c->key, "security.protocol"}, *values[] = {c->value, "ssl"};
    struct conf_map properties = {ssl ? 2 : 1, keys, values};
    struct buf error = {0}, checked = {0};
    cr_expect(eq(int, try_open("127.0.0.1:1", "events", &properties, &error), ST_EINVAL), "%s",
              c->why);
    cr_expect(strstr(error.data, c->says) != NULL, "%s: %s", c->why, error.data);
    cr_expect(eq(int, source_kafka_check(&properties, &checked), ST_EINVAL), "%s", c->why);
    buf_done(&error);
    buf_done(&checked);
}

Test(source_kafka, check_asks_no_broker)
{
    const char *keys[] = {"fetch.wait.max.ms", "security.protocol", "linger.ms"};
    const char *values[] = {"5", "ssl", "3"};
    struct conf_map properties = {LEN(keys), keys, values};
    struct buf error = {0};
    cr_expect(eq(int, source_kafka_check(&properties, &error), ST_OK), "%.*s", (int)error.len,
              error.data);
    cr_expect(eq(int, source_kafka_check(NULL, &error), ST_OK));
}

Test(source_kafka, says_which_topic_is_missing)
{
    struct fixture f = fixture_start(topics, LEN(topics));
    rd_kafka_mock_topic_set_error(broker_embedded_mock(f.broker), "nothing",
                                  RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    struct buf error = {0};
    const char *address = broker_embedded_address(f.broker);
    cr_expect(eq(int, try_open(address, "nothing", NULL, &error), ST_ENOTFOUND));
    cr_expect(strstr(error.data, "topic `nothing`") != NULL, "%s", error.data);
    buf_done(&error);
    fixture_stop(&f);
}

Test(source_kafka, says_that_no_broker_answers)
{
    struct buf error = {0};
    cr_expect(eq(int, try_open("127.0.0.1:1", "events", NULL, &error), ST_EIO));
    cr_expect(strstr(error.data, "127.0.0.1:1") != NULL, "%s", error.data);
    buf_done(&error);
}
