/*
 * base/hll.h -- HyperLogLog: how many different values there were.
 *
 * Flajolet, Fusy, Gandouet & Meunier, "HyperLogLog: the analysis of a near-optimal cardinality
 * estimation algorithm" (2007), with the estimator of Ertl, "New cardinality estimation algorithms
 * for HyperLogLog sketches" (arXiv:1702.01284), algorithm 6: no tables of corrections, no switch
 * between ranges, and no bias at either end. Standard error 1.04 / sqrt(size): 6.5 % for 256
 * registers of a byte each.
 *
 * A sketch of few values is the list of them, as coupons of 4 bytes (26 bits of place, 6 of rank);
 * at size/8 of them it becomes registers. Coupons and registers are the same whatever the order
 * and the repeats, so sketches can be merged without loss.
 *
 *     struct hll_union all;
 *     hll_union_begin(&all, 256);
 *     hll_union_merge(&all, data, bytes);          // any number of sketches of that size
 *     hll_union_add(&all, hash);
 *     double n = hll_union_estimate(&all);         // exact up to HLL_EXACT values, in lists
 */
#ifndef BASE_HLL_H
#define BASE_HLL_H

#include "base/sketch.h"

enum { HLL_SIZE_MAX = 4096, HLL_EXACT = 64 };

struct hll_union {
    unsigned size;
    size_t n; /* coupons; past HLL_EXACT there are registers */
    bool dense;
    uint32_t coupons[HLL_EXACT];
    _Alignas(32) uint8_t registers[HLL_SIZE_MAX];
};

void hll_union_begin(struct hll_union *all, unsigned size);
/* Cost: size/32 ns of registers; of a list, 1 ns for each pair of values. */
void hll_union_merge(struct hll_union *all, const void *data, size_t bytes);
void hll_union_add(struct hll_union *all, uint64_t hash);
/* Cost: about 60 ns and size/2 ns. */
double hll_union_estimate(const struct hll_union *all);

#endif
