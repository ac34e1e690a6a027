/*
 * online/endpoint/worker.h -- a thread of the endpoint: its event loop, its connections, its calls.
 *
 * Whatever is in here is that thread's alone, but wake_fd and the two flags beside it.
 */
#ifndef ONLINE_ENDPOINT_WORKER_H
#define ONLINE_ENDPOINT_WORKER_H

#include <event2/event.h> /* its struct event is opaque, and not that of ingest/event.h */
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "ingest/decode.h"
#include "online/endpoint/call.h"
#include "online/endpoint/endpoint.h"
#include "online/endpoint/link.h"
#include "online/endpoint/tokens.h"

enum { SCRATCH = 64 * 1024, SPARES = 64 };

struct infer_json;

struct worker_metrics {
    struct metric *connections, *requests[2], *refused, *seconds;
};

/* What all workers share; made before they start. */
struct shared {
    struct endpoint_options options;
    SSL_CTX *tls;
    struct tokens *tokens;
    struct worker_metrics metrics;
    _Atomic bool draining;
    _Atomic bool unloaded[CATALOG_MAX]; /* of the catalog: somebody asked that it be not served */
};

struct worker {
    const struct endpoint_options *options;
    struct shared *shared;
    size_t number;
    pthread_t thread;
    bool started;
    struct event_base *base;
    int listeners[2]; /* http, grpc; borrowed */
    struct event *listening[2], *woken, *tick;
    int wake_fd;
    _Atomic bool asleep; /* has no wake-up under way */
    _Atomic bool stop;
    bool said_goodbye;
    bool out_of_files; /* nothing is accepted until the next tick */

    char *scratch; /* SCRATCH: what is being read */
    size_t n_spare;
    struct buf spare[SPARES]; /* buffers lent to connections */
    struct link_list links;   /* the one silent for longest first */
    _Atomic size_t n_links;

    size_t held, held_max; /* bytes that connections hold; at most */
    size_t asked;          /* bytes of calls on their way to the state thread; as many at most */
    int64_t expires;       /* when links are looked at again */

    struct grpc_worker *grpc; /* NULL: nobody came by gRPC yet */
    struct call *free_calls;
    size_t n_calls, calls_max;
    struct decoder **decoders; /* one a stream; NULL: not served */
    struct infer_json *json;
    struct coder *coder;
    struct buf body;     /* of a request that came in chunks */
    struct buf inflated; /* what a compressed request stands for */
    struct buf text;     /* an answer in the making */
    struct buf deflated; /* the same, compressed */
    int64_t now;         /* monotonic us, as of the last look */
};

STATUS_CHECKED enum status worker_create(struct shared *shared, size_t number,
                                         const int listeners[2], struct worker **ret);
STATUS_CHECKED enum status worker_start(struct worker *worker);
/* Ends the thread and closes its connections. */
void worker_free(struct worker *worker);
/* Whether a model of the catalog is served here; the stream goes on either way. */
bool worker_serves(const struct worker *worker, const struct served *served);
/* By all workers, from now on. */
void worker_set_served(struct worker *worker, const struct served *served, bool serves);
/* Microseconds of the calendar. */
int64_t worker_wall_clock(void);
/* From any thread. */
void worker_wake(struct worker *worker);

#endif
