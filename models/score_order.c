#include "models/score_order.h"

#include <string.h>

/* Floats in order as unsigned integers: the sign turned over, negative ones as a whole. Both zeros
 * are one number. */
static uint32_t key_of(float score)
{
    uint32_t bits;
    score += 0.0f;
    memcpy(&bits, &score, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static void sort_by_digit(const struct score_rank *from, size_t n, unsigned shift,
                          struct score_rank *to)
{
    enum { DIGITS = 256 };
    uint32_t starts[DIGITS + 1] = {0};
    for (size_t i = 0; i < n; i++)
        starts[(from[i].key >> shift) % DIGITS + 1]++;
    for (size_t i = 1; i <= DIGITS; i++)
        starts[i] += starts[i - 1];
    for (size_t i = 0; i < n; i++)
        to[starts[(from[i].key >> shift) % DIGITS]++] = from[i];
}

void score_order(const float *scores, size_t n, struct score_rank *ret, struct score_rank *spare)
{
    for (size_t i = 0; i < n; i++)
        spare[i] = (struct score_rank){key_of(scores[i]), (uint32_t)i};
    sort_by_digit(spare, n, 0, ret);
    sort_by_digit(ret, n, 8, spare);
    sort_by_digit(spare, n, 16, ret);
    sort_by_digit(ret, n, 24, spare);
    memcpy(ret, spare, n * sizeof *ret);
}
