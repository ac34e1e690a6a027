/*
 * online/newest.h -- the newest durations of a kind, and their quantiles.
 *
 *     newest_add(&delays, event_time - label_time);
 *     n = newest_quantiles(&delays, (double[]){0.5, 0.9}, 2, ret);
 */
#ifndef ONLINE_NEWEST_H
#define ONLINE_NEWEST_H

#include <stddef.h>
#include <stdint.h>

enum { NEWEST_MAX = 1024 };

/* Begins as {0}. */
struct newest {
    uint64_t added;
    int64_t values[NEWEST_MAX];
};

static inline void newest_add(struct newest *newest, int64_t us)
{
    newest->values[newest->added++ % NEWEST_MAX] = us;
}

/* The smallest value that a share q of those held does not exceed, for each of n_q shares in (0,
 * 1]. Returns how many are held; with 0 nothing is written. Cost: a sort of NEWEST_MAX. */
size_t newest_quantiles(const struct newest *newest, const double *q, size_t n_q, int64_t *ret);

#endif
