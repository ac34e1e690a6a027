/*
 * models/ftrl.h -- inside `ftrl`: logistic regression learnt online by FTRL-Proximal.
 *
 * McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013, algorithm 1: each
 * weight has its own learning rate, which falls with the gradients that it has seen. What the
 * weights belong to (a row is a sparse vector of these):
 *
 *   bias        1
 *   linear, log each number, standardised, and its logarithm, standardised (standardise.h)
 *   bins        1 for the bin that each number falls into (bins.h); bin 0: it is missing
 *   woe         with `binning: woe`, in their place: the weight of evidence of that bin
 *   crosses     1 for the pair or triple of coarser bins that the numbers of a cross fall into
 *   table       the weight of each category, and of each cross with a category (sparse_table.h)
 *
 * All but the table lie in one block: first the `front` floats, which are all that scoring reads
 * (and what publish copies), then what only learning needs.
 *
 *   ftrl.c          the block
 *   ftrl_columns.c  columns and crosses by name
 *   ftrl_row.c      a row as the weights see it, its logit
 *   ftrl_learn.c    the update, and the renewal of bins and scales
 *   ftrl_supervised.c  bins that are made to tell the label
 *   ftrl_options.c  the table of options
 *   ftrl_explain.c  a logit taken apart
 *   ftrl_file.c     save and load, of what ftrl_tensors.c lists
 *   ftrl_moves.c    two saved ones, compared
 */
#ifndef MODELS_FTRL_H
#define MODELS_FTRL_H

#include "models/admission.h"
#include "models/balance.h"
#include "models/bins.h"
#include "models/ftrl_supervised.h"
#include "models/model.h"
#include "models/sparse_table.h"
#include "models/standardise.h"

enum {
    FTRL_PARTS_MAX = 3,    /* columns in a cross */
    FTRL_CROSSES_MAX = 64, /* of numbers, and of categories */
    FTRL_KEYS_MAX =
        512, /* categories and crosses of them that one row may hold; more are dropped */
    FTRL_NAME_MAX = 700, /* bytes of a cross's columns' names */
    FTRL_SKETCH_K = 256,
    FTRL_OFFSET = 1, /* in w, beside the bias: how much logits are too high, by class weights */
    FTRL_BINS_FIRST = 256, /* numbers seen before the first bins are made; then at each doubling */
};

struct ftrl_options {
    double alpha, beta, l1, l2;
    int64_t bins, cross_bins;
    struct conf_texts columns, exclude;
    const struct conf_node *crosses;
    int64_t admit, expire, table;
    int binning;   /* enum ftrl_binning */
    int bin_trend; /* enum binning_trend */
    double bin_share, bin_events;
    const struct conf_node *class_weight;
};

enum ftrl_binning { FTRL_QUANTILES, FTRL_SUPERVISED, FTRL_WOE };

/* Several columns taken together. */
struct ftrl_cross {
    size_t n_parts;
    uint32_t part[FTRL_PARTS_MAX]; /* numbers: index into the coarse columns; else see is_field */
    bool is_field[FTRL_PARTS_MAX]; /* a sparse field: part is its index in the schema */
    uint64_t salt;                 /* of keys: a hash of the names */
    size_t at;                     /* of numbers only: its first weight */
    size_t cells;
    char *name; /* the columns' names, joined by * */
};

/* Weights of one kind, in the file under that name. */
struct ftrl_range {
    size_t at, n;
};

struct ftrl {
    struct model head;
    struct ftrl_options options;

    /* Columns. */
    size_t n_numbers,
        width;        /* width: n_numbers rounded up to whole vectors; the rest is always 0 */
    uint32_t *number; /* their columns in vector.dense */
    size_t n_fields;
    uint64_t *field_salt; /* of each sparse field of the schema; 0: not used */
    char **field_names;
    size_t n_coarse; /* numbers that crosses take, and what they are */
    uint32_t coarse[FTRL_CROSSES_MAX * FTRL_PARTS_MAX];
    size_t n_crosses, n_key_crosses;
    struct ftrl_cross crosses[FTRL_CROSSES_MAX], key_crosses[FTRL_CROSSES_MAX];
    char **number_names;
    size_t edges_size, coarse_edges_size; /* floats of edges a column */
    size_t bin_cells;                     /* weights of bins a column: bins + 1 */

