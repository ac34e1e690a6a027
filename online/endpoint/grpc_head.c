/* The head of a request: which method, by when, for whom. */
#include "base/metrics.h"
#include "base/number.h"
#include "online/endpoint/grpc_internal.h"
#include "online/service.h"

/* "100m": at most eight digits and a unit. */
static int64_t read_timeout(struct slice text)
{
    static const char units[] = "HMSmun";
    static const int64_t ns[] = {3600000000000, 60000000000, 1000000000, 1000000, 1000, 1};
    int64_t n;
    if (text.len < 2 || text.len > 9)
        return -1;
    const char *unit = memchr(units, text.data[text.len - 1], sizeof units - 1);
    if (!unit || number_to_int((struct slice){text.data, text.len - 1}, &n) < 0 || n < 0)
        return -1;
    int64_t one = ns[unit - units];
    return one >= 1000 ? n * (one / 1000) : n / 1000;
}

static const struct grpc_method *find_method(struct slice path)
{
    for (const struct grpc_method *method = grpc_methods; method->path; method++)
        if (slice_eq(slice_of(method->path), path))
            return method;
    return NULL;
}

static void take_timeout(struct grpc_stream *stream, struct slice value)
{
    int64_t timeout = read_timeout(value);
    if (timeout >= 0)
        stream->deadline = service_clock() + timeout; /* the worker's now is of its last tick */
}

/* A byte of a compressed head may stand for thousands, and a token costs a digest. */
bool grpc_stream_header(struct grpc_stream *stream, struct slice name, struct slice value)
{
    struct tokens *tokens = stream->grpc->link.worker->shared->tokens;
    stream->headers += name.len + value.len + HEADER_OVERHEAD;
    if (stream->headers > HEADERS_MAX)
        return false;
    if (slice_eq(name, slice_of(":path")))
        stream->method = find_method(value);
    else if (slice_eq(name, slice_of("grpc-timeout")))
        take_timeout(stream, value);
    else if (slice_eq(name, slice_of("content-type")))
        stream->bad_type = value.len < 16 || memcmp(value.data, "application/grpc", 16) != 0;
    else if (slice_eq(name, slice_of("grpc-encoding")))
        stream->coding = coding_of(value);
    else if (tokens && slice_eq(name, slice_of("authorization")))
        stream->scopes = tokens_scopes(tokens, value, worker_wall_clock());
    return true;
}

void grpc_stream_begin(struct grpc_stream *stream)
{
    struct worker *worker = stream->grpc->link.worker;
    metric_add(worker->shared->metrics.requests[1], 1);
    if (!stream->method) {
        grpc_refuse(stream, REFUSED_METHOD, "there is no such method");
    } else if (stream->bad_type) {
        grpc_refuse(stream, REFUSED_INVALID, "expected content-type: application/grpc");
    } else if (stream->coding == CODING_UNKNOWN) {
        grpc_refuse(stream, REFUSED_METHOD, "messages are read as they are, or as gzip or deflate");
    } else if (!worker->shared->tokens && stream->method->scope == SCOPE_ADMIN) {
        grpc_refuse(stream, REFUSED_SCOPE, "this needs a token for administration");
    } else if (worker->shared->tokens && stream->method->scope) {
        if (stream->scopes < 0)
            grpc_refuse(stream, REFUSED_TOKEN,
                        stream->scopes == TOKEN_EXPIRED ? "this token has expired"
                                                        : "a bearer token is needed");
        else if (!(stream->scopes & stream->method->scope))
            grpc_refuse(stream, REFUSED_SCOPE,
                        stream->method->scope == SCOPE_ADMIN
                            ? "this token is not for administration"
                            : "this token is not for scoring");
    }
}
