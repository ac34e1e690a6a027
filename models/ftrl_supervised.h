/*
 * models/ftrl_supervised.h -- inside `ftrl`: bins that are made to tell the label (binning.h).
 *
 * Each number is cut into pre-bins, quantiles of what was seen, and in each of them the labels of
 * the examples learnt are counted. From time to time the pre-bins are merged into the number's
 * bins. What an example says is counted after it was learnt from, so that no example meets its own
 * label.
 *
 * Pre-bins are cut anew when the quantiles are (each time the numbers seen have doubled); their
 * counts are then handed on in proportion to the rows that old and new ones share. Merging comes
 * more often: each time the rows counted have grown by an eighth.
 */
#ifndef MODELS_FTRL_SUPERVISED_H
#define MODELS_FTRL_SUPERVISED_H

#include <stddef.h>
#include <stdint.h>

#include "models/bins.h"
#include "models/binning.h"

enum {
    FTRL_PREBINS = 64,
    FTRL_PREBIN_CELLS = FTRL_PREBINS + 2, /* 0: missing; edges of a spoilt file find the last */
    FTRL_MERGES_FIRST = 64, /* rows before the first merging, and at least between two */
};

struct ftrl_supervised {
    struct binning_options options;
    size_t n_numbers;
    /* In the model's block; each FTRL_PREBINS or FTRL_PREBIN_CELLS a number. */
    float *edges;
    struct binning_counts *counts;
    uint64_t *counted, *merge_at; /* one a number: rows counted, and how many make a merging due */
    /* Scratch. */
    struct binning *binning;
    struct binning_table table;
    double *overlap; /* FTRL_PREBINS + 1 squared */
};

/* Floats and doubles in the block. */
size_t ftrl_supervised_floats(size_t n_numbers);
size_t ftrl_supervised_doubles(size_t n_numbers);
/* The block's parts begin here. Returns ST_ENOMEM, ST_EINVAL (options). */
STATUS_CHECKED enum status ftrl_supervised_init(struct ftrl_supervised *s,
                                                const struct binning_options *options,
                                                size_t n_numbers, float *floats, double *doubles);
void ftrl_supervised_done(struct ftrl_supervised *s);
void ftrl_supervised_clear(struct ftrl_supervised *s);

/* Counts a row's label. x: n_numbers, NaN where missing. */
void ftrl_supervised_count(struct ftrl_supervised *s, const float *x, float label, float weight);
static inline int ftrl_supervised_is_due(const struct ftrl_supervised *s, size_t number)
{
    return s->counted[number] >= s->merge_at[number];
}
/* Pre-bins anew from the number's sketch's points. */
void ftrl_supervised_recut(struct ftrl_supervised *s, size_t number,
                           const struct quantile_point *points, size_t n);
/* The number's bins: edges (bins_edges_size(bins) floats), and with woe not NULL the evidence of an
 * event, -WoE, of bins + 1 cells. Both stay as they are while there is no label of each kind. */
void ftrl_supervised_merge(struct ftrl_supervised *s, size_t number, float *ret_edges,
                           float *ret_woe);

#endif
