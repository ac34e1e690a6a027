/* One call of gRPC: its messages in and out, its deadline and its status. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "base/metrics.h"
#include "base/number.h"
#include "online/endpoint/grpc_internal.h"
#include "online/service.h"

/* Streams are made once and circulate. */

struct grpc_stream *grpc_stream_take(struct grpc *grpc, int32_t id)
{
    struct grpc_worker *worker = grpc->link.worker->grpc;
    struct grpc_stream *stream = worker->free_streams;
    if (stream) {
        worker->free_streams = stream->behind;
        worker->n_free--;
    } else if (!(stream = calloc(1, sizeof *stream))) {
        return NULL;
    }
    link_keep(&grpc->link, STREAM_COST);
    struct buf in = stream->in, out = stream->out;
    in.len = out.len = 0;
    *stream = (struct grpc_stream){.grpc = grpc,
                                   .id = id,
                                   .in = in,
                                   .out = out,
                                   .deadline = INT64_MAX,
                                   .scopes = TOKEN_UNKNOWN};
    stream->behind = grpc->streams;
    if (stream->behind)
        stream->behind->before = stream;
    grpc->streams = stream;
    return stream;
}

void grpc_stream_wait(struct grpc_stream *stream)
{
    struct grpc_worker *worker = stream->grpc->link.worker->grpc;
    stream->waiting = true;
    stream->waits_before = NULL;
    stream->waits_behind = worker->waiting;
    if (stream->waits_behind)
        stream->waits_behind->waits_before = stream;
    worker->waiting = stream;
}

static void wait_no_more(struct grpc_stream *stream)
{
    struct grpc_worker *worker = stream->grpc->link.worker->grpc;
    if (!stream->waiting)
        return;
    stream->waiting = false;
    *(stream->waits_before ? &stream->waits_before->waits_behind : &worker->waiting) =
        stream->waits_behind;
    if (stream->waits_behind)
        stream->waits_behind->waits_before = stream->waits_before;
}

/* A call on its way comes back to nobody. */
static void leave_call(struct grpc_stream *stream)
{
    if (stream->call)
        stream->call->owner = NULL;
    stream->call = NULL;
    wait_no_more(stream);
}

static void shrink(struct buf *buf)
{
    buf->len = 0;
    if (buf->cap > STREAM_KEPT)
        buf_done(buf);
}

void grpc_stream_give(struct grpc_stream *stream)
{
    struct worker *worker = stream->grpc->link.worker;
    leave_call(stream);
    *(stream->before ? &stream->before->behind : &stream->grpc->streams) = stream->behind;
    if (stream->behind)
        stream->behind->before = stream->before;
    nghttp2_session_set_stream_user_data(stream->grpc->session, stream->id, NULL);
    link_keep(&stream->grpc->link,
              -(ssize_t)(STREAM_COST + stream->in.len + stream->out.len - stream->out_at));
    if (worker->grpc->n_free == STREAMS_KEPT) {
        buf_done(&stream->in);
        buf_done(&stream->out);
        free(stream);
        return;
    }
    shrink(&stream->in);
    shrink(&stream->out);
    stream->behind = worker->grpc->free_streams;
    worker->grpc->free_streams = stream;
    worker->grpc->n_free++;
}

/* Messages in: {u8 compressed, u32 length big-endian, bytes}. */

bool grpc_stream_add(struct grpc_stream *stream, const uint8_t *data, size_t len)
{
    struct worker *worker = stream->grpc->link.worker;
    if (stream->ended)
        return true;
    if (stream->in.len + len > worker->options->body_max + GRPC_PREFIX)
        return false;
    link_keep(&stream->grpc->link, (ssize_t)len);
    buf_append(&stream->in, data, len);
    return true;
}

/* Once for all messages that were taken: moving the rest up for each costs the square of them. */
static void drop_taken(struct grpc_stream *stream, size_t taken)
{
    size_t rest = stream->in.len - taken;
    if (taken > 0 && rest > 0)
        memmove(stream->in.data, stream->in.data + taken, rest);
    stream->in.len = rest;
    link_keep(&stream->grpc->link, -(ssize_t)taken);
}

