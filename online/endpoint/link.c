#include "online/endpoint/link.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/metrics.h"
#include "online/endpoint/tls.h"
#include "online/endpoint/worker.h"

enum { SPARE_KEPT = 256 * 1024, READS_AT_ONCE = 4, LINGER_MS = 1000, LOOK_MS = 500 };

/* Buffers on loan. */

static void lend(struct worker *worker, struct buf *buf)
{
    if (!buf->data && worker->n_spare > 0)
        *buf = worker->spare[--worker->n_spare];
    buf->len = 0;
}

static void take_back(struct worker *worker, struct buf *buf)
{
    if (buf->data && buf->cap <= SPARE_KEPT && worker->n_spare < SPARES)
        worker->spare[worker->n_spare++] = *buf;
    else
        buf_done(buf);
    *buf = (struct buf){0};
}

struct buf *link_out(struct link *link)
{
    if (!link->out.data)
        lend(link->worker, &link->out);
    return &link->out;
}

size_t link_unsent(const struct link *link)
{
    return link->out.len - link->out_at;
}

static void count_held(struct link *link)
{
    size_t held = link->in.len + link_unsent(link) + link->kept;
    link->worker->held += held - link->held;
    link->held = held;
}

void link_keep(struct link *link, ssize_t bytes)
{
    link->kept += (size_t)bytes;
    count_held(link);
}

/* The list of links, the one silent for longest first. */

static void list_add(struct link_list *list, struct link *link)
{
    link->before = list->last;
    link->behind = NULL;
    *(list->last ? &list->last->behind : &list->first) = link;
    list->last = link;
}

static void list_remove(struct link_list *list, struct link *link)
{
    *(link->before ? &link->before->behind : &list->first) = link->behind;
    *(link->behind ? &link->behind->before : &list->last) = link->before;
}

static void touch(struct link *link)
{
    struct link_list *list = &link->worker->links;
    link->active = link->worker->now;
    if (list->last == link)
        return;
    list_remove(list, link);
    list_add(list, link);
}

/* The socket. -1: nothing now; 0: the end. */

