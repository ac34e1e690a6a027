/*
 * online/endpoint/endpoint.h -- scores on request: the Open Inference Protocol v2 over HTTP/REST
 * and gRPC.
 *
 *     struct endpoint_options options = {.http = "0.0.0.0:8000", .grpc = "0.0.0.0:8001", ...};
 *     TRY(endpoint_start(&options, &error, &endpoint));
 *     ...
 *     endpoint_drain(endpoint);      // answers what was asked, says goodbye, takes no more
 *     endpoint_free(endpoint);
 *
 * Each worker is a thread with an event loop of its own. It accepts connections, parses, scores and
 * answers; only what depends on live state goes to the state thread and comes back (requests.h).
 * Nothing is allocated a request after warm-up, and an idle connection holds no buffer.
 */
#ifndef ONLINE_ENDPOINT_ENDPOINT_H
#define ONLINE_ENDPOINT_ENDPOINT_H

#include "online/endpoint/catalog.h"
#include "online/requests.h"

struct tokens;

struct endpoint_tls {
    const char *certificate, *key; /* PEM files; NULL: plain text */
    const char *clients;           /* PEM file of the CAs of clients; NULL: any client */
};

struct endpoint_options {
    const char *name;        /* of the server, in its metadata */
    const char *http, *grpc; /* HOST:PORT or PORT; NULL: not served; port 0: any that is free */
    size_t threads;          /* 1 to ENDPOINT_THREADS_MAX */
    size_t body_max;         /* bytes of a request */
    size_t rows_max;         /* of a request to a vector model */
    size_t events_max;       /* of a request to an events model */
    size_t queue;            /* calls of a worker on their way: a power of two, of requests too */
    size_t connections_max;  /* of a worker */
    int64_t idle;            /* us after which a silent connection is closed */
    int64_t drain;           /* us that endpoint_drain() waits at most */
    struct endpoint_tls tls;
    const char *tokens; /* file of bearer tokens; NULL: anybody may ask */
    const struct catalog *catalog;
    const struct schema *schema;
    struct requests *requests; /* NULL: no events models */
    /* How the service is; *ret_ok: whether it is well. Any thread. */
    const char *(*health)(void *arg, bool *ret_ok);
    void *health_arg;
};

enum { ENDPOINT_THREADS_MAX = 16 };

struct endpoint;

/* Returns ST_EINVAL (an address, a certificate, a token file), ST_EIO (cannot listen), ST_ENOMEM;
 * error says why. */
STATUS_CHECKED enum status endpoint_start(const struct endpoint_options *options, struct buf *error,
                                          struct endpoint **ret);
void endpoint_drain(struct endpoint *endpoint);
/* Closes what is still open and ends the threads. NULL is allowed. */
void endpoint_free(struct endpoint *endpoint);

/* The ports it listens on; 0: not served. */
int endpoint_http_port(const struct endpoint *endpoint);
int endpoint_grpc_port(const struct endpoint *endpoint);

/* There are answers from the state thread for a worker: requests_options.wake, the endpoint being
 * the argument. */
void endpoint_wake(void *endpoint, size_t worker);

#endif
