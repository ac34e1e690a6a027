/*
 * Fills and prints topics, for tests in shell and Python.
 *
 *     topic fill BROKERS TOPIC PARTITION FILE    one message a line of FILE, or of "-"
 *     topic dump BROKERS TOPIC [committed|raw]   one line a message, to the end of each partition;
 *                                                raw: those of aborted transactions too
 *     topic make BROKERS TOPIC PARTITIONS [NAME=VALUE...]    with settings of the topic
 *     topic drop BROKERS TOPIC
 *     topic deny BROKERS TOPIC                   nobody may write to it any more, until
 *     topic allow BROKERS TOPIC
 *     topic cut BROKERS TOPIC PARTITION OFFSET   deletes all messages before the offset
 *     topic offsets BROKERS TOPIC GROUP          a line a partition: number, the group's offset
 *                                                (-1: none) and its metadata, between tabs
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
#include "tests/tools/client.h"

enum { TIMEOUT_MS = 20000 };

static const char *group = "topic", *isolation = "read_committed";

static rd_kafka_t *connect_as(rd_kafka_type_t type, const char *brokers,
                              void (*report)(rd_kafka_t *, const rd_kafka_message_t *, void *))
{
    const struct kafka_setting settings[] = {
        {"group.id", group},
        {"isolation.level", isolation},
        {"enable.partition.eof", "true"},
        {"fetch.wait.max.ms", "10"},
        {"enable.auto.commit", "false"},
        {"linger.ms", "5"},
        {"batch.num.messages", "100"}, /* the embedded broker answers a read with one such batch */
        {"enable.idempotence", "true"},
        {"auto.offset.reset", "error"},
        {NULL, NULL},
    };
    return connect_to(type, brokers, settings, report);
}

/* fill */

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
    rd_kafka_t *client = connect_as(RD_KAFKA_PRODUCER, brokers, count_refused);
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
    rd_kafka_t *client = connect_as(RD_KAFKA_CONSUMER, brokers, NULL);
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

/* make, cut */

static void await(rd_kafka_queue_t *queue, const char *what)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TIMEOUT_MS);
    if (!event)
        die(what, "no answer");
    if (rd_kafka_event_error(event))
        die(what, rd_kafka_event_error_string(event));
    size_t n = 0;
    const rd_kafka_CreateTopics_result_t *made = rd_kafka_event_CreateTopics_result(event);
    const rd_kafka_topic_result_t **topics =
        made ? rd_kafka_CreateTopics_result_topics(made, &n) : NULL;
    for (size_t i = 0; i < n; i++)
        if (rd_kafka_topic_result_error(topics[i]))
            die(what, rd_kafka_topic_result_error_string(topics[i]));
    rd_kafka_event_destroy(event);
}

/* One request to the broker's administration. */
struct request {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue; /* of its answer */
};

static struct request request_begin(const char *brokers)
{
    rd_kafka_t *client = connect_as(RD_KAFKA_PRODUCER, brokers, NULL);
    return (struct request){client, rd_kafka_queue_new(client)};
}

static void request_end(struct request *request)
{
    rd_kafka_queue_destroy(request->queue);
    rd_kafka_destroy(request->client);
}

static void apply_setting(rd_kafka_NewTopic_t *topic, char *setting)
{
    char *value = strchr(setting, '=');
    if (!value)
        die(setting, "NAME=VALUE was expected");
    *value++ = 0;
    if (rd_kafka_NewTopic_set_config(topic, setting, value))
        die(setting, "is not a setting");
}

static int make(const char *brokers, const char *name, int partitions, char **settings, int n)
{
    char error[256] = "";
    struct request request = request_begin(brokers);
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, 1, error, sizeof error);
    if (!topic)
        die(name, error);
    for (int i = 0; i < n; i++)
        apply_setting(topic, settings[i]);
    rd_kafka_CreateTopics(request.client, &topic, 1, NULL, request.queue);
    await(request.queue, name);
    rd_kafka_NewTopic_destroy(topic);
    request_end(&request);
    return 0;
}

static int drop(const char *brokers, const char *name)
{
    struct request request = request_begin(brokers);
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
    rd_kafka_DeleteTopics(request.client, &topic, 1, NULL, request.queue);
    await(request.queue, name);
    rd_kafka_DeleteTopic_destroy(topic);
    request_end(&request);
    return 0;
}

/* deny, allow */

