/* Messages to each method of gRPC: answered, or refused with a reason that any client can read. The
 * first byte says which method, its highest bit that the message is compressed. */
#include "ingest/decode_json.h"
#include "online/endpoint/grpc_internal.h"
#include "tests/fuzz/endpoint.h"

static const struct grpc_method *method_of(uint8_t byte)
{
    size_t n = 1;
    while (grpc_methods[n].path)
        n++;
    return &grpc_methods[byte % n];
}

static void add_message(struct grpc_stream *stream, bool compressed, struct slice message)
{
    const uint8_t prefix[GRPC_PREFIX] = {compressed, 0, (uint8_t)(message.len >> 16),
                                         (uint8_t)(message.len >> 8), (uint8_t)message.len};
    FUZZ_LAW(grpc_stream_add(stream, prefix, sizeof prefix) &&
                 grpc_stream_add(stream, (const uint8_t *)message.data, message.len),
             "what is not too large is taken");
    stream->in_ended = true;
}

/* {u8 0, u32 length big-endian, bytes} */
static void check_answers(struct slice out)
{
    while (out.len > 0) {
        const uint8_t *at = (const uint8_t *)out.data;
        FUZZ_LAW(out.len >= GRPC_PREFIX && at[0] == 0, "an answer has a prefix");
        size_t len = GRPC_PREFIX + ((size_t)at[1] << 24 | at[2] << 16 | at[3] << 8 | at[4]);
        FUZZ_LAW(len <= out.len, "an answer is whole");
        out = (struct slice){out.data + len, out.len - len};
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > FUZZ_MESSAGE_MAX)
        return 0;
    struct link *link = fuzz_dial(grpc_accept);
    struct grpc_stream *stream = grpc_stream_take((struct grpc *)link, 1);
    FUZZ_LAW(stream != NULL, "a stream can be made");
    stream->method = method_of(data[0] & 127);
    stream->coding = data[0] & 128 ? CODING_GZIP : CODING_NONE;
    add_message(stream, data[0] & 128, fuzz_slice(data + 1, size - 1));
    grpc_stream_go_on(stream);
    FUZZ_LAW((stream->ended || stream->watching) && !stream->call, "each message has its answer");
    FUZZ_LAW(stream->refusal == REFUSED_NOT || stream->why[0] != 0, "a refusal has a reason");
    FUZZ_LAW(json_is_utf8(stream->why, strlen(stream->why)), "a reason is UTF-8");
    check_answers(buf_slice(&stream->out));
    fuzz_hang_up(link);
    return 0;
}
