/*
 * base/space_saving.h -- SpaceSaving: the most frequent values of a stream, and how frequent.
 *
 * Metwally, Agrawal & El Abbadi, "Efficient computation of frequent and top-k elements in data
 * streams" (ICDT 2005): `size` counters; a value that has none takes over the least, and its count
 * with it. Of n values, one that came more than n/size times has a counter, and no counter is more
 * than n/size too high, nor ever too low. The counters add up to n. Exact up to `size` different
 * values. Sketches read together add up their bounds.
 *
 *     struct space_union all;                             // memory: space_union_bytes()
 *     space_union_begin(&all, memory, size, 9);
 *     space_union_merge(&all, data, bytes);
 *     space_union_add(&all, hash);
 *     space_union_top(&all) / all.total                   // the share of the most frequent
 */
#ifndef BASE_SPACE_SAVING_H
#define BASE_SPACE_SAVING_H

#include "base/sketch.h"

enum { SPACE_SAVING_SIZE_MAX = 1024 };

/* Counters by hash, in a table with room to spare. */
struct space_union {
    double total; /* how many values there were, all told */
    double top;
    size_t mask;
    struct space_entry {
        uint64_t hash; /* 0: free */
        double count;
    } * entries;
};

/* Memory for a union of so many sketches, and 16 values by themselves. */
size_t space_union_bytes(unsigned size, size_t sketches);
void space_union_begin(struct space_union *all, void *memory, unsigned size, size_t sketches);
/* Cost: about 5 ns a counter. */
void space_union_merge(struct space_union *all, const void *data, size_t bytes);
void space_union_add(struct space_union *all, uint64_t hash);
/* How often a value came: 0 for one without a counter. */
double space_union_count(const struct space_union *all, uint64_t hash);
/* How often the most frequent did. */
static inline double space_union_top(const struct space_union *all)
{
    return all->top;
}

#endif
