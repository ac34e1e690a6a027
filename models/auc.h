/*
 * models/auc.h -- how good scores were, judged by the labels that came later.
 *
 * Two forms of the same four figures: exact, over arrays, and streaming, in bounded memory.
 *
 *   auc                area under the ROC curve; ties count half
 *   average_precision  sum over thresholds of (recall step * precision), as scikit-learn defines it
 *   log_loss           mean of -log(probability given to what happened)
 *   calibration_error  mean over tenths of the rows, in order of score, of |mean score - share of
 *                      1s|
 *
 * The streaming form counts rows in 4096 bins of the score's logit between -16 and 16. Rows in one
 * bin count as ties: with scores spread over many bins AUC and average precision agree with the
 * exact form to about 1e-4. Log loss is exact.
 */
#ifndef MODELS_AUC_H
#define MODELS_AUC_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* NaN where a figure is not defined: without positives, without negatives, without rows. */
struct score_figures {
    double auc, average_precision, log_loss, calibration_error;
    uint64_t positives, negatives;
};

/* A tenth of the rows, by rising score; a score that spans several is split in proportion. */
struct score_tenth {
    double rows;  /* or their weight */
    double score; /* mean; NaN without rows */
    double ones;  /* share of 1s; NaN without rows */
};
enum { SCORE_TENTHS = 10 };

/* scores in (0, 1), labels 0 or 1. Cost: a sort. Returns ST_ENOMEM. */
STATUS_CHECKED enum status score_figures_exact(const float *scores, const float *labels, size_t n,
                                               struct score_figures *ret);

/* The same of rows that stand for several, or for a part of one: each counts `weights` times (NULL:
 * once). positives and negatives are rows. tenths: SCORE_TENTHS of them, or NULL. */
STATUS_CHECKED enum status score_figures_weighted(const float *scores, const float *labels,
                                                  const float *weights, size_t n,
                                                  struct score_figures *ret,
                                                  struct score_tenth *ret_tenths);

struct prequential;

STATUS_CHECKED enum status prequential_create(struct prequential **ret);
void prequential_free(struct prequential *prequential);
/* A label of 0.5 or more is a 1. About 20 ns. */
void prequential_add(struct prequential *prequential, float score, float label);
/* Cost: one pass over the bins, some 20 us. */
struct score_figures prequential_figures(const struct prequential *prequential);
/* As prequential_figures(); ret: SCORE_TENTHS. */
void prequential_tenths(const struct prequential *prequential, struct score_tenth *ret);

#endif