static void set_right(rd_kafka_t *client, rd_kafka_queue_t *queue, const char *topic,
                      rd_kafka_AclOperation_t operation, rd_kafka_AclPermissionType_t permission)
{
    char error[256] = "";
    rd_kafka_AclBinding_t *right =
        rd_kafka_AclBinding_new(RD_KAFKA_RESOURCE_TOPIC, topic, RD_KAFKA_RESOURCE_PATTERN_LITERAL,
                                "User:*", "*", operation, permission, error, sizeof error);
    if (!right)
        die(topic, error);
    rd_kafka_CreateAcls(client, &right, 1, NULL, queue);
    await(queue, topic);
    rd_kafka_AclBinding_destroy(right);
}

/* Where a right is given to somebody, all others have none: so all are given, and one is taken. */
static int deny(const char *brokers, const char *topic)
{
    rd_kafka_t *client = connect_as(RD_KAFKA_PRODUCER, brokers, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    set_right(client, queue, topic, RD_KAFKA_ACL_OPERATION_ALL, RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW);
    set_right(client, queue, topic, RD_KAFKA_ACL_OPERATION_WRITE,
              RD_KAFKA_ACL_PERMISSION_TYPE_DENY);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
    return 0;
}

static int allow(const char *brokers, const char *topic)
{
    char error[256] = "";
    rd_kafka_t *client = connect_as(RD_KAFKA_PRODUCER, brokers, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_AclBindingFilter_t *denied = rd_kafka_AclBindingFilter_new(
        RD_KAFKA_RESOURCE_TOPIC, topic, RD_KAFKA_RESOURCE_PATTERN_LITERAL, NULL, NULL,
        RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_ACL_PERMISSION_TYPE_DENY, error, sizeof error);
    if (!denied)
        die(topic, error);
    rd_kafka_DeleteAcls(client, &denied, 1, NULL, queue);
    await(queue, topic);
    rd_kafka_AclBinding_destroy(denied);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
    return 0;
}

static int cut(const char *brokers, const char *name, int partition, int64_t offset)
{
    struct request request = request_begin(brokers);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, name, partition)->offset = offset;
    rd_kafka_DeleteRecords_t *records = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(request.client, &records, 1, NULL, request.queue);
    await(request.queue, name);
    rd_kafka_DeleteRecords_destroy(records);
    rd_kafka_topic_partition_list_destroy(list);
    request_end(&request);
    return 0;
}

/* offsets */

static int offsets(const char *brokers, const char *topic)
{
    rd_kafka_t *client = connect_as(RD_KAFKA_CONSUMER, brokers, NULL);
    rd_kafka_topic_partition_list_t *list = list_partitions(client, brokers, topic);
    rd_kafka_resp_err_t err = rd_kafka_committed(client, list, TIMEOUT_MS);
    if (err)
        die(group, rd_kafka_err2str(err));
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *at = &list->elems[i];
        printf("%d\t%" PRId64 "\t%.*s\n", (int)at->partition, at->offset < 0 ? -1 : at->offset,
               (int)at->metadata_size, at->metadata ? (const char *)at->metadata : "");
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(client);
    return fflush(stdout) != 0;
}

static int act(int argc, char **argv)
{
    const char *action = argv[1];
    if (argc == 4 && strcmp(action, "drop") == 0)
        return drop(argv[2], argv[3]);
    if (argc == 4 && strcmp(action, "deny") == 0)
        return deny(argv[2], argv[3]);
    if (argc == 4 && strcmp(action, "allow") == 0)
        return allow(argv[2], argv[3]);
    if (argc == 6 && strcmp(action, "cut") == 0)
        return cut(argv[2], argv[3], (int)strtol(argv[4], NULL, 10), strtoll(argv[5], NULL, 10));
    if (argc >= 5 && strcmp(action, "make") == 0)
        return make(argv[2], argv[3], (int)strtol(argv[4], NULL, 10), argv + 5, argc - 5);
    if (argc == 5 && strcmp(action, "offsets") == 0) {
        group = argv[4];
        return offsets(argv[2], argv[3]);
    }
    if (argc == 5 && strcmp(action, "dump") == 0 && strcmp(argv[4], "raw") == 0)
        isolation = "read_uncommitted";
    if ((argc == 4 || argc == 5) && strcmp(action, "dump") == 0)
        return dump(argv[2], argv[3]);
    return -1;
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "fill") == 0)
        return fill(argv[2], argv[3], (int)strtol(argv[4], NULL, 10), argv[5]);
    int status = argc > 2 ? act(argc, argv) : -1;
    if (status >= 0)
        return status;
    fprintf(stderr, "usage: topic fill|dump|make|drop|deny|allow|cut|offsets BROKERS TOPIC ...; "
                    "see the source\n");
    return 2;
}
