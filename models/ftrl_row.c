/*
 * A row as the weights see it, and its logit. Scoring and learning both come through here.
 */
#include "models/ftrl.h"

static void look_at_numbers(const struct ftrl *ftrl, const float *dense, struct ftrl_row *row)
{
    for (size_t i = 0; i < ftrl->n_numbers; i++) {
        float v = dense[ftrl->number[i]];
        row->x[i] = v - v == 0 ? v : NAN; /* infinite is missing, too */
    }
    for (size_t i = ftrl->n_numbers; i < ftrl->width; i++)
        row->x[i] = 0;
    standardise_row(&ftrl->scale, row->x, row->linear, row->log);
}

/* The evidence of each number's bin. */
static void look_at_evidence(const struct ftrl *ftrl, struct ftrl_row *row)
{
    const float *edges = ftrl->edges, *evidence = ftrl->evidence;
    for (size_t i = 0; i < ftrl->n_numbers; i++) {
        row->woe[i] = evidence[bins_find(edges, ftrl->edges_size, row->x[i])];
        edges += ftrl->edges_size;
        evidence += ftrl->bin_cells;
    }
    for (size_t i = ftrl->n_numbers; i < ftrl->width; i++)
        row->woe[i] = 0;
    row->n_cells = 0;
}

static void look_at_bins(const struct ftrl *ftrl, struct ftrl_row *row)
{
    const float *edges = ftrl->edges;
    uint32_t at = (uint32_t)ftrl->bins.at;
    for (size_t i = 0; i < ftrl->n_numbers; i++) {
        row->cells[i] = at + bins_find(edges, ftrl->edges_size, row->x[i]);
        edges += ftrl->edges_size;
        at += (uint32_t)ftrl->bin_cells;
    }
    row->n_cells = ftrl->n_numbers;
}

static void look_at_crosses(const struct ftrl *ftrl, const uint32_t *coarse, struct ftrl_row *row)
{
    uint32_t width = (uint32_t)ftrl->options.cross_bins + 1;
    for (size_t i = 0; i < ftrl->n_crosses; i++) {
        const struct ftrl_cross *cross = &ftrl->crosses[i];
        uint32_t cell = 0;
        for (size_t j = 0; j < cross->n_parts; j++)
            cell = cell * width + coarse[cross->part[j]];
        row->cells[row->n_cells++] = (uint32_t)cross->at + cell;
    }
}

static void look_at_categories(const struct ftrl *ftrl, const struct vector *vector,
                               struct ftrl_row *row)
{
    for (size_t i = 0; i < vector->n_sparse && row->n_keys < FTRL_KEYS_MAX; i++) {
        const struct sparse *entry = &vector->sparse[i];
        uint64_t salt = ftrl->field_salt[entry->field];
        if (salt == 0)
            continue;
        row->keys[row->n_keys] = ftrl_mix(entry->hash ^ salt);
        row->values[row->n_keys++] = entry->weight;
    }
}

/* Each of the keys from `first` on, taken together with each of the field's entries. */
static void cross_with_field(const struct vector *vector, uint32_t field, size_t first,
                             struct ftrl_row *row)
{
    size_t n = row->n_keys - first, at = first + n;
    const struct sparse *own = NULL; /* the first entry's keys stay where they are, to the end */
    for (size_t i = 0; i < vector->n_sparse; i++) {
        const struct sparse *entry = &vector->sparse[i];
        if (entry->field != field)
            continue;
        if (!own) {
            own = entry;
            continue;
        }
        for (size_t j = first; j < first + n && at < FTRL_KEYS_MAX; j++, at++) {
            row->keys[at] = ftrl_mix(row->keys[j] ^ entry->hash);
            row->values[at] = row->values[j] * entry->weight;
        }
    }
    for (size_t j = first; own && j < first + n; j++) {
        row->keys[j] = ftrl_mix(row->keys[j] ^ own->hash);
        row->values[j] *= own->weight;
    }
    row->n_keys = own ? at : first;
}

