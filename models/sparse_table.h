/*
 * models/sparse_table.h -- the weights of categories: as many rows as are worth their memory.
 *
 * An open-addressing table from a 64-bit key to a weight and the optimiser's state of it. A row is
 * made by the learner once its key was seen often enough (admission.h), forgotten when it was not
 * seen for long, and when the table is full the stalest of a few takes the newcomer's place. Time
 * is event time; all of it depends on the order of calls alone.
 *
 * Weights lie in cells of their own, apart from the optimiser's state, because only they are
 * published: a copy for scoring holds the same cells at the same places, and is brought up to date
 * from a log of the places touched.
 */
#ifndef MODELS_SPARSE_TABLE_H
#define MODELS_SPARSE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "models/safetensors.h"

struct sparse_cell {
    uint64_t key; /* 0: none */
    float weight;
    uint32_t unused;
};

struct sparse_state {
    double z, root; /* FTRL's sum of adjusted gradients, and root of the sum of squared ones */
    uint32_t seen;  /* s of event time, when last touched */
    uint32_t epoch; /* of publications, when last written to the log */
};

struct sparse_log;

struct sparse_table {
    struct sparse_cell *cells;
    struct sparse_state *states; /* at the same places; NULL in a copy that only scores */
    size_t mask;                 /* places - 1 */
    size_t n, n_max;             /* rows */
    size_t hand;                 /* the next place to look at for rows that have expired */
    struct sparse_log *log;      /* of the learner */
    /* of a copy: what it was last published from, and how far */
    const struct sparse_table *from;
    uint64_t from_layout, from_at;
    uint64_t
        own_at; /* a copy with a log of its own: where that was, to see whether it has learnt */
};

#define SPARSE_NONE SIZE_MAX

enum { SPARSE_PLACES_MIN = 1024 };

STATUS_CHECKED enum status sparse_table_init(struct sparse_table *table, size_t n_max);
void sparse_table_done(struct sparse_table *table);

static inline void sparse_table_prefetch(const struct sparse_table *table, uint64_t key)
{
    __builtin_prefetch(&table->cells[key & table->mask]);
    if (table->states)
        __builtin_prefetch(&table->states[key & table->mask]);
}

/* The key's place, or SPARSE_NONE. key is not 0 and well mixed. Places change when a row is added
 * or dropped. */
static inline size_t sparse_table_find(const struct sparse_table *table, uint64_t key)
{
    for (size_t at = key & table->mask;; at = (at + 1) & table->mask) {
        if (table->cells[at].key == key)
            return at;
        if (table->cells[at].key == 0)
            return SPARSE_NONE;
    }
}

/* A new row of weight 0, in another's place if the table is full. The key must not be there.
 * Aborts when the system has no memory; the table's size is bounded by n_max. */
size_t sparse_table_add(struct sparse_table *table, uint64_t key, uint32_t now);
/* The row at a place was changed: the next publication copies it. */
void sparse_table_touch(struct sparse_table *table, size_t at, uint32_t now);
/* Looks at the next `places` places, and drops rows not seen for `expire` s. */
void sparse_table_sweep(struct sparse_table *table, size_t places, uint32_t now, uint32_t expire);

/* Places that so many rows need: two thirds are taken at most. */
size_t sparse_table_places(size_t rows);
/* Makes it a learner's empty table of so many places, a power of two. */
void sparse_table_reset(struct sparse_table *table, size_t places);

/* Makes `to` hold the same weights. Cost: the places touched since it was last published from the
 * same table; all of them at the first time, after the table grew, or if more were touched than the
 * log holds. */
void sparse_table_publish(struct sparse_table *from, struct sparse_table *to);

/* Makes `to` the same table, learner's state included. Cost: as of publish; `to` may have been
 * published or copied from nothing else meanwhile, nor learnt, or all is copied. */
void sparse_table_copy(struct sparse_table *from, struct sparse_table *to);

void sparse_table_save(const struct sparse_table *table, struct tensors *ret);
/* Into an empty table. Returns ST_ECORRUPT, the table then is empty. A file's table of more than
 * n_max rows loses the stalest. */
STATUS_CHECKED enum status sparse_table_load(struct sparse_table *table,
                                             const struct tensors *tensors);

#endif
