/*
 * Tests of base/bytes.h.
 *
 * Known without running it: the bytes of little-endian, LEB128 and zigzag numbers, that whatever is
 * written reads back, and that a reader never passes its end: what it lacks makes it bad for good.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdlib.h>

#include "base/bytes.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct varint_case {
    uint64_t v;
    size_t len;
    char bytes[12];
};

ParameterizedTestParameters(bytes, varints_are_leb128)
{
    static struct varint_case cases[] = {
        {0, 1, "\x00"},
        {1, 1, "\x01"},
        {127, 1, "\x7f"},
        {128, 2, "\x80\x01"},
        {300, 2, "\xac\x02"},
        {16384, 3, "\x80\x80\x01"},
        {UINT32_MAX, 5, "\xff\xff\xff\xff\x0f"},
        {UINT64_MAX, 10, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"},
    };
    return cr_make_param_array(struct varint_case, cases, LEN(cases));
}

ParameterizedTest(struct varint_case *c, bytes, varints_are_leb128)
{
    struct buf buf = {0};
    buf_varint(&buf, c->v);
    cr_expect(slice_eq(buf_slice(&buf), (struct slice){c->bytes, c->len}));
    struct reader in = reader_of(buf_slice(&buf));
    cr_expect(eq(u64, read_varint(&in), c->v));
    cr_expect(reader_done(&in));
    buf_done(&buf);
}

struct signed_case {
    int64_t v;
    size_t len;
    uint8_t first;
};

ParameterizedTestParameters(bytes, signed_varints_are_zigzag)
{
    static struct signed_case cases[] = {
        {0, 1, 0},
        {-1, 1, 1},
        {1, 1, 2},
        {-2, 1, 3},
        {63, 1, 126},
        {-64, 1, 127},
        {64, 2, 0x80},
        {INT64_MAX, 10, 0xfe},
        {INT64_MIN, 10, 0xff},
    };
    return cr_make_param_array(struct signed_case, cases, LEN(cases));
}

ParameterizedTest(struct signed_case *c, bytes, signed_varints_are_zigzag)
{
    struct buf buf = {0};
    buf_varint_signed(&buf, c->v);
    cr_expect(eq(sz, buf.len, c->len));
    cr_expect(eq(u8, (uint8_t)buf.data[0], c->first));
    struct reader in = reader_of(buf_slice(&buf));
    cr_expect(eq(i64, read_varint_signed(&in), c->v));
    cr_expect(reader_done(&in));
    buf_done(&buf);
}

static void write_record(struct buf *buf)
{
    buf_byte(buf, 0xfe);
    buf_u16(buf, 0x0102);
    buf_u32(buf, 0x03040506);
    buf_u64(buf, UINT64_C(0x0708090a0b0c0d0e));
    buf_f32(buf, -1.5f);
    buf_f64(buf, 1e300);
    buf_slice_put(buf, slice_of("text"));
    buf_slice_put(buf, (struct slice){0});
}

enum { RECORD = 1 + 2 + 4 + 8 + 4 + 8 + 5 + 1 };

Test(bytes, a_record_reads_back)
{
    struct buf buf = {0};
    write_record(&buf);
    cr_assert(eq(sz, buf.len, RECORD));
    static const char start[] = "\xfe\x02\x01\x06\x05\x04\x03\x0e\x0d\x0c\x0b\x0a\x09\x08\x07";
    cr_expect(eq(int, memcmp(buf.data, start, 15), 0), "little-endian");
    struct reader in = reader_of(buf_slice(&buf));
    cr_expect(eq(u8, read_byte(&in), 0xfe));
    cr_expect(eq(u16, read_u16(&in), 0x0102));
    cr_expect(eq(u32, read_u32(&in), 0x03040506));
    cr_expect(eq(u64, read_u64(&in), UINT64_C(0x0708090a0b0c0d0e)));
    cr_expect(eq(flt, read_f32(&in), -1.5f));
    cr_expect(eq(dbl, read_f64(&in), 1e300));
    cr_expect(slice_eq(read_slice(&in), slice_of("text")));
    cr_expect(eq(sz, reader_left(&in), 1));
    cr_expect(not(reader_done(&in)), "one is left");
    cr_expect(eq(sz, read_slice(&in).len, 0));
    cr_expect(reader_done(&in));
    buf_done(&buf);
}

/* Cut anywhere, in memory that ends where it is cut. */
Test(bytes, a_record_cut_short_is_bad)
{
    struct buf buf = {0};
    write_record(&buf);
    for (size_t len = 0; len < RECORD; len++) {
        char *cut = malloc(len + (len == 0));
        memcpy(cut, buf.data, len);
        struct reader in = reader_of((struct slice){cut, len});
        read_byte(&in);
        read_u16(&in);
        read_u32(&in);
        read_u64(&in);
        read_f32(&in);
        read_f64(&in);
        read_slice(&in);
        read_slice(&in);
        cr_expect(in.bad, "%zu", len);
        cr_expect(not(reader_done(&in)));
        cr_expect(eq(u64, read_u64(&in), 0), "all later reads are 0");
        cr_expect(read_bytes(&in, 0) == NULL);
        free(cut);
    }
    buf_done(&buf);
}

