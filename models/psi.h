/*
 * models/psi.h -- how far a distribution has moved: the population stability index.
 *
 * PSI = sum over bins of (b - a) * ln(b / a), where a and b are the shares of the two samples in a
 * bin: the symmetric divergence of Kullback and Leibler. By custom, below 0.1 little has changed
 * and above 0.25 much has. Counts get half a row in each bin, so that an empty one costs what a
 * sample of that size can tell and not infinity.
 *
 * Bins are tenths of the first sample; a value so frequent that it would fill one is in one with
 * what lies between it and the next edge; missing numbers (NaN) have a bin of their own.
 */
#ifndef MODELS_PSI_H
#define MODELS_PSI_H

#include <stddef.h>

#include "base/status.h"

/* Of counts, or of weights, in n bins. NaN where a sample is empty. */
double psi_of_counts(const double *a, const double *b, size_t n);

enum { PSI_BINS = 10, PSI_COUNTS = PSI_BINS + 1 };

/* Edges between the tenths of a sample: a value falls into the first bin whose edge it does not
 * exceed. */
struct psi_edges {
    size_t n; /* edges, at most PSI_BINS - 1: equal ones are one */
    float edges[PSI_BINS - 1];
};

/* weights: NULL: 1 each. Cost: a sort. Returns ST_ENOMEM. */
STATUS_CHECKED enum status psi_make_edges(const float *values, const float *weights, size_t n,
                                          struct psi_edges *ret);
/* 0: missing; else 1 to PSI_BINS. */
size_t psi_bin(const struct psi_edges *edges, float value);
/* Between two samples. Returns ST_ENOMEM. */
STATUS_CHECKED enum status psi_of_samples(const float *a, size_t n_a, const float *b, size_t n_b,
                                          double *ret);

#endif
