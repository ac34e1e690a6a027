/*
 * online/endpoint/http1.h -- the head of an HTTP/1.1 request (RFC 9112), parsed where it lies.
 *
 * Strict where leniency is a way in: a bare LF, a folded line, two lengths, a length beside a
 * transfer coding, or a control character in a value is refused, not guessed at.
 */
#ifndef ONLINE_ENDPOINT_HTTP1_H
#define ONLINE_ENDPOINT_HTTP1_H

#include <sys/types.h>

#include "base/bytes.h"
#include "online/endpoint/coding.h"

enum { HTTP1_HEAD_MAX = 16 * 1024, HTTP1_HEADERS_MAX = 64 };

struct http1_head {
    struct slice method, path, query; /* the query without its "?" */
    struct slice authorization;
    uint64_t length;      /* of the body */
    int64_t infer_length; /* Inference-Header-Content-Length; -1: none */
    bool has_length;
    bool chunked;
    bool keep_alive;
    bool expects;        /* 100-continue */
    bool old;            /* HTTP/1.0 */
    enum coding coding;  /* of the body */
    enum coding accepts; /* of the answer's, if that is worth while */
};

/* Returns how long the head is; 0: there is more of it to come; or minus the HTTP status that it
 * deserves. Slices point into data. */
ssize_t http1_parse(const char *data, size_t len, struct http1_head *ret);

#endif
