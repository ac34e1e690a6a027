/*
 * base/metrics_family.h -- inside base/: what the registry of metrics is made of.
 */
#ifndef BASE_METRICS_FAMILY_H
#define BASE_METRICS_FAMILY_H

#include <stdatomic.h>

#include "base/metrics.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* Upper bounds of a histogram's buckets: Renard's R5 series, which are the round numbers nearest to
 * powers of 10^(1/5), over eight decades from 1 us to 100 s. */
enum { METRIC_BOUNDS = 5 * 8 + 1 };
_Static_assert(METRIC_BUCKETS == METRIC_BOUNDS + 1, "one bucket is beyond all bounds");
/* In seconds. */
double metric_bound(int i);

struct metric {
    struct metric *next; /* of the same family */
    enum metric_type type;
    const char *label_value;
    _Atomic uint64_t value; /* bits of a double; a histogram's sum of microseconds */
    _Atomic uint64_t counts[METRIC_BUCKETS]; /* of a histogram; the last: beyond all bounds */
};

static inline uint64_t metric_load(const _Atomic uint64_t *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

/* All metrics of one name. */
struct family {
    struct family *next;
    const char *name, *help, *label;
    enum metric_type type;
    struct metric *first;
};

void family_write(const struct family *family, struct buf *ret);

#endif
