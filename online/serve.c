#include "online/serve.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "online/control.h"
#include "online/http.h"
#include "online/live.h"
#include "online/serving.h"
#include "online/top.h"

struct console {
    struct top *top;
    struct live *live;
    struct http *http;
    struct control *control;
    struct serving *serving;
};

static enum status ask_broker(void *arg, struct group_offset *ret)
{
    return kafka_ends_resume(arg, ret);
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
        .resume = options->ends->broker ? NULL : ask_broker, /* the embedded one is always new */
        .resume_arg = options->ends,
        .after_restore = options->after_restore,
        .accept_gap = options->accept_gap,
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

static enum status take_checkpoint(struct service *service, const char *to, struct buf *reply)
{
    int64_t began = service_clock();
    enum status st = service_checkpoint(service, to, reply);
    if (st < 0)
        log_error("checkpoint.failed", "to=\"%s\" why=\"%.*s\"", to, (int)reply->len,
                  reply->len ? reply->data : "");
    else
        log_info("checkpoint.done", "to=\"%s\" ms=%lld", to,
                 (long long)((service_clock() - began) / 1000));
    return st;
}

/* "checkpoint FOLDER", from `freshet state checkpoint`; "promote MODEL [VERSION]" and "rollback
 * MODEL", from `freshet model`. */
static enum status on_request(void *arg, const char *request, struct buf *reply)
{
    char word[16], name[128] = "";
    unsigned version = 0;
    int rest = 0;
    int n = sscanf(request, "%15s %n%127s %u", word, &rest, name, &version);
    if (n >= 2 && strcmp(word, "checkpoint") == 0)
        return take_checkpoint(arg, request + rest, reply);
    if (n >= 2 && strcmp(word, "promote") == 0)
        return service_promote(arg, name, version, reply);
    if (n == 2 && strcmp(word, "rollback") == 0)
        return service_rollback(arg, name, reply);
    buf_text(reply, "this freshet does not know what is asked of it");
    return ST_EINVAL;
}

/* Without it the service runs as well; only nothing can be asked of it while it does. */
static struct control *open_control(const char *dir, struct service *service)
{
    struct control *control = NULL;
    if (control_start(dir, on_request, service, &control) < 0)
        log_warn("control.failed", "dir=\"%s\" why=\"%s\"", dir, strerror(errno));
    return control;
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
    if (st == ST_OK)
        st = serving_start(options->settings, service, &console->serving);
    if (st == ST_OK) {
        console->control = open_control(options->dir, service);
        log_info("service.start", "name=%s dir=\"%s\" brokers=%s", options->settings->name,
                 options->dir, options->ends->brokers);
        if (options->live)
            console->live = live_start(options->settings->name, console->top);
        st = run_fed(options, service);
        live_stop(console->live);
        log_info("service.stop", "status=\"%s\"", status_text(st));
    }
    serving_stop(console->serving);
    control_stop(console->control);
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
