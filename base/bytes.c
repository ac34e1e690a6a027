#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "stored numbers are little-endian");

void buf_done(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}

static void buf_grow(struct buf *buf, size_t need)
{
    size_t cap = buf->cap ? buf->cap : 256;
    while (cap < need)
        cap *= 2;
    char *data = realloc(buf->data, cap);
    if (!data)
        abort();
    buf->data = data;
    buf->cap = cap;
}

char *buf_reserve(struct buf *buf, size_t more)
{
    if (buf->cap - buf->len < more)
        buf_grow(buf, buf->len + more);
    return buf->data + buf->len;
}

void buf_append(struct buf *buf, const void *data, size_t len)
{
    if (len == 0)
        return;
    memcpy(buf_reserve(buf, len), data, len);
    buf->len += len;
}

void buf_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    char *at = buf_reserve(buf, 1);
    size_t room = buf->cap - buf->len;
    int need = vsnprintf(at, room, format, args);
    if (need > 0 && (size_t)need >= room)
        vsnprintf(buf_reserve(buf, (size_t)need + 1), (size_t)need + 1, format, again);
    buf->len += need > 0 ? (size_t)need : 0;
    va_end(again);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprintf(buf, format, args);
    va_end(args);
}

void buf_varint(struct buf *buf, uint64_t v)
{
    char *at = buf_reserve(buf, 10), *start = at;
    for (; v >= 0x80; v >>= 7)
        *at++ = (char)(v | 0x80);
    *at++ = (char)v;
    buf->len += (size_t)(at - start);
}

void buf_varint_signed(struct buf *buf, int64_t v)
{
    buf_varint(buf, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

void buf_slice_put(struct buf *buf, struct slice s)
{
    buf_varint(buf, s.len);
    buf_append(buf, s.data, s.len);
}

const char *read_bytes(struct reader *in, size_t len)
{
    if (in->bad || reader_left(in) < len) {
        in->bad = true;
        return NULL;
    }
    const char *at = in->at;
    in->at += len;
    return at;
}

#define READ_FIXED(type)                                                                           \
    do {                                                                                           \
        type v = 0;                                                                                \
        const char *at = read_bytes(in, sizeof v);                                                 \
        if (at)                                                                                    \
            memcpy(&v, at, sizeof v);                                                              \
        return v;                                                                                  \
    } while (0)

uint8_t read_byte(struct reader *in)
{
    READ_FIXED(uint8_t);
}

uint16_t read_u16(struct reader *in)
{
    READ_FIXED(uint16_t);
}

uint32_t read_u32(struct reader *in)
{
    READ_FIXED(uint32_t);
}

uint64_t read_u64(struct reader *in)
{
    READ_FIXED(uint64_t);
}

float read_f32(struct reader *in)
{
    READ_FIXED(float);
}

double read_f64(struct reader *in)
{
    READ_FIXED(double);
}

uint64_t read_varint(struct reader *in)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = read_byte(in);
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return in->bad ? 0 : v;
    }
    in->bad = true;
    return 0;
}

int64_t read_varint_signed(struct reader *in)
{
    uint64_t v = read_varint(in);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

struct slice read_slice(struct reader *in)
{
    uint64_t len = read_varint(in);
    const char *data = len <= reader_left(in) ? read_bytes(in, (size_t)len) : NULL;
    if (!data)
        in->bad = true;
    return data ? (struct slice){data, (size_t)len} : (struct slice){0};
}
