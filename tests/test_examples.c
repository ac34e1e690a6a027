/*
 * Tests of ingest/examples.h.
 *
 * What is known without running it: every item reads back as it was put, in order, whatever its
 * times, label and weight are; a plain example takes little more than its packed vector; bytes that
 * were cut or bent are refused.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include <math.h>

#include "ingest/examples.h"
#include "ingest/pack.h"

enum { N_DENSE = 3 };

static const float dense[N_DENSE] = {1.5f, 0, 300};
static const struct sparse sparse[] = {{77, 1, 1}, {78, 2, 0.5f}};

static struct buf packed_vector(void)
{
    struct buf packed = {0};
    pack_vector(&packed, dense, N_DENSE, sparse, 2);
    return packed;
}

static uint32_t bits_of(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

struct read_back {
    float dense[N_DENSE];
    struct sparse sparse[VECTOR_SPARSE_MAX];
    struct example_item item;
};

static enum status read_next(struct reader *in, struct read_back *ret)
{
    return examples_next(in, N_DENSE, ret->dense, ret->sparse, &ret->item);
}

static void expect_vector(const struct read_back *back)
{
    cr_assert(eq(int, memcmp(back->dense, dense, sizeof dense), 0));
    cr_assert(eq(sz, back->item.n_sparse, 2));
    cr_assert(eq(u64, back->sparse[0].hash, 77));
    cr_assert(eq(u32, back->sparse[1].field, 2));
}

TheoryDataPoints(examples, read_back_as_they_were_put) = {
    DataPoints(int64_t, 0, -1, 1522540831000000, INT64_MIN, INT64_MAX), /* time */
    DataPoints(int64_t, 0, 604800000000, -5, INT64_MAX),                /* released - time */
    DataPoints(float, 0, 1, -0.0f, 0.5f, -3, 1e30f, NAN),               /* label */
    DataPoints(float, 1, 20, 0.25f),                                    /* weight */
    DataPoints(unsigned, 0, 1, 2, 3),                                   /* flags */
};

Theory((int64_t time, int64_t after, float label, float weight, unsigned flags), examples,
       read_back_as_they_were_put)
{
    struct buf packed = packed_vector(), buf = {0};
    struct released put = {.time = time,
                           .released_at = (int64_t)((uint64_t)time + (uint64_t)after),
                           .label = label,
                           .weight = weight,
                           .correction = flags & 1,
                           .absent = flags & 2,
                           .packed = buf_slice(&packed)};
    const struct example_boundary boundary = {7, time, flags & 1 ? 300 : 0, (flags & 2) != 0};
    examples_put(&buf, &put);
    examples_put_boundary(&buf, &boundary);
    examples_put(&buf, &put);

    struct reader in = reader_of(buf_slice(&buf));
    struct read_back back;
    for (int i = 0; i < 2; i++) {
        cr_assert(eq(int, read_next(&in, &back), ST_OK));
        expect_vector(&back);
        cr_assert(eq(int, back.item.kind, ITEM_EXAMPLE));
        cr_assert(eq(i64, back.item.time, time));
        cr_assert(eq(i64, back.item.released_at, put.released_at));
        cr_assert(back.item.label == label || bits_of(back.item.label) == bits_of(label));
        cr_assert(eq(u32, bits_of(back.item.weight), bits_of(weight)));
        cr_assert(eq(int, back.item.correction, put.correction));
        cr_assert(eq(int, back.item.absent, put.absent));
        if (i == 1)
            break;
        cr_assert(eq(int, read_next(&in, &back), ST_OK));
        cr_assert(eq(int, back.item.kind, ITEM_PUBLISH));
        cr_assert(eq(u32, back.item.boundary.version, 7));
        cr_assert(eq(i64, back.item.boundary.time, time));
        cr_assert(eq(u32, back.item.boundary.model, boundary.model));
        cr_assert(eq(int, back.item.boundary.tried, boundary.tried));
    }
    cr_assert(eq(int, read_next(&in, &back), ST_EEND));
    buf_done(&packed);
    buf_done(&buf);
}

TheoryDataPoints(examples, acts_are_read_back_as_they_were_put) = {
    DataPoints(int64_t, 0, -1, 1522540831000000, INT64_MIN, INT64_MAX), /* time */
    DataPoints(int64_t, 0, 604800000000, -5, INT64_MAX),                /* released - time */
    DataPoints(float, 0, 1, -0.0f, 0.5f, -3, 1e30f, NAN),               /* label */
    DataPoints(float, 1, 20, 0.25f),                                    /* weight */
    DataPoints(unsigned, 0, 1, 2, 3),                                   /* flags */
};

Theory((int64_t time, int64_t after, float label, float weight, unsigned flags), examples,
       acts_are_read_back_as_they_were_put)
{
    const struct act put = {(enum act_kind)(flags % ACT_KINDS), flags * 1000, UINT32_MAX, flags};
    struct buf buf = {0};
    struct read_back back;
    (void)after, (void)label, (void)weight;
    examples_put_act(&buf, &put, time, (struct slice){0});
    struct reader in = reader_of(buf_slice(&buf));
    cr_assert(eq(int, read_next(&in, &back), ST_OK));
    cr_assert(eq(int, back.item.kind, ITEM_ACT));
    cr_assert(eq(i64, back.item.boundary.time, time));
    cr_assert(eq(int, back.item.act.kind, put.kind));
    cr_assert(eq(u32, back.item.act.model, put.model));
    cr_assert(eq(u32, back.item.act.version, put.version));
    cr_assert(eq(u32, back.item.act.source, put.source));
    cr_assert(eq(int, read_next(&in, &back), ST_EEND));
    buf.data[1] = ACT_KINDS;
    in = reader_of(buf_slice(&buf));
    cr_assert(eq(int, read_next(&in, &back), ST_ECORRUPT));
    buf_done(&buf);
}

Test(examples, a_plain_one_takes_little_more_than_its_vector)
{
    struct buf packed = packed_vector(), buf = {0};
    struct released put = {.time = 1522540831000000,
                           .released_at = 1523145631000000,
                           .label = 1,
                           .weight = 1,
                           .packed = buf_slice(&packed)};
    examples_put(&buf, &put);
    cr_expect(le(sz, buf.len, packed.len + 16));
    buf_done(&packed);
    buf_done(&buf);
}

Test(examples, refuses_every_cut_and_unknown_flags)
{
    struct buf packed = packed_vector(), buf = {0};
    struct released put = {.label = 0.5f, .weight = 2, .packed = buf_slice(&packed)};
    struct read_back back = {.item = {.time = 99}};
    examples_put(&buf, &put);
    for (size_t len = 1; len < buf.len; len++) {
        struct reader in = reader_of((struct slice){buf.data, len});
        cr_expect(eq(int, read_next(&in, &back), ST_ECORRUPT));
    }
    for (int flags = 36; flags < 256; flags++) {
        buf.data[0] = (char)flags;
        struct reader in = reader_of(buf_slice(&buf));
        cr_expect(eq(int, read_next(&in, &back), ST_ECORRUPT));
    }
    cr_expect(eq(i64, back.item.time, 99), "untouched");
    buf_reset(&buf);
    examples_put_boundary(&buf, &(struct example_boundary){300, 5, 1, false});
    for (size_t len = 1; len < buf.len; len++) {
        struct reader in = reader_of((struct slice){buf.data, len});
        cr_expect(eq(int, read_next(&in, &back), ST_ECORRUPT));
    }
    buf_done(&packed);
    buf_done(&buf);
}
