/*
 * Learning: the update of algorithm 1, example by example, and the renewal of bins and scales.
 */
#include "models/ftrl.h"

enum { SWEEP_PLACES = 2 };

/* The update. */

/* The weights of [at, at + n), whose inputs are x; in whole vectors. */
static void update_range(struct ftrl *ftrl, struct ftrl_range range, const float *x,
                         double gradient)
{
    const double alpha = ftrl->options.alpha, beta = ftrl->options.beta, l1 = ftrl->options.l1,
                 l2 = ftrl->options.l2;
    double *restrict z = ftrl->z + range.at, *restrict root = ftrl->root + range.at;
    float *restrict w = ftrl->w + range.at;
    for (size_t i = 0; i < range.n; i++) {
        double g = gradient * (double)x[i], before = root[i], after = sqrt(before * before + g * g);
        z[i] += g - (after - before) / alpha * (double)w[i];
        root[i] = after;
        w[i] = (float)ftrl_weight(z[i], after, alpha, beta, l1, l2);
    }
}

static void update_one(struct ftrl *ftrl, size_t at, double g, double l1, double l2)
{
    const double alpha = ftrl->options.alpha, beta = ftrl->options.beta;
    double before = ftrl->root[at], after = sqrt(before * before + g * g);
    ftrl->z[at] += g - (after - before) / alpha * (double)ftrl->w[at];
    ftrl->root[at] = after;
    ftrl->w[at] = (float)ftrl_weight(ftrl->z[at], after, alpha, beta, l1, l2);
}

static void update_row(struct ftrl *ftrl, uint64_t key, double g)
{
    const struct ftrl_options *options = &ftrl->options;
    size_t at = sparse_table_find(&ftrl->table, key);
    if (at == SPARSE_NONE)
        return;
    struct sparse_state *state = &ftrl->table.states[at];
    struct sparse_cell *cell = &ftrl->table.cells[at];
    double after = sqrt(state->root * state->root + g * g);
    state->z += g - (after - state->root) / options->alpha * (double)cell->weight;
    state->root = after;
    cell->weight = (float)ftrl_weight(state->z, after, options->alpha, options->beta, options->l1,
                                      options->l2);
}

/* Categories: rows for those that come often enough, none for those that were gone for long. */

static void meet_key(struct ftrl *ftrl, uint64_t key, uint32_t now, uint32_t expire)
{
    size_t at = sparse_table_find(&ftrl->table, key);
    if (at == SPARSE_NONE) {
        if (admission_count(&ftrl->admission, key))
            sparse_table_add(&ftrl->table, key, now);
        return;
    }
    struct sparse_state *state = &ftrl->table.states[at];
    if (now > state->seen && now - state->seen > expire) {
        state->z = state->root = 0;
        ftrl->table.cells[at].weight = 0;
    }
    sparse_table_touch(&ftrl->table, at, now);
}

static void meet_keys(struct ftrl *ftrl, const struct ftrl_row *row)
{
    int64_t seconds = ftrl->newest / 1000000, expire = ftrl->options.expire / 1000000;
    uint32_t now = seconds < 0 ? 0 : seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
    uint32_t limit = expire > UINT32_MAX ? UINT32_MAX : (uint32_t)expire;
    for (size_t i = 0; i < row->n_keys; i++)
        meet_key(ftrl, row->keys[i], now, limit);
    sparse_table_sweep(&ftrl->table, SWEEP_PLACES, now, limit);
}

/* Renewal. When edges move, cells are carried over along one axis after the other: a weight is the
 * mean of the old ones over the rows that it takes from them, and the squared gradients that its
 * learning rate is made of are handed on in proportion. */

struct carry {
    double *w, *n;         /* weights, and squared gradients: [outer][cells][inner] */
    double *new_w, *new_n; /* scratch of the same size */
    size_t outer, cells, inner;
};

static double row_sum(const double *overlap, size_t cells, size_t new_cell)
{
    double sum = 0;
    for (size_t old = 0; old < cells; old++)
        sum += overlap[new_cell * cells + old];
    return sum;
}

static double column_sum(const double *overlap, size_t cells, size_t old)
{
    double sum = 0;
    for (size_t new_cell = 0; new_cell < cells; new_cell++)
        sum += overlap[new_cell * cells + old];
    return sum;
}

