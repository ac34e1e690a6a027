#include "online/http.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/metrics.h"

enum { TIMEOUT_S = 10, HOST_MAX = 256, BODY_MAX = 4096 };

struct http {
    struct event_base *base;
    struct evhttp *server;
    struct event *stop_event;
    int stop_fd; /* written to by http_stop(): libevent's own calls are for its thread alone */
    int port;
    http_health_fn health;
    void *health_arg;
    struct buf body; /* used again for each answer */
    pthread_t thread;
    bool running;
};

/* Answers. */

static void answer(struct http *http, struct evhttp_request *request, int code, const char *type)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    evhttp_add_header(headers, "Content-Type", type);
    bool wanted = evhttp_request_get_command(request) != EVHTTP_REQ_HEAD;
    struct evbuffer *out = wanted ? evbuffer_new() : NULL;
    if (out)
        evbuffer_add(out, http->body.data, http->body.len);
    evhttp_send_reply(request, code, NULL, out);
    if (out)
        evbuffer_free(out);
}

static void add_json_text(struct buf *body, const char *text)
{
    buf_byte(body, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            buf_printf(body, "\\%c", c);
        else if (c < 0x20)
            buf_printf(body, "\\u%04x", c);
        else
            buf_byte(body, c);
    }
    buf_byte(body, '"');
}

static void answer_error(struct http *http, struct evhttp_request *request, int code,
                         const char *text)
{
    buf_reset(&http->body);
    buf_text(&http->body, "{\"error\":");
    add_json_text(&http->body, text);
    buf_text(&http->body, "}\n");
    answer(http, request, code, "application/json");
}

static bool refuse_method(struct http *http, struct evhttp_request *request)
{
    enum evhttp_cmd_type method = evhttp_request_get_command(request);
    if (method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD)
        return false;
    evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", "GET, HEAD");
    answer_error(http, request, HTTP_BADMETHOD, "only GET is answered here");
    return true;
}

static void answer_metrics(struct evhttp_request *request, void *arg)
{
    struct http *http = arg;
    if (refuse_method(http, request))
        return;
    buf_reset(&http->body);
    metrics_write(&http->body);
    answer(http, request, HTTP_OK, "text/plain; version=0.0.4; charset=utf-8");
}

static void answer_health(struct evhttp_request *request, void *arg)
{
    struct http *http = arg;
    if (refuse_method(http, request))
        return;
    bool ok = false;
    const char *detail = http->health(http->health_arg, &ok);
    buf_reset(&http->body);
    buf_printf(&http->body, "{\"status\":\"%s\",\"detail\":", ok ? "ok" : "failing");
    add_json_text(&http->body, detail);
    buf_text(&http->body, "}\n");
    answer(http, request, ok ? HTTP_OK : HTTP_SERVUNAVAIL, "application/json");
}

static void answer_other(struct evhttp_request *request, void *arg)
{
    answer_error(arg, request, HTTP_NOTFOUND, "not found: there are /metrics and /health");
}

/* Start and end. */

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(((struct http *)arg)->base);
}

static void *serve(void *arg)
{
    event_base_dispatch(((struct http *)arg)->base);
    return NULL;
}

/* Splits HOST:PORT; the brackets of an IPv6 address are dropped. */
static enum status parse_listen(const char *listen, char host[HOST_MAX], uint16_t *ret_port)
{
    const char *colon = strrchr(listen, ':');
    char *end = NULL;
    long port = colon && colon[1] ? strtol(colon + 1, &end, 10) : -1;
    size_t len = colon ? (size_t)(colon - listen) : 0;
    if (port < 0 || port > 65535 || *end || len >= HOST_MAX)
        return ST_EINVAL;
    bool brackets = len >= 2 && listen[0] == '[' && listen[len - 1] == ']';
    if (brackets) {
        listen++;
        len -= 2;
    }
    memcpy(host, listen, len);
    host[len] = 0;
    if (len == 0)
        snprintf(host, HOST_MAX, "0.0.0.0");
    *ret_port = (uint16_t)port;
    return ST_OK;
}

static int bound_port(struct evhttp_bound_socket *bound)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    socklen_t len = sizeof address;
    memset(&address, 0, sizeof address);
    if (getsockname(evhttp_bound_socket_get_fd(bound), &address.any, &len) < 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* What libevent would print is in our own error line, or of no interest. */
static void drop_log(int severity, const char *text)
{
    (void)severity;
    (void)text;
}

static enum status open_server(struct http *http)
{
    event_set_log_callback(drop_log);
    http->base = event_base_new();
    http->server = http->base ? evhttp_new(http->base) : NULL;
    http->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!http->server || http->stop_fd < 0)
        return ST_ENOMEM;
    http->stop_event = event_new(http->base, http->stop_fd, EV_READ, on_stop, http);
    if (!http->stop_event || event_add(http->stop_event, NULL) < 0)
        return ST_ENOMEM;
    evhttp_set_timeout(http->server, TIMEOUT_S);
    evhttp_set_max_headers_size(http->server, BODY_MAX);
    evhttp_set_max_body_size(http->server, BODY_MAX);
    evhttp_set_cb(http->server, "/metrics", answer_metrics, http);
    evhttp_set_cb(http->server, "/health", answer_health, http);
    evhttp_set_gencb(http->server, answer_other, http);
    return ST_OK;
}

static enum status open_port(struct http *http, const char *listen, struct buf *error)
{
    char host[HOST_MAX];
    uint16_t port = 0;
    if (parse_listen(listen, host, &port) < 0) {
        buf_printf(error, "`%s` is not HOST:PORT", listen);
        return ST_EINVAL;
    }
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http->server, host, port);
    if (!bound) {
        buf_printf(error, "cannot listen on %s: %s", listen, strerror(errno));
        return ST_EIO;
    }
    http->port = bound_port(bound);
    return ST_OK;
}

enum status http_start(const struct http_options *options, struct buf *error, struct http **ret)
{
    struct http *http = calloc(1, sizeof *http);
    if (!http)
        return ST_ENOMEM;
    http->health = options->health;
    http->health_arg = options->health_arg;
    enum status st = open_server(http);
    if (st == ST_OK)
        st = open_port(http, options->listen, error);
    if (st == ST_OK && pthread_create(&http->thread, NULL, serve, http) != 0)
        st = ST_ENOMEM;
    if (st < 0) {
        http_stop(http);
        return st;
    }
    http->running = true;
    *ret = http;
    return ST_OK;
}

void http_stop(struct http *http)
{
    if (!http)
        return;
    if (http->running && eventfd_write(http->stop_fd, 1) == 0)
        pthread_join(http->thread, NULL);
    if (http->server)
        evhttp_free(http->server);
    if (http->stop_event)
        event_free(http->stop_event);
    if (http->base)
        event_base_free(http->base);
    if (http->stop_fd > 0)
        close(http->stop_fd);
    buf_done(&http->body);
    free(http);
}

int http_port(const struct http *http)
{
    return http->port;
}
