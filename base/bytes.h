/*
 * base/bytes.h -- slices, growing buffers, and the little-endian encoding of everything stored.
 *
 * A `struct slice` borrows bytes; a `struct buf` owns them and grows. Encoders append to a buf,
 * decoders take from a `struct reader`, which remembers a failure so that a whole record is read
 * first and checked once:
 *
 *     struct buf buf = {0};
 *     buf_u32(&buf, 7);
 *     buf_varint(&buf, 300);
 *     struct reader in = reader_of(buf_slice(&buf));
 *     uint32_t a = read_u32(&in);
 *     uint64_t b = read_varint(&in);
 *     if (!reader_done(&in))          // too short, too long or malformed
 *         return ST_ECORRUPT;
 *     buf_done(&buf);
 *
 * A buf that cannot grow aborts the process: its memory is bounded by the caller's batch sizes.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

struct slice {
    const char *data; /* not NUL-terminated; NULL with len 0 is "nothing" */
    size_t len;
};

static inline struct slice slice_of(const char *text)
{
    struct slice s = {text, text ? strlen(text) : 0};
    return s;
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* A growing byte array. {0} is an empty one; buf_done() frees it and leaves an empty one. */
struct buf {
    char *data;
    size_t len;
    size_t cap;
};

void buf_done(struct buf *buf);
/* Room for `more` bytes behind the end; returns where they start. len is not changed. */
char *buf_reserve(struct buf *buf, size_t more);
void buf_append(struct buf *buf, const void *data, size_t len);
void buf_text(struct buf *buf, const char *text);
__attribute__((format(printf, 2, 3), nonnull(2))) void buf_printf(struct buf *buf,
                                                                  const char *format, ...);
__attribute__((format(printf, 2, 0), nonnull(2))) void
buf_vprintf(struct buf *buf, const char *format, va_list args);

static inline void buf_reset(struct buf *buf)
{
    buf->len = 0;
}

static inline struct slice buf_slice(const struct buf *buf)
{
    struct slice s = {buf->data, buf->len};
    return s;
}

static inline void buf_byte(struct buf *buf, uint8_t v)
{
    *buf_reserve(buf, 1) = (char)v;
    buf->len += 1;
}

/* Fixed-width little-endian numbers; floats as their IEEE bits. */
static inline void buf_u16(struct buf *buf, uint16_t v)
{
    memcpy(buf_reserve(buf, sizeof v), &v, sizeof v);
    buf->len += sizeof v;
}

static inline void buf_u32(struct buf *buf, uint32_t v)
{
    memcpy(buf_reserve(buf, sizeof v), &v, sizeof v);
    buf->len += sizeof v;
}

static inline void buf_u64(struct buf *buf, uint64_t v)
{
    memcpy(buf_reserve(buf, sizeof v), &v, sizeof v);
    buf->len += sizeof v;
}

static inline void buf_f32(struct buf *buf, float v)
{
    memcpy(buf_reserve(buf, sizeof v), &v, sizeof v);
    buf->len += sizeof v;
}

static inline void buf_f64(struct buf *buf, double v)
{
    memcpy(buf_reserve(buf, sizeof v), &v, sizeof v);
    buf->len += sizeof v;
}

/* LEB128: 1 byte below 128, at most 10. */
void buf_varint(struct buf *buf, uint64_t v);
/* Signed, zigzag first, so that small negatives stay small. */
void buf_varint_signed(struct buf *buf, int64_t v);
/* A varint length, then the bytes. */
void buf_slice_put(struct buf *buf, struct slice s);

struct reader {
    const char *at;
    const char *end;
    bool bad; /* something was missing or malformed; all later reads return 0 */
};

static inline struct reader reader_of(struct slice s)
{
    /* Nothing may be added to NULL, not even 0. */
    struct reader in = {s.data, s.len > 0 ? s.data + s.len : s.data, false};
    return in;
}

static inline size_t reader_left(const struct reader *in)
{
    return (size_t)(in->end - in->at);
}

/* True if everything was there and nothing is left over. */
static inline bool reader_done(const struct reader *in)
{
    return !in->bad && in->at == in->end;
}

/* The next len bytes, or NULL (and bad) if there are fewer. */
const char *read_bytes(struct reader *in, size_t len);
uint8_t read_byte(struct reader *in);
uint16_t read_u16(struct reader *in);
uint32_t read_u32(struct reader *in);
uint64_t read_u64(struct reader *in);
float read_f32(struct reader *in);
double read_f64(struct reader *in);
uint64_t read_varint(struct reader *in);
int64_t read_varint_signed(struct reader *in);
struct slice read_slice(struct reader *in);

#ifdef __cplusplus
}
#endif

#endif
