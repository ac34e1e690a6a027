/*
 * Evidence as tensors: each ring's rows from the oldest on, column by column, under
 * "gate.SET.LABEL.COLUMN"; categories of all rows one behind the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "online/evidence.h"

enum { NAME_MAX = 64 };

static const char *const sets[EVIDENCE_SETS] = {"settled", "fresh"};

struct ring_name {
    char text[NAME_MAX];
};

static struct ring_name name_of(size_t set, size_t label, const char *column)
{
    struct ring_name name;
    snprintf(name.text, sizeof name.text, "gate.%s.%zu.%s", sets[set], label, column);
    return name;
}

/* A ring's rows as columns, in one block. */
struct columns {
    size_t n, n_sparse;
    float *dense, *weight, *champion, *candidate, *sparse_weight;
    uint64_t *order, *hash;
    uint32_t *n_entries, *field;
    void *block;
};

static struct columns make_columns(size_t n, size_t n_sparse, size_t n_dense)
{
    struct columns c = {.n = n, .n_sparse = n_sparse};
    size_t words = n + n_sparse;
    c.block = calloc(words * 8 + n * (n_dense + 4) * 4 + n_sparse * 8 + 8, 1);
    if (!c.block)
        abort();
    c.order = c.block;
    c.hash = c.order + n;
    c.dense = (float *)(void *)(c.hash + n_sparse);
    c.weight = c.dense + n * n_dense;
    c.champion = c.weight + n;
    c.candidate = c.champion + n;
    c.sparse_weight = c.candidate + n;
    c.n_entries = (uint32_t *)(void *)(c.sparse_weight + n_sparse);
    c.field = c.n_entries + n;
    return c;
}

static void fill_row(const struct evidence_row *row, size_t i, size_t n_dense, size_t *at,
                     struct columns *c)
{
    memcpy(c->dense + i * n_dense, row->vector.dense, n_dense * sizeof(float));
    c->weight[i] = row->weight;
    c->champion[i] = row->champion;
    c->candidate[i] = row->candidate;
    c->order[i] = row->order;
    c->n_entries[i] = (uint32_t)row->vector.n_sparse;
    for (size_t j = 0; j < row->vector.n_sparse; j++, (*at)++) {
        c->hash[*at] = row->vector.sparse[j].hash;
        c->field[*at] = row->vector.sparse[j].field;
        c->sparse_weight[*at] = row->vector.sparse[j].weight;
    }
}

static struct columns columns_of(const struct evidence_ring *ring, size_t n_dense)
{
    size_t n_sparse = 0, at = 0;
    for (size_t i = 0; i < ring->n; i++)
        n_sparse += evidence_at(ring, i)->vector.n_sparse;
    struct columns c = make_columns(ring->n, n_sparse, n_dense);
    for (size_t i = 0; i < ring->n; i++)
        fill_row(evidence_at(ring, i), i, n_dense, &at, &c);
    return c;
}

static void save_ring(const struct evidence *evidence, size_t set, size_t label,
                      struct tensors *ret)
{
    struct columns c = columns_of(&evidence->rings[set][label], evidence->n_dense);
    tensors_put(ret, name_of(set, label, "dense").text, TENSOR_F32,
                (size_t[]){c.n, evidence->n_dense}, 2, c.dense);
    tensors_put(ret, name_of(set, label, "weight").text, TENSOR_F32, &c.n, 1, c.weight);
    tensors_put(ret, name_of(set, label, "champion").text, TENSOR_F32, &c.n, 1, c.champion);
    tensors_put(ret, name_of(set, label, "candidate").text, TENSOR_F32, &c.n, 1, c.candidate);
    tensors_put(ret, name_of(set, label, "order").text, TENSOR_U64, &c.n, 1, c.order);
    tensors_put(ret, name_of(set, label, "entries").text, TENSOR_U32, &c.n, 1, c.n_entries);
    tensors_put(ret, name_of(set, label, "hash").text, TENSOR_U64, &c.n_sparse, 1, c.hash);
    tensors_put(ret, name_of(set, label, "field").text, TENSOR_U32, &c.n_sparse, 1, c.field);
    tensors_put(ret, name_of(set, label, "value").text, TENSOR_F32, &c.n_sparse, 1,
                c.sparse_weight);
    free(c.block);
}

