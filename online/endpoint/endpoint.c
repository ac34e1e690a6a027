#include "online/endpoint/endpoint.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/metrics.h"
#include "online/endpoint/tls.h"
#include "online/endpoint/worker.h"
#include "online/service.h"

struct endpoint {
    struct shared shared;
    int listeners[2]; /* http, grpc; -1: not served */
    size_t n_workers;
    struct worker *workers[ENDPOINT_THREADS_MAX];
};

/* Where to listen. */

/* HOST:PORT, [HOST]:PORT or PORT. */
static bool split_address(const char *text, char host[256], char port[8])
{
    const char *colon = strrchr(text, ':');
    const char *number = colon ? colon + 1 : text;
    size_t len = colon ? (size_t)(colon - text) : 0;
    bool brackets = len >= 2 && text[0] == '[' && text[len - 1] == ']';
    if (strlen(number) == 0 || strlen(number) > 5 || strspn(number, "0123456789") != strlen(number))
        return false;
    if (atoi(number) > 65535 || len >= 256)
        return false;
    snprintf(port, 8, "%s", number);
    snprintf(host, 256, "%.*s", (int)(len - 2 * brackets), text + brackets);
    if (len == 0)
        snprintf(host, 256, "0.0.0.0");
    return true;
}

static int listen_at(const struct addrinfo *at)
{
    int one = 1, fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, 1024) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static enum status open_listener(const char *text, struct buf *error, int *ret)
{
    char host[256], port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    if (!text)
        return ST_OK;
    if (!split_address(text, host, port)) {
        buf_printf(error, "`%s` is not HOST:PORT", text);
        return ST_EINVAL;
    }
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        buf_printf(error, "`%s` has no address", text);
        return ST_EINVAL;
    }
    *ret = listen_at(found);
    freeaddrinfo(found);
    if (*ret >= 0)
        return ST_OK;
    buf_printf(error, "cannot listen on %s: %s", text, strerror(errno));
    return ST_EIO;
}

static int port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    socklen_t len = sizeof address;
    memset(&address, 0, sizeof address);
    if (fd < 0 || getsockname(fd, &address.any, &len) < 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* Making. */

static void make_metrics(struct worker_metrics *ret)
{
    ret->connections = metric_gauge("freshet_endpoint_connections",
                                    "Connections to the scoring endpoint.", NULL, NULL);
    static const char help[] = "Requests to the scoring endpoint.";
    ret->requests[0] = metric_counter("freshet_endpoint_requests_total", help, "protocol", "http");
    ret->requests[1] = metric_counter("freshet_endpoint_requests_total", help, "protocol", "grpc");
    ret->refused = metric_counter("freshet_endpoint_refused_total",
                                  "Requests that the scoring endpoint refused.", NULL, NULL);
}

static enum status open_all(struct endpoint *endpoint, struct buf *error)
{
    struct shared *shared = &endpoint->shared;
    const struct endpoint_options *options = &shared->options;
    make_metrics(&shared->metrics);
    if (options->tls.certificate)
        TRY(tls_open(&options->tls, error, &shared->tls));
    if (options->tokens)
        TRY(tokens_open(options->tokens, error, &shared->tokens));
    TRY(open_listener(options->http, error, &endpoint->listeners[0]));
    TRY(open_listener(options->grpc, error, &endpoint->listeners[1]));
    for (size_t i = 0; i < options->threads; i++) {
        TRY(worker_create(shared, i, endpoint->listeners, &endpoint->workers[i]));
        endpoint->n_workers++;
    }
    for (size_t i = 0; i < options->threads; i++)
        TRY(worker_start(endpoint->workers[i]));
    return ST_OK;
}

enum status endpoint_start(const struct endpoint_options *options, struct buf *error,
                           struct endpoint **ret)
{
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);
    if (!endpoint)
        return ST_ENOMEM;
    endpoint->shared.options = *options;
    endpoint->listeners[0] = endpoint->listeners[1] = -1;
    enum status st = open_all(endpoint, error);
    if (st < 0) {
        endpoint_free(endpoint);
        return st;
    }
    *ret = endpoint;
    return ST_OK;
}

static size_t links_left(const struct endpoint *endpoint)
{
    size_t n = 0;
    for (size_t i = 0; i < endpoint->n_workers; i++)
        n += endpoint->workers[i]->n_links;
    return n;
}

void endpoint_drain(struct endpoint *endpoint)
{
    if (!endpoint)
        return;
    endpoint->shared.draining = true;
    int64_t until = service_clock() + endpoint->shared.options.drain;
    while (links_left(endpoint) > 0 && service_clock() < until)
        nanosleep(&(struct timespec){0, 10 * 1000 * 1000}, NULL);
}

void endpoint_free(struct endpoint *endpoint)
{
    if (!endpoint)
        return;
    for (size_t i = 0; i < endpoint->n_workers; i++)
        worker_free(endpoint->workers[i]);
    for (int i = 0; i < 2; i++)
        if (endpoint->listeners[i] >= 0)
            close(endpoint->listeners[i]);
    SSL_CTX_free(endpoint->shared.tls);
    tokens_free(endpoint->shared.tokens);
    free(endpoint);
}

int endpoint_http_port(const struct endpoint *endpoint)
{
    return port_of(endpoint->listeners[0]);
}

int endpoint_grpc_port(const struct endpoint *endpoint)
{
    return port_of(endpoint->listeners[1]);
}

void endpoint_wake(void *arg, size_t worker)
{
    struct endpoint *endpoint = arg;
    if (worker < endpoint->n_workers)
        worker_wake(endpoint->workers[worker]);
}
