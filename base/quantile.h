/*
 * base/quantile.h -- the quantiles of a stream of numbers, in a few kilobytes.
 *
 * A KLL sketch (Karnin, Lang & Liberty, "Optimal Quantile Approximation in Streams", FOCS 2016),
 * with the sampler of that paper. It keeps levels of numbers; one on level i stands for stride *
 * 2^i of the stream. A full level is sorted, every other number of it moves up, the rest is
 * dropped; a coin decides which half. Once the levels are used up, only one number of each `stride`
 * enters the sketch at all, so that neither memory nor cost grow with the stream.
 *
 * KLL and not a histogram or a t-digest: its error is in ranks, so it holds for any distribution
 * without knowing the range, equal numbers stay equal (a value that is half of the stream is seen
 * to be that), and sketches merge.
 *
 *     struct quantile *q = malloc(quantile_size(512));
 *     quantile_init(q, 512, seed);
 *     quantile_add(q, v);                                     // any number of times
 *     struct quantile_point *points = malloc(quantile_points_max(q) * sizeof *points);
 *     size_t n = quantile_points(q, points);
 *     float median = quantile_at(points, n, 0.5);
 *
 * Exact up to 2.8 k numbers. Beyond, the worst of all ranks is off by less than 4 / k of the stream
 * in 99 of 100 sketches (test_quantile.c), usually by 2 / k. Deterministic: the same numbers in the
 * same order and the same seed give the same bytes.
 *
 * The struct is flat, without pointers: it may lie in a larger block, be copied by memcpy and be
 * stored as it is (little-endian).
 */
#ifndef BASE_QUANTILE_H
#define BASE_QUANTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QUANTILE_LEVELS = 7, QUANTILE_K_MIN = 64, QUANTILE_K_MAX = 2048 };

struct quantile {
    uint64_t n;      /* numbers of the stream so far */
    uint64_t random; /* state of the coin */
    uint32_t k;
    uint32_t cap;                     /* items */
    uint32_t n_levels;                /* in use */
    uint32_t stride;                  /* of so many numbers one is kept: a power of two */
    uint32_t pass;                    /* numbers to pass over before the next that is kept */
    uint32_t rest;                    /* of these, those that still belong to the last stride */
    uint32_t at[QUANTILE_LEVELS + 1]; /* level i: items at[i] to at[i + 1], sorted if i > 0 */
    uint32_t unused;
    float min, max; /* of the whole stream */
    float items[];  /* cap; free from 0 to at[0] */
};

struct quantile_point {
    float value;
    uint32_t padding;
    uint64_t weight; /* how many of the stream it stands for */
};

/* Bytes. k: QUANTILE_K_MIN to QUANTILE_K_MAX; about 11.5 k bytes. */
size_t quantile_size(uint32_t k);
void quantile_init(struct quantile *q, uint32_t k, uint64_t seed);
/* False for bytes that are no sketch of this k and would be read out of bounds. */
bool quantile_is_sound(const struct quantile *q, uint32_t k);

/* Makes room; afterwards the next number may be kept. */
void quantile_compress(struct quantile *q);
/* Decides which number of the next stride is kept. */
void quantile_pick(struct quantile *q);

/* v must not be NaN. 10 to 20 ns, amortised; less as the stride grows. */
static inline void quantile_add(struct quantile *q, float v)
{
    q->n++;
    q->min = v < q->min ? v : q->min;
    q->max = v > q->max ? v : q->max;
    if (q->pass > 0) {
        q->pass--;
        return;
    }
    if (q->at[0] == 0)
        quantile_compress(q);
    q->items[--q->at[0]] = v;
    if (q->stride > 1)
        quantile_pick(q);
}

/* As if q had seen other's stream too. Of the same k. The larger stride of the two is the result's.
 */
void quantile_merge(struct quantile *q, const struct quantile *other);

/* At most so many points. */
size_t quantile_points_max(const struct quantile *q);
/* The sketch as numbers by rising value, equal ones joined. Returns how many; 0 if it is empty.
 * Cost: a sort, 100 us for k = 512. */
size_t quantile_points(const struct quantile *q, struct quantile_point *ret);
/* The least point that at least a share p of all weight is not above; n > 0, p in [0, 1]. */
float quantile_at(const struct quantile_point *points, size_t n, double p);

#endif
