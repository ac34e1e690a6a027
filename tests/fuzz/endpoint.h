/*
 * tests/fuzz/endpoint.h -- a worker of the endpoint that runs in no thread, made once, and
 * connections to it without a socket: what they say is in link_out().
 */
#ifndef TESTS_FUZZ_ENDPOINT_H
#define TESTS_FUZZ_ENDPOINT_H

#include "base/metrics.h"
#include "online/endpoint/grpc.h"
#include "online/endpoint/rest.h"
#include "online/endpoint/worker.h"
#include "tests/endpoint_fixture.h"
#include "tests/fuzz/fuzz.h"

enum { FUZZ_COLUMNS = 4, FUZZ_MESSAGE_MAX = 64 * 1024 };

/* It serves the model "told" of four columns, f0 to f3, and takes 64 KiB a message. */
static inline struct worker *fuzz_worker(void)
{
    static struct told told;
    static struct shared shared;
    static struct worker *worker;
    static const int listeners[2] = {-1, -1};
    if (worker)
        return worker;
    told_init(&told, FUZZ_COLUMNS);
    told.options.body_max = FUZZ_MESSAGE_MAX;
    shared.options = told.options;
    shared.metrics.connections = metric_gauge("fuzz_connections", "Connections.", NULL, NULL);
    shared.metrics.requests[0] = metric_counter("fuzz_http_total", "Requests.", NULL, NULL);
    shared.metrics.requests[1] = metric_counter("fuzz_grpc_total", "Requests.", NULL, NULL);
    shared.metrics.refused = metric_counter("fuzz_refused_total", "Refused.", NULL, NULL);
    FUZZ_LAW(worker_create(&shared, 0, listeners, &worker) == ST_OK, "a worker can be made");
    return worker;
}

/* A connection by one of the two protocols. */
static inline struct link *fuzz_dial(void (*accept)(struct worker *, int))
{
    struct worker *worker = fuzz_worker();
    accept(worker, -1);
    FUZZ_LAW(worker->links.first != NULL, "a connection is accepted");
    return worker->links.first;
}

/* Bytes to a connection, as link.c gives them. Returns how many were taken, or -1. */
static inline ssize_t fuzz_say(struct link *link, struct slice data)
{
    link->taking = true;
    ssize_t taken = link->ops->take(link, data.data, data.len);
    link->taking = false;
    FUZZ_LAW(taken <= (ssize_t)data.len, "no more is taken than there is");
    return taken;
}

static inline void fuzz_hang_up(struct link *link)
{
    struct worker *worker = link->worker;
    link_close(link);
    FUZZ_LAW(worker->n_links == 0 && worker->held == 0, "a connection leaves nothing behind");
}

#endif
