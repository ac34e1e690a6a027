/*
 * models/delong.h -- are two models' areas under the ROC curve different, on the same rows?
 *
 * DeLong, DeLong & Clarke-Pearson, "Comparing the areas under two or more correlated receiver
 * operating characteristic curves", Biometrics 44 (1988): each row's placement is the share of the
 * other label's rows that it ranks right against (ties half); an AUC is the mean placement, and the
 * placements' covariances are those of the AUCs. One sort for each model finds all placements (Sun
 * & Xu, IEEE Signal Processing Letters 21, 2014), so the cost is O(n log n).
 *
 *     struct delong judged;
 *     TRY(delong_compare(champion, candidate, labels, n, &judged));
 *     if (judged.lower < -0.005)                     // may be worse by more than that
 */
#ifndef MODELS_DELONG_H
#define MODELS_DELONG_H

#include <stddef.h>

#include "base/status.h"

/* What is not defined is NaN: AUCs without both labels, the rest with fewer than two rows of one.
 */
struct delong {
    double auc[2], variance[2], covariance;
    double difference;   /* auc[1] - auc[0] */
    double error;        /* its standard error */
    double lower, upper; /* its 95 % interval, by the normal distribution */
    double p;            /* two-sided: of a difference at least this large if there were none */
    size_t positives, negatives;
};

/* scores: finite; labels: 0.5 or more is a 1. Equal scores give a difference of 0 and p of 1.
 * Returns ST_ENOMEM. */
STATUS_CHECKED enum status delong_compare(const float *first, const float *second,
                                          const float *labels, size_t n, struct delong *ret);

#endif