/* Whether there is a whole message; refuses what will never be one. */
static bool has_message(struct grpc_stream *stream, size_t at, struct slice *ret,
                        bool *ret_compressed)
{
    uint32_t len;
    if (stream->in.len - at < GRPC_PREFIX)
        return false;
    const char *data = stream->in.data + at;
    memcpy(&len, data + 1, sizeof len);
    len = ntohl(len);
    if (data[0] != 0 && (data[0] != 1 || stream->coding == CODING_NONE)) {
        grpc_refuse(stream, REFUSED_METHOD,
                    "a message is compressed, and grpc-encoding says not how");
        return false;
    }
    if (len > stream->grpc->link.worker->options->body_max) {
        grpc_refuse(stream, REFUSED_TOO_LARGE, "the request is larger than is allowed");
        return false;
    }
    *ret = (struct slice){data + GRPC_PREFIX, len};
    *ret_compressed = data[0] == 1;
    return stream->in.len - at >= GRPC_PREFIX + (size_t)len;
}

/* Returns false after refusing it. */
static bool inflate(struct grpc_stream *stream, struct slice *message)
{
    struct worker *worker = stream->grpc->link.worker;
    enum refusal refusal = coder_inflate(worker->coder, stream->coding, *message,
                                         worker->options->body_max, &worker->inflated);
    *message = buf_slice(&worker->inflated);
    if (refusal != REFUSED_NOT)
        grpc_refuse(stream, refusal, coding_refusal_text(refusal));
    return refusal == REFUSED_NOT;
}

static void take_message(struct grpc_stream *stream, struct slice message, bool compressed)
{
    if (compressed && !inflate(stream, &message))
        return;
    struct call *call = call_take(stream->grpc->link.worker);
    if (!call) {
        grpc_refuse(stream, REFUSED_FULL, "too many requests are on their way");
        return;
    }
    call->deadline = stream->deadline;
    call->owner = stream;
    stream->call = call;
    stream->method->take(stream, call, message);
    if (stream->call)
        grpc_stream_wait(stream);
}

void grpc_end(struct grpc_stream *stream)
{
    leave_call(stream);
    stream->ended = true;
    if (!stream->begun)
        grpc_refuse(stream, REFUSED_NOT, "");
    else
        nghttp2_session_resume_data(stream->grpc->session, stream->id);
    grpc_set_dirty(stream->grpc);
}

void grpc_stream_go_on(struct grpc_stream *stream)
{
    struct slice message;
    bool compressed;
    size_t taken = 0;
    while (!stream->ended && !stream->call && !stream->watching &&
           (stream->method->streaming || stream->in_ended) &&
           has_message(stream, taken, &message, &compressed)) {
        take_message(stream, message, compressed);
        taken += GRPC_PREFIX + message.len;
        if (!stream->method->streaming && !stream->call && !stream->ended && !stream->watching)
            grpc_end(stream);
    }
    drop_taken(stream, taken);
    if (stream->ended || stream->call || stream->watching || !stream->in_ended)
        return;
    if (stream->method->streaming && stream->in.len == 0)
        grpc_end(stream);
    else
        grpc_refuse(stream, REFUSED_INVALID, "the message is not all there");
}

void grpc_stream_forget_call(struct grpc_stream *stream)
{
    stream->call = NULL;
    wait_no_more(stream);
}

void grpc_stream_came_back(struct grpc_stream *stream)
{
    if (!stream->method->streaming && !stream->ended)
        grpc_end(stream);
    else
        grpc_stream_go_on(stream);
}

/* Messages out. */

ssize_t grpc_stream_read(nghttp2_session *session, int32_t id, uint8_t *to, size_t len,
                         uint32_t *flags, nghttp2_data_source *source, void *arg)
{
    struct grpc_stream *stream = source->ptr;
    size_t left = stream->out.len - stream->out_at, n = left < len ? left : len;
    (void)arg;
    if (n > 0)
        memcpy(to, stream->out.data + stream->out_at, n);
    stream->out_at += n;
    link_keep(&stream->grpc->link, -(ssize_t)n);
    if (n < left)
        return (ssize_t)n;
    stream->out.len = stream->out_at = 0;
    if (!stream->ended)
        return n > 0 ? (ssize_t)n : NGHTTP2_ERR_DEFERRED;
    char status[4];
    size_t status_len = number_from_int(refusal_codes[stream->refusal].grpc, status);
    nghttp2_nv trailers[2] = {
        {(uint8_t *)"grpc-status", (uint8_t *)status, 11, status_len, NGHTTP2_NV_FLAG_NO_COPY_NAME},
        {(uint8_t *)"grpc-message", (uint8_t *)stream->why, 12, strlen(stream->why),
         NGHTTP2_NV_FLAG_NO_COPY_NAME}};
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    nghttp2_submit_trailer(session, id, trailers, stream->why[0] ? 2 : 1);
    return (ssize_t)n;
}

