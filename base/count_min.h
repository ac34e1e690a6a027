/*
 * base/count_min.h -- count-min: how often a value came, of very many.
 *
 * Cormode & Muthukrishnan, "An improved data stream summary: the count-min sketch and its
 * applications" (J. Algorithms 55, 2005): four rows of `size` counters; a value adds one to one
 * counter of each row, and came at most as often as the least of them says. Never too low; of n
 * values too high by more than e n / size (size 64: 4.2 % of n) with a probability of e^-4 = 1.8 %.
 * Sketches can be merged without loss: counters add up.
 *
 *     struct count_min_query query = count_min_query_of(hash);
 *     count_min_query_add(&query, size, data);                // any number of sketches
 *     double times = count_min_query_count(&query);
 */
#ifndef BASE_COUNT_MIN_H
#define BASE_COUNT_MIN_H

#include "base/sketch.h"

enum { COUNT_MIN_ROWS = 4, COUNT_MIN_SIZE_MAX = 65536 };

struct count_min_query {
    uint64_t hash;
    double rows[COUNT_MIN_ROWS];
};

static inline struct count_min_query count_min_query_of(uint64_t hash)
{
    return (struct count_min_query){.hash = hash};
}

/* Cost: a few ns, where the counters are near. */
void count_min_query_add(struct count_min_query *query, unsigned size, const void *data);
double count_min_query_count(const struct count_min_query *query);

#endif
