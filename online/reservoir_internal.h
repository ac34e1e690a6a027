/* online/reservoir_internal.h -- the inside: reservoir.c draws and keeps, reservoir_file.c saves.
 */
#ifndef ONLINE_RESERVOIR_INTERNAL_H
#define ONLINE_RESERVOIR_INTERNAL_H

#include "online/kept_vector.h"
#include "online/reservoir.h"

struct reservoir_row {
    struct kept_vector kept;
    double key; /* the smallest stay */
    int64_t time;
    uint64_t item;
};

/* What has come, fading: how many, and the sums of weights by label, as of a time. */
struct reservoir_sums {
    double n, weight[2];
    int64_t time;
};

/* Of one label: a heap with the largest key at the top. */
struct reservoir_heap {
    struct reservoir_row *rows;
    float *dense;
    size_t n;
};

struct reservoir {
    struct reservoir_options options;
    struct reservoir_heap heaps[2];
    struct reservoir_sums sums, settled;
    uint64_t fresh_from; /* number of an example */
};

/* A copy of the vector behind the last row of the heap, for which there is room; its other fields
 * and its place in the heap are the caller's. */
struct reservoir_row *reservoir_push(struct reservoir *reservoir, unsigned label, double key,
                                     const struct vector *vector);
void reservoir_clear(struct reservoir *reservoir);

#endif