#define HEADER(name, value)                                                                        \
    {                                                                                              \
        (uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1,                \
            NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE                           \
    }

static void begin(struct grpc_stream *stream)
{
    static const nghttp2_nv head[] = {HEADER(":status", "200"),
                                      HEADER("content-type", "application/grpc")};
    nghttp2_data_provider provider = {{.ptr = stream}, grpc_stream_read};
    stream->begun = true;
    nghttp2_submit_response(stream->grpc->session, stream->id, head, 2, &provider);
}

void grpc_reply(struct grpc_stream *stream, const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint32_t order = htonl((uint32_t)len);
    char *to = buf_reserve(&stream->out, GRPC_PREFIX + len);
    to[0] = 0;
    memcpy(to + 1, &order, sizeof order);
    protobuf_c_message_pack(message, (uint8_t *)to + GRPC_PREFIX);
    stream->out.len += GRPC_PREFIX + len;
    link_keep(&stream->grpc->link, (ssize_t)(GRPC_PREFIX + len));
    if (!stream->begun)
        begin(stream);
    else
        nghttp2_session_resume_data(stream->grpc->session, stream->id);
    grpc_set_dirty(stream->grpc);
}

void grpc_reply_at_once(struct grpc_stream *stream, struct call *call,
                        const ProtobufCMessage *message)
{
    grpc_reply(stream, message);
    stream->call = NULL;
    call_give(call);
}

/* grpc-message is percent-encoded. */
static void encode_why(const char *why, char *ret, size_t cap)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t n = 0;
    for (; *why && n + 4 < cap; why++) {
        unsigned char c = (unsigned char)*why;
        if (c >= 0x20 && c < 0x7f && c != '%') {
            ret[n++] = (char)c;
            continue;
        }
        ret[n++] = '%';
        ret[n++] = hex[c >> 4];
        ret[n++] = hex[c & 15];
    }
    ret[n] = 0;
}

/* Nothing has gone out yet: the head carries the status, and that is all. */
static void end_without_message(struct grpc_stream *stream)
{
    char status[4];
    size_t len = number_from_int(refusal_codes[stream->refusal].grpc, status);
    nghttp2_nv head[] = {
        HEADER(":status", "200"),
        HEADER("content-type", "application/grpc"),
        {(uint8_t *)"grpc-status", (uint8_t *)status, 11, len, NGHTTP2_NV_FLAG_NO_COPY_NAME},
        {(uint8_t *)"grpc-message", (uint8_t *)stream->why, 12, strlen(stream->why),
         NGHTTP2_NV_FLAG_NO_COPY_NAME}};
    nghttp2_submit_response(stream->grpc->session, stream->id, head, stream->why[0] ? 4 : 3, NULL);
}

void grpc_refuse(struct grpc_stream *stream, enum refusal refusal, const char *why)
{
    if (stream->ended && stream->begun)
        return;
    leave_call(stream);
    stream->ended = true;
    stream->refusal = refusal;
    encode_why(why, stream->why, sizeof stream->why);
    metric_add(stream->grpc->link.worker->shared->metrics.refused, refusal != REFUSED_NOT);
    if (!stream->begun)
        end_without_message(stream);
    else
        nghttp2_session_resume_data(stream->grpc->session, stream->id);
    stream->begun = true;
    grpc_set_dirty(stream->grpc);
}

void grpc_expire(struct worker *worker)
{
    struct grpc_stream *stream = worker->grpc ? worker->grpc->waiting : NULL;
    bool ready = stream && grpc_is_ready(worker);
    while (stream) {
        struct grpc_stream *next = stream->waits_behind;
        if (stream->deadline < worker->now)
            grpc_refuse(stream, REFUSED_LATE, "the deadline has passed");
        else if (stream->watching)
            grpc_tell_health(stream, ready);
        stream = next;
    }
    grpc_flush(worker);
}

/* What a message asks for may be many times its size: an empty one in a list is two bytes. */

static void *allocate(void *arg, size_t size)
{
    struct call *call = arg;
    if (size > call->unpack_left)
        return NULL;
    call->unpack_left -= size;
    return arena_take(&call->arena, size);
}

static void release(void *arg, void *data)
{
    (void)arg;
    (void)data;
}

void *grpc_unpack(struct grpc_stream *stream, struct call *call,
                  const ProtobufCMessageDescriptor *type, struct slice message)
{
    ProtobufCAllocator allocator = {allocate, release, call};
    call->unpack_left = 64 * 1024 + 12 * message.len;
    void *unpacked =
        protobuf_c_message_unpack(type, &allocator, message.len, (const uint8_t *)message.data);
    if (!unpacked)
        grpc_refuse(stream, REFUSED_INVALID, "the message is not what the method takes");
    return unpacked;
}
