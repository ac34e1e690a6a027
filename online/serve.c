#include "online/serve.h"

#include <pthread.h>

#include "base/log.h"
#include "ingest/source_kafka.h"
#include "online/http.h"
#include "online/live.h"
#include "online/top.h"

struct console {
    struct top *top;
    struct live *live;
    struct http *http;
};

static void tell_broker(void *arg, size_t lane, int64_t next)
{
    source_kafka_commit(arg, lane, next);
}

static struct service_options options_of(const struct serve_options *options, struct top *top)
{
    const struct time_settings *time = &options->settings->time;
    return (struct service_options){
        .settings = options->settings,
        .dir = options->dir,
        .merge = {.idle_max = time->idle_max,
                  .ahead_max = time->ahead_max,
                  .tick_every = time->tick,
                  .until = INT64_MAX},
        .sources = &options->ends->source,
        .n_sources = 1,
        .sink = options->ends->sink,
        .format = ROWS_JSON,
        .rows_scores = true,
        .rows_features = options->settings->scores.features,
        .inputs_anew = options->ends->broker != NULL,
        .stop = options->stop,
        .committed = tell_broker,
        .committed_arg = options->ends->source,
        .on_score = top ? top_on_score : NULL,
        .on_score_arg = top,
    };
}

static enum status open_http(const struct settings *settings, struct service *service,
                             struct http **ret)
{
    if (!settings->metrics.listen)
        return ST_OK;
    struct http_options http = {
        .listen = settings->metrics.listen, .health = service_health, .health_arg = service};
    struct buf error = {0};
    enum status st = http_start(&http, &error, ret);
    if (st < 0)
        log_error("metrics.listen", "address=%s why=\"%.*s\"", settings->metrics.listen,
                  (int)error.len, error.len ? error.data : "");
    buf_done(&error);
    return st;
}

static enum status run_fed(const struct serve_options *options, struct service *service)
{
    pthread_t feeder;
    bool fed =
        options->feeder && pthread_create(&feeder, NULL, options->feeder, options->feeder_arg) == 0;
    enum status st = service_run(service);
    *options->stop = 1; /* the feeder ends with the service */
    if (fed)
        pthread_join(feeder, NULL);
    return st;
}

static enum status serve_with(const struct serve_options *options, struct console *console)
{
    struct service_options service_opts = options_of(options, console->top);
    struct service *service = NULL;
    TRY(service_open(&service_opts, &service));
    enum status st = open_http(options->settings, service, &console->http);
    if (st == ST_OK) {
        log_info("service.start", "name=%s dir=\"%s\" brokers=%s", options->settings->name,
                 options->dir, options->ends->brokers);
        if (options->live)
            console->live = live_start(options->settings->name, console->top);
        st = run_fed(options, service);
        live_stop(console->live);
        log_info("service.stop", "status=\"%s\"", status_text(st));
    }
    http_stop(console->http);
    service_free(service);
    return st;
}

enum status serve(const struct serve_options *options)
{
    struct console console = {0};
    if (options->live)
        TRY(top_create(&console.top));
    enum status st = serve_with(options, &console);
    top_free(console.top);
    return st;
}
