/*
 * ingest/pack.h -- vectors as they wait and as they are logged: a few bits a column.
 *
 * Most columns are small counts, flags and zeros. Each takes 2 bits that say what follows: nothing
 * (zero), one byte, two bytes (a whole number), or the float's four bytes. 15 columns of the card
 * example take about 30 bytes rather than 60.
 *
 *     [tags: 2 bits a column, rounded up to bytes] [column bytes] [varint entries]
 *     {varint field * 2 + (weight != 1), u64 hash, [f32 weight]}*
 */
#ifndef INGEST_PACK_H
#define INGEST_PACK_H

#include "base/bytes.h"
#include "base/status.h"
#include "base/vector.h"

/* Appends dense[0..n_dense) and the sparse entries. */
void pack_vector(struct buf *buf, const float *dense, size_t n_dense, const struct sparse *sparse,
                 size_t n_sparse);
/* Reads back into dense[0..n_dense) and at most VECTOR_SPARSE_MAX entries. ST_ECORRUPT. */
STATUS_CHECKED enum status unpack_vector(struct reader *in, float *dense, size_t n_dense,
                                         struct sparse *sparse, size_t *ret_n_sparse);

#endif
