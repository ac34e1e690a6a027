/* gRPC with frames by hand (RFC 9113): from the second request on, a header block is seven bytes.
 */
#include <arpa/inet.h>
#include <string.h>

#include "tests/tools/load/load.h"

enum { DATA, HEADERS, RESET = 3, SETTINGS, PING = 6, GOAWAY, WINDOW = 8 };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, FRAME_HEAD = 9, WINDOW_OPEN = 1 << 29 };

static void put_frame(struct buf *out, size_t len, int type, int flags, uint32_t stream)
{
    uint32_t id = htonl(stream);
    char head[FRAME_HEAD] = {(char)(len >> 16), (char)(len >> 8), (char)len, (char)type,
                             (char)flags};
    memcpy(head + 5, &id, sizeof id);
    buf_append(out, head, sizeof head);
}

static void put_window(struct buf *out, uint32_t bytes)
{
    uint32_t order = htonl(bytes);
    put_frame(out, sizeof order, WINDOW, 0, 0);
    buf_append(out, &order, sizeof order);
}

/* HPACK, RFC 7541: literal fields that go into the table; by name index, or 0 and by name. */
static void put_header(struct buf *out, int index, const char *name, const char *value)
{
    buf_byte(out, (uint8_t)(0x40 | index));
    if (index == 0) {
        buf_byte(out, (uint8_t)strlen(name));
        buf_text(out, name);
    }
    buf_byte(out, (uint8_t)strlen(value));
    buf_text(out, value);
}

/* The block of the first request and, behind it, that of all others. */
static void make_blocks(struct load_link *link)
{
    static const char others[] =
        "\x83\x86\xc2\xc1\xc0\xbf\xbe"; /* POST, http, and the five below */
    const char *path = link->options->live ? "/inference.GRPCInferenceService/ServerLive"
                                           : "/inference.GRPCInferenceService/ModelInfer";
    struct buf *out = &link->head;
    buf_append(out, others, sizeof others - 1);
    buf_append(out, "\x83\x86", 2);
    put_header(out, 4, NULL, path);
    put_header(out, 1, NULL, "localhost");
    put_header(out, 31, NULL, "application/grpc");
    put_header(out, 58, NULL, "endpoint_load");
    put_header(out, 0, "te", "trailers");
    link->first = (struct slice){out->data + sizeof others - 1, out->len - (sizeof others - 1)};
    link->head.len = sizeof others - 1;
}

static void greet(struct load_link *link)
{
    static const unsigned char settings[] = {0, 2, 0, 0, 0, 0,  /* no push */
                                             0, 4, 1, 0, 0, 0}; /* windows of 16 MiB */
    make_blocks(link);
    buf_text(&link->out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    put_frame(&link->out, sizeof settings, SETTINGS, 0, 0);
    buf_append(&link->out, settings, sizeof settings);
    put_window(&link->out, WINDOW_OPEN);
}

static void ask(struct load_link *link, int64_t begun)
{
    struct buf *out = &link->out;
    uint64_t i = link->asked++;
    struct slice block = i == 0 ? link->first : buf_slice(&link->head);
    struct slice body = link->bodies->items[i % link->bodies->n];
    uint32_t id = (uint32_t)(2 * i + 1), order = htonl((uint32_t)body.len);
    link->begun[i % LOAD_STREAMS_MAX] = begun;
    link->has_data[i % LOAD_STREAMS_MAX] = false;
    put_frame(out, block.len, HEADERS, END_HEADERS, id);
    buf_append(out, block.data, block.len);
    put_frame(out, 5 + body.len, DATA, END_STREAM, id);
    buf_byte(out, 0);
    buf_append(out, &order, sizeof order);
    buf_append(out, body.data, body.len);
    link->in_flight++;
}

static void end_stream(struct load_link *link, size_t slot)
{
    link->in_flight--;
    if (!link->has_data[slot])
        link->answered(link->arg, link->begun[slot], false, (struct slice){0});
}

/* An answer of one message in one frame, as is served here. */
static void take_data(struct load_link *link, size_t slot, const char *data, size_t len)
{
    link->has_data[slot] = true;
    link->window += len;
    if (link->window > WINDOW_OPEN / 2) {
        put_window(&link->out, (uint32_t)link->window);
        link->window = 0;
    }
    link->answered(link->arg, link->begun[slot], len > 5,
                   (struct slice){data + 5, len > 5 ? len - 5 : 0});
}

static void take_frame(struct load_link *link, int type, int flags, uint32_t id, const char *data,
                       size_t len)
{
    size_t slot = id / 2 % LOAD_STREAMS_MAX;
    if (type == DATA && len > 0)
        take_data(link, slot, data, len);
    if (type == RESET || ((type == DATA || type == HEADERS) && (flags & END_STREAM)))
        end_stream(link, slot);
    if (type == SETTINGS && !(flags & ACK))
        put_frame(&link->out, 0, SETTINGS, ACK, 0);
    if (type == PING && !(flags & ACK)) {
        put_frame(&link->out, len, PING, ACK, 0);
        buf_append(&link->out, data, len);
    }
    if (type == GOAWAY) {
        fprintf(stderr, "endpoint_load: the endpoint said goodbye\n");
        exit(1);
    }
}

static size_t take(struct load_link *link, const char *data, size_t len)
{
    size_t at = 0;
    while (len - at >= FRAME_HEAD) {
        const unsigned char *head = (const unsigned char *)data + at;
        size_t n = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        uint32_t id;
        memcpy(&id, head + 5, sizeof id);
        if (len - at < FRAME_HEAD + n)
            break;
        take_frame(link, head[3], head[4], ntohl(id) & 0x7fffffff, data + at + FRAME_HEAD, n);
        at += FRAME_HEAD + n;
    }
    return at;
}

const struct load_protocol load_grpc = {greet, ask, take};
