/* Blocks of the example log: the first byte says how many columns a vector has. What is read is
 * written and read again as the same. */
#include <math.h>

#include "ingest/examples.h"
#include "ingest/pack.h"
#include "tests/fuzz/fuzz.h"

enum { COLUMNS_MAX = 40 };

struct read {
    struct example_item item;
    float dense[COLUMNS_MAX];
    struct sparse sparse[VECTOR_SPARSE_MAX];
};

static bool same(float a, float b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool same_vector(const struct read *a, const struct read *b, size_t n_dense)
{
    bool is = a->item.n_sparse == b->item.n_sparse;
    for (size_t i = 0; i < n_dense; i++)
        is = is && memcmp(&a->dense[i], &b->dense[i], sizeof(float)) == 0;
    for (size_t i = 0; is && i < a->item.n_sparse; i++)
        is = a->sparse[i].hash == b->sparse[i].hash && a->sparse[i].field == b->sparse[i].field &&
             same(a->sparse[i].weight, b->sparse[i].weight);
    return is;
}

static bool same_item(const struct example_item *a, const struct example_item *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == ITEM_ACT)
        return a->act.kind == b->act.kind && a->act.model == b->act.model &&
               a->act.version == b->act.version && a->act.source == b->act.source &&
               a->boundary.time == b->boundary.time && slice_eq(a->verdict, b->verdict);
    if (a->kind == ITEM_PUBLISH)
        return a->boundary.time == b->boundary.time && a->boundary.version == b->boundary.version &&
               a->boundary.model == b->boundary.model && a->boundary.tried == b->boundary.tried;
    return a->time == b->time && a->released_at == b->released_at && same(a->label, b->label) &&
           same(a->weight, b->weight) && a->correction == b->correction && a->absent == b->absent;
}

static void put(struct buf *buf, const struct read *read, size_t n_dense)
{
    const struct example_item *item = &read->item;
    if (item->kind == ITEM_PUBLISH) {
        examples_put_boundary(buf, &item->boundary);
        return;
    }
    if (item->kind == ITEM_ACT) {
        examples_put_act(buf, &item->act, item->boundary.time, item->verdict);
        return;
    }
    struct buf packed = {0};
    pack_vector(&packed, read->dense, n_dense, read->sparse, item->n_sparse);
    struct released released = {.time = item->time,
                                .released_at = item->released_at,
                                .label = item->label,
                                .weight = item->weight,
                                .correction = item->correction,
                                .absent = item->absent,
                                .packed = buf_slice(&packed)};
    examples_put(buf, &released);
    buf_done(&packed);
}

static void check_again(const struct read *read, size_t n_dense)
{
    struct buf bytes = {0};
    struct read again;
    put(&bytes, read, n_dense);
    struct reader in = reader_of(buf_slice(&bytes));
    FUZZ_LAW(examples_next(&in, n_dense, again.dense, again.sparse, &again.item) == ST_OK &&
                 reader_done(&in),
             "what is written can be read");
    FUZZ_LAW(same_item(&read->item, &again.item) &&
                 (read->item.kind != ITEM_EXAMPLE || same_vector(read, &again, n_dense)),
             "it is the same again");
    buf_done(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in = reader_of(fuzz_slice(data, size));
    size_t n_dense = read_byte(&in) % (COLUMNS_MAX + 1);
    unsigned layout;
    enum status st = in.bad ? ST_ECORRUPT : examples_read_layout(&in, &layout);
    struct read read;
    while (st == ST_OK) {
        st = examples_next(&in, n_dense, read.dense, read.sparse, &read.item);
        if (st == ST_OK)
            check_again(&read, n_dense);
    }
    FUZZ_LAW(st == ST_EEND || st == ST_ECORRUPT, "it ends or is corrupt");
    return 0;
}
