/*
 * online/http.h -- GET /metrics and GET /health, for Prometheus and for probes.
 *
 *     struct http_options options = {.listen = "0.0.0.0:9464", .health = health, .health_arg = s};
 *     struct http *http = NULL;
 *     TRY(http_start(&options, &error, &http));
 *     ...
 *     http_stop(http);
 *
 * A thread of its own serves them, so that they answer while the service is busy or stuck. It is
 * libevent's evhttp: HTTP/1.1, a connection at a time, which is enough for a probe every second.
 * Not for the endpoint that scores requests.
 *
 *     GET /metrics   200, Prometheus text format 0.0.4
 *     GET /health    200 {"status":"ok","detail":TEXT} or 503 {"status":"failing","detail":TEXT}
 *     other paths    404 {"error":TEXT}; other methods: 405
 */
#ifndef ONLINE_HTTP_H
#define ONLINE_HTTP_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"

/* How the service is, in a line; *ret_ok: whether it is well. Called on the server's thread. The
 * text is read before the next call. */
typedef const char *(*http_health_fn)(void *arg, bool *ret_ok);

struct http_options {
    const char *listen; /* HOST:PORT; "[::1]:PORT" for IPv6; port 0: any that is free */
    http_health_fn health;
    void *health_arg;
};

struct http;

/* Returns ST_EINVAL (not an address), ST_EIO (cannot listen there) with a line in error; ST_ENOMEM.
 */
STATUS_CHECKED enum status http_start(const struct http_options *options, struct buf *error,
                                      struct http **ret);
/* Closes all connections and ends the thread. NULL is allowed. */
void http_stop(struct http *http);

/* The port it listens on. */
int http_port(const struct http *http);

#endif