void evidence_save(const struct evidence *evidence, struct tensors *ret)
{
    for (size_t set = 0; set < EVIDENCE_SETS; set++)
        for (size_t label = 0; label < 2; label++)
            save_ring(evidence, set, label, ret);
}

/* The same columns in a file. */
struct stored {
    size_t n, n_sparse;
    const float *dense, *weight, *champion, *candidate, *sparse_weight;
    const uint64_t *order, *hash;
    const uint32_t *n_entries, *field;
};

static const void *column(const struct tensors *tensors, size_t set, size_t label, const char *name,
                          enum tensor_type type, size_t n)
{
    const struct tensor *found = tensors_get_as(tensors, name_of(set, label, name).text, type, n);
    return found ? found->data : NULL;
}

static bool find_ring(const struct tensors *tensors, size_t set, size_t label, size_t n_dense,
                      struct stored *ret)
{
    const struct tensor *order = tensors_get(tensors, name_of(set, label, "order").text);
    const struct tensor *hash = tensors_get(tensors, name_of(set, label, "hash").text);
    if (!order || !hash)
        return false;
    size_t n = order->n, m = hash->n;
    *ret = (struct stored){.n = n,
                           .n_sparse = m,
                           .dense = column(tensors, set, label, "dense", TENSOR_F32, n * n_dense),
                           .weight = column(tensors, set, label, "weight", TENSOR_F32, n),
                           .champion = column(tensors, set, label, "champion", TENSOR_F32, n),
                           .candidate = column(tensors, set, label, "candidate", TENSOR_F32, n),
                           .sparse_weight = column(tensors, set, label, "value", TENSOR_F32, m),
                           .order = column(tensors, set, label, "order", TENSOR_U64, n),
                           .hash = column(tensors, set, label, "hash", TENSOR_U64, m),
                           .n_entries = column(tensors, set, label, "entries", TENSOR_U32, n),
                           .field = column(tensors, set, label, "field", TENSOR_U32, m)};
    return ret->dense && ret->weight && ret->champion && ret->candidate && ret->sparse_weight &&
           ret->order && ret->hash && ret->n_entries && ret->field;
}

static bool load_rows(const struct stored *stored, size_t label, size_t n_dense,
                      struct evidence *fresh)
{
    struct sparse entries[VECTOR_SPARSE_MAX];
    size_t at = 0;
    for (size_t i = 0; i < stored->n; i++) {
        size_t n = stored->n_entries[i];
        if (n > VECTOR_SPARSE_MAX || n > stored->n_sparse - at)
            return false;
        for (size_t j = 0; j < n; j++, at++)
            entries[j] =
                (struct sparse){stored->hash[at], stored->field[at], stored->sparse_weight[at]};
        struct example example = {.vector = {stored->dense + i * n_dense, entries, n},
                                  .label = (float)label,
                                  .weight = stored->weight[i]};
        struct evidence_row *row = evidence_add(fresh, &example);
        row->order = stored->order[i];
        row->champion = stored->champion[i];
        row->candidate = stored->candidate[i];
    }
    return true;
}

static bool load_set(struct evidence *evidence, size_t set, const struct tensors *tensors)
{
    for (size_t label = 0; label < 2; label++) {
        struct stored stored;
        if (!find_ring(tensors, set, label, evidence->n_dense, &stored) ||
            stored.n > evidence->rings[set][label].max ||
            !load_rows(&stored, label, evidence->n_dense, evidence))
            return false;
    }
    return true;
}

/* Rows come in as fresh ones do, and the settled ones are then settled. */
enum status evidence_load(struct evidence *evidence, const struct tensors *tensors)
{
    bool sound = load_set(evidence, EVIDENCE_SETTLED, tensors);
    evidence_settle(evidence);
    if (sound)
        sound = load_set(evidence, EVIDENCE_FRESH, tensors);
    if (!sound)
        evidence_forget(evidence);
    return sound ? ST_OK : ST_ECORRUPT;
}
