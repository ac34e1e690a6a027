/*
 * models/score_order.h -- rows in order of their scores, in time that grows with their number
 * alone.
 *
 * A radix sort of floats (eight bits at a time), stable: rows of equal scores stay as they were.
 */
#ifndef MODELS_SCORE_ORDER_H
#define MODELS_SCORE_ORDER_H

#include <stddef.h>
#include <stdint.h>

struct score_rank {
    uint32_t key; /* rises with the score; the same for equal ones */
    uint32_t row;
};

/* scores: finite, n below 2^32. ret and spare: n each. */
void score_order(const float *scores, size_t n, struct score_rank *ret, struct score_rank *spare);

#endif
