#include "online/endpoint/coding.h"

#include <stdlib.h>
#include <strings.h>
#include <zlib.h>

/* Of zlib's formats: 15 bits of window; 16 more say gzip. */
enum { WINDOW = 15, WINDOW_GZIP = 31, MEMORY = 8, STEP = 16 * 1024 };

struct coder {
    z_stream in, out;
    bool inflates, deflates; /* they are made */
};

static bool is_named(struct slice name, const char *other)
{
    return name.len == strlen(other) && strncasecmp(name.data, other, name.len) == 0;
}

enum coding coding_of(struct slice name)
{
    if (is_named(name, "identity"))
        return CODING_NONE;
    if (is_named(name, "gzip"))
        return CODING_GZIP;
    return is_named(name, "deflate") ? CODING_DEFLATE : CODING_UNKNOWN;
}

const char *coding_name(enum coding coding)
{
    return coding == CODING_GZIP ? "gzip" : coding == CODING_DEFLATE ? "deflate" : "identity";
}

struct coder *coder_create(void)
{
    return calloc(1, sizeof(struct coder));
}

void coder_free(struct coder *coder)
{
    if (!coder)
        return;
    if (coder->inflates)
        inflateEnd(&coder->in);
    if (coder->deflates)
        deflateEnd(&coder->out);
    free(coder);
}

static int window_of(enum coding coding)
{
    return coding == CODING_GZIP ? WINDOW_GZIP : WINDOW;
}

static bool ready_to_inflate(struct coder *coder, enum coding coding)
{
    if (coder->inflates)
        return inflateReset2(&coder->in, window_of(coding)) == Z_OK;
    coder->inflates = inflateInit2(&coder->in, window_of(coding)) == Z_OK;
    return coder->inflates;
}

static size_t most_of(struct slice message, size_t max)
{
    size_t most = CODING_FREE + CODING_RATIO * message.len;
    return most < max ? most : max;
}

/* One byte more than is allowed is asked for, so that it shows. */
static int inflate_step(z_stream *in, size_t most, struct buf *ret)
{
    size_t room = most + 1 - ret->len < STEP ? most + 1 - ret->len : STEP;
    in->next_out = (Bytef *)buf_reserve(ret, room);
    in->avail_out = (uInt)room;
    int result = inflate(in, Z_NO_FLUSH);
    ret->len += room - in->avail_out;
    return result;
}

enum refusal coder_inflate(struct coder *coder, enum coding coding, struct slice message,
                           size_t max, struct buf *ret)
{
    size_t most = most_of(message, max);
    buf_reset(ret);
    if (!ready_to_inflate(coder, coding))
        return REFUSED_UNAVAILABLE;
    z_stream *in = &coder->in;
    in->next_in = (Bytef *)(uintptr_t)message.data; /* zlib's own type has no const */
    in->avail_in = (uInt)message.len;
    int result = Z_OK;
    while (result == Z_OK && ret->len <= most)
        result = inflate_step(in, most, ret);
    if (ret->len > most)
        return REFUSED_TOO_LARGE;
    return result == Z_STREAM_END && in->avail_in == 0 ? REFUSED_NOT : REFUSED_INVALID;
}

const char *coding_refusal_text(enum refusal refusal)
{
    return refusal == REFUSED_TOO_LARGE ? "the request is larger than is allowed, once inflated"
           : refusal == REFUSED_INVALID ? "the request is not compressed as it says"
                                        : "there is no memory to inflate the request";
}

static bool ready_to_deflate(struct coder *coder, enum coding coding)
{
    if (coder->deflates)
        deflateEnd(&coder->out); /* its format is that of its making */
    coder->deflates = deflateInit2(&coder->out, Z_BEST_SPEED, Z_DEFLATED, window_of(coding), MEMORY,
                                   Z_DEFAULT_STRATEGY) == Z_OK;
    return coder->deflates;
}

bool coder_deflate(struct coder *coder, enum coding coding, struct slice message, struct buf *ret)
{
    buf_reset(ret);
    if (!ready_to_deflate(coder, coding))
        return false;
    z_stream *out = &coder->out;
    size_t room = deflateBound(out, (uLong)message.len);
    out->next_in = (Bytef *)(uintptr_t)message.data;
    out->avail_in = (uInt)message.len;
    out->next_out = (Bytef *)buf_reserve(ret, room);
    out->avail_out = (uInt)room;
    bool done = deflate(out, Z_FINISH) == Z_STREAM_END;
    ret->len = room - out->avail_out;
    return done;
}
