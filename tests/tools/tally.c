/*
 * Counts the scores on a topic while they come.
 *
 *     tally BROKERS TOPIC
 *
 * Reads partition 0 of the topic, what is committed of it, from its beginning. For each line on
 * standard input it prints one: how many records of the source's partition have come as scores so
 * far, and how many scores came of a record that had one before. Ends with its input.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ingest/kafka_conf.h"
#include "tests/tools/client.h"

enum { BATCH = 1000 };

struct tally {
    unsigned char *seen; /* a bit for each offset of the source */
    size_t cap;          /* bytes */
    size_t n, repeated;
};

/* Of the source, in TOPIC:PARTITION:OFFSET:ORDINAL. */
static size_t offset_of(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t len;
    char text[300];
    if (rd_kafka_message_headers(message, &headers) != 0 ||
        rd_kafka_header_get_last(headers, "source", &value, &len) != 0 || len >= sizeof text)
        die("a score", "has no source");
    memcpy(text, value, len);
    text[len] = 0;
    char *at = strchr(text, ':');
    at = at ? strchr(at + 1, ':') : NULL;
    if (!at)
        die(text, "is no source");
    return strtoull(at + 1, NULL, 10);
}

static void count(struct tally *tally, size_t offset)
{
    if (offset / 8 >= tally->cap) {
        size_t cap = 2 * (offset / 8) + 4096;
        tally->seen = realloc(tally->seen, cap);
        if (!tally->seen)
            die("tally", "no memory");
        memset(tally->seen + tally->cap, 0, cap - tally->cap);
        tally->cap = cap;
    }
    unsigned char bit = (unsigned char)(1 << offset % 8);
    bool before = tally->seen[offset / 8] & bit;
    tally->seen[offset / 8] |= bit;
    tally->n += !before;
    tally->repeated += before;
}

static void take_some(rd_kafka_queue_t *queue, struct tally *tally)
{
    static rd_kafka_message_t *messages[BATCH];
    messages[0] = rd_kafka_consume_queue(queue, 20);
    if (!messages[0])
        return;
    ssize_t n = rd_kafka_consume_batch_queue(queue, 0, messages + 1, BATCH - 1);
    for (ssize_t i = 0; i < 1 + (n > 0 ? n : 0); i++) {
        if (!messages[i]->err)
            count(tally, offset_of(messages[i]));
        else if (messages[i]->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
            die("tally", "scores were deleted before they were read");
        rd_kafka_message_destroy(messages[i]);
    }
}

/* False at the end of the input. */
static bool answer(const struct tally *tally)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    char line[64];
    if (poll(&in, 1, 0) == 0)
        return true;
    ssize_t n = read(STDIN_FILENO, line, sizeof line);
    if (n <= 0)
        return false;
    printf("%zu %zu\n", tally->n, tally->repeated);
    fflush(stdout);
    return true;
}

int main(int argc, char **argv)
{
    const struct kafka_setting settings[] = {
        {"group.id", "tally"},
        {"enable.auto.commit", "false"},
        {"auto.offset.reset", "error"},
        {"fetch.wait.max.ms", "100"},
        {"isolation.level", "read_committed"},
        {NULL, NULL},
    };
    if (argc != 3) {
        fprintf(stderr, "usage: tally BROKERS TOPIC\n");
        return 2;
    }
    rd_kafka_t *client = connect_to(RD_KAFKA_CONSUMER, argv[1], settings, NULL);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, argv[2], 0)->offset = 0;
    rd_kafka_poll_set_consumer(client);
    rd_kafka_assign(client, list);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
    struct tally tally = {0};
    while (answer(&tally))
        take_some(queue, &tally);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
    free(tally.seen);
    return 0;
}
