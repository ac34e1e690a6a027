/*
 * online/endpoint/grpc_internal.h -- what the files of gRPC share. Nobody else includes it.
 *
 * grpc_session.c carries HTTP/2 for a connection, grpc_head.c reads the head of a request,
 * grpc_stream.c frames messages and ends calls, grpc_methods.c has the table of methods and the
 * small ones, grpc_infer.c those that score, grpc_health.c and grpc_reflection.c those of the two
 * services beside.
 */
#ifndef ONLINE_ENDPOINT_GRPC_INTERNAL_H
#define ONLINE_ENDPOINT_GRPC_INTERNAL_H

#include <nghttp2/nghttp2.h>
#include <protobuf-c/protobuf-c.h>

#include "online/endpoint/call.h"
#include "online/endpoint/coding.h"
#include "online/endpoint/grpc.h"
#include "online/endpoint/link.h"
#include "online/endpoint/worker.h"

enum {
    STREAMS_MAX = 256,
    HEADERS_MAX = 16 * 1024, /* of a request, each with so much more: RFC 9113, 6.5.2 */
    HEADER_OVERHEAD = 32,
    GRPC_PREFIX = 5,
    STREAM_KEPT = 64 * 1024,
    STREAM_COST = 1024, /* about, in memory: ours and nghttp2's */
    STREAMS_KEPT = 256  /* free ones with their buffers, of a worker */
};

struct grpc_stream;

struct grpc_method {
    const char *path;
    bool streaming; /* messages are answered one by one until the caller ends */
    int scope;      /* of the token; 0: anybody */
    /* Takes one message: answers with grpc_reply() or grpc_refuse(), at once, or keeps the call,
     * which is the method's until it is given back. */
    void (*take)(struct grpc_stream *stream, struct call *call, struct slice message);
};
extern const struct grpc_method grpc_methods[]; /* ended by a NULL path */

struct grpc_stream {
    struct grpc *grpc;
    struct grpc_stream *before, *behind; /* of the connection; free ones: behind */
    struct grpc_stream *waits_before, *waits_behind;
    int32_t id;
    const struct grpc_method *method;
    struct buf in, out;
    size_t out_at;
    struct call *call; /* on its way */
    bool waiting;      /* in the worker's list */
    bool watching;     /* is told of changes until it is given up: grpc_health.c */
    int told;          /* what it was told last */
    bool in_ended;     /* the caller has said all */
    bool begun;        /* the head of the answer is out */
    bool ended;        /* the answer is complete; a status follows it */
    enum refusal refusal;
    char why[240];
    int64_t deadline;
    int scopes;     /* of its token, or why there are none */
    size_t headers; /* bytes of them so far */
    bool bad_type;
    enum coding coding; /* of the messages that say that they are compressed */
};

/* One connection. */
struct grpc {
    struct link link;
    nghttp2_session *session;
    struct grpc_stream *streams;
    struct grpc *next_dirty;
    bool dirty; /* in the worker's list: has something to be sent */
    bool leaving;
    bool heard;  /* something was made of the bytes that came */
    size_t dark; /* bytes of which nothing was made yet: nghttp2 keeps them */
};

/* A worker's. */
struct grpc_worker {
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    struct grpc_stream *free_streams;
    size_t n_free;
    struct grpc *dirty;
    struct grpc_stream *waiting; /* streams whose calls are on their way, or who watch */
};

/* grpc_session.c */
bool grpc_send(struct grpc *grpc);
void grpc_set_dirty(struct grpc *grpc);

/* grpc_health.c */
bool grpc_is_ready(const struct worker *worker);
/* Tells who watches what has changed. */
void grpc_tell_health(struct grpc_stream *stream, bool ready);

/* grpc_stream.c */
struct grpc_stream *grpc_stream_take(struct grpc *grpc, int32_t id);
void grpc_stream_give(struct grpc_stream *stream);
/* The head of the request is there: refuses what can be refused by now. */
void grpc_stream_begin(struct grpc_stream *stream);
/* False: there is too much of them. */
bool grpc_stream_header(struct grpc_stream *stream, struct slice name, struct slice value);
/* Takes messages that have come, one at a time. */
void grpc_stream_go_on(struct grpc_stream *stream);
/* The call that was on its way has been answered; and if that was later, goes on behind it. */
void grpc_stream_forget_call(struct grpc_stream *stream);
void grpc_stream_came_back(struct grpc_stream *stream);
/* Is looked at by grpc_expire() until its answer is complete. */
void grpc_stream_wait(struct grpc_stream *stream);
/* False: there is too much of it. */
bool grpc_stream_add(struct grpc_stream *stream, const uint8_t *data, size_t len);
ssize_t grpc_stream_read(nghttp2_session *session, int32_t id, uint8_t *to, size_t len,
                         uint32_t *flags, nghttp2_data_source *source, void *arg);

/* Appends a message to the answer. */
void grpc_reply(struct grpc_stream *stream, const ProtobufCMessage *message);
/* The same, and the call is given back. */
void grpc_reply_at_once(struct grpc_stream *stream, struct call *call,
                        const ProtobufCMessage *message);
/* The answer is complete. */
void grpc_end(struct grpc_stream *stream);
/* The answer ends with this status instead. */
void grpc_refuse(struct grpc_stream *stream, enum refusal refusal, const char *why);
/* The message, in the call's memory; NULL after refusing. */
void *grpc_unpack(struct grpc_stream *stream, struct call *call,
                  const ProtobufCMessageDescriptor *type, struct slice message);

/* The methods that have files of their own. */
void grpc_take_infer(struct grpc_stream *stream, struct call *call, struct slice message);
void grpc_take_health(struct grpc_stream *stream, struct call *call, struct slice message);
void grpc_take_watch(struct grpc_stream *stream, struct call *call, struct slice message);
void grpc_take_reflection(struct grpc_stream *stream, struct call *call, struct slice message);

#endif
