/*
 * Loads on a broker, for measurements: what librdkafka alone makes of it, and how long an answer
 * takes. Prints NAME=VALUE pairs.
 *
 *     kafka_load produce BROKERS TOPIC FILE [TOPIC FILE]
 *
 * The lines of FILE to partition 0 as fast as it goes; those of two files in the order of their
 * timestamps. For the format of lines see lines.h.
 *
 *     kafka_load consume BROKERS TOPIC N
 *
 * The first N messages of partition 0, and nothing is done with them.
 *
 *     kafka_load latency BROKERS IN OUT FILE RATE SECONDS
 *
 * Lines of FILE to partition 0 of IN, RATE a second, while partition 0 of OUT is read: from the
 * call that produces to the poll that brings what came of it.
 *
 *     kafka_load transactions BROKERS TOPIC GROUP N
 *
 * N transactions of a message and an offset each.
 *
 *     kafka_load reach BROKERS TOPIC GROUP OFFSET
 *
 * Ends once the group's offset of partition 0 is there.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "ingest/kafka_conf.h"
#include "tests/tools/client.h"
#include "tests/tools/lines.h"

enum { TIMEOUT_MS = 20000, BATCH = 2000, WARM_S = 2, ANSWER_S = 30 };

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double now(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

static void wait_until(double time)
{
    double left = time - now();
    if (left <= 0)
        return;
    struct timespec t = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
    nanosleep(&t, NULL);
}

/* Batches as a busy producer makes them; the least latency where there are only a few messages. */
static rd_kafka_t *producer_for(const char *brokers, bool fast)
{
    const struct kafka_setting settings[] = {
        {"linger.ms", fast ? "1" : "20"},
        {"batch.size", "262144"},
        {"queue.buffering.max.messages", "200000"},
        {"queue.buffering.max.kbytes", "131072"},
        {"acks", "all"},
        {NULL, NULL},
    };
    return connect_to(RD_KAFKA_PRODUCER, brokers, settings, count_refused);
}

static rd_kafka_t *consumer_for(const char *brokers)
{
    const struct kafka_setting settings[] = {
        {"group.id", "kafka_load"},
        {"enable.auto.commit", "false"},
        {"auto.offset.reset", "error"},
        {"fetch.wait.max.ms", "100"},
        {"isolation.level", "read_committed"},
        {NULL, NULL},
    };
    return connect_to(RD_KAFKA_CONSUMER, brokers, settings, NULL);
}

static void print_rate(const char *what, size_t n, double wall, double cpu)
{
    printf("%s=%zu wall_s=%.3f cpu_s=%.3f per_s=%.0f cpu_us_each=%.3f\n", what, n, wall, cpu,
           (double)n / wall, cpu / (double)n * 1e6);
}

/* produce, consume */

struct load {
    rd_kafka_topic_t *topic;
    struct lines lines;
    size_t next;
};

static bool is_left(const struct load *load)
{
    return load->next < load->lines.n;
}

/* The load whose next line is older, NULL at the end of both. */
static struct load *older(struct load *a, struct load *b)
{
    if (!is_left(a) || !is_left(b))
        return is_left(a) ? a : is_left(b) ? b : NULL;
    return b->lines.times[b->next] < a->lines.times[a->next] ? b : a;
}

