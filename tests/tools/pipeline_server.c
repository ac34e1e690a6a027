/*
 * The endpoint of a whole pipeline whose state thread takes its time, for tests of deadlines and of
 * overload:
 *
 *     pipeline_server [--slow-ms N] [--queue N] [--drain-ms N]
 *
 * Serves the stream `told`: ID, TIME in ms, and the number AMOUNT. Prints `http PORT` and `grpc
 * PORT`, and ends gracefully at SIGTERM or the end of its standard input.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/folder.h"
#include "ingest/sink_memory.h"
#include "ingest/source_memory.h"
#include "ingest/store_memory.h"
#include "online/service_internal.h"
#include "online/serving.h"

static const char config[] =
    "name: told\n"
    "streams:\n"
    "  - {name: told, id: ID, time: {field: TIME, format: epoch_ms}, score: true,\n"
    "     fields: {AMOUNT: number}}\n"
    "labels: {topic: frauds, id: ID, value: FRAUD, delay: 1d, horizon: 2d}\n"
    "features: [{value: AMOUNT}]\n"
    "models: [{name: fraud, kind: ftrl, publish: 1h}]\n"
    "endpoint: {http: \"127.0.0.1:0\", grpc: \"127.0.0.1:0\", queue: %ld, drain: %ldms}\n";

struct line {
    char dir[64];
    struct settings *settings;
    struct source *source;
    struct sink *sink;
    struct store *store;
    struct service *service;
    struct serving *serving;
};

static volatile sig_atomic_t is_over;

static void on_signal(int number)
{
    (void)number;
    is_over = 1;
}

static long number_after(char **args, const char *name, long fallback)
{
    for (; *args; args++)
        if (strcmp(*args, name) == 0 && args[1])
            return strtol(args[1], NULL, 10);
    return fallback;
}

static void must(int status, const char *what)
{
    if (status >= 0)
        return;
    fprintf(stderr, "pipeline_server: %s\n", what);
    exit(1);
}

static void open_service(struct line *line)
{
    line->source = source_memory_create(true);
    source_memory_lane(line->source, &(struct lane_info){.stream = 0, .topic = "told"});
    source_memory_lane(line->source,
                       &(struct lane_info){.stream = LABEL_STREAM, .topic = "frauds"});
    line->sink = sink_memory_create();
    must(store_open_memory(&line->store), "the store");
    struct service_options options = {.settings = line->settings,
                                      .dir = line->dir,
                                      .store = line->store,
                                      .merge = {.ahead_max = INT64_MAX / 4, .until = INT64_MAX},
                                      .sources = &line->source,
                                      .n_sources = 1,
                                      .sink = line->sink,
                                      .rows_scores = true};
    must(service_open(&options, &line->service), "the service");
    must(serving_start(line->settings, line->service, &line->serving), "the endpoint");
    service_begin(line->service);
}

static void close_all(struct line *line)
{
    serving_stop(line->serving);
    service_free(line->service);
    line->source->ops->free(line->source);
    line->sink->ops->free(line->sink);
    store_free(line->store);
    settings_free(line->settings);
    folder_remove(line->dir);
}

/* The state thread's part: it looks at its requests only every so often. */
static void answer_until_end(struct line *line, int slow_ms)
{
    char byte;
    struct pollfd end = {.fd = STDIN_FILENO, .events = POLLIN};
    while (!is_over) {
        if (poll(&end, 1, slow_ms) > 0 && read(STDIN_FILENO, &byte, 1) <= 0)
            return;
        enum status st = service_step_state(line->service);
        must(st == ST_EAGAIN ? ST_OK : st, "the state");
    }
}

int main(int argc, char **argv)
{
    struct line line = {.dir = "/tmp/freshet-served-XXXXXX"};
    char text[1024];
    (void)argc;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_signal);
    snprintf(text, sizeof text, config, number_after(argv, "--queue", 16),
             number_after(argv, "--drain-ms", 3000));
    if (!mkdtemp(line.dir))
        return 1;
    must(settings_parse("told.yaml", slice_of(text), stderr, &line.settings), "the config");
    open_service(&line);
    printf("http %d\ngrpc %d\n", serving_http_port(line.serving), serving_grpc_port(line.serving));
    fflush(stdout);
    answer_until_end(&line, (int)number_after(argv, "--slow-ms", 1));
    close_all(&line);
    return 0;
}
