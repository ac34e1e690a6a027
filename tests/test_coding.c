/*
 * Tests of online/endpoint/coding.h.
 *
 * What is known without running it: the bytes that gzip and Python's zlib make of "hello" (RFC
 * 1952, RFC 1950); what is compressed inflates to itself, in either format and in any order of
 * formats; what is cut off anywhere, changed, followed by more or of the other format is refused,
 * and what stands for too much is too large, however little of it came.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "online/endpoint/coding.h"

#define BYTES(text) ((struct slice){text, sizeof(text) - 1})

static const char gzip_hello[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xcb\x48\xcd\xc9\xc9\x07"
                                 "\x00\x86\xa6\x10\x36\x05\x00\x00\x00";
static const char deflate_hello[] = "\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15";

Test(coding, names)
{
    cr_expect(eq(int, coding_of(slice_of("gzip")), CODING_GZIP));
    cr_expect(eq(int, coding_of(slice_of("Deflate")), CODING_DEFLATE));
    cr_expect(eq(int, coding_of(slice_of("identity")), CODING_NONE));
    cr_expect(eq(int, coding_of(slice_of("br")), CODING_UNKNOWN));
    cr_expect(eq(int, coding_of(slice_of("gzip, gzip")), CODING_UNKNOWN));
    cr_expect(eq(int, coding_of(slice_of("")), CODING_UNKNOWN));
}

static enum refusal inflate_once(enum coding coding, struct slice message, size_t max,
                                 struct buf *ret)
{
    struct coder *coder = coder_create();
    enum refusal refusal = coder_inflate(coder, coding, message, max, ret);
    coder_free(coder);
    return refusal;
}

Test(coding, what_others_made)
{
    struct buf text = {0};
    cr_expect(eq(int, inflate_once(CODING_GZIP, BYTES(gzip_hello), 5, &text), REFUSED_NOT));
    cr_expect(slice_eq(buf_slice(&text), slice_of("hello")));
    cr_expect(eq(int, inflate_once(CODING_DEFLATE, BYTES(deflate_hello), 5, &text), REFUSED_NOT));
    cr_expect(slice_eq(buf_slice(&text), slice_of("hello")));
    buf_done(&text);
}

Test(coding, there_and_back_in_turn)
{
    struct coder *coder = coder_create();
    struct buf text = {0}, packed = {0}, back = {0};
    for (size_t i = 0; i < 40000; i++)
        buf_printf(&text, "%zu,", i % 100 * i);
    for (int i = 0; i < 4; i++) {
        enum coding coding = i % 2 ? CODING_GZIP : CODING_DEFLATE;
        cr_assert(coder_deflate(coder, coding, buf_slice(&text), &packed));
        cr_expect(lt(sz, packed.len, text.len / 2));
        cr_assert(eq(int, coder_inflate(coder, coding, buf_slice(&packed), text.len, &back),
                     REFUSED_NOT));
        cr_expect(slice_eq(buf_slice(&back), buf_slice(&text)));
        cr_expect(eq(int, coder_inflate(coder, coding, buf_slice(&packed), text.len - 1, &back),
                     REFUSED_TOO_LARGE));
    }
    buf_done(&text);
    buf_done(&packed);
    buf_done(&back);
    coder_free(coder);
}

Test(coding, what_is_no_such_format_is_refused)
{
    struct buf text = {0}, longer = {0};
    for (size_t len = 0; len < sizeof gzip_hello - 1; len++)
        cr_expect(eq(int, inflate_once(CODING_GZIP, (struct slice){gzip_hello, len}, 100, &text),
                     REFUSED_INVALID),
                  "cut at %zu", len);
    cr_expect(
        eq(int, inflate_once(CODING_DEFLATE, BYTES(gzip_hello), 100, &text), REFUSED_INVALID));
    cr_expect(
        eq(int, inflate_once(CODING_GZIP, BYTES(deflate_hello), 100, &text), REFUSED_INVALID));
    buf_append(&longer, gzip_hello, sizeof gzip_hello - 1);
    buf_byte(&longer, 'x');
    cr_expect(eq(int, inflate_once(CODING_GZIP, buf_slice(&longer), 100, &text), REFUSED_INVALID));
    longer.data[20] ^= 1; /* its checksum */
    longer.len--;
    cr_expect(eq(int, inflate_once(CODING_GZIP, buf_slice(&longer), 100, &text), REFUSED_INVALID));
    buf_done(&text);
    buf_done(&longer);
}

/* Zeros become a thousandth: far less than max, and refused all the same, without being made. */
Test(coding, a_bomb_does_not_go_off)
{
    enum { ZEROS = 10 << 20 };
    struct coder *coder = coder_create();
    struct buf zeros = {0}, packed = {0}, text = {0};
    memset(buf_reserve(&zeros, ZEROS), 0, ZEROS);
    zeros.len = ZEROS;
    cr_assert(coder_deflate(coder, CODING_GZIP, buf_slice(&zeros), &packed));
    cr_assert(lt(sz, packed.len, ZEROS / 150));
    cr_expect(eq(int, coder_inflate(coder, CODING_GZIP, buf_slice(&packed), (size_t)1 << 30, &text),
                 REFUSED_TOO_LARGE));
    cr_expect(eq(sz, text.len, CODING_RATIO * packed.len + CODING_FREE + 1));
    buf_done(&zeros);
    buf_done(&packed);
    buf_done(&text);
    coder_free(coder);
}
