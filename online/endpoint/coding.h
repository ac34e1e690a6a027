/*
 * online/endpoint/coding.h -- compressed messages: gzip and deflate, as HTTP's Content-Encoding
 * (RFC 9110, 8.4.1) and gRPC's grpc-encoding name them. Both mean zlib's formats (RFC 1952, RFC
 * 1950).
 *
 * A small message may stand for a huge one. So nothing is taken that becomes larger than a message
 * may be, nor than CODING_RATIO times what came and CODING_FREE bytes more: numbers as text and as
 * bytes stay far below, and a stream of bombs costs no more time than as many bytes that are none.
 *
 *     struct coder *coder = coder_create();
 *     enum refusal refusal = coder_inflate(coder, CODING_GZIP, body, body_max, &text);
 *
 * What zlib needs is made when it is first asked for, and kept: about 50 KB to inflate, 256 KB to
 * deflate.
 */
#ifndef ONLINE_ENDPOINT_CODING_H
#define ONLINE_ENDPOINT_CODING_H

#include "base/bytes.h"
#include "online/endpoint/refusal.h"

enum coding { CODING_NONE, CODING_GZIP, CODING_DEFLATE, CODING_UNKNOWN };

enum { CODING_RATIO = 100, CODING_FREE = 16 * 1024 };

/* By its name; "identity" is none. */
enum coding coding_of(struct slice name);
const char *coding_name(enum coding coding);

struct coder;

/* NULL: there is no memory. */
struct coder *coder_create(void);
void coder_free(struct coder *coder);

/* What a message stands for, into ret, which is emptied first. REFUSED_NOT; REFUSED_TOO_LARGE;
 * REFUSED_INVALID: it is no such format, is cut off, or something follows it; REFUSED_UNAVAILABLE:
 * there is no memory. */
enum refusal coder_inflate(struct coder *coder, enum coding coding, struct slice message,
                           size_t max, struct buf *ret);
/* The same in words. */
const char *coding_refusal_text(enum refusal refusal);
/* Compresses, for speed. False: there is no memory. Cost: about 10 ns a byte. */
bool coder_deflate(struct coder *coder, enum coding coding, struct slice message, struct buf *ret);

#endif