static void carry_cell(struct carry *carry, size_t new_cell, size_t old, double share_of_new,
                       double share_of_old)
{
    for (size_t o = 0; o < carry->outer; o++) {
        size_t to = (o * carry->cells + new_cell) * carry->inner;
        size_t from = (o * carry->cells + old) * carry->inner;
        for (size_t i = 0; i < carry->inner; i++) {
            carry->new_w[to + i] += carry->w[from + i] * share_of_new;
            carry->new_n[to + i] += carry->n[from + i] * share_of_old;
        }
    }
}

static void carry_axis(struct carry *carry, const double *overlap)
{
    size_t cells = carry->cells, all = carry->outer * cells * carry->inner;
    memset(carry->new_w, 0, all * sizeof(double));
    memset(carry->new_n, 0, all * sizeof(double));
    for (size_t new_cell = 0; new_cell < cells; new_cell++) {
        double whole = row_sum(overlap, cells, new_cell);
        for (size_t old = 0; whole > 0 && old < cells; old++) {
            double both = overlap[new_cell * cells + old];
            if (both > 0)
                carry_cell(carry, new_cell, old, both / whole,
                           both / column_sum(overlap, cells, old));
        }
    }
    memcpy(carry->w, carry->new_w, all * sizeof(double));
    memcpy(carry->n, carry->new_n, all * sizeof(double));
}

static struct carry carry_begin(struct ftrl *ftrl, struct ftrl_range range)
{
    struct carry carry = {.w = ftrl->carried,
                          .n = ftrl->carried + range.n,
                          .new_w = ftrl->carried + 2 * range.n,
                          .new_n = ftrl->carried + 3 * range.n};
    for (size_t i = 0; i < range.n; i++) {
        carry.w[i] = (double)ftrl->w[range.at + i];
        carry.n[i] = ftrl->root[range.at + i] * ftrl->root[range.at + i];
    }
    return carry;
}

/* z is chosen so that it means the carried weight. */
static void carry_end(struct ftrl *ftrl, struct ftrl_range range, const struct carry *carry)
{
    const struct ftrl_options *options = &ftrl->options;
    for (size_t i = 0; i < range.n; i++) {
        double w = carry->w[i], root = sqrt(carry->n[i]);
        double z = -w * ((options->beta + root) / options->alpha + options->l2);
        z += w > 0 ? -options->l1 : w < 0 ? options->l1 : 0;
        ftrl->z[range.at + i] = z;
        ftrl->root[range.at + i] = root;
        ftrl->w[range.at + i] =
            (float)ftrl_weight(z, root, options->alpha, options->beta, options->l1, options->l2);
    }
}

/* The cells of a range, laid out as [outer][cells][inner], along its middle axis. */
static void carry_range(struct ftrl *ftrl, struct ftrl_range range, size_t cells, size_t inner)
{
    struct carry carry = carry_begin(ftrl, range);
    carry.cells = cells;
    carry.inner = inner;
    carry.outer = range.n / (cells * inner);
    carry_axis(&carry, ftrl->overlap);
    carry_end(ftrl, range, &carry);
}

static void make_fine(struct ftrl *ftrl, size_t number, size_t n, float *edges)
{
    float *evidence = ftrl->evidence ? ftrl->evidence + number * ftrl->bin_cells : NULL;
    if (ftrl_is_supervised(ftrl))
        ftrl_supervised_merge(&ftrl->supervised, number, edges, evidence);
    else
        bins_make(ftrl->points, n, (size_t)ftrl->options.bins, edges);
}

static void renew_fine(struct ftrl *ftrl, size_t number, size_t n)
{
    size_t bins = (size_t)ftrl->options.bins, size = ftrl->edges_size * sizeof(float);
    float old[BINS_MAX], *edges = ftrl->edges + number * ftrl->edges_size;
    memcpy(old, edges, size);
    make_fine(ftrl, number, n, edges);
    bool same = ftrl_is_supervised(ftrl) && memcmp(old, edges, size) == 0;
    if (ftrl->bins.n == 0 || same)
        return;
    bins_overlap(ftrl->points, n, bins, old, edges, ftrl->overlap);
    struct ftrl_range range = {ftrl->bins.at + number * ftrl->bin_cells, ftrl->bin_cells};
    carry_range(ftrl, range, ftrl->bin_cells, 1);
}

static void renew_coarse(struct ftrl *ftrl, size_t coarse, size_t n)
{
    size_t bins = (size_t)ftrl->options.cross_bins, cells = bins + 1;
    float old[BINS_MAX], *edges = ftrl->coarse_edges + coarse * ftrl->coarse_edges_size;
    memcpy(old, edges, ftrl->coarse_edges_size * sizeof *old);
    bins_make(ftrl->points, n, bins, edges);
    bins_overlap(ftrl->points, n, bins, old, edges, ftrl->overlap);
    for (size_t i = 0; i < ftrl->n_crosses; i++) {
        const struct ftrl_cross *cross = &ftrl->crosses[i];
        size_t inner = cross->cells;
        for (size_t j = 0; j < cross->n_parts; j++) {
            inner /= cells;
            if (cross->part[j] == coarse)
                carry_range(ftrl, (struct ftrl_range){cross->at, cross->cells}, cells, inner);
        }
    }
}

