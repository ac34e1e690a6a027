#include "models/sparse_table.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES_MIN = 1024, LOG_SIZE = 1 << 16, CANDIDATES = 8 };

/* The last LOG_SIZE places touched, as a ring; a place is written once an epoch. */
struct sparse_log {
    uint32_t epoch;  /* one more with each publication */
    uint64_t layout; /* one more whenever places moved all together */
    uint64_t n;      /* ever written */
    uint32_t places[LOG_SIZE];
};

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

/* Two thirds full at most. */
static size_t places_for(size_t rows)
{
    size_t places = PLACES_MIN;
    while (places * 2 < rows * 3)
        places *= 2;
    return places;
}

enum status sparse_table_init(struct sparse_table *table, size_t n_max)
{
    *table = (struct sparse_table){.mask = PLACES_MIN - 1, .n_max = n_max};
    table->cells = calloc(PLACES_MIN, sizeof *table->cells);
    return table->cells ? ST_OK : ST_ENOMEM;
}

void sparse_table_done(struct sparse_table *table)
{
    free(table->cells);
    free(table->states);
    free(table->log);
    *table = (struct sparse_table){0};
}

static void resize(struct sparse_table *table, size_t places)
{
    free(table->cells);
    free(table->states);
    table->cells = must(calloc(places, sizeof *table->cells));
    table->states = must(calloc(places, sizeof *table->states));
    table->mask = places - 1;
}

static void begin_learning(struct sparse_table *table)
{
    if (table->log)
        return;
    table->log = must(calloc(1, sizeof *table->log));
    table->log->epoch = 1;
    resize(table, PLACES_MIN);
}

static void write_log(struct sparse_table *table, size_t at)
{
    struct sparse_log *log = table->log;
    if (table->states[at].epoch == log->epoch)
        return;
    table->states[at].epoch = log->epoch;
    log->places[log->n++ % LOG_SIZE] = (uint32_t)at;
}

void sparse_table_touch(struct sparse_table *table, size_t at, uint32_t now)
{
    table->states[at].seen = now;
    write_log(table, at);
}

static size_t free_place(const struct sparse_table *table, uint64_t key)
{
    size_t at = key & table->mask;
    while (table->cells[at].key != 0)
        at = (at + 1) & table->mask;
    return at;
}

static void grow(struct sparse_table *table)
{
    struct sparse_table old = *table;
    table->cells = NULL;
    table->states = NULL;
    resize(table, 2 * (old.mask + 1));
    for (size_t i = 0; i <= old.mask; i++) {
        if (old.cells[i].key == 0)
            continue;
        size_t at = free_place(table, old.cells[i].key);
        table->cells[at] = old.cells[i];
        table->states[at] = old.states[i];
    }
    free(old.cells);
    free(old.states);
    table->hand = 0;
    table->log->layout++;
}

static void move(struct sparse_table *table, size_t from, size_t to)
{
    uint32_t epoch = table->states[to].epoch;
    table->cells[to] = table->cells[from];
    table->states[to] = table->states[from];
    table->states[to].epoch = epoch; /* the log is about places, not rows */
    write_log(table, to);
}

/* Rows behind the gap that would no longer be found move into it. */
static void drop(struct sparse_table *table, size_t gap)
{
    size_t mask = table->mask;
    for (size_t at = (gap + 1) & mask; table->cells[at].key != 0; at = (at + 1) & mask) {
        size_t home = table->cells[at].key & mask;
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        move(table, at, gap);
        gap = at;
    }
    table->cells[gap] = (struct sparse_cell){0};
    table->states[gap] = (struct sparse_state){.epoch = table->states[gap].epoch};
    write_log(table, gap);
    table->n--;
}

/* Of a few rows from the hand on, the one not seen for longest. */
static void drop_stale(struct sparse_table *table)
{
    size_t stalest = SPARSE_NONE;
    for (size_t looked = 0; looked < CANDIDATES; table->hand = (table->hand + 1) & table->mask) {
        size_t at = table->hand;
        if (table->cells[at].key == 0)
            continue;
        looked++;
        if (stalest == SPARSE_NONE || table->states[at].seen < table->states[stalest].seen)
            stalest = at;
    }
    drop(table, stalest);
}

size_t sparse_table_add(struct sparse_table *table, uint64_t key, uint32_t now)
{
    begin_learning(table);
    if (table->n >= table->n_max)
        drop_stale(table);
    else if ((table->n + 1) * 3 > (table->mask + 1) * 2)
        grow(table);
    size_t at = free_place(table, key);
    table->cells[at] = (struct sparse_cell){.key = key};
    table->states[at] = (struct sparse_state){.epoch = table->states[at].epoch};
    table->n++;
    sparse_table_touch(table, at, now);
    return at;
}

void sparse_table_sweep(struct sparse_table *table, size_t places, uint32_t now, uint32_t expire)
{
    if (!table->log)
        return;
    for (size_t i = 0; i < places; i++) {
        size_t at = table->hand;
        bool expired = table->cells[at].key != 0 && now > table->states[at].seen &&
                       now - table->states[at].seen > expire;
        if (expired)
            drop(table, at); /* another may have moved here: look again next time */
        else
            table->hand = (at + 1) & table->mask;
    }
}

static void copy_all(const struct sparse_table *from, struct sparse_table *to)
{
    if (to->mask != from->mask) {
        free(to->cells);
        to->cells = must(malloc((from->mask + 1) * sizeof *to->cells));
        to->mask = from->mask;
    }
    memcpy(to->cells, from->cells, (from->mask + 1) * sizeof *to->cells);
}

void sparse_table_publish(struct sparse_table *from, struct sparse_table *to)
{
    begin_learning(from);
    struct sparse_log *log = from->log;
    bool known = to->from == from && to->from_layout == log->layout && to->from_at <= log->n &&
                 log->n - to->from_at <= LOG_SIZE;
    if (!known)
        copy_all(from, to);
    for (uint64_t i = known ? to->from_at : log->n; i < log->n; i++) {
        uint32_t at = log->places[i % LOG_SIZE];
        to->cells[at] = from->cells[at];
    }
    to->n = from->n;
    to->from = from;
    to->from_layout = log->layout;
    to->from_at = log->n;
    log->epoch++;
}

/* Files: rows in the order of their places, so that a loaded table goes on as this one would. */

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

static void clear(struct sparse_table *table)
{
    size_t n_max = table->n_max;
    uint64_t layout = table->log ? table->log->layout + 1 : 0;
    resize(table, PLACES_MIN);
    free(table->log);
    *table = (struct sparse_table){
        .cells = table->cells, .states = table->states, .mask = table->mask, .n_max = n_max};
    table->log = must(calloc(1, sizeof *table->log));
    table->log->epoch = 1;
    table->log->layout = layout;
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
    clear(table);
    if (!find_stored(tensors, &stored))
        return ST_ECORRUPT;
    uint64_t places = stored.shape[0], hand = stored.shape[1];
    bool sound = places >= PLACES_MIN && (places & (places - 1)) == 0 && hand < places &&
                 stored.n <= places / 3 * 2 + 1;
    if (sound && places <= places_for(table->n_max) && stored.n <= table->n_max) {
        resize(table, places);
        table->hand = hand;
        sound = restore(table, &stored);
    } else if (sound) {
        sound = adopt(table, &stored);
    }
    if (!sound)
        clear(table);
    return sound ? ST_OK : ST_ECORRUPT;
}
