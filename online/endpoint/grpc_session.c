/* HTTP/2 of a connection, by nghttp2. */
#include <stdlib.h>
#include <unistd.h>

#include "base/metrics.h"
#include "online/endpoint/grpc_internal.h"

enum {
    WINDOW_STREAM = 1024 * 1024,
    WINDOW_CONNECTION = 4 * 1024 * 1024,
    DARK_MAX = 128 * 1024,
    RESETS_BURST = 500, /* streams given up by the peer, then so many a second */
    RESETS_A_SECOND = 100,
    ACKS_MAX = 200 /* answers to SETTINGS and PING that the peer does not read */
};

/* Callbacks. */

static struct grpc_stream *stream_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct grpc *grpc = arg;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct grpc_stream *stream = grpc_stream_take(grpc, frame->hd.stream_id);
    if (!stream)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *arg)
{
    struct grpc_stream *stream = stream_of(session, frame->hd.stream_id);
    (void)flags;
    ((struct grpc *)arg)->heard = true;
    if (stream && !grpc_stream_header(stream, (struct slice){(const char *)name, name_len},
                                      (struct slice){(const char *)value, value_len}))
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* the stream is reset */
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct grpc_stream *stream = stream_of(session, frame->hd.stream_id);
    ((struct grpc *)arg)->heard = true;
    if (!stream || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
        return 0;
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        stream->in_ended = true;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        grpc_stream_begin(stream);
    grpc_stream_go_on(stream);
    return 0;
}

/* An answer that is over before the request is ends the request too. Not before its status is out:
 * nghttp2 sends nothing on a stream that is to be reset. */
static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    (void)arg;
    if (frame->hd.type != NGHTTP2_HEADERS || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    struct grpc_stream *stream = stream_of(session, frame->hd.stream_id);
    if (stream && !stream->in_ended)
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t len, void *arg)
{
    struct grpc_stream *stream = stream_of(session, id);
    (void)flags;
    ((struct grpc *)arg)->heard = true;
    if (stream && !grpc_stream_add(stream, data, len))
        grpc_refuse(stream, REFUSED_TOO_LARGE, "the request is larger than is allowed");
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *arg)
{
    struct grpc_stream *stream = stream_of(session, id);
    (void)error;
    (void)arg;
    if (stream)
        grpc_stream_give(stream);
    return 0;
}

static struct grpc_worker *make_worker(struct worker *worker)
{
    struct grpc_worker *made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    worker->grpc = made;
    if (nghttp2_session_callbacks_new(&made->callbacks) != 0 ||
        nghttp2_option_new(&made->option) != 0)
        return NULL;
    nghttp2_session_callbacks_set_on_begin_headers_callback(made->callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made->callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made->callbacks, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(made->callbacks, on_sent);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made->callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(made->callbacks, on_stream_close);
    nghttp2_option_set_max_outbound_ack(made->option, ACKS_MAX);
    nghttp2_option_set_max_settings(made->option, 32);
    nghttp2_option_set_stream_reset_rate_limit(made->option, RESETS_BURST, RESETS_A_SECOND);
    nghttp2_option_set_max_send_header_block_length(made->option, HEADERS_MAX);
    nghttp2_option_set_no_closed_streams(made->option, 1);
    return made;
}

/* What goes out. */

/* As much as the peer takes for now; the rest when that has gone. */
static bool fill(struct grpc *grpc)
{
    const uint8_t *data;
    ssize_t n;
    while (link_unsent(&grpc->link) < LINK_OUT_MAX &&
           (n = nghttp2_session_mem_send(grpc->session, &data)) != 0) {
        if (n < 0)
            return false;
        buf_append(link_out(&grpc->link), data, (size_t)n);
    }
    return true;
}

bool grpc_send(struct grpc *grpc)
{
    bool good = fill(grpc);
    bool over =
        !nghttp2_session_want_read(grpc->session) && !nghttp2_session_want_write(grpc->session);
    if (!good || over)
        link_end(&grpc->link);
    return good;
}

static void drained(struct link *link)
{
    if (!link->ending)
        grpc_send((struct grpc *)link);
}

void grpc_set_dirty(struct grpc *grpc)
{
    struct grpc_worker *worker = grpc->link.worker->grpc;
    if (grpc->dirty || grpc->link.taking)
        return;
    grpc->dirty = true;
    grpc->next_dirty = worker->dirty;
    worker->dirty = grpc;
}

void grpc_flush(struct worker *worker)
{
    while (worker->grpc && worker->grpc->dirty) {
        struct grpc *grpc = worker->grpc->dirty;
        worker->grpc->dirty = grpc->next_dirty;
        grpc->dirty = false;
        grpc_send(grpc);
        link_flush(&grpc->link);
    }
}

/* What comes in. */

/* A head may come by and by, and nghttp2 says nothing until it has a header of it. */
static void count_dark(struct grpc *grpc, size_t len)
{
    size_t before = grpc->dark;
    grpc->dark = grpc->heard ? 0 : before + len < DARK_MAX ? before + len : DARK_MAX;
    if (grpc->dark != before)
        link_keep(&grpc->link, (ssize_t)grpc->dark - (ssize_t)before);
}

static ssize_t take(struct link *link, const char *data, size_t len)
{
    struct grpc *grpc = (struct grpc *)link;
    grpc->heard = false;
    ssize_t n = nghttp2_session_mem_recv(grpc->session, (const uint8_t *)data, len);
    count_dark(grpc, len);
    grpc_send(grpc);
    return n < 0 ? -1 : (ssize_t)len;
}

static void goodbye(struct link *link)
{
    struct grpc *grpc = (struct grpc *)link;
    grpc->leaving = true;
    int32_t last = nghttp2_session_get_last_proc_stream_id(grpc->session);
    nghttp2_submit_goaway(grpc->session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0);
    grpc_send(grpc);
    link_flush(link);
}

static void forget_dirty(struct grpc *grpc)
{
    struct grpc **at = &grpc->link.worker->grpc->dirty;
    while (*at && *at != grpc)
        at = &(*at)->next_dirty;
    if (*at)
        *at = grpc->next_dirty;
}

static void closed(struct link *link)
{
    struct grpc *grpc = (struct grpc *)link;
    forget_dirty(grpc);
    while (grpc->streams)
        grpc_stream_give(grpc->streams);
    link_keep(link, -(ssize_t)grpc->dark);
    nghttp2_session_del(grpc->session);
    free(grpc);
}

static const struct link_ops ops = {take, drained, goodbye, closed, "h2"};

static bool greet(struct grpc *grpc)
{
    const struct grpc_worker *worker = grpc->link.worker->grpc;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_STREAM},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEADERS_MAX}};
    return nghttp2_session_server_new2(&grpc->session, worker->callbacks, grpc, worker->option) ==
               0 &&
           nghttp2_submit_settings(grpc->session, NGHTTP2_FLAG_NONE, settings, 3) == 0 &&
           nghttp2_session_set_local_window_size(grpc->session, NGHTTP2_FLAG_NONE, 0,
                                                 WINDOW_CONNECTION) == 0;
}

void grpc_accept(struct worker *worker, int fd)
{
    struct grpc *grpc = calloc(1, sizeof *grpc);
    if (grpc && (worker->grpc || make_worker(worker)) &&
        link_open(&grpc->link, &ops, worker, fd) == ST_OK) {
        if (!greet(grpc))
            link_close(&grpc->link);
        return;
    }
    free(grpc);
    close(fd);
}

void grpc_done(struct worker *worker)
{
    struct grpc_worker *made = worker->grpc;
    if (!made)
        return;
    for (struct grpc_stream *stream; (stream = made->free_streams);) {
        made->free_streams = stream->behind;
        buf_done(&stream->in);
        buf_done(&stream->out);
        free(stream);
    }
    nghttp2_session_callbacks_del(made->callbacks);
    nghttp2_option_del(made->option);
    free(made);
}
