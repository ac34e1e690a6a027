/*
 * online/noise_internal.h -- the inside of the noise filter: noise.c sets aside, noise_file.c
 * stores and prints.
 */
#ifndef ONLINE_NOISE_INTERNAL_H
#define ONLINE_NOISE_INTERNAL_H

#include "models/half_space.h"
#include "online/kept_vector.h"
#include "online/noise.h"

struct noise_row {
    struct kept_vector kept;
    uint64_t item;
    int64_t time;
    float weight;
    float score, line; /* its own; what it was held to */
    uint32_t column;   /* farthest outside its range; UINT32_MAX: none is */
};

/* The highest scores of this window of negatives: a heap, the lowest at its root. */
struct noise_window {
    uint64_t seen;
    size_t n;
    float highest[NOISE_LINE_ROWS];
};

struct noise {
    struct noise_options options;
    struct half_space *forest; /* NULL: share 0 */
    struct noise_window window;
    float line; /* above every score: there is none yet */
    /* Kept, a ring. */
    struct noise_row *rows;
    float *dense;
    size_t first, n, cap;
    uint64_t fresh_from;
    /* Items set aside that may be recalled, in order; only where the model recalls. */
    uint64_t *items;
    size_t n_items, cap_items;
    uint64_t set_aside;
    float *row, *unit_row; /* scratch: n_dense + 1, and 2 * (n_dense + 1) */
};

#define NOISE_NO_LINE 2.0f

/* The i-th, oldest first. */
static inline struct noise_row *noise_at(const struct noise *noise, size_t i)
{
    return &noise->rows[(noise->first + i) % noise->cap];
}

/* Room for so many rows; what is kept goes. */
STATUS_CHECKED enum status noise_resize(struct noise *noise, size_t rows);
/* A new newest row, in place of the oldest if there is no room. */
struct noise_row *noise_push(struct noise *noise, const struct vector *vector);
void noise_add_item(struct noise *noise, uint64_t item);
/* As created. */
void noise_clear(struct noise *noise);

#endif
