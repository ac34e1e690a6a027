#include "online/serving.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "online/endpoint/endpoint.h"

struct serving {
    struct catalog catalog;
    struct requests *requests;
    struct endpoint *endpoint;
    char platforms[MODELS_MAX][64];
};

static size_t power_of_two(int64_t n)
{
    size_t size = 1;
    while (size < (size_t)n)
        size *= 2;
    return size;
}

static void add(struct catalog *catalog, const struct served *served)
{
    if (catalog->n < CATALOG_MAX && !catalog_find(catalog, slice_of(served->name)))
        catalog->items[catalog->n++] = *served;
}

/* Each model under its own name. */
static void list_vectors(struct serving *serving, const struct settings *settings,
                         const struct service_parts *parts)
{
    for (size_t i = 0; i < parts->n_models; i++) {
        const struct model_ops *ops = parts->models[i].settings->ops;
        char *platform = serving->platforms[i];
        snprintf(platform, sizeof serving->platforms[i], "freshet_%s", ops->name);
        struct served served = {
            .name = parts->models[i].settings->name,
            .kind = SERVED_VECTOR,
            .platform = platform,
            .registry = parts->models[i].registry,
            .columns = plan_vector_schema(parts->plan),
            .canary = parts->models[i].canary,
            .reasons = ops->explain ? (size_t)settings->scores.reasons_max : 0,
        };
        add(&serving->catalog, &served);
    }
}

/* The pipeline under the name of each stream that is scored; what scores there scores here. */
static void list_streams(struct serving *serving, const struct settings *settings,
                         const struct service_parts *parts)
{
    struct served served = serving->catalog.items[0];
    served.kind = SERVED_EVENTS;
    if (parts->n_models > 1) {
        served.models = serving->catalog.items; /* listed in the same order */
        served.champion = parts->champion;
    }
    for (size_t i = 0; i < settings->schema.n_streams; i++) {
        served.stream = &settings->schema.streams[i];
        served.stream_index = (uint16_t)i;
        served.name = served.stream->name;
        if (served.stream->score)
            add(&serving->catalog, &served);
    }
}

static struct endpoint_options options_of(const struct serving *serving,
                                          const struct settings *settings, struct service *service)
{
    const struct endpoint_settings *endpoint = &settings->endpoint;
    return (struct endpoint_options){
        .name = settings->name,
        .http = endpoint->http,
        .grpc = endpoint->grpc,
        .threads = (size_t)endpoint->threads,
        .body_max = (size_t)endpoint->message,
        .rows_max = (size_t)endpoint->rows,
        .events_max = (size_t)endpoint->events,
        .queue = power_of_two(endpoint->queue),
        .connections_max = (size_t)endpoint->connections,
        .idle = endpoint->idle,
        .drain = endpoint->drain,
        .tls = {endpoint->tls.certificate, endpoint->tls.key, endpoint->tls.clients},
        .tokens = endpoint->tokens,
        .catalog = &serving->catalog,
        .schema = &settings->schema,
        .requests = serving->requests,
        .health = service_health,
        .health_arg = service,
    };
}

static void wake(void *arg, size_t lane)
{
    struct serving *serving = arg;
    if (serving->endpoint)
        endpoint_wake(serving->endpoint, lane);
}

static enum status open_requests(struct serving *serving, const struct settings *settings,
                                 struct service *service)
{
    struct requests_options options = {
        .depth = power_of_two(settings->endpoint.queue),
        .lanes = (size_t)settings->endpoint.threads,
        .wake = wake,
        .wake_arg = serving,
    };
    TRY(service_open_requests(service, &options));
    serving->requests = service_parts(service).requests;
    return ST_OK;
}

static enum status start(struct serving *serving, const struct settings *settings,
                         struct service *service, struct buf *error)
{
    struct service_parts parts = service_parts(service);
    list_vectors(serving, settings, &parts);
    list_streams(serving, settings, &parts);
    TRY(open_requests(serving, settings, service));
    struct endpoint_options options = options_of(serving, settings, service);
    TRY(endpoint_start(&options, error, &serving->endpoint));
    log_info("endpoint.start", "http=%d grpc=%d threads=%zu models=%zu",
             endpoint_http_port(serving->endpoint), endpoint_grpc_port(serving->endpoint),
             options.threads, serving->catalog.n);
    return ST_OK;
}

enum status serving_start(const struct settings *settings, struct service *service,
                          struct serving **ret)
{
    const struct endpoint_settings *endpoint = &settings->endpoint;
    if (settings->n_models == 0 || (!endpoint->http && !endpoint->grpc))
        return ST_OK;
    struct serving *serving = calloc(1, sizeof *serving);
    if (!serving)
        return ST_ENOMEM;
    struct buf error = {0};
    enum status st = start(serving, settings, service, &error);
    if (st < 0) {
        log_error("endpoint.start", "why=\"%.*s\"", (int)error.len, error.len ? error.data : "");
        serving_stop(serving);
    } else {
        *ret = serving;
    }
    buf_done(&error);
    return st;
}

void serving_stop(struct serving *serving)
{
    if (!serving)
        return;
    if (serving->requests)
        requests_close(serving->requests);
    endpoint_drain(serving->endpoint);
    endpoint_free(serving->endpoint);
    free(serving);
}

int serving_http_port(const struct serving *serving)
{
    return endpoint_http_port(serving->endpoint);
}

int serving_grpc_port(const struct serving *serving)
{
    return endpoint_grpc_port(serving->endpoint);
}
