/*
 * base/kll.h -- KLL: quantiles and ranks of a stream of numbers.
 *
 * Karnin, Lang & Liberty, "Optimal quantile approximation in streams" (FOCS 2016), with the lazy
 * compaction of Ivkin et al. (2019): levels of numbers that each stand for 2^level; a full level is
 * sorted and every other number goes up. The rank of any number is off by about .53/size^.9 of
 * the count, standard error (size 64: 1.3 %), and by 1.33/size^.9 once in 100; sketches
 * read together are no worse. Exact up to 3 size numbers. Numbers are kept as floats (24 bits).
 *
 * Which half goes up depends on how many there were, not on a generator: the same stream leaves the
 * same bytes.
 *
 *     struct kll_union all;                            // memory for them: kll_union_bytes()
 *     kll_union_begin(&all, memory);
 *     kll_union_merge(&all, data, bytes);              // any number of sketches
 *     kll_union_add(&all, 12.5);
 *     double median = kll_union_quantile(&all, .5), share = kll_union_rank(&all, 12.5);
 */
#ifndef BASE_KLL_H
#define BASE_KLL_H

#include "base/sketch.h"

enum { KLL_SIZE_MAX = 512 };

struct kll_item {
    float v;
    float weight; /* exact: a power of two */
};

struct kll_union {
    size_t n;
    double weight; /* how many numbers there were, all told */
    struct kll_item *items;
};

/* Memory for a union of so many sketches and as many numbers by themselves. */
size_t kll_union_bytes(unsigned size, size_t sketches);
void kll_union_begin(struct kll_union *all, void *memory);
void kll_union_merge(struct kll_union *all, const void *data, size_t bytes);
void kll_union_add(struct kll_union *all, double v);
/* The least number that at least q of all are not above, 0 <= q <= 1; NaN of none. Reorders the
 * items. Cost: some 10 ns for each item (3 to 4 size a sketch). */
double kll_union_quantile(struct kll_union *all, double q);
/* The share of numbers that are v or less; NaN of none. Cost: 1 ns for each item. */
double kll_union_rank(const struct kll_union *all, double v);

#endif
