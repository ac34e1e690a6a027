/*
 * The embedded broker in a process of its own, for tests that kill the service and not the broker.
 *
 *     embedded_broker TOPIC:PARTITIONS...
 *
 * Prints its address, as one line, and stays until its standard input is closed or it gets SIGTERM:
 * a test that dies takes the broker with it. A line on its standard input is a number of
 * milliseconds that each answer takes from then on: a service that reads slowly can be stopped at
 * its work.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ingest/broker_embedded.h"

enum { TOPICS_MAX = 64, ANY_BROKER = -1 };

static int parse_topic(char *text, struct embedded_topic *ret)
{
    char *colon = strrchr(text, ':');
    int partitions = colon ? (int)strtol(colon + 1, NULL, 10) : 0;
    if (!colon || colon == text || partitions < 1)
        return -1;
    *colon = 0;
    *ret = (struct embedded_topic){text, partitions};
    return 0;
}

int main(int argc, char **argv)
{
    struct embedded_topic topics[TOPICS_MAX];
    if (argc < 2 || argc - 1 > TOPICS_MAX) {
        fprintf(stderr, "usage: %s TOPIC:PARTITIONS...\n", argv[0]);
        return 2;
    }
    for (int i = 1; i < argc; i++)
        if (parse_topic(argv[i], &topics[i - 1]) < 0) {
            fprintf(stderr, "%s: expected TOPIC:PARTITIONS\n", argv[i]);
            return 2;
        }
    struct broker_embedded *broker = NULL;
    enum status st = broker_embedded_start(topics, (size_t)(argc - 1), &broker);
    if (st < 0) {
        fprintf(stderr, "the broker does not start: %s\n", status_text(st));
        return 1;
    }
    signal(SIGTERM, _exit); /* nothing here is worth an orderly end, which takes a second */
    printf("%s\n", broker_embedded_address(broker));
    fflush(stdout);
    char line[32];
    while (fgets(line, sizeof line, stdin))
        rd_kafka_mock_broker_set_rtt(broker_embedded_mock(broker), ANY_BROKER, atoi(line));
    _exit(0);
}
