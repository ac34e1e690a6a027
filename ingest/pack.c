#include "ingest/pack.h"

enum { TAG_ZERO, TAG_BYTE, TAG_TWO_BYTES, TAG_FLOAT };

/* Writes the column behind `at`, returns its tag and moves on. Negative zero keeps its bits. */
static unsigned put_column(char **at, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    if (bits == 0)
        return TAG_ZERO;
    if (v >= 1 && v <= 65535 && v == (float)(uint32_t)v) {
        uint16_t whole = (uint16_t)v;
        memcpy(*at, &whole, 2);
        *at += whole < 256 ? 1 : 2;
        return whole < 256 ? TAG_BYTE : TAG_TWO_BYTES;
    }
    memcpy(*at, &bits, 4);
    *at += 4;
    return TAG_FLOAT;
}

void pack_vector(struct buf *buf, const float *dense, size_t n_dense, const struct sparse *sparse,
                 size_t n_sparse)
{
    size_t n_tags = (n_dense + 3) / 4;
    char *tags = buf_reserve(buf, n_tags + 4 * n_dense + 2), *at = tags + n_tags;
    memset(tags, 0, n_tags);
    for (size_t i = 0; i < n_dense; i++)
        tags[i / 4] = (char)(tags[i / 4] | (int)(put_column(&at, dense[i]) << (i % 4 * 2)));
    buf->len += (size_t)(at - tags);
    buf_varint(buf, n_sparse);
    for (size_t i = 0; i < n_sparse; i++) {
        bool weighted = sparse[i].weight != 1.0f;
        buf_varint(buf, (uint64_t)sparse[i].field * 2 + weighted);
        buf_u64(buf, sparse[i].hash);
        if (weighted)
            buf_f32(buf, sparse[i].weight);
    }
}

static float read_column(struct reader *in, unsigned tag)
{
    switch (tag) {
    case TAG_ZERO:
        return 0;
    case TAG_BYTE:
        return read_byte(in);
    case TAG_TWO_BYTES:
        return read_u16(in);
    default:
        return read_f32(in);
    }
}

enum status unpack_vector(struct reader *in, float *dense, size_t n_dense, struct sparse *sparse,
                          size_t *ret_n_sparse)
{
    const char *tags = read_bytes(in, (n_dense + 3) / 4);
    for (size_t i = 0; i < n_dense && tags; i++)
        dense[i] = read_column(in, (unsigned char)tags[i / 4] >> (i % 4 * 2) & 3);
    uint64_t n = read_varint(in);
    if (in->bad || n > VECTOR_SPARSE_MAX)
        return ST_ECORRUPT;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t field = read_varint(in);
        sparse[i].field = (uint32_t)(field / 2);
        sparse[i].hash = read_u64(in);
        sparse[i].weight = field & 1 ? read_f32(in) : 1.0f;
        if (field / 2 > UINT32_MAX)
            in->bad = true;
    }
    if (in->bad)
        return ST_ECORRUPT;
    *ret_n_sparse = (size_t)n;
    return ST_OK;
}
