/*
 * online/endpoint/link.h -- one connection: bytes in, bytes out, with or without TLS.
 *
 * What comes is handed to the protocol where it was read; what the protocol leaves is kept and
 * comes again with more. What goes out is gathered in link_out() and sent by link_flush(). Buffers
 * are lent by the worker and go back when they are empty, so that a silent connection costs no
 * memory and a busy one allocates none.
 *
 * What all connections of a worker hold -- requests that are not all there, answers that nobody
 * takes -- has a bound. Past it the one that holds most is closed, so that those who dawdle crowd
 * out each other and not the others.
 */
#ifndef ONLINE_ENDPOINT_LINK_H
#define ONLINE_ENDPOINT_LINK_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/status.h"

struct link;
struct worker;

struct link_ops {
    /* Takes what it can; returns how much that was, or -1: nothing more can be done with this peer.
     * The rest comes again once there are link->need bytes, or with link_resume(). */
    ssize_t (*take)(struct link *link, const char *data, size_t len);
    /* What was to go out has gone: there is room for more. Optional. */
    void (*drained)(struct link *link);
    /* The service ends: says so, and ends when all that was asked is answered. */
    void (*goodbye)(struct link *link);
    /* It is over: frees the connection, which begins with its link, and has kept nothing then. */
    void (*closed)(struct link *link);
    const char
        *protocol; /* its name in a TLS handshake: a caller that speaks several must choose it */
};

struct link_list {
    struct link *first, *last;
};

struct link {
    const struct link_ops *ops;
    struct worker *worker;
    int fd;
    SSL *ssl;
    struct event *readable, *writable; /* of libevent, which are not those of ingest/event.h */
    struct buf in, out;
    size_t out_at; /* of out: sent so far */
    size_t kept;   /* bytes that the protocol holds for it besides: link_keep() */
    size_t held;   /* all of these, as counted in worker->held */
    size_t need;   /* bytes without which the protocol can do nothing */
    int64_t active;
    int64_t since; /* a request has been coming; 0: none */
    struct link *before, *behind;
    bool paused;  /* nothing is read: the peer does not take what it is sent, or waits its turn */
    bool busy;    /* something is being answered: silence is ours */
    bool ending;  /* closed as soon as all is sent */
    bool taking;  /* in ops->take(): flushed when that is over */
    bool again;   /* what was left is to be taken although nothing more came */
    bool lingers; /* once all is sent, what still comes is thrown away for a while */
};

/* With this much unsent nothing more is read, nor more added to it than the answer to one request.
 */
enum { LINK_OUT_MAX = 256 * 1024 };

/* Takes over fd; then on the link may only be closed by link_close(). */
STATUS_CHECKED enum status link_open(struct link *link, const struct link_ops *ops,
                                     struct worker *worker, int fd);
void link_close(struct link *link);
/* Where to append what goes out. */
struct buf *link_out(struct link *link);
size_t link_unsent(const struct link *link);
/* Sends what it can now, the rest by and by. May close the link: nothing of it may be used
 * afterwards; returns whether it is still there. */
bool link_flush(struct link *link);
/* Goes on with what was left when the protocol could not; the same holds. */
bool link_resume(struct link *link);
/* No more is read before link_resume(). */
void link_pause(struct link *link);
/* Closed once all is sent. */
void link_end(struct link *link);
/* The same before all is read: a socket that is closed then takes back what was sent (RFC 9112,
 * 9.6). */
void link_end_early(struct link *link);
/* The protocol holds so many bytes more, or less, for this connection. */
void link_keep(struct link *link, ssize_t bytes);
/* Closes those silent for too long, and those whose requests take too long to come. */
void link_expire(struct worker *worker, int64_t now);
/* Closes those that hold most until all together hold no more than they may. Only where no link is
 * in use. */
void link_make_room(struct worker *worker);

#endif
