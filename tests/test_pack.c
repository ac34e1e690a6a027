/*
 * Tests of ingest/pack.h.
 *
 * What is known without running it: unpacking gives back the very bits that were packed, whatever
 * they are, and a whole number up to 65535 takes at most two bytes. Bytes that no vector packs to
 * are refused.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include <math.h>

#include "ingest/pack.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static uint32_t bits_of(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

/* Packs one column n times and reads it back; returns the bytes a column that it took. */
static size_t round_trip(float v, size_t n)
{
    float in[9], out[9];
    struct sparse sparse[VECTOR_SPARSE_MAX];
    struct buf buf = {0};
    for (size_t i = 0; i < n; i++)
        in[i] = v;
    pack_vector(&buf, in, n, NULL, 0);
    struct reader reader = reader_of(buf_slice(&buf));
    size_t n_sparse = 99;
    cr_assert(eq(int, unpack_vector(&reader, out, n, sparse, &n_sparse), ST_OK));
    cr_assert(reader_done(&reader));
    cr_assert(eq(sz, n_sparse, 0));
    for (size_t i = 0; i < n; i++)
        cr_assert(eq(u32, bits_of(out[i]), bits_of(v)));
    size_t bytes = buf.len - 1 - (n + 3) / 4;
    buf_done(&buf);
    return n ? bytes / n : bytes;
}

struct column_case {
    float v;
    size_t bytes; /* beside its two bits */
};

ParameterizedTestParameters(pack, a_column_takes_what_it_must)
{
    static struct column_case cases[] = {
        {0.0f, 0},     {-0.0f, 4},     {1.0f, 1},     {2.0f, 1},   {255.0f, 1},
        {256.0f, 2},   {65535.0f, 2},  {65536.0f, 4}, {-1.0f, 4},  {0.5f, 4},
        {1.5f, 4},     {254.5f, 4},    {65534.5f, 4}, {1e-45f, 4}, {1e38f, 4},
        {INFINITY, 4}, {-INFINITY, 4}, {NAN, 4},      {57.16f, 4}, {16777216.0f, 4},
    };
    return cr_make_param_array(struct column_case, cases, LEN(cases));
}

ParameterizedTest(struct column_case *c, pack, a_column_takes_what_it_must)
{
    for (size_t n = 0; n <= 9; n++)
        cr_expect(eq(sz, round_trip(c->v, n), n ? c->bytes : 0), "%g, %zu columns", (double)c->v,
                  n);
}

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 11 ^ *seed << 40;
}

static float draw_float(uint64_t *seed)
{
    uint32_t bits = (uint32_t)draw(seed);
    float v;
    switch (draw(seed) % 4) {
    case 0:
        return 0;
    case 1:
        return (float)(bits % 300);
    case 2:
        return (float)(bits % 70000);
    default:
        memcpy(&v, &bits, sizeof v);
        return v;
    }
}

TheoryDataPoints(pack, gives_back_every_vector) = {
    DataPoints(size_t, 0, 1, 3, 4, 5, 15, 100, VECTOR_DENSE_MAX),
    DataPoints(size_t, 0, 1, 2, VECTOR_SPARSE_MAX),
    DataPoints(uint64_t, 1, 2, 3, 4, 5),
};

