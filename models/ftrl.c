/*
 * What an `ftrl` is made of: its block, how it is made, copied and freed.
 */
#include "models/ftrl.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* Room in front of a range that is worked on in whole vectors. */
static size_t whole(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

/* The block. */

static struct ftrl_range take(size_t *at, size_t n)
{
    struct ftrl_range range = {*at, n};
    *at += whole(n);
    return range;
}

static void lay_out_weights(struct ftrl *ftrl)
{
    size_t at = 0;
    take(&at, 1); /* the bias */
    ftrl->linear = take(&at, ftrl->width);
    ftrl->log = take(&at, ftrl->width);
    bool by_woe = ftrl->options.binning == FTRL_WOE;
    ftrl->bins = take(&at, by_woe ? 0 : ftrl->n_numbers * ftrl->bin_cells);
    ftrl->woe = take(&at, by_woe ? ftrl->width : 0);
    for (size_t i = 0; i < ftrl->n_crosses; i++)
        ftrl->crosses[i].at = take(&at, ftrl->crosses[i].cells).at;
    ftrl->n_weights = at;
}

static struct binning_options binning_options(const struct ftrl_options *options)
{
    return (struct binning_options){.trend = (enum binning_trend)options->bin_trend,
                                    .bins_max = (size_t)options->bins,
                                    .share_min = options->bin_share,
                                    .events_min = options->bin_events,
                                    .nonevents_min = options->bin_events};
}

static enum status make_block(struct ftrl *ftrl)
{
    bool supervised = ftrl_is_supervised(ftrl);
    ftrl->edges_size = bins_edges_size((size_t)ftrl->options.bins);
    ftrl->coarse_edges_size = bins_edges_size((size_t)ftrl->options.cross_bins);
    ftrl->bin_cells = (size_t)ftrl->options.bins + 1;
    lay_out_weights(ftrl);
    size_t n_edges = ftrl->n_numbers * ftrl->edges_size;
    size_t n_coarse_edges = ftrl->n_coarse * ftrl->coarse_edges_size;
    size_t n_evidence = whole(ftrl->woe.n > 0 ? ftrl->n_numbers * ftrl->bin_cells : 0);
    size_t n_prebins = supervised ? ftrl_supervised_floats(ftrl->n_numbers) : 0;
    size_t n_counts = supervised ? ftrl_supervised_doubles(ftrl->n_numbers) : 0;
    ftrl->n_front = whole(ftrl->n_weights + n_edges + n_coarse_edges + n_evidence +
                          STANDARDISE_FRONT * ftrl->width);
    size_t n_learning = 2 * ftrl->n_weights + STANDARDISE_BACK * ftrl->width;
    size_t n_back = n_learning + n_counts + n_prebins / 2;
    ftrl->sketch_size = whole(quantile_size(FTRL_SKETCH_K));
    ftrl->block_size = ftrl->n_front * sizeof(float) + n_back * sizeof(double) +
                       ftrl->n_numbers * ftrl->sketch_size;
    ftrl->block_size = (ftrl->block_size + 63) & ~(size_t)63;
    ftrl->block = aligned_alloc(64, ftrl->block_size);
    if (!ftrl->block)
        return ST_ENOMEM;
    ftrl->w = ftrl->block;
    ftrl->edges = ftrl->w + ftrl->n_weights;
    ftrl->coarse_edges = ftrl->edges + n_edges;
    ftrl->z = (double *)(void *)(ftrl->w + ftrl->n_front);
    ftrl->root = ftrl->z + ftrl->n_weights;
    ftrl->evidence = n_evidence > 0 ? ftrl->coarse_edges + n_coarse_edges : NULL;
    ftrl->scale = standardise_view(ftrl->width, ftrl->coarse_edges + n_coarse_edges + n_evidence,
                                   ftrl->root + ftrl->n_weights);
    ftrl->sketches = (struct quantile *)(void *)(ftrl->z + n_back);
    if (!supervised)
        return ST_OK;
    double *counts = ftrl->z + n_learning;
    struct binning_options options = binning_options(&ftrl->options);
    return ftrl_supervised_init(&ftrl->supervised, &options, ftrl->n_numbers,
                                (float *)(void *)(counts + n_counts), counts);
}

void ftrl_clear(struct ftrl *ftrl)
{
    memset(ftrl->block, 0, ftrl->block_size);
    for (size_t i = 0; i < ftrl->n_numbers; i++) {
        bins_clear(ftrl->edges + i * ftrl->edges_size, (size_t)ftrl->options.bins);
        quantile_init(ftrl_sketch(ftrl, i), FTRL_SKETCH_K, ftrl_salt_of(ftrl->number_names[i]));
        ftrl->next_bins[i] = FTRL_BINS_FIRST;
    }
    for (size_t i = 0; i < ftrl->n_coarse; i++)
        bins_clear(ftrl->coarse_edges + i * ftrl->coarse_edges_size,
                   (size_t)ftrl->options.cross_bins);
    if (ftrl_is_supervised(ftrl))
        ftrl_supervised_clear(&ftrl->supervised);
    ftrl->learnt = ftrl->scaled_at = 0;
    ftrl->newest = INT64_MIN;
    ftrl->balance.counts[0] = ftrl->balance.counts[1] = 0;
    ftrl_put_offset(ftrl);
}

static enum status make_scratch(struct ftrl *ftrl)
{
    size_t cells = ftrl->bin_cells, width = ftrl->bin_cells;
    for (size_t i = 0; i < ftrl->n_crosses; i++)
        cells = ftrl->crosses[i].cells > cells ? ftrl->crosses[i].cells : cells;
    if ((size_t)ftrl->options.cross_bins + 1 > width)
        width = (size_t)ftrl->options.cross_bins + 1;
    ftrl->row = calloc(1, sizeof *ftrl->row);
    ftrl->points = calloc(quantile_size(FTRL_SKETCH_K) / sizeof(float), sizeof *ftrl->points);
    ftrl->carried = calloc(4 * cells, sizeof(double));
    ftrl->overlap = calloc(width * width, sizeof(double));
    ftrl->next_bins = calloc(ftrl->n_numbers + 1, sizeof *ftrl->next_bins);
    bool ok = ftrl->row && ftrl->points && ftrl->carried && ftrl->overlap && ftrl->next_bins;
    return ok ? ST_OK : ST_ENOMEM;
}

static void free_ftrl(struct model *model)
{
    struct ftrl *ftrl = (struct ftrl *)(void *)model;
    if (!ftrl)
        return;
    for (size_t i = 0; ftrl->number_names && i < ftrl->n_numbers; i++)
        free(ftrl->number_names[i]);
    for (size_t i = 0; ftrl->field_names && i < ftrl->n_fields; i++)
        free(ftrl->field_names[i]);
    for (size_t i = 0; i < ftrl->n_crosses; i++)
        free(ftrl->crosses[i].name);
    for (size_t i = 0; i < ftrl->n_key_crosses; i++)
        free(ftrl->key_crosses[i].name);
    sparse_table_done(&ftrl->table);
    admission_done(&ftrl->admission);
    free(ftrl->number);
    free(ftrl->number_names);
    free(ftrl->field_salt);
    free(ftrl->field_names);
    free(ftrl->block);
    free(ftrl->row);
    free(ftrl->points);
    free(ftrl->carried);
    free(ftrl->overlap);
    free(ftrl->next_bins);
    ftrl_supervised_done(&ftrl->supervised);
    free(ftrl);
}

static enum status make_memory(struct ftrl *ftrl)
{
    TRY(make_block(ftrl));
    TRY(make_scratch(ftrl));
    ftrl_clear(ftrl);
    TRY(sparse_table_init(&ftrl->table, (size_t)ftrl->options.table));
    bool categories = ftrl->n_fields > 0;
    return admission_init(&ftrl->admission, categories ? (unsigned)ftrl->options.admit : 1,
                          (size_t)ftrl->options.table);
}

static enum status create(const void *options, const struct vector_schema *schema,
                          const struct conf_node *node, struct conf_errors *errors,
                          struct model **ret)
{
    struct ftrl *ftrl = calloc(1, sizeof *ftrl);
    if (!ftrl)
        return ST_ENOMEM;
    ftrl->head.ops = &ftrl_ops;
    ftrl->options = *(const struct ftrl_options *)options;
    size_t errors_before = errors->n;
    if (ftrl_is_supervised(ftrl) && ftrl->options.bins > BINNING_BINS_MAX)
        conf_complain(errors, conf_get(node, "bins"), "supervised bins are %d at most",
                      BINNING_BINS_MAX);
    ftrl->balance = balance_read(ftrl->options.class_weight, errors);
    enum status st = ftrl_bind_columns(ftrl, schema, node, errors);
    if (st == ST_OK && errors->n > errors_before)
        st = ST_EINVAL;
    /* Texts and nodes of the configuration may be gone after this. */
    ftrl->options.columns = ftrl->options.exclude = (struct conf_texts){0};
    ftrl->options.crosses = ftrl->options.class_weight = NULL;
    if (st == ST_OK)
        st = make_memory(ftrl);
    if (st < 0) {
        free_ftrl(&ftrl->head);
        return st;
    }
    *ret = &ftrl->head;
    return ST_OK;
}

static void publish(struct model *from, struct model *to)
{
    struct ftrl *learner = (struct ftrl *)(void *)from, *copy = (struct ftrl *)(void *)to;
    assert(from->ops == &ftrl_ops && to->ops == &ftrl_ops && learner->n_front == copy->n_front);
    memcpy(copy->w, learner->w, learner->n_front * sizeof(float));
    sparse_table_publish(&learner->table, &copy->table);
}

static void copy(struct model *from, struct model *to)
{
    struct ftrl *one = (struct ftrl *)(void *)from, *other = (struct ftrl *)(void *)to;
    assert(from->ops == &ftrl_ops && to->ops == &ftrl_ops && one->block_size == other->block_size);
    memcpy(other->block, one->block, one->block_size);
    memcpy(other->next_bins, one->next_bins, one->n_numbers * sizeof *one->next_bins);
    other->learnt = one->learnt;
    other->scaled_at = one->scaled_at;
    other->newest = one->newest;
    other->balance = one->balance;
    sparse_table_copy(&one->table, &other->table);
    admission_copy(&one->admission, &other->admission);
}

static void describe(const struct model *model, struct buf *ret)
{
    const struct ftrl *ftrl = (const struct ftrl *)(const void *)model;
    size_t used = 0;
    for (size_t i = 0; i < ftrl->n_weights; i++)
        used += ftrl->w[i] != 0;
    buf_printf(ret,
               "%llu rows learnt; %zu numbers in %zu weights, of which %zu are not 0; "
               "%zu categories and crosses of them",
               (unsigned long long)ftrl->learnt, ftrl->n_numbers, ftrl->n_weights, used,
               ftrl->table.n);
}

const struct model_ops ftrl_ops = {
    .name = "ftrl",
    .help = "Logistic regression over numbers, bins, categories and crosses, learnt online.",
    .options = &ftrl_table,
    .create = create,
    .free = free_ftrl,
    .score = ftrl_score,
    .learn = ftrl_learn,
    .publish = publish,
    .save = ftrl_save,
    .load = ftrl_load,
    .copy = copy,
    .compare = ftrl_compare,
    .compared_by = "roots of sums of squares of weights, in log-odds",
    .describe = describe,
    .explain = ftrl_explain,
    .explained_by =
        "exactly: the terms that the logit is the sum of, with the bias. A number's are "
        "its own, its logarithm's and its bin's, a category's those of its field.",
};
