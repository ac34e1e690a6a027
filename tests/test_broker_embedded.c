/*
 * Tests of ingest/broker_embedded.h.
 *
 * What is known without running it: what is put on a partition comes back in order, with offsets
 * from 0; beyond 5 MiB the oldest is gone; a new start knows nothing of the one before.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "ingest/broker_embedded.h"
#include "kafka_fixture.h"

static void count_up(void *arg, const rd_kafka_message_t *message)
{
    int64_t *next = arg;
    char text[16];
    int len = snprintf(text, sizeof text, "%d", (int)*next);
    cr_assert(eq(i64, message->offset, *next));
    cr_assert(eq(sz, message->len, (size_t)len));
    cr_assert(memcmp(message->payload, text, (size_t)len) == 0);
    (*next)++;
}

Test(broker_embedded, keeps_what_it_is_given_until_it_stops)
{
    const struct embedded_topic topics[] = {{"a", 1}, {"b", 7}};
    for (int start = 0; start < 2; start++) {
        struct fixture f = fixture_start(topics, LEN(topics));
        cr_expect(strncmp(broker_embedded_address(f.broker), "127.0.0.1:", 10) == 0);
        int64_t next = 0;
        fixture_read(&f, "a", 1, count_up, &next);
        cr_expect(eq(i64, next, 0));
        fixture_count(&f, "a", 0, 0, 2000);
        fixture_read(&f, "a", 1, count_up, &next);
        cr_expect(eq(i64, next, 2000));
        next = 0;
        fixture_count(&f, "b", 6, 0, 10);
        fixture_read(&f, "b", 7, count_up, &next);
        cr_expect(eq(i64, next, 10));
        fixture_stop(&f);
    }
}

Test(broker_embedded, drops_the_oldest_beyond_five_mebibytes)
{
    const struct embedded_topic topic = {"a", 1};
    static char payload[50000];
    struct fixture f = fixture_start(&topic, 1);
    for (int i = 0; i < 200; i++) {
        fixture_produce(&f, "a", 0, payload, sizeof payload, 1);
        fixture_flush(&f);
    }
    int64_t low = -1, high = -1;
    rd_kafka_query_watermark_offsets(f.producer, "a", 0, &low, &high, 10000);
    cr_expect(eq(i64, high, 200));
    cr_expect(gt(i64, low, 200 - (5 << 20) / (int64_t)sizeof payload - 1));
    cr_expect(lt(i64, low, 200 - (4 << 20) / (int64_t)sizeof payload));
    fixture_stop(&f);
}

Test(broker_embedded, refuses_topics_that_cannot_be)
{
    const struct embedded_topic none[] = {{"a", 0}}, twice[] = {{"a", 1}, {"a", 1}};
    struct broker_embedded *broker = NULL;
    cr_expect(eq(int, broker_embedded_start(none, 1, &broker), ST_EINVAL));
    cr_expect(eq(int, broker_embedded_start(twice, 2, &broker), ST_EINVAL));
    cr_expect(broker == NULL);
    broker_embedded_stop(NULL);
}
