/*
 * base/vector.h -- what a model sees of one event: named dense columns and hashed categories.
 *
 * A vector is n_dense doubles, computed by the features (NaN where unknown), which the models read
 * rounded to float, and a list of (field, hash, weight) for categories of high cardinality. The
 * schema names both. Models bind by name, so that a column added elsewhere never shifts a weight.
 */
#ifndef BASE_VECTOR_H
#define BASE_VECTOR_H

#include <stddef.h>
#include <stdint.h>

struct sparse {
    uint64_t hash;  /* hash_category() of the value, never 0 */
    uint32_t field; /* index into vector_schema.sparse */
    float weight;
};

struct vector_schema {
    size_t n_dense;
    size_t n_sparse;          /* sparse fields; a row may hold several entries of one, or none */
    const char *const *dense; /* n_dense column names */
    const char *const *sparse;
    uint64_t id; /* hash of all names in order */
};

/* A row borrowed from a batch or an example. */
struct vector {
    const float *dense; /* n_dense */
    const struct sparse *sparse;
    size_t n_sparse; /* entries of this row, at most VECTOR_SPARSE_MAX */
};

#define VECTOR_SPARSE_MAX 256
#define VECTOR_DENSE_MAX  4096

#endif
