/*
 * models/isolation_sample.h -- within isolation: rows drawn at random for a tree.
 *
 * Without weights each row is as likely (Floyd's algorithm: Bentley, "Programming pearls: a sample
 * of brilliance", CACM 30, 1987). With weights rows are drawn one after another among those left,
 * in proportion to their weights (Efraimidis, Spirakis, "Weighted random sampling with a
 * reservoir", 2006: the largest log(u) / weight).
 */
#ifndef MODELS_ISOLATION_SAMPLE_H
#define MODELS_ISOLATION_SAMPLE_H

#include "base/rng.h"
#include "models/isolation.h"

struct isolation_sample {
    uint32_t *rows; /* max */
    uint32_t *seen; /* a set: a power of two, twice max or more; row + 1, or 0 */
    double *keys;   /* max: a heap, the least first; of rows[] */
    size_t n_seen;
};

STATUS_CHECKED enum status isolation_sample_init(struct isolation_sample *sample, size_t max);
void isolation_sample_done(struct isolation_sample *sample);

/* n rows, at most as many as there are and as max, in no order of use; valid until the next call.
 * again: the same may come more than once. */
const uint32_t *isolation_sample_draw(struct isolation_sample *sample,
                                      const struct isolation_rows *rows, size_t n, bool again,
                                      struct rng *rng);

#endif
