/*
 * Fills and prints topics, for tests in shell and Python.
 *
 *     topic fill BROKERS TOPIC PARTITION FILE    one message a line of FILE, or of "-"
 *     topic dump BROKERS TOPIC                   one line a message, to the end of each partition
 *
 * A line to fill is TIMESTAMP_MS, a blank, and the payload; the timestamp becomes the message's (0:
 * now). A dumped line has five fields between tabs: partition, offset, headers (NAME=VALUE, divided
 * by semicolons), key, payload. Tab, newline and backslash are written \t, \n and \\; no key is
 * written -.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/kafka_conf.h"

enum { TIMEOUT_MS = 20000 };

__attribute__((noreturn)) static void die(const char *what, const char *why)
{
    fprintf(stderr, "topic: %s: %s\n", what, why);
    exit(1);
}

static rd_kafka_t *connect_to(rd_kafka_type_t type, const char *brokers,
                              void (*report)(rd_kafka_t *, const rd_kafka_message_t *, void *))
{
    const struct kafka_setting settings[] = {
        {"group.id", "topic"},
        {"enable.partition.eof", "true"},
        {"fetch.wait.max.ms", "10"},
        {"enable.auto.commit", "false"},
        {"linger.ms", "5"},
        {"batch.num.messages", "100"}, /* the embedded broker answers a read with one such batch */
        {"enable.idempotence", "true"},
        {"auto.offset.reset", "error"},
        {NULL, NULL},
    };
    struct kafka_conf_spec spec = {.brokers = brokers, .defaults = settings};
    struct buf error = {0};
    rd_kafka_conf_t *conf = NULL;
    rd_kafka_t *client = NULL;
    if (kafka_conf_create(&spec, &error, &conf) == ST_OK) {
        rd_kafka_conf_set_dr_msg_cb(conf, report);
        if (kafka_client_create(type, conf, &error, &client) == ST_OK)
            return client;
    }
    buf_byte(&error, 0);
    die(brokers, error.data);
}

/* fill */

static size_t refused;

static void count_refused(rd_kafka_t *client, const rd_kafka_message_t *message, void *arg)
{
    (void)client;
    (void)arg;
    refused += message->err != 0;
}

static void send_line(rd_kafka_t *client, const char *topic, int partition, char *line, size_t len)
{
    char *payload = NULL;
    int64_t ms = strtoll(line, &payload, 10);
    if (payload == line)
        die("no timestamp before", line);
    payload += *payload == ' ';
    rd_kafka_resp_err_t err;
    while (
        (err = rd_kafka_producev(client, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_TIMESTAMP(ms),
                                 RD_KAFKA_V_VALUE(payload, len - (size_t)(payload - line)),
                                 RD_KAFKA_V_END)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(client, 100);
    if (err)
        die(topic, rd_kafka_err2str(err));
    rd_kafka_poll(client, 0);
}

static int fill(const char *brokers, const char *topic, int partition, const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!file)
        die(path, "cannot be read");
    rd_kafka_t *client = connect_to(RD_KAFKA_PRODUCER, brokers, count_refused);
    char *line = NULL;
    size_t cap = 0, n = 0;
    for (ssize_t len; (len = getline(&line, &cap, file)) >= 0; n++) {
        if (len > 0 && line[len - 1] == '\n')
            line[--len] = 0;
        send_line(client, topic, partition, line, (size_t)len);
    }
    if (rd_kafka_flush(client, TIMEOUT_MS))
        die(topic, "not all was acknowledged in time");
    fprintf(stderr, "%zu messages, %zu refused\n", n, refused);
    rd_kafka_destroy(client);
    free(line);
    fclose(file);
    return refused > 0;
}

/* dump */

static void print_bytes(const void *data, size_t len)
{
    const char *bytes = data;
    for (size_t i = 0; i < len; i++)
        if (bytes[i] == '\t')
            fputs("\\t", stdout);
        else if (bytes[i] == '\n')
            fputs("\\n", stdout);
        else if (bytes[i] == '\\')
            fputs("\\\\", stdout);
        else
            putchar(bytes[i]);
}

static void print_headers(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name;
    const void *value;
    size_t len;
    if (rd_kafka_message_headers(message, &headers))
        return;
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &len) == 0; i++) {
        printf("%s%s=", i > 0 ? ";" : "", name);
        print_bytes(value, len);
    }
}

static void print_message(const rd_kafka_message_t *message)
{
    printf("%" PRId32 "\t%" PRId64 "\t", message->partition, message->offset);
    print_headers(message);
    putchar('\t');
    if (message->key)
        print_bytes(message->key, message->key_len);
    else
        putchar('-');
    putchar('\t');
    print_bytes(message->payload, message->len);
    putchar('\n');
}

static rd_kafka_topic_partition_list_t *list_partitions(rd_kafka_t *client, const char *brokers,
                                                        const char *topic)
{
    struct buf error = {0};
    int n = 0;
    if (kafka_topic_partitions(client, topic, TIMEOUT_MS, &error, &n) < 0) {
        buf_byte(&error, 0);
        die(brokers, error.data);
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(n);
    for (int i = 0; i < n; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    return list;
}

static int dump(const char *brokers, const char *topic)
{
    rd_kafka_t *client = connect_to(RD_KAFKA_CONSUMER, brokers, NULL);
    rd_kafka_poll_set_consumer(client);
    rd_kafka_topic_partition_list_t *list = list_partitions(client, brokers, topic);
    rd_kafka_assign(client, list);
    for (int at_end = 0; at_end < list->cnt;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, TIMEOUT_MS);
        if (!message)
            die(topic, "the broker gives nothing");
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            at_end++;
        else if (message->err)
            fprintf(stderr, "topic: %s\n", rd_kafka_message_errstr(message));
        else
            print_message(message);
        rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(client);
    return fflush(stdout) != 0;
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "fill") == 0)
        return fill(argv[2], argv[3], (int)strtol(argv[4], NULL, 10), argv[5]);
    if (argc == 4 && strcmp(argv[1], "dump") == 0)
        return dump(argv[2], argv[3]);
    fprintf(stderr, "usage: topic fill BROKERS TOPIC PARTITION FILE\n"
                    "       topic dump BROKERS TOPIC\n");
    return 2;
}
