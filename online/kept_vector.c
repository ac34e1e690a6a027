#include "online/kept_vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void kept_vector_set(struct kept_vector *kept, const struct vector *from, size_t n_dense)
{
    memcpy((float *)(uintptr_t)kept->vector.dense, from->dense, n_dense * sizeof(float));
    struct sparse *own = (struct sparse *)(uintptr_t)kept->vector.sparse;
    if (from->n_sparse > kept->n_sparse_max) {
        own = realloc(own, from->n_sparse * sizeof *own);
        if (!own)
            abort(); /* a few KB */
        kept->n_sparse_max = from->n_sparse;
    }
    if (from->n_sparse > 0)
        memcpy(own, from->sparse, from->n_sparse * sizeof *own);
    kept->vector.sparse = own;
    kept->vector.n_sparse = from->n_sparse;
}

void kept_vector_done(struct kept_vector *kept)
{
    free((void *)(uintptr_t)kept->vector.sparse);
    kept->vector.sparse = NULL;
    kept->vector.n_sparse = kept->n_sparse_max = 0;
}

/* As tensors. */

struct name {
    char text[80];
};

static struct name name_of(const char *prefix, const char *column)
{
    struct name name;
    snprintf(name.text, sizeof name.text, "%.60s.%.16s", prefix, column);
    return name;
}

/* Rows as columns, in one block. */
struct columns {
    float *dense, *value;
    uint64_t *hash;
    uint32_t *n_entries, *field;
    void *block;
};

static struct columns make_columns(size_t n, size_t n_sparse, size_t n_dense)
{
    struct columns c;
    c.block = calloc(n_sparse * 16 + n * (n_dense + 1) * 4 + 8, 1);
    if (!c.block)
        abort();
    c.hash = c.block;
    c.dense = (float *)(void *)(c.hash + n_sparse);
    c.value = c.dense + n * n_dense;
    c.n_entries = (uint32_t *)(void *)(c.value + n_sparse);
    c.field = c.n_entries + n;
    return c;
}

static void fill_row(const struct vector *row, size_t i, size_t n_dense, size_t *at,
                     struct columns *c)
{
    memcpy(c->dense + i * n_dense, row->dense, n_dense * sizeof(float));
    c->n_entries[i] = (uint32_t)row->n_sparse;
    for (size_t j = 0; j < row->n_sparse; j++, (*at)++) {
        c->hash[*at] = row->sparse[j].hash;
        c->field[*at] = row->sparse[j].field;
        c->value[*at] = row->sparse[j].weight;
    }
}

void kept_vectors_save(struct tensors *ret, const char *prefix, kept_vector_fn fn, const void *arg,
                       size_t n, size_t n_dense)
{
    size_t n_sparse = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        n_sparse += fn(arg, i)->n_sparse;
    struct columns c = make_columns(n, n_sparse, n_dense);
    for (size_t i = 0; i < n; i++)
        fill_row(fn(arg, i), i, n_dense, &at, &c);
    tensors_put(ret, name_of(prefix, "dense").text, TENSOR_F32, (size_t[]){n, n_dense}, 2, c.dense);
    tensors_put(ret, name_of(prefix, "entries").text, TENSOR_U32, &n, 1, c.n_entries);
    tensors_put(ret, name_of(prefix, "hash").text, TENSOR_U64, &n_sparse, 1, c.hash);
    tensors_put(ret, name_of(prefix, "field").text, TENSOR_U32, &n_sparse, 1, c.field);
    tensors_put(ret, name_of(prefix, "value").text, TENSOR_F32, &n_sparse, 1, c.value);
    free(c.block);
}

static const void *find(const struct tensors *tensors, const char *prefix, const char *column,
                        enum tensor_type type, size_t n)
{
    const struct tensor *found = tensors_get_as(tensors, name_of(prefix, column).text, type, n);
    return found ? found->data : NULL;
}

bool stored_vectors_find(const struct tensors *tensors, const char *prefix, size_t n_dense,
                         struct stored_vectors *ret)
{
    const struct tensor *entries = tensors_get(tensors, name_of(prefix, "entries").text);
    const struct tensor *hash = tensors_get(tensors, name_of(prefix, "hash").text);
    if (!entries || !hash)
        return false;
    size_t n = entries->n, m = hash->n;
    *ret = (struct stored_vectors){
        .n = n,
        .n_dense = n_dense,
        .n_sparse = m,
        .dense = find(tensors, prefix, "dense", TENSOR_F32, n * n_dense),
        .value = find(tensors, prefix, "value", TENSOR_F32, m),
        .hash = find(tensors, prefix, "hash", TENSOR_U64, m),
        .n_entries = find(tensors, prefix, "entries", TENSOR_U32, n),
        .field = find(tensors, prefix, "field", TENSOR_U32, m),
    };
    return ret->dense && ret->value && ret->hash && ret->n_entries && ret->field;
}

bool stored_vectors_next(struct stored_vectors *stored, struct sparse *sparse, struct vector *ret)
{
    size_t i = stored->next++, n = stored->n_entries[i];
    if (n > VECTOR_SPARSE_MAX || n > stored->n_sparse - stored->at)
        return false;
    for (size_t j = 0; j < n; j++, stored->at++)
        sparse[j] = (struct sparse){stored->hash[stored->at], stored->field[stored->at],
                                    stored->value[stored->at]};
    *ret = (struct vector){stored->dense + i * stored->n_dense, sparse, n};
    return true;
}
