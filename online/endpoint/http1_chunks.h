/*
 * online/endpoint/http1_chunks.h -- a request's body in chunks (RFC 9112, 7.1), read where it lies.
 *
 * Reads on from where it stood, so that a body that comes byte by byte costs no more than one that
 * comes at once. Strict like the head: a bare LF, a size that is none or a line that does not end
 * is refused. Extensions and trailers are passed over.
 *
 *     struct http1_chunks chunks = {0};
 *     int status = http1_chunks_read(&chunks, data, len, body_max);    // again, with more of it
 *     if (status == 0 && chunks.ended)
 *         http1_chunks_join((struct slice){data, chunks.at}, &body);
 */
#ifndef ONLINE_ENDPOINT_HTTP1_CHUNKS_H
#define ONLINE_ENDPOINT_HTTP1_CHUNKS_H

#include "base/bytes.h"

enum { HTTP1_CHUNK_LINE_MAX = 256, HTTP1_TRAILERS_MAX = 64 };

struct http1_chunks {
    size_t at;     /* bytes read */
    size_t length; /* of the body so far */
    size_t left;   /* bytes of a chunk, with its line end, that are still to be passed over */
    int trailers;  /* lines behind the last chunk */
    bool in_trailer;
    bool ended;
};

/* data: all of the body that has come. max: bytes that the body may have; its wire form may have
 * twice as many and HTTP1_HEAD_MAX. Returns 0, or the HTTP status that it deserves. */
int http1_chunks_read(struct http1_chunks *chunks, const char *data, size_t len, size_t max);
/* Of one that has ended, appends the body. */
void http1_chunks_join(struct slice data, struct buf *ret);

#endif
