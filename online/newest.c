#include "online/newest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_size(const void *a, const void *b)
{
    int64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

size_t newest_quantiles(const struct newest *newest, const double *q, size_t n_q, int64_t *ret)
{
    int64_t sorted[NEWEST_MAX];
    size_t n = newest->added < NEWEST_MAX ? (size_t)newest->added : NEWEST_MAX;
    if (n == 0)
        return 0;
    memcpy(sorted, newest->values, n * sizeof sorted[0]);
    qsort(sorted, n, sizeof sorted[0], by_size);
    for (size_t i = 0; i < n_q; i++) {
        double rank = ceil(q[i] * (double)n);
        ret[i] = sorted[rank < 1 ? 0 : (size_t)rank - 1];
    }
    return n;
}