static void look_at_key_cross(const struct vector *vector, const struct ftrl_cross *cross,
                              const uint32_t *coarse, struct ftrl_row *row)
{
    size_t first = row->n_keys;
    if (first == FTRL_KEYS_MAX)
        return;
    row->keys[first] = cross->salt;
    row->values[first] = 1;
    row->n_keys++;
    for (size_t i = 0; i < cross->n_parts && row->n_keys > first; i++) {
        if (cross->is_field[i]) {
            cross_with_field(vector, cross->part[i], first, row);
            continue;
        }
        for (size_t j = first; j < row->n_keys; j++)
            row->keys[j] = ftrl_mix(row->keys[j] ^ coarse[cross->part[i]]);
    }
}

void ftrl_look(const struct ftrl *ftrl, const struct vector *vector, struct ftrl_row *ret)
{
    uint32_t coarse[FTRL_CROSSES_MAX * FTRL_PARTS_MAX * 2];
    look_at_numbers(ftrl, vector->dense, ret);
    for (size_t i = 0; i < ftrl->n_coarse; i++)
        coarse[i] = bins_find(ftrl->coarse_edges + i * ftrl->coarse_edges_size,
                              ftrl->coarse_edges_size, ret->x[ftrl->coarse[i]]);
    ret->n_keys = 0;
    look_at_categories(ftrl, vector, ret);
    ret->cross_keys[0] = ret->n_keys;
    for (size_t i = 0; i < ftrl->n_key_crosses; i++) {
        look_at_key_cross(vector, &ftrl->key_crosses[i], coarse, ret);
        ret->cross_keys[i + 1] = ret->n_keys;
    }
    for (size_t i = 0; i < ret->n_keys; i++)
        sparse_table_prefetch(&ftrl->table, ret->keys[i]);
    if (ftrl->evidence)
        look_at_evidence(ftrl, ret);
    else
        look_at_bins(ftrl, ret);
    ret->first_cross = ret->n_cells;
    look_at_crosses(ftrl, coarse, ret);
}

/* Eight sums side by side, added up at the end in a fixed order. */
static double sum_numbers(const struct ftrl *ftrl, const struct ftrl_row *row)
{
    const float *linear = ftrl->w + ftrl->linear.at, *log = ftrl->w + ftrl->log.at;
    float lanes[8] = {0};
    for (size_t i = 0; i < ftrl->width; i += 8)
        for (size_t j = 0; j < 8; j++)
            lanes[j] += linear[i + j] * row->linear[i + j] + log[i + j] * row->log[i + j];
    double sum = 0;
    for (size_t j = 0; j < 8; j++)
        sum += (double)lanes[j];
    return sum;
}

static double sum_evidence(const struct ftrl *ftrl, const struct ftrl_row *row)
{
    const float *w = ftrl->w + ftrl->woe.at;
    double sum = 0;
    for (size_t i = 0; i < ftrl->width; i++)
        sum += (double)w[i] * (double)row->woe[i];
    return sum;
}

double ftrl_logit(const struct ftrl *ftrl, const struct ftrl_row *row)
{
    double sum = (double)ftrl->w[0] + sum_numbers(ftrl, row);
    if (ftrl->evidence)
        sum += sum_evidence(ftrl, row);
    for (size_t i = 0; i < row->n_cells; i++)
        sum += (double)ftrl->w[row->cells[i]];
    for (size_t i = 0; i < row->n_keys; i++) {
        size_t at = sparse_table_find(&ftrl->table, row->keys[i]);
        if (at != SPARSE_NONE)
            sum += (double)ftrl->table.cells[at].weight * (double)row->values[i];
    }
    return sum;
}

void ftrl_score(const struct model *model, const struct vector *rows, size_t n, float *ret)
{
    const struct ftrl *ftrl = (const struct ftrl *)(const void *)model;
    struct ftrl_row row;
    for (size_t i = 0; i < n; i++) {
        ftrl_look(ftrl, &rows[i], &row);
        ret[i] = (float)logistic(ftrl_logit(ftrl, &row) - ftrl_offset(ftrl));
    }
}
