/*
 * A sparse table in a file: rows in the order of their places, so that a loaded table goes on as
 * the saved one would have.
 */
#include <stdlib.h>

#include "models/sparse_table.h"

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

void sparse_table_save(const struct sparse_table *table, struct tensors *ret)
{
    size_t n = 0, rows = table->log ? table->n : 0;
    uint32_t *places = must(malloc((rows + 1) * sizeof *places));
    uint32_t *seen = must(malloc((rows + 1) * sizeof *seen));
    uint64_t *keys = must(malloc((rows + 1) * sizeof *keys));
    float *weights = must(malloc((rows + 1) * sizeof *weights));
    double *z = must(malloc((rows + 1) * sizeof *z)),
           *root = must(malloc((rows + 1) * sizeof *root));
    for (size_t at = 0; rows > 0 && at <= table->mask; at++) {
        if (table->cells[at].key == 0)
            continue;
        places[n] = (uint32_t)at;
        keys[n] = table->cells[at].key;
        weights[n] = table->cells[at].weight;
        z[n] = table->states[at].z;
        root[n] = table->states[at].root;
        seen[n++] = table->states[at].seen;
    }
    uint64_t shape[] = {table->mask + 1, table->hand};
    tensors_put(ret, "table.shape", TENSOR_U64, (size_t[]){2}, 1, shape);
    tensors_put(ret, "table.place", TENSOR_U32, &rows, 1, places);
    tensors_put(ret, "table.key", TENSOR_U64, &rows, 1, keys);
    tensors_put(ret, "table.w", TENSOR_F32, &rows, 1, weights);
    tensors_put(ret, "table.z", TENSOR_F64, &rows, 1, z);
    tensors_put(ret, "table.root", TENSOR_F64, &rows, 1, root);
    tensors_put(ret, "table.seen", TENSOR_U32, &rows, 1, seen);
    free(places);
    free(seen);
    free(keys);
    free(weights);
    free(z);
    free(root);
}

struct stored {
    size_t n;
    const uint64_t *shape, *keys;
    const uint32_t *places, *seen;
    const float *weights;
    const double *z, *root;
};

static const void *column(const struct tensors *tensors, const char *name, enum tensor_type type,
                          size_t n)
{
    const struct tensor *tensor = tensors_get_as(tensors, name, type, n);
    return tensor ? tensor->data : NULL;
}

static bool find_stored(const struct tensors *tensors, struct stored *ret)
{
    const struct tensor *keys = tensors_get(tensors, "table.key");
    size_t n = ret->n = keys ? keys->n : 0;
    ret->keys = column(tensors, "table.key", TENSOR_U64, n);
    ret->shape = column(tensors, "table.shape", TENSOR_U64, 2);
    ret->places = column(tensors, "table.place", TENSOR_U32, n);
    ret->seen = column(tensors, "table.seen", TENSOR_U32, n);
    ret->weights = column(tensors, "table.w", TENSOR_F32, n);
    ret->z = column(tensors, "table.z", TENSOR_F64, n);
    ret->root = column(tensors, "table.root", TENSOR_F64, n);
    return ret->keys && ret->shape && ret->places && ret->seen && ret->weights && ret->z &&
           ret->root;
}

static bool is_number(double v)
{
    return v - v == 0;
}

/* Places as they were. False if the file's are not what this table would have made. */
static bool restore(struct sparse_table *table, const struct stored *stored)
{
    for (size_t i = 0; i < stored->n; i++) {
        size_t at = stored->places[i];
        if (at > table->mask || table->cells[at].key != 0 || stored->keys[i] == 0 ||
            !is_number(stored->weights[i]) || !is_number(stored->z[i]) ||
            !is_number(stored->root[i]))
            return false;
        table->cells[at] = (struct sparse_cell){stored->keys[i], stored->weights[i], 0};
        table->states[at] = (struct sparse_state){
            .z = stored->z[i], .root = stored->root[i], .seen = stored->seen[i]};
        table->n++;
    }
    for (size_t i = 0; i < stored->n; i++)
        if (sparse_table_find(table, stored->keys[i]) != stored->places[i])
            return false;
    return true;
}

/* Of a table of another size: its rows, at places of our own. */
static bool adopt(struct sparse_table *table, const struct stored *stored)
{
    for (size_t i = 0; i < stored->n; i++) {
        if (stored->keys[i] == 0 || sparse_table_find(table, stored->keys[i]) != SPARSE_NONE ||
            !is_number(stored->weights[i]) || !is_number(stored->z[i]) ||
            !is_number(stored->root[i]))
            return false;
        size_t at = sparse_table_add(table, stored->keys[i], stored->seen[i]);
        table->cells[at].weight = stored->weights[i];
        table->states[at].z = stored->z[i];
        table->states[at].root = stored->root[i];
    }
    return true;
}

enum status sparse_table_load(struct sparse_table *table, const struct tensors *tensors)
{
    struct stored stored;
    sparse_table_reset(table, SPARSE_PLACES_MIN);
    if (!find_stored(tensors, &stored))
        return ST_ECORRUPT;
    uint64_t places = stored.shape[0], hand = stored.shape[1];
    bool sound = places >= SPARSE_PLACES_MIN && (places & (places - 1)) == 0 && hand < places &&
                 stored.n <= places / 3 * 2 + 1;
    if (sound && places <= sparse_table_places(table->n_max) && stored.n <= table->n_max) {
        sparse_table_reset(table, places);
        table->hand = hand;
        sound = restore(table, &stored);
    } else if (sound) {
        sound = adopt(table, &stored);
    }
    if (!sound)
        sparse_table_reset(table, SPARSE_PLACES_MIN);
    return sound ? ST_OK : ST_ECORRUPT;
}