static int produce(const char *brokers, char **words, size_t n_loads)
{
    struct load loads[2] = {0};
    rd_kafka_t *client = producer_for(brokers, false);
    for (size_t i = 0; i < n_loads; i++) {
        loads[i].topic = rd_kafka_topic_new(client, words[2 * i], NULL);
        loads[i].lines = read_lines(words[2 * i + 1]);
    }
    double from = now(), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    for (struct load *load; (load = older(&loads[0], &loads[1]));)
        send_line(client, load->topic, 0, &load->lines, load->next++, true);
    if (rd_kafka_flush(client, TIMEOUT_MS) || refused)
        die(words[0], "not all was acknowledged");
    print_rate("produced", loads[0].next + loads[1].next, now() - from,
               seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    for (size_t i = 0; i < n_loads; i++) {
        rd_kafka_topic_destroy(loads[i].topic);
        lines_done(&loads[i].lines);
    }
    rd_kafka_destroy(client);
    return 0;
}

static rd_kafka_queue_t *read_from(rd_kafka_t *client, const char *topic, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = offset;
    rd_kafka_poll_set_consumer(client);
    rd_kafka_assign(client, list);
    rd_kafka_topic_partition_list_destroy(list);
    return rd_kafka_queue_get_consumer(client);
}

/* Those that are there, at least one if any comes soon: a batch alone would be waited for until it
 * is full. */
static size_t take_some(rd_kafka_queue_t *queue, rd_kafka_message_t **messages)
{
    messages[0] = rd_kafka_consume_queue(queue, 20);
    if (!messages[0])
        return 0;
    ssize_t n = rd_kafka_consume_batch_queue(queue, 0, messages + 1, BATCH - 1);
    return n > 0 ? 1 + (size_t)n : 1;
}

/* Calls take() with each message, until it says that it has enough or nothing comes any more. */
static void consume_all(rd_kafka_queue_t *queue, bool (*take)(void *arg, rd_kafka_message_t *),
                        void *arg)
{
    static rd_kafka_message_t *messages[BATCH];
    bool more = true;
    for (double last = now(); more && now() - last < ANSWER_S;) {
        size_t n = take_some(queue, messages);
        for (size_t i = 0; i < n; i++) {
            if (!messages[i]->err) {
                more = more && take(arg, messages[i]);
                last = now();
            }
            rd_kafka_message_destroy(messages[i]);
        }
    }
}

static bool count_down(void *arg, rd_kafka_message_t *message)
{
    size_t *left = arg;
    (void)message;
    return --*left > 0;
}

static int consume(const char *brokers, const char *topic, size_t n)
{
    size_t left = n;
    rd_kafka_t *client = consumer_for(brokers);
    double from = now(), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    rd_kafka_queue_t *queue = read_from(client, topic, 0);
    consume_all(queue, count_down, &left);
    print_rate("consumed", n - left, now() - from, seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
    return 0;
}

/* latency */

struct answers {
    rd_kafka_queue_t *queue;
    int64_t first; /* offset in IN of what is sent first */
    size_t n, got;
    double *sent;
    float *took; /* ms; 0: no answer yet */
};

/* Of what was sent: in TOPIC:PARTITION:OFFSET:ORDINAL, or where IN is OUT its own. */
static int64_t offset_of(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t len;
    char text[300];
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR__NOENT)
        return message->offset;
    if (rd_kafka_message_headers(message, &headers) != 0 ||
        rd_kafka_header_get_last(headers, "source", &value, &len) != 0 || len >= sizeof text)
        return -1;
    memcpy(text, value, len);
    text[len] = 0;
    char *at = strchr(text, ':');
    at = at ? strchr(at + 1, ':') : NULL;
    return at ? strtoll(at + 1, NULL, 10) : -1;
}

static bool take_answer(void *arg, rd_kafka_message_t *message)
{
    struct answers *answers = arg;
    int64_t i = offset_of(message) - answers->first;
    if (i < 0 || (size_t)i >= answers->n || answers->took[i] > 0)
        return true;
    answers->took[i] = (float)(1e3 * (now() - answers->sent[i]));
    return ++answers->got < answers->n;
}

static void *read_answers(void *arg)
{
    struct answers *answers = arg;
    consume_all(answers->queue, take_answer, answers);
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void print_answers(struct answers *answers, size_t skip)
{
    size_t n = answers->n - skip;
    float *took = answers->took + skip;
    qsort(took, n, sizeof *took, by_size);
    printf("sent=%zu answered=%zu p50_ms=%.2f p90_ms=%.2f p99_ms=%.2f p999_ms=%.2f max_ms=%.2f\n",
           answers->n, answers->got, (double)took[n / 2], (double)took[n * 9 / 10],
           (double)took[n * 99 / 100], (double)took[n * 999 / 1000], (double)took[n - 1]);
}

static int64_t end_of(rd_kafka_t *client, const char *topic)
{
    int64_t low, high;
    rd_kafka_resp_err_t err =
        rd_kafka_query_watermark_offsets(client, topic, 0, &low, &high, TIMEOUT_MS);
    if (err)
        die(topic, rd_kafka_err2str(err));
    return high;
}

/* The first seconds, in which the service and the broker warm up, do not count. */
static int latency(const char *brokers, const char *in, const char *out, const char *path,
                   double rate, double seconds)
{
    struct lines lines = read_lines(path);
    rd_kafka_t *producer = producer_for(brokers, true), *consumer = consumer_for(brokers);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, in, NULL);
    struct answers answers = {.n = (size_t)(rate * (seconds + WARM_S))};
    answers.first = end_of(producer, in);
    answers.sent = calloc(answers.n, sizeof *answers.sent);
    answers.took = calloc(answers.n, sizeof *answers.took);
    if (answers.n > lines.n || !answers.sent || !answers.took)
        die(path, "has too few lines");
    answers.queue = read_from(consumer, out, end_of(consumer, out));
    pthread_t reader;
    if (pthread_create(&reader, NULL, read_answers, &answers) != 0)
        die("latency", "no thread");
    double from = now() + 0.5;
    for (size_t i = 0; i < answers.n; i++) {
        wait_until(from + (double)i / rate);
        answers.sent[i] = now();
        send_line(producer, topic, 0, &lines, i, false);
    }
    if (rd_kafka_flush(producer, TIMEOUT_MS) || refused)
        die(in, "not all was acknowledged");
    pthread_join(reader, NULL);
    print_answers(&answers, (size_t)(rate * WARM_S));
    rd_kafka_queue_destroy(answers.queue);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
    rd_kafka_destroy(consumer);
    lines_done(&lines);
    free(answers.sent);
    free(answers.took);
    return 0;
}

/* The group's offset, once it is so far. */
static int64_t committed_from(const char *brokers, const char *topic, const char *group,
                              int64_t offset)
{
    const struct kafka_setting settings[] = {{"group.id", group}, {NULL, NULL}};
    rd_kafka_t *client = connect_to(RD_KAFKA_CONSUMER, brokers, settings, NULL);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0);
    while (rd_kafka_committed(client, list, TIMEOUT_MS) || list->elems[0].offset < offset)
        wait_until(now() + 0.01);
    int64_t reached = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(client);
    return reached;
}

