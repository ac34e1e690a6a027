/* A reservoir as tensors: each label's heap in its order, column by column, as
 * "replay.LABEL.COLUMN"; sums and options as "replay.sums" and "replay.of". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "online/reservoir_internal.h"

enum { NAME_MAX = 64, N_SUMS = 6, N_OF = 4 };

struct name {
    char text[NAME_MAX];
};

static struct name name_of(unsigned label, const char *column)
{
    struct name name;
    snprintf(name.text, sizeof name.text, "replay.%u%s%s", label, column ? "." : "",
             column ? column : "");
    return name;
}

static const struct vector *vector_at(const void *heap, size_t i)
{
    return &((const struct reservoir_heap *)heap)->rows[i].kept.vector;
}

static void save_heap(const struct reservoir *reservoir, unsigned label, struct tensors *ret)
{
    const struct reservoir_heap *heap = &reservoir->heaps[label];
    size_t n = heap->n;
    double *key = calloc(n + 1, sizeof *key);
    uint64_t *item = calloc(2 * n + 1, sizeof *item);
    if (!key || !item)
        abort();
    int64_t *time = (int64_t *)(void *)(item + n);
    for (size_t i = 0; i < n; i++) {
        key[i] = heap->rows[i].key;
        item[i] = heap->rows[i].item;
        time[i] = heap->rows[i].time;
    }
    kept_vectors_save(ret, name_of(label, NULL).text, vector_at, heap, n,
                      reservoir->options.n_dense);
    tensors_put(ret, name_of(label, "key").text, TENSOR_F64, &n, 1, key);
    tensors_put(ret, name_of(label, "item").text, TENSOR_U64, &n, 1, item);
    tensors_put(ret, name_of(label, "time").text, TENSOR_I64, &n, 1, time);
    free(key);
    free(item);
}

/* What the keys depend on. */
static void write_of(const struct reservoir *reservoir, uint64_t ret[N_OF])
{
    ret[0] = (uint64_t)reservoir->options.half_life;
    ret[1] = reservoir->options.seed;
    ret[2] = reservoir->options.columns;
    ret[3] = reservoir->fresh_from;
}

void reservoir_save(const struct reservoir *reservoir, struct tensors *ret)
{
    const struct reservoir_sums *now = &reservoir->sums, *settled = &reservoir->settled;
    double sums[N_SUMS] = {now->n,     now->weight[0],     now->weight[1],
                           settled->n, settled->weight[0], settled->weight[1]};
    int64_t times[2] = {now->time, settled->time};
    uint64_t of[N_OF];
    write_of(reservoir, of);
    tensors_put(ret, "replay.sums", TENSOR_F64, (size_t[]){N_SUMS}, 1, sums);
    tensors_put(ret, "replay.times", TENSOR_I64, (size_t[]){2}, 1, times);
    tensors_put(ret, "replay.of", TENSOR_U64, (size_t[]){N_OF}, 1, of);
    save_heap(reservoir, 0, ret);
    save_heap(reservoir, 1, ret);
}

static const void *column(const struct tensors *tensors, unsigned label, const char *name,
                          enum tensor_type type, size_t n)
{
    const struct tensor *found = tensors_get_as(tensors, name_of(label, name).text, type, n);
    return found ? found->data : NULL;
}

static bool load_heap(struct reservoir *reservoir, unsigned label, const struct tensors *tensors)
{
    struct sparse entries[VECTOR_SPARSE_MAX];
    struct stored_vectors stored;
    struct vector vector;
    if (!stored_vectors_find(tensors, name_of(label, NULL).text, reservoir->options.n_dense,
                             &stored) ||
        stored.n > reservoir->options.rows)
        return false;
    const double *key = column(tensors, label, "key", TENSOR_F64, stored.n);
    const uint64_t *item = column(tensors, label, "item", TENSOR_U64, stored.n);
    const int64_t *time = column(tensors, label, "time", TENSOR_I64, stored.n);
    if (!key || !item || !time)
        return false;
    for (size_t i = 0; i < stored.n; i++) {
        if (!stored_vectors_next(&stored, entries, &vector))
            return false;
        struct reservoir_row *row = reservoir_push(reservoir, label, key[i], &vector);
        row->item = item[i];
        row->time = time[i];
    }
    return true;
}

static bool load_sums(struct reservoir *reservoir, const struct tensors *tensors)
{
    const struct tensor *sums = tensors_get_as(tensors, "replay.sums", TENSOR_F64, N_SUMS);
    const struct tensor *times = tensors_get_as(tensors, "replay.times", TENSOR_I64, 2);
    const struct tensor *of = tensors_get_as(tensors, "replay.of", TENSOR_U64, N_OF);
    if (!sums || !times || !of)
        return false;
    const double *sum = sums->data;
    const int64_t *time = times->data;
    reservoir->sums = (struct reservoir_sums){sum[0], {sum[1], sum[2]}, time[0]};
    reservoir->settled = (struct reservoir_sums){sum[3], {sum[4], sum[5]}, time[1]};
    reservoir->fresh_from = ((const uint64_t *)of->data)[3];
    return true;
}

/* Keys made with another half-life or seed cannot be compared with new ones, nor can vectors of
 * other columns be learnt. */
static bool is_ours(const struct reservoir *reservoir, const struct tensors *tensors)
{
    const struct tensor *of = tensors_get_as(tensors, "replay.of", TENSOR_U64, N_OF);
    uint64_t ours[N_OF];
    write_of(reservoir, ours);
    return of && memcmp(of->data, ours, 3 * sizeof *ours) == 0;
}

static bool fits(const struct reservoir *reservoir, const struct tensors *tensors)
{
    for (unsigned label = 0; label < 2; label++) {
        const struct tensor *item = tensors_get(tensors, name_of(label, "item").text);
        if (item && item->n > reservoir->options.rows)
            return false;
    }
    return true;
}

enum status reservoir_load(struct reservoir *reservoir, const struct tensors *tensors)
{
    reservoir_clear(reservoir);
    if (!is_ours(reservoir, tensors) || !fits(reservoir, tensors))
        return ST_OK;
    if (load_sums(reservoir, tensors) && load_heap(reservoir, 0, tensors) &&
        load_heap(reservoir, 1, tensors))
        return ST_OK;
    reservoir_clear(reservoir);
    return ST_ECORRUPT;
}
