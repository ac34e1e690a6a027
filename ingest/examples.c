#include "ingest/examples.h"

#include "ingest/pack.h"

enum {
    FLAGS_LABEL_IS_ONE = 1,
    FLAGS_WEIGHTED = 2,
    FLAGS_OTHER_LABEL = 4,
    FLAGS_CORRECTION = 8,
    FLAGS_ABSENT = 16,
    FLAGS_BOUNDARY = 32,    /* alone: of model 0 */
    FLAGS_BOUNDARY_OF = 33, /* alone: of the model whose number comes first */
    FLAGS_ACT = 34,         /* alone */
    FLAGS_TRIED = 35,       /* alone: a boundary as of 33, whose version is to be tried */
    BLOCK_LAYOUT = 64       /* no item: at the beginning of a block, {this, varint number} */
};

void examples_put_layout(struct buf *buf, unsigned number)
{
    buf_byte(buf, BLOCK_LAYOUT);
    buf_varint(buf, number);
}

enum status examples_read_layout(struct reader *block, unsigned *ret)
{
    *ret = 0;
    if (reader_left(block) == 0 || *block->at != BLOCK_LAYOUT)
        return ST_OK;
    read_byte(block);
    uint64_t number = read_varint(block);
    *ret = (unsigned)number;
    return block->bad || number >= LAYOUTS_MAX ? ST_ECORRUPT : ST_OK;
}

/* {flags, zigzag time, zigzag released_at - time, [label], [weight], packed vector} */
void examples_put(struct buf *buf, const struct released *example)
{
    unsigned flags = (example->label == 1 ? FLAGS_LABEL_IS_ONE : 0) |
                     (example->label != 0 && example->label != 1 ? FLAGS_OTHER_LABEL : 0) |
                     (example->weight != 1 ? FLAGS_WEIGHTED : 0) |
                     (example->correction ? FLAGS_CORRECTION : 0) |
                     (example->absent ? FLAGS_ABSENT : 0);
    buf_byte(buf, (uint8_t)flags);
    buf_varint_signed(buf, example->time);
    buf_varint_signed(buf, (int64_t)((uint64_t)example->released_at - (uint64_t)example->time));
    if (flags & FLAGS_OTHER_LABEL)
        buf_f32(buf, example->label);
    if (flags & FLAGS_WEIGHTED)
        buf_f32(buf, example->weight);
    buf_append(buf, example->packed.data, example->packed.len);
}

void examples_put_boundary(struct buf *buf, const struct example_boundary *boundary)
{
    bool alone = boundary->model == 0 && !boundary->tried;
    buf_byte(buf, boundary->tried ? FLAGS_TRIED : alone ? FLAGS_BOUNDARY : FLAGS_BOUNDARY_OF);
    if (!alone)
        buf_varint(buf, boundary->model);
    buf_varint(buf, boundary->version);
    buf_varint_signed(buf, boundary->time);
}

static bool ends_trial(const struct act *act)
{
    return act->kind == ACT_CONFIRM || act->kind == ACT_ROLL_BACK;
}

void examples_put_act(struct buf *buf, const struct act *act, int64_t time, struct slice verdict)
{
    buf_byte(buf, FLAGS_ACT);
    buf_byte(buf, (uint8_t)act->kind);
    buf_varint(buf, act->model);
    buf_varint(buf, act->version);
    buf_varint(buf, act->source);
    buf_varint_signed(buf, time);
    if (ends_trial(act))
        buf_slice_put(buf, verdict);
}

static void read_boundary(struct reader *in, unsigned flags, struct example_item *item)
{
    item->kind = ITEM_PUBLISH;
    item->boundary.model = flags == FLAGS_BOUNDARY ? 0 : (uint32_t)read_varint(in);
    item->boundary.tried = flags == FLAGS_TRIED;
    item->boundary.version = (uint32_t)read_varint(in);
    item->boundary.time = read_varint_signed(in);
}

static void read_act(struct reader *in, struct example_item *item)
{
    unsigned kind = read_byte(in);
    in->bad = in->bad || kind >= ACT_KINDS;
    item->kind = ITEM_ACT;
    item->act.kind = (enum act_kind)kind;
    item->act.model = (uint32_t)read_varint(in);
    item->act.version = (uint32_t)read_varint(in);
    item->act.source = (uint32_t)read_varint(in);
    item->boundary.time = read_varint_signed(in);
    if (ends_trial(&item->act))
        item->verdict = read_slice(in);
}

static void read_example(struct reader *in, unsigned flags, struct example_item *item)
{
    item->time = read_varint_signed(in);
    item->released_at = (int64_t)((uint64_t)item->time + (uint64_t)read_varint_signed(in));
    item->label = flags & FLAGS_OTHER_LABEL ? read_f32(in) : (float)(flags & FLAGS_LABEL_IS_ONE);
    item->weight = flags & FLAGS_WEIGHTED ? read_f32(in) : 1;
    item->correction = flags & FLAGS_CORRECTION;
    item->absent = flags & FLAGS_ABSENT;
}

/* All of an item but its vector. ST_EEND at the end. */
static enum status next_item(struct reader *in, struct example_item *item)
{
    if (reader_left(in) == 0 && !in->bad)
        return ST_EEND;
    unsigned flags = read_byte(in);
    if (flags > FLAGS_TRIED)
        return ST_ECORRUPT;
    if (flags == FLAGS_ACT)
        read_act(in, item);
    else if (flags >= FLAGS_BOUNDARY)
        read_boundary(in, flags, item);
    else
        read_example(in, flags, item);
    return in->bad ? ST_ECORRUPT : ST_OK;
}

enum status examples_next(struct reader *in, size_t n_dense, float *dense, struct sparse *sparse,
                          struct example_item *ret)
{
    struct example_item item = {0};
    TRY(next_item(in, &item));
    if (item.kind == ITEM_EXAMPLE)
        TRY(unpack_vector(in, dense, n_dense, sparse, &item.n_sparse));
    *ret = item;
    return ST_OK;
}

enum status examples_next_of(const struct layouts *layouts, unsigned number, struct reader *in,
                             float *dense, struct sparse *sparse, struct example_item *ret)
{
    struct example_item item = {0};
    TRY(next_item(in, &item));
    if (item.kind == ITEM_EXAMPLE)
        TRY(layouts_unpack(layouts, number, in, dense, sparse, &item.n_sparse));
    *ret = item;
    return ST_OK;
}
