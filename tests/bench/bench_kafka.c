/*
 * How many records a second the Kafka source reads and the Kafka sink writes, and what they cost.
 *
 *     bench_kafka [RECORDS [PARTITIONS [BYTES]]]
 *
 * The embedded broker runs in a process of its own, so that the CPU seconds printed are the
 * client's alone, all its threads together. It keeps 5 MiB a partition: more than that is not asked
 * for.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ingest/broker_embedded.h"
#include "ingest/sink_kafka.h"
#include "ingest/source_kafka.h"

enum { FETCH = 1000, KEPT = 5 << 20, OVERHEAD = 100 };

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double cpu_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void run_broker(int partitions, int address_to)
{
    struct embedded_topic topic = {"bench", partitions};
    struct broker_embedded *broker = NULL;
    if (broker_embedded_start(&topic, 1, &broker) < 0)
        exit(1);
    dprintf(address_to, "%s", broker_embedded_address(broker));
    close(address_to);
    for (;;)
        pause();
}

static void check(enum status st, const char *what, const struct buf *error)
{
    if (st >= 0)
        return;
    fprintf(stderr, "%s: %s: %.*s\n", what, status_text(st), (int)error->len, error->data);
    exit(1);
}

static void report(const char *what, size_t n, double seconds, double all, double mine)
{
    printf("%-8s %9zu records %6.2f s %8.0f k/s; %5.0f ns CPU a record (%.0f in the caller)\n",
           what, n, seconds, 1e-3 * (double)n / seconds, 1e9 * all / (double)n,
           1e9 * mine / (double)n);
}

static void bench_sink(const char *address, size_t n, size_t bytes)
{
    struct sink_kafka_options options = {.brokers = address,
                                         .topics = {[CHANNEL_SCORES] = "bench"}};
    struct buf error = {0};
    struct sink *sink = NULL;
    check(sink_kafka_create(&options, &error, &sink), "sink", &error);
    char *payload = calloc(1, bytes), key[32];
    memset(payload, 'x', bytes);
    double from = wall(), all = cpu_of(CLOCK_PROCESS_CPUTIME_ID),
           mine = cpu_of(CLOCK_THREAD_CPUTIME_ID);
    uint64_t acked = 0, refused = 0;
    for (size_t sent = 0; acked < n;) {
        struct row row = {CHANNEL_SCORES,   "tx", 3, (int64_t)sent, 0, {key, 0},
                          {payload, bytes}, {0}};
        row.key.len = (size_t)snprintf(key, sizeof key, "%zu", sent * 7919 % 100003);
        enum status st = sent < n ? sink->ops->send(sink, &row) : ST_EAGAIN;
        sent += st == ST_OK;
        if (st != ST_OK || sent % 1024 == 0)
            check(sink->ops->poll(sink, st == ST_OK ? 0 : 1000, &acked, &refused), "poll", &error);
    }
    report("produce", n, wall() - from, cpu_of(CLOCK_PROCESS_CPUTIME_ID) - all,
           cpu_of(CLOCK_THREAD_CPUTIME_ID) - mine);
    if (refused > 0)
        printf("%zu refused\n", (size_t)refused);
    sink->ops->free(sink);
    free(payload);
}

static size_t drain(struct source *source, size_t n, struct record_in *records)
{
    size_t got = 0, waits = 0;
    while (got < n) {
        size_t before = got;
        for (size_t lane = 0; lane < source->ops->lanes(source); lane++) {
            size_t some = 0;
            if (source->ops->fetch(source, lane, records, FETCH, &some) == ST_OK)
                got += some;
        }
        if (got == before) {
            source->ops->wait(source, 1000000);
            waits++;
        }
    }
    return waits;
}

static void bench_source(const char *address, size_t n)
{
    struct source_kafka_topic topic = {"bench", 0};
    struct source_kafka_options options = {
        .brokers = address, .topics = &topic, .n_topics = 1, .fetch_wait_ms = 1};
    struct buf error = {0};
    struct source *source = NULL;
    struct record_in *records = calloc(FETCH, sizeof *records);
    double opened = wall();
    check(source_kafka_create(&options, &error, &source), "source", &error);
    double from = wall(), all = cpu_of(CLOCK_PROCESS_CPUTIME_ID),
           mine = cpu_of(CLOCK_THREAD_CPUTIME_ID);
    size_t waits = drain(source, n, records);
    report("consume", n, wall() - from, cpu_of(CLOCK_PROCESS_CPUTIME_ID) - all,
           cpu_of(CLOCK_THREAD_CPUTIME_ID) - mine);
    printf("         %.1f ms to open, %zu waits\n", 1e3 * (from - opened), waits);
    source->ops->free(source);
    free(records);
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 400000;
    int partitions = argc > 2 ? atoi(argv[2]) : 16;
    size_t bytes = argc > 3 ? strtoul(argv[3], NULL, 10) : 100;
    size_t most = (size_t)partitions * KEPT * 8 / 10 / (bytes + OVERHEAD);
    if (n > most)
        n = most;
    int pipe_of[2];
    if (pipe(pipe_of) < 0)
        return 1;
    pid_t broker = fork();
    if (broker == 0)
        run_broker(partitions, pipe_of[1]);
    close(pipe_of[1]);
    char address[64] = {0};
    if (read(pipe_of[0], address, sizeof address - 1) <= 0)
        return 1;
    bench_sink(address, n, bytes);
    bench_source(address, n);
    kill(broker, SIGKILL);
    waitpid(broker, NULL, 0);
    return 0;
}