/* transactions */

static void check(rd_kafka_error_t *error, const char *what)
{
    if (error)
        die(what, rd_kafka_error_string(error));
}

static int transactions(const char *brokers, const char *name, const char *group, size_t n)
{
    const struct kafka_setting settings[] = {
        {"transactional.id", "kafka_load"},
        {"linger.ms", "0"},
        {"retry.backoff.ms", "10"},
        {NULL, NULL},
    };
    struct lines line = {.payloads = (const char *[]){"x"}, .lens = (size_t[]){1}, .n = 1};
    rd_kafka_t *client = connect_to(RD_KAFKA_PRODUCER, brokers, settings, NULL);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, name, NULL);
    rd_kafka_consumer_group_metadata_t *of = rd_kafka_consumer_group_metadata_new(group);
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(1);
    float *took = calloc(n, sizeof *took);
    rd_kafka_topic_partition_list_add(offsets, name, 0)->offset = 0;
    /* Whoever looks after the group is found beforehand, since a new broker has nobody yet: inside
     * a transaction librdkafka 2.0.2 may then wait for ever. */
    committed_from(brokers, name, group, INT64_MIN);
    check(rd_kafka_init_transactions(client, TIMEOUT_MS), "init");
    for (size_t i = 0; took && i < n; i++) {
        double from = now();
        check(rd_kafka_begin_transaction(client), "begin");
        send_line(client, topic, 0, &line, 0, false);
        check(rd_kafka_send_offsets_to_transaction(client, offsets, of, TIMEOUT_MS), "offsets");
        check(rd_kafka_commit_transaction(client, TIMEOUT_MS), "commit");
        took[i] = (float)(1e3 * (now() - from));
    }
    struct answers answers = {.n = n, .got = n, .took = took};
    print_answers(&answers, 0);
    rd_kafka_topic_partition_list_destroy(offsets);
    rd_kafka_consumer_group_metadata_destroy(of);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(client);
    free(took);
    return 0;
}

/* reach */

static int reach(const char *brokers, const char *topic, const char *group, int64_t offset)
{
    printf("reached=%" PRId64 "\n", committed_from(brokers, topic, group, offset));
    return 0;
}

static double number(const char *text)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end)
        die(text, "is no number");
    return v;
}

static int act(int argc, char **argv)
{
    const char *action = argv[1];
    if ((argc == 5 || argc == 7) && strcmp(action, "produce") == 0)
        return produce(argv[2], argv + 3, argc == 7 ? 2 : 1);
    if (argc == 5 && strcmp(action, "consume") == 0)
        return consume(argv[2], argv[3], (size_t)number(argv[4]));
    if (argc == 8 && strcmp(action, "latency") == 0)
        return latency(argv[2], argv[3], argv[4], argv[5], number(argv[6]), number(argv[7]));
    if (argc == 6 && strcmp(action, "transactions") == 0)
        return transactions(argv[2], argv[3], argv[4], (size_t)number(argv[5]));
    if (argc == 6 && strcmp(action, "reach") == 0)
        return reach(argv[2], argv[3], argv[4], (int64_t)number(argv[5]));
    return -1;
}

int main(int argc, char **argv)
{
    int status = argc > 2 ? act(argc, argv) : -1;
    if (status >= 0)
        return status;
    fprintf(stderr, "usage: kafka_load produce|consume|latency|transactions|reach ...; "
                    "see the source\n");
    return 2;
}
