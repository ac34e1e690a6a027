/*
 * online/kept_vector.h -- vectors that stay: copied out of a batch, and as tensors of a model file.
 */
#ifndef ONLINE_KEPT_VECTOR_H
#define ONLINE_KEPT_VECTOR_H

#include <stdbool.h>

#include "base/vector.h"
#include "models/safetensors.h"

/* Its numbers lie where its owner says, its categories are its own. */
struct kept_vector {
    struct vector vector;
    size_t n_sparse_max; /* that there is room for */
};

/* kept->vector.dense has room for n_dense. Allocates where there are more categories than before.
 */
void kept_vector_set(struct kept_vector *kept, const struct vector *from, size_t n_dense);
void kept_vector_done(struct kept_vector *kept);

/* The i-th of them. */
typedef const struct vector *(*kept_vector_fn)(const void *arg, size_t i);

/* n of them column by column, as "PREFIX.dense", ".entries", ".hash", ".field" and ".value";
 * categories of all rows one behind the other. */
void kept_vectors_save(struct tensors *ret, const char *prefix, kept_vector_fn fn, const void *arg,
                       size_t n, size_t n_dense);

/* The same in a file, borrowed from it. */
struct stored_vectors {
    size_t n, n_dense, n_sparse;
    const float *dense, *value;
    const uint64_t *hash;
    const uint32_t *n_entries, *field;
    size_t next, at; /* reading: the row, and its first category */
};

/* False if they are not there, or have other columns. */
bool stored_vectors_find(const struct tensors *tensors, const char *prefix, size_t n_dense,
                         struct stored_vectors *ret);
/* The next row; its categories go to sparse[VECTOR_SPARSE_MAX]. False if it is not sound. */
bool stored_vectors_next(struct stored_vectors *stored, struct sparse *sparse, struct vector *ret);

#endif
