#include "online/endpoint/worker.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "online/endpoint/grpc.h"
#include "online/endpoint/coding.h"
#include "online/endpoint/infer_json.h"
#include "online/endpoint/rest.h"
#include "online/service.h"

/* Requests that are not all there yet and answers that nobody takes may hold this much memory of a
 * worker, and two of the largest more. */
#define HELD_MAX ((size_t)64 << 20)

enum { ACCEPTS_AT_ONCE = 64, TICK_MS = 100 };

/* Connections. */

static void take_connection(struct worker *worker, int which, int fd)
{
    int one = 1;
    if (worker->n_links >= worker->options->connections_max) {
        close(fd);
        metric_add(worker->shared->metrics.refused, 1);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (which == 0)
        rest_accept(worker, fd);
    else
        grpc_accept(worker, fd);
}

/* Whoever waits is there at the next look again: without this, at once and for ever. */
static void stop_accepting(struct worker *worker)
{
    worker->out_of_files = true;
    for (int i = 0; i < 2; i++)
        if (worker->listening[i])
            event_del(worker->listening[i]);
}

static void accept_again(struct worker *worker)
{
    worker->out_of_files = false;
    for (int i = 0; i < 2; i++)
        if (worker->listening[i])
            event_add(worker->listening[i], NULL);
}

static void on_accept(struct worker *worker, int which)
{
    worker->now = service_clock();
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        int fd = accept4(worker->listeners[which], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS))
            stop_accepting(worker);
        if (fd < 0)
            return; /* none, or another worker took it, or it has gone */
        take_connection(worker, which, fd);
    }
}

static void on_accept_http(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    on_accept(arg, 0);
}

static void on_accept_grpc(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    on_accept(arg, 1);
}

/* Answers of the state thread. */

static void take_answers(struct worker *worker)
{
    struct request *request;
    struct requests *requests = worker->options->requests;
    while (requests && (request = requests_answered(requests, worker->number)))
        call_extracted(request->owner);
    grpc_flush(worker);
    link_make_room(worker);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct worker *worker = arg;
    eventfd_t n;
    (void)what;
    worker->now = service_clock();
    eventfd_read(fd, &n);
    /* Not before that was read: a wake-up in between would be read too, and no other would follow.
     * Exchanged on both sides: what came before a wake-up that found us awake is seen below. */
    atomic_exchange(&worker->asleep, true);
    take_answers(worker);
    if (worker->stop)
        event_base_loopbreak(worker->base);
}

static size_t place_of(const struct worker *worker, const struct served *served)
{
    return (size_t)(served - worker->options->catalog->items);
}

bool worker_serves(const struct worker *worker, const struct served *served)
{
    return !worker->shared->unloaded[place_of(worker, served)];
}

void worker_set_served(struct worker *worker, const struct served *served, bool serves)
{
    worker->shared->unloaded[place_of(worker, served)] = !serves;
    log_info("endpoint.repository", "model=\"%s\" served=%d", served->name, serves);
}

int64_t worker_wall_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

void worker_wake(struct worker *worker)
{
    if (atomic_exchange(&worker->asleep, false))
        eventfd_write(worker->wake_fd, 1);
}