Theory((size_t n_dense, size_t n_sparse, uint64_t seed), pack, gives_back_every_vector)
{
    static float in[VECTOR_DENSE_MAX], out[VECTOR_DENSE_MAX];
    static struct sparse sparse_in[VECTOR_SPARSE_MAX], sparse_out[VECTOR_SPARSE_MAX];
    for (size_t i = 0; i < n_dense; i++)
        in[i] = draw_float(&seed);
    for (size_t i = 0; i < n_sparse; i++)
        sparse_in[i] = (struct sparse){draw(&seed), i % 3 ? (uint32_t)i : (uint32_t)draw(&seed),
                                       i % 2 ? 1.0f : draw_float(&seed)};
    struct buf buf = {0};
    buf_text(&buf, "before");
    pack_vector(&buf, in, n_dense, sparse_in, n_sparse);
    buf_text(&buf, "behind");

    struct reader reader = reader_of(buf_slice(&buf));
    read_bytes(&reader, 6);
    size_t n = 0;
    cr_assert(eq(int, unpack_vector(&reader, out, n_dense, sparse_out, &n), ST_OK));
    cr_assert(eq(sz, n, n_sparse));
    cr_assert(eq(sz, reader_left(&reader), 6), "reads its own bytes and no others");
    cr_assert(eq(int, memcmp(in, out, n_dense * sizeof *in), 0));
    for (size_t i = 0; i < n; i++) {
        cr_assert(eq(u64, sparse_out[i].hash, sparse_in[i].hash));
        cr_assert(eq(u32, sparse_out[i].field, sparse_in[i].field));
        cr_assert(eq(u32, bits_of(sparse_out[i].weight), bits_of(sparse_in[i].weight)));
    }
    buf_done(&buf);
}

Test(pack, the_bytes_are_these)
{
    const float dense[] = {0, 7, 300, 0.5f, 1};
    const struct sparse sparse[] = {{0x0102030405060708, 3, 1.0f}, {9, 0, 0.5f}};
    struct buf buf = {0};
    pack_vector(&buf, dense, 5, sparse, 2);
    static const char expected[] = {
        (char)0xe4, 1,                                           /* tags 0, 1, 2, 3; then 1 */
        7,          0x2c, 1, 0, 0, 0, 0x3f, 1,                   /* 7, 300, 0.5f, 1 */
        2,                                                       /* entries */
        6,          8,    7, 6, 5, 4, 3,    2, 1,                /* field 3, of weight 1 */
        1,          9,    0, 0, 0, 0, 0,    0, 0, 0, 0, 0, 0x3f, /* field 0, of weight 0.5f */
    };
    cr_expect(slice_eq(buf_slice(&buf), (struct slice){expected, sizeof expected}));
    buf_done(&buf);
}

/* Every cut of good bytes is refused, and so is a count or a field out of bounds. */
Test(pack, refuses_bytes_that_end_too_soon)
{
    const float dense[] = {0, 7, 300, 0.5f, 1};
    const struct sparse sparse[] = {{1, 3, 1.0f}, {9, 0, 0.5f}};
    float out[5];
    struct sparse sparse_out[VECTOR_SPARSE_MAX];
    struct buf buf = {0};
    pack_vector(&buf, dense, 5, sparse, 2);
    for (size_t len = 0; len < buf.len; len++) {
        struct reader reader = reader_of((struct slice){buf.data, len});
        size_t n = 77;
        cr_expect(eq(int, unpack_vector(&reader, out, 5, sparse_out, &n), ST_ECORRUPT));
        cr_expect(eq(sz, n, 77), "untouched");
    }
    buf_done(&buf);
}

Test(pack, refuses_what_is_out_of_bounds)
{
    float out[1];
    struct sparse sparse[VECTOR_SPARSE_MAX];
    size_t n;
    struct buf buf = {0};
    buf_varint(&buf, VECTOR_SPARSE_MAX + 1);
    for (int i = 0; i < 9 * (VECTOR_SPARSE_MAX + 1); i++)
        buf_byte(&buf, 0);
    struct reader reader = reader_of(buf_slice(&buf));
    cr_expect(eq(int, unpack_vector(&reader, out, 0, sparse, &n), ST_ECORRUPT), "entries");
    buf_reset(&buf);
    buf_varint(&buf, 1);
    buf_varint(&buf, (UINT64_C(1) << 32) * 2);
    buf_u64(&buf, 1);
    reader = reader_of(buf_slice(&buf));
    cr_expect(eq(int, unpack_vector(&reader, out, 0, sparse, &n), ST_ECORRUPT), "field");
    buf_done(&buf);
}