struct bad_case {
    size_t len;
    char bytes[16];
};

ParameterizedTestParameters(bytes, refuses_malformed_lengths)
{
    static struct bad_case cases[] = {
        {0, ""},
        {1, "\x80"},                                          /* goes on, but does not */
        {11, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"}, /* more than 64 bits */
        {3, "\x05"                                            /* longer than what is left */
            "ab"},
        {10, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"}, /* far longer */
    };
    return cr_make_param_array(struct bad_case, cases, LEN(cases));
}

ParameterizedTest(struct bad_case *c, bytes, refuses_malformed_lengths)
{
    struct reader in = reader_of((struct slice){c->bytes, c->len});
    struct slice s = read_slice(&in);
    cr_expect(in.bad);
    cr_expect(eq(sz, s.len, 0));
}

Test(bytes, a_varint_has_at_most_64_bits)
{
    static const char bytes[] = "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01";
    struct reader in = reader_of((struct slice){bytes, 11});
    cr_expect(eq(u64, read_varint(&in), 0));
    cr_expect(in.bad);
}

Test(bytes, a_buffer_grows_and_is_used_again)
{
    struct buf buf = {0};
    for (int i = 0; i < 100000; i++)
        buf_u32(&buf, (uint32_t)i);
    cr_assert(eq(sz, buf.len, 400000));
    struct reader in = reader_of(buf_slice(&buf));
    for (int i = 0; i < 100000; i++)
        cr_assert(eq(u32, read_u32(&in), (uint32_t)i));
    const char *data = buf.data;
    size_t cap = buf.cap;
    buf_reset(&buf);
    buf_text(&buf, "again");
    cr_expect(buf.data == data && buf.cap == cap, "nothing is allocated twice");
    cr_expect(slice_eq(buf_slice(&buf), slice_of("again")));
    buf_done(&buf);
    cr_expect(buf.data == NULL && buf.len == 0 && buf.cap == 0);
    buf_done(&buf);
}

/* Around each size at which the buffer has to grow. */
Test(bytes, printf_takes_any_length)
{
    for (int width = 1; width < 1200; width++) {
        struct buf buf = {0};
        buf_printf(&buf, "<%*d>", width, 7);
        buf_printf(&buf, "%s", "");
        buf_printf(&buf, "%.3s!", "abcdef");
        cr_assert(eq(sz, buf.len, (size_t)width + 6));
        cr_assert(buf.data[0] == '<' && buf.data[width] == '7');
        cr_assert(eq(int, memcmp(buf.data + width + 1, ">abc!", 5), 0));
        buf_done(&buf);
    }
}

Test(bytes, slices_compare_by_content)
{
    char a[] = "same", b[] = "same";
    cr_expect(slice_eq(slice_of(a), slice_of(b)));
    cr_expect(not(slice_eq(slice_of("same"), slice_of("sane"))));
    cr_expect(not(slice_eq(slice_of("same"), slice_of("sam"))));
    cr_expect(slice_eq((struct slice){0}, slice_of("")), "nothing is empty");
    cr_expect(eq(sz, slice_of(NULL).len, 0));
}