static void renew_number(struct ftrl *ftrl, size_t number)
{
    const struct quantile *sketch = ftrl_sketch(ftrl, number);
    ftrl->next_bins[number] = 2 * sketch->n;
    size_t n = quantile_points(sketch, ftrl->points);
    standardise_logs(&ftrl->scale, number, ftrl->points, n);
    if (ftrl_is_supervised(ftrl))
        ftrl_supervised_recut(&ftrl->supervised, number, ftrl->points, n);
    renew_fine(ftrl, number, n);
    for (size_t i = 0; i < ftrl->n_coarse; i++)
        if (ftrl->coarse[i] == number)
            renew_coarse(ftrl, i, n);
}

/* What a row says of the distribution of its numbers. */
static void observe(struct ftrl *ftrl, const struct ftrl_row *row)
{
    ftrl->learnt++;
    standardise_add(&ftrl->scale, row->x);
    if (standardise_is_due(ftrl->learnt, ftrl->scaled_at)) {
        standardise_renew(&ftrl->scale);
        ftrl->scaled_at = ftrl->learnt;
    }
    for (size_t i = 0; i < ftrl->n_numbers; i++) {
        if (isnan(row->x[i]))
            continue;
        struct quantile *sketch = ftrl_sketch(ftrl, i);
        quantile_add(sketch, row->x[i]);
        if (sketch->n >= ftrl->next_bins[i])
            renew_number(ftrl, i);
    }
}

/* What it says of the labels that go with them. */
static void observe_label(struct ftrl *ftrl, const struct ftrl_row *row,
                          const struct example *example)
{
    struct ftrl_supervised *supervised = &ftrl->supervised;
    ftrl_supervised_count(supervised, row->x, example->label, example->weight);
    for (size_t i = 0; i < ftrl->n_numbers; i++)
        if (ftrl_supervised_is_due(supervised, i))
            renew_fine(ftrl, i, quantile_points(ftrl_sketch(ftrl, i), ftrl->points));
}

void ftrl_put_offset(struct ftrl *ftrl)
{
    if (ftrl->balance.how != BALANCE_NONE)
        ftrl->w[FTRL_OFFSET] = (float)log(balance_weight(&ftrl->balance, BALANCE_PRIOR));
}

/* What the example counts for, beside its own weight. */
static double class_weight(struct ftrl *ftrl, const struct example *example)
{
    double positive = balance_weight(&ftrl->balance, BALANCE_PRIOR);
    balance_count(&ftrl->balance, example->label, example->weight);
    ftrl_put_offset(ftrl);
    return example->label >= 0.5f ? positive : 1;
}

static void learn_one(struct ftrl *ftrl, const struct example *example)
{
    struct ftrl_row *row = ftrl->row;
    if (example->time > ftrl->newest)
        ftrl->newest = example->time;
    ftrl_look(ftrl, &example->vector, row);
    meet_keys(ftrl, row);
    double p = logistic(ftrl_logit(ftrl, row));
    double gradient = (p - (double)example->label) * (double)example->weight;
    if (ftrl->balance.how != BALANCE_NONE)
        gradient *= class_weight(ftrl, example);
    update_one(ftrl, 0, gradient, 0, 0);
    update_range(ftrl, ftrl->linear, row->linear, gradient);
    update_range(ftrl, ftrl->log, row->log, gradient);
    update_range(ftrl, ftrl->woe, row->woe, gradient);
    for (size_t i = 0; i < row->n_cells; i++)
        update_one(ftrl, row->cells[i], gradient, ftrl->options.l1, ftrl->options.l2);
    for (size_t i = 0; i < row->n_keys; i++)
        update_row(ftrl, row->keys[i], gradient * (double)row->values[i]);
    if (ftrl_is_supervised(ftrl))
        observe_label(ftrl, row, example);
    observe(ftrl, row);
}

void ftrl_learn(struct model *model, const struct example *rows, size_t n)
{
    struct ftrl *ftrl = (struct ftrl *)(void *)model;
    for (size_t i = 0; i < n; i++)
        learn_one(ftrl, &rows[i]);
}
