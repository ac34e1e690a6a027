/*
 * Evidence as tensors: each ring's rows from the oldest on, column by column, under
 * "gate.SET.LABEL.COLUMN".
 */
#include <stdio.h>
#include <stdlib.h>

#include "online/evidence.h"

enum { NAME_MAX = 64 };

static const char *const sets[EVIDENCE_SETS] = {"settled", "fresh"};

struct ring_name {
    char text[NAME_MAX];
};

/* column NULL: the prefix of all. */
static struct ring_name name_of(size_t set, size_t label, const char *column)
{
    struct ring_name name;
    snprintf(name.text, sizeof name.text, "gate.%s.%zu%s%s", sets[set], label, column ? "." : "",
             column ? column : "");
    return name;
}

static const struct vector *vector_at(const void *ring, size_t i)
{
    return &evidence_at(ring, i)->kept.vector;
}

static void save_ring(const struct evidence *evidence, size_t set, size_t label,
                      struct tensors *ret)
{
    const struct evidence_ring *ring = &evidence->rings[set][label];
    size_t n = ring->n;
    uint64_t *order = calloc(n + 1, sizeof *order);
    float *said = calloc(3 * n + 1, sizeof *said);
    if (!order || !said)
        abort();
    for (size_t i = 0; i < n; i++) {
        const struct evidence_row *row = evidence_at(ring, i);
        order[i] = row->order;
        said[i] = row->weight;
        said[n + i] = row->champion;
        said[2 * n + i] = row->candidate;
    }
    kept_vectors_save(ret, name_of(set, label, NULL).text, vector_at, ring, n, evidence->n_dense);
    tensors_put(ret, name_of(set, label, "weight").text, TENSOR_F32, &n, 1, said);
    tensors_put(ret, name_of(set, label, "champion").text, TENSOR_F32, &n, 1, said + n);
    tensors_put(ret, name_of(set, label, "candidate").text, TENSOR_F32, &n, 1, said + 2 * n);
    tensors_put(ret, name_of(set, label, "order").text, TENSOR_U64, &n, 1, order);
    free(order);
    free(said);
}

void evidence_save(const struct evidence *evidence, struct tensors *ret)
{
    for (size_t set = 0; set < EVIDENCE_SETS; set++)
        for (size_t label = 0; label < 2; label++)
            save_ring(evidence, set, label, ret);
}

/* The same columns in a file. */
struct stored {
    struct stored_vectors vectors;
    const float *weight, *champion, *candidate;
    const uint64_t *order;
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
    struct stored_vectors *vectors = &ret->vectors;
    if (!stored_vectors_find(tensors, name_of(set, label, NULL).text, n_dense, vectors))
        return false;
    ret->weight = column(tensors, set, label, "weight", TENSOR_F32, vectors->n);
    ret->champion = column(tensors, set, label, "champion", TENSOR_F32, vectors->n);
    ret->candidate = column(tensors, set, label, "candidate", TENSOR_F32, vectors->n);
    ret->order = column(tensors, set, label, "order", TENSOR_U64, vectors->n);
    return ret->weight && ret->champion && ret->candidate && ret->order;
}

static bool load_rows(struct stored *stored, size_t label, struct evidence *fresh)
{
    struct sparse entries[VECTOR_SPARSE_MAX];
    for (size_t i = 0; i < stored->vectors.n; i++) {
        struct example example = {.label = (float)label, .weight = stored->weight[i]};
        if (!stored_vectors_next(&stored->vectors, entries, &example.vector))
            return false;
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
            stored.vectors.n > evidence->rings[set][label].max ||
            !load_rows(&stored, label, evidence))
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