static ssize_t ssl_result(struct link *link, int n)
{
    if (n > 0)
        return n;
    int why = SSL_get_error(link->ssl, n);
    ERR_clear_error();
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

static ssize_t raw_result(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? -1 : n < 0 ? 0 : n;
}

static ssize_t read_some(struct link *link, char *to, size_t len)
{
    if (link->ssl)
        return ssl_result(link, SSL_read(link->ssl, to, (int)len));
    return raw_result(recv(link->fd, to, len, 0));
}

static ssize_t write_some(struct link *link, const char *from, size_t len)
{
    if (link->ssl)
        return ssl_result(link, SSL_write(link->ssl, from, len > INT32_MAX ? INT32_MAX : (int)len));
    return raw_result(send(link->fd, from, len, MSG_NOSIGNAL));
}

/* In. */

static void keep_rest(struct link *link, size_t taken)
{
    size_t rest = link->in.len - taken;
    if (rest == 0) {
        take_back(link->worker, &link->in);
    } else if (taken > 0) {
        memmove(link->in.data, link->in.data + taken, rest);
        link->in.len = rest;
    }
    link->since = rest == 0 ? 0 : taken > 0 ? link->worker->now : link->since;
    count_held(link);
}

static void keep(struct link *link, const char *data, size_t len)
{
    if (!link->in.data) {
        lend(link->worker, &link->in);
        link->since = link->worker->now;
    }
    buf_append(&link->in, data, len);
    count_held(link);
}

static ssize_t take(struct link *link, const char *data, size_t len)
{
    link->need = 0;
    link->taking = true;
    ssize_t taken = link->ops->take(link, data, len);
    link->taking = false;
    return taken;
}

static bool hand_over_kept(struct link *link)
{
    if (link->in.len == 0 || link->in.len < link->need)
        return true;
    ssize_t taken = take(link, link->in.data, link->in.len);
    if (taken < 0)
        return false;
    keep_rest(link, (size_t)taken);
    return true;
}

static bool hand_over(struct link *link, const char *data, size_t len)
{
    if (link->in.len > 0) {
        keep(link, data, len);
        return link->paused || hand_over_kept(link);
    }
    ssize_t taken = take(link, data, len);
    if (taken < 0)
        return false;
    if ((size_t)taken < len)
        keep(link, data + taken, len - (size_t)taken);
    return true;
}

/* Of one that lingers: to nobody. */
static void throw_away(struct link *link)
{
    struct worker *worker = link->worker;
    for (int i = 0; i < READS_AT_ONCE; i++) {
        ssize_t n = read_some(link, worker->scratch, SCRATCH);
        if (n > 0)
            continue;
        if (n == 0)
            link_close(link);
        return;
    }
}

static void read_on(struct link *link)
{
    struct worker *worker = link->worker;
    touch(link);
    if (link->again) {
        link->again = false;
        link_resume(link);
        return; /* it is asked again where there is more */
    }
    for (int i = 0; i < READS_AT_ONCE && !link->paused && !link->ending; i++) {
        ssize_t n = read_some(link, worker->scratch, SCRATCH);
        if (n < 0)
            break;
        if (n == 0 || !hand_over(link, worker->scratch, (size_t)n)) {
            if (link_flush(link))
                link_close(link);
            return;
        }
        if (n < SCRATCH && !link->ssl)
            break;
    }
    link_flush(link);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct link *link = arg;
    struct worker *worker = link->worker;
    (void)fd;
    (void)what;
    if (link->ending)
        throw_away(link);
    else
        read_on(link);
    link_make_room(worker);
}

/* Out. */

static bool send_all(struct link *link)
{
    while (link_unsent(link) > 0) {
        ssize_t n = write_some(link, link->out.data + link->out_at, link_unsent(link));
        if (n == 0)
            return false;
        if (n < 0)
            break;
        link->out_at += (size_t)n;
        touch(link);
    }
    return true;
}

static void watch(struct link *link, bool reads, bool writes)
{
    if (reads != (event_pending(link->readable, EV_READ, NULL) != 0)) {
        if (reads)
            event_add(link->readable, NULL);
        else
            event_del(link->readable);
    }
    if (writes != (event_pending(link->writable, EV_WRITE, NULL) != 0)) {
        if (writes)
            event_add(link->writable, NULL);
        else
            event_del(link->writable);
    }
}

/* All is sent that ever will be. Returns whether it is still there. */
static bool finish(struct link *link)
{
    if (!link->lingers) {
        link_close(link);
        return false;
    }
    link->active = link->worker->now;
    shutdown(link->fd, SHUT_WR);
    watch(link, true, false);
    return true;
}

bool link_flush(struct link *link)
{
    do {
        if (!send_all(link)) {
            link_close(link);
            return false;
        }
        if (link_unsent(link) == 0) {
            link->out_at = 0;
            take_back(link->worker, &link->out);
            if (link->ops->drained)
                link->ops->drained(link);
        }
    } while (link_unsent(link) > 0 && link->out_at == 0);
    count_held(link);
    if (link->ending && link_unsent(link) == 0)
        return finish(link);
    bool choked = link_unsent(link) >= LINK_OUT_MAX;
    watch(link, !link->paused && !choked && !link->ending, link_unsent(link) > 0);
    return true;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    link_flush(arg);
}

void link_pause(struct link *link)
{
    link->paused = true;
}

bool link_resume(struct link *link)
{
    link->paused = false;
    if (!hand_over_kept(link)) {
        link_end(link);
        link->in.len = 0;
    }
    return link_flush(link);
}

void link_end(struct link *link)
{
    link->ending = true;
}

void link_end_early(struct link *link)
{
    link->ending = true;
    link->lingers = true;
}

/* Beginning and end. */

static void free_events(struct link *link)
{
    if (link->readable)
        event_free(link->readable);
    if (link->writable)
        event_free(link->writable);
}

enum status link_open(struct link *link, const struct link_ops *ops, struct worker *worker, int fd)
{
    SSL_CTX *tls = worker->shared->tls;
    link->ops = ops;
    link->worker = worker;
    link->fd = fd;
    link->active = worker->now;
    if (tls && !(link->ssl = SSL_new(tls)))
        return ST_ENOMEM;
    if (link->ssl) {
        SSL_set_fd(link->ssl, fd);
        tls_set_protocol(link->ssl, ops->protocol);
        SSL_set_accept_state(link->ssl);
    }
    link->readable = event_new(worker->base, fd, EV_READ | EV_PERSIST, on_readable, link);
    link->writable = event_new(worker->base, fd, EV_WRITE | EV_PERSIST, on_writable, link);
    if (!link->readable || !link->writable) {
        free_events(link);
        SSL_free(link->ssl);
        return ST_ENOMEM;
    }
    event_add(link->readable, NULL);
    list_add(&worker->links, link);
    worker->n_links++;
    metric_add(worker->shared->metrics.connections, 1);
    return ST_OK;
}

void link_close(struct link *link)
{
    struct worker *worker = link->worker;
    free_events(link);
    list_remove(&worker->links, link);
    worker->n_links--;
    metric_add(worker->shared->metrics.connections, -1);
    take_back(worker, &link->in);
    take_back(worker, &link->out);
    link->out_at = 0;
    count_held(link);
    SSL_free(link->ssl);
    close(link->fd);
    link->ops->closed(link);
}

static bool is_over(const struct link *link, int64_t now)
{
    int64_t idle = link->worker->options->idle;
    bool waits = link->busy && link_unsent(link) == 0; /* for us */
    if (link->ending && link->lingers && link_unsent(link) == 0)
        return now - link->active > LINGER_MS * 1000;
    return !waits && (now - link->active > idle || (link->since > 0 && now - link->since > idle));
}

void link_expire(struct worker *worker, int64_t now)
{
    struct link *next;
    if (now < worker->expires)
        return;
    worker->expires = now + LOOK_MS * 1000;
    for (struct link *link = worker->links.first; link; link = next) {
        next = link->behind;
        if (is_over(link, now))
            link_close(link);
    }
}

void link_make_room(struct worker *worker)
{
    while (worker->held > worker->held_max) {
        struct link *most = worker->links.first;
        for (struct link *link = most; link; link = link->behind)
            most = link->held > most->held ? link : most;
        if (!most || most->held == 0)
            return;
        metric_add(worker->shared->metrics.refused, 1);
        link_close(most);
    }
}