    /* The block. */
    void *block;
    size_t block_size;
    size_t n_weights; /* bias, linear, log, bins or woe, crosses */
    struct ftrl_range linear, log, bins, woe;
    float *front;
    size_t n_front;
    float *w;                    /* n_weights */
    float *edges, *coarse_edges; /* n_numbers * edges_size, n_coarse * coarse_edges_size */
    float *evidence;             /* n_numbers * bin_cells: -WoE; NULL without `binning: woe` */
    struct standardise scale;    /* of width columns */
    double *z, *root;            /* n_weights */
    struct quantile *sketches;   /* n_numbers, each sketch_size bytes apart */
    size_t sketch_size;
    struct ftrl_supervised supervised; /* without `binning: quantiles` */
    uint64_t *next_bins; /* n_numbers: once so many were seen, the number's bins are made anew */

    struct sparse_table table;
    struct admission admission;

    struct balance balance;

    /* Counters. */
    uint64_t learnt, scaled_at;
    int64_t newest; /* event time of the newest example */

    struct ftrl_row *row;          /* scratch of learning */
    struct quantile_point *points; /* and of renewing bins */
    double *carried;               /* four times the cells of the largest cross */
    double *overlap;               /* of a number's old and new bins */
};

/* A row as the weights see it. */
struct ftrl_row {
    size_t n_cells, n_keys;
    size_t first_cross;                      /* in cells: those before are bins of numbers */
    size_t cross_keys[FTRL_CROSSES_MAX + 1]; /* where each cross's keys begin; categories' before */
    float x[VECTOR_DENSE_MAX + 8], linear[VECTOR_DENSE_MAX + 8], log[VECTOR_DENSE_MAX + 8];
    float woe[VECTOR_DENSE_MAX + 8];
    uint32_t cells[VECTOR_DENSE_MAX + FTRL_CROSSES_MAX]; /* weights of bins and crosses */
    uint64_t keys[FTRL_KEYS_MAX];
    float values[FTRL_KEYS_MAX];
};

void ftrl_look(const struct ftrl *ftrl, const struct vector *vector, struct ftrl_row *ret);
/* As it is learnt; a score's is FTRL_OFFSET's weight less. */
double ftrl_logit(const struct ftrl *ftrl, const struct ftrl_row *row);
static inline double ftrl_offset(const struct ftrl *ftrl)
{
    return (double)ftrl->w[FTRL_OFFSET];
}
/* After the balance has changed. */
void ftrl_put_offset(struct ftrl *ftrl);

/* murmur3's finaliser; never 0. */
static inline uint64_t ftrl_mix(uint64_t h)
{
    h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    h ^= h >> 33;
    return h ? h : 1;
}

static inline struct quantile *ftrl_sketch(const struct ftrl *ftrl, size_t number)
{
    return (struct quantile *)(void *)((char *)ftrl->sketches + number * ftrl->sketch_size);
}

/* The weight that z and root mean (algorithm 1, line "w"). */
static inline double ftrl_weight(double z, double root, double alpha, double beta, double l1,
                                 double l2)
{
    double size = z < 0 ? -z : z, pull = z < 0 ? -l1 : l1;
    double w = -(z - pull) / ((beta + root) / alpha + l2);
    return size <= l1 ? 0 : w;
}

static inline bool ftrl_is_supervised(const struct ftrl *ftrl)
{
    return ftrl->options.binning != FTRL_QUANTILES;
}

/* Finds what the options name. Mistakes go to errors; ST_EINVAL then, or ST_ENOMEM. */
STATUS_CHECKED enum status ftrl_bind_columns(struct ftrl *ftrl, const struct vector_schema *schema,
                                             const struct conf_node *node,
                                             struct conf_errors *errors);
/* A well-mixed hash of a name; part of the keys in files. */
uint64_t ftrl_salt_of(const char *name);

/* All weights and statistics as before the first row. */
void ftrl_clear(struct ftrl *ftrl);

void ftrl_score(const struct model *model, const struct vector *rows, size_t n, float *ret);
void ftrl_learn(struct model *model, const struct example *rows, size_t n);
double ftrl_explain(const struct model *model, const struct vector *vector, struct reasons *ret);
enum status ftrl_save(const struct model *model, struct tensors *ret);
enum status ftrl_compare(const struct tensors *before, const struct tensors *after,
                         struct moves *ret);
enum status ftrl_load(struct model *model, const struct tensors *tensors);

extern const struct model_ops ftrl_ops;
extern const struct conf_table ftrl_table;

#endif