static void say_goodbye(struct worker *worker)
{
    worker->said_goodbye = true;
    for (int i = 0; i < 2; i++)
        if (worker->listening[i])
            event_del(worker->listening[i]);
    for (struct link *link = worker->links.first, *next; link; link = next) {
        next = link->behind;
        link->ops->goodbye(link);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct worker *worker = arg;
    (void)fd;
    (void)what;
    worker->now = service_clock();
    take_answers(worker);
    grpc_expire(worker);
    link_expire(worker, worker->now);
    if (worker->number == 0 && worker->shared->tokens)
        tokens_refresh(worker->shared->tokens);
    if (worker->out_of_files && !worker->shared->draining)
        accept_again(worker);
    if (worker->shared->draining && !worker->said_goodbye)
        say_goodbye(worker);
}

static void *serve(void *arg)
{
    struct worker *worker = arg;
    pthread_setname_np(pthread_self(), "endpoint");
    event_base_dispatch(worker->base);
    return NULL;
}

/* Making. */

static enum status make_decoders(struct worker *worker)
{
    const struct schema *schema = worker->options->schema;
    worker->decoders = calloc(schema->n_streams + 1, sizeof(struct decoder *));
    if (!worker->decoders)
        return ST_ENOMEM;
    for (size_t i = 0; i < schema->n_streams; i++) {
        const struct stream *stream = &schema->streams[i];
        struct decoder_options options = {
            .format = "json", .stream = stream, .index = (uint16_t)i, .name = stream->name};
        struct conf_errors errors = {0};
        enum status st = decoder_create(&options, &errors, &worker->decoders[i]);
        conf_errors_done(&errors);
        TRY(st);
    }
    return ST_OK;
}

static struct event *watch(struct worker *worker, int fd, event_callback_fn fn)
{
    struct event *event = event_new(worker->base, fd, EV_READ | EV_PERSIST, fn, worker);
    if (event)
        event_add(event, NULL);
    return event;
}

static enum status make_events(struct worker *worker)
{
    static const struct timeval tick = {0, TICK_MS * 1000};
    static const event_callback_fn accepts[2] = {on_accept_http, on_accept_grpc};
    for (int i = 0; i < 2; i++) {
        if (worker->listeners[i] < 0)
            continue;
        worker->listening[i] = watch(worker, worker->listeners[i], accepts[i]);
        if (!worker->listening[i])
            return ST_ENOMEM;
    }
    worker->woken = watch(worker, worker->wake_fd, on_wake);
    worker->tick = event_new(worker->base, -1, EV_PERSIST, on_tick, worker);
    return worker->woken && worker->tick && event_add(worker->tick, &tick) == 0 ? ST_OK : ST_ENOMEM;
}

enum status worker_create(struct shared *shared, size_t number, const int listeners[2],
                          struct worker **ret)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return ST_ENOMEM;
    worker->shared = shared;
    worker->options = &shared->options;
    worker->number = number;
    worker->calls_max = shared->options.queue;
    worker->held_max = HELD_MAX + 2 * shared->options.body_max;
    worker->asleep = true;
    worker->now = service_clock();
    memcpy(worker->listeners, listeners, sizeof worker->listeners);
    worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    worker->base = event_base_new();
    worker->scratch = malloc(SCRATCH);
    worker->json = infer_json_create();
    worker->coder = coder_create();
    bool good =
        worker->wake_fd >= 0 && worker->base && worker->scratch && worker->json && worker->coder;
    enum status st = good ? make_decoders(worker) : ST_ENOMEM;
    if (st == ST_OK)
        st = make_events(worker);
    if (st < 0) {
        worker_free(worker);
        return st;
    }
    *ret = worker;
    return ST_OK;
}

enum status worker_start(struct worker *worker)
{
    worker->started = pthread_create(&worker->thread, NULL, serve, worker) == 0;
    return worker->started ? ST_OK : ST_ENOMEM;
}

static void free_events(struct worker *worker)
{
    struct event *events[] = {worker->listening[0], worker->listening[1], worker->woken,
                              worker->tick};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (events[i])
            event_free(events[i]);
}

static void free_memory(struct worker *worker)
{
    for (struct call *call; (call = worker->free_calls);) {
        worker->free_calls = call->next;
        call_free(call);
    }
    for (size_t i = 0; i < worker->n_spare; i++)
        buf_done(&worker->spare[i]);
    for (size_t i = 0; worker->decoders && i < worker->options->schema->n_streams; i++)
        decoder_free(worker->decoders[i]);
    grpc_done(worker);
    infer_json_free(worker->json);
    coder_free(worker->coder);
    buf_done(&worker->body);
    buf_done(&worker->inflated);
    buf_done(&worker->text);
    buf_done(&worker->deflated);
    free(worker->decoders);
    free(worker->scratch);
    free(worker);
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    worker->stop = true;
    if (worker->started) {
        eventfd_write(worker->wake_fd, 1);
        pthread_join(worker->thread, NULL);
        take_answers(worker); /* calls come back, whoever has asked */
    }
    while (worker->links.first)
        link_close(worker->links.first);
    free_events(worker);
    if (worker->base)
        event_base_free(worker->base);
    if (worker->wake_fd >= 0)
        close(worker->wake_fd);
    free_memory(worker);
}
