#include "models/ftrl_tensors.h"

#include <stdio.h>

static size_t list_range(const struct ftrl *ftrl, struct ftrl_range range, size_t length,
                         const char *const names[3], bool of_bins, struct ftrl_part *ret)
{
    ret[0] = (struct ftrl_part){names[0], length, ftrl->w + range.at, TENSOR_F32, of_bins, 0};
    ret[1] = (struct ftrl_part){names[1], length, ftrl->z + range.at, TENSOR_F64, of_bins, 0};
    ret[2] = (struct ftrl_part){names[2], length, ftrl->root + range.at, TENSOR_F64, of_bins, 0};
    return 3;
}

/* Of supervised bins. */
static size_t list_supervised(const struct ftrl *ftrl, struct ftrl_part *ret)
{
    static const char *const woe[] = {"woe.w", "woe.z", "woe.root"};
    const struct ftrl_supervised *s = &ftrl->supervised;
    size_t cell = sizeof *s->counts / sizeof(double), n = 0;
    ret[n++] =
        (struct ftrl_part){"prebins.edges", FTRL_PREBINS, s->edges, TENSOR_F32, true, FTRL_PREBINS};
    ret[n++] = (struct ftrl_part){
        "prebins.counts", FTRL_PREBIN_CELLS * cell, s->counts, TENSOR_F64, true, 0};
    ret[n++] = (struct ftrl_part){"prebins.counted", 1, s->counted, TENSOR_U64, true, 0};
    ret[n++] = (struct ftrl_part){"prebins.merge_at", 1, s->merge_at, TENSOR_U64, true, 0};
    if (!ftrl->evidence)
        return n;
    ret[n++] =
        (struct ftrl_part){"bins.evidence", ftrl->bin_cells, ftrl->evidence, TENSOR_F32, true, 0};
    return n + list_range(ftrl, ftrl->woe, 1, woe, true, ret + n);
}

size_t ftrl_list_parts(const struct ftrl *ftrl, struct ftrl_part *ret)
{
    static const char *const linear[] = {"linear.w", "linear.z", "linear.root"};
    static const char *const logs[] = {"log.w", "log.z", "log.root"};
    static const char *const bins[] = {"bins.w", "bins.z", "bins.root"};
    const struct standardise *s = &ftrl->scale;
    const struct ftrl_part others[] = {
        {"bins.edges", ftrl->edges_size, ftrl->edges, TENSOR_F32, true, (size_t)ftrl->options.bins},
        {"bins.next", 1, ftrl->next_bins, TENSOR_U64, true, 0},
        {"scale.mean", 1, s->mean, TENSOR_F32, false, 0},
        {"scale.inverse_sd", 1, s->inverse_sd, TENSOR_F32, false, 0},
        {"scale.pivot", 1, s->pivot, TENSOR_F32, false, 0},
        {"scale.log_mean", 1, s->log_mean, TENSOR_F32, false, 0},
        {"scale.log_inverse_sd", 1, s->log_inverse_sd, TENSOR_F32, false, 0},
        {"scale.count", 1, s->count, TENSOR_F64, false, 0},
        {"scale.welford_mean", 1, s->welford_mean, TENSOR_F64, false, 0},
        {"scale.welford_m2", 1, s->welford_m2, TENSOR_F64, false, 0},
        {"sketch", ftrl->sketch_size, ftrl->sketches, TENSOR_U8, false, 0},
    };
    size_t n = list_range(ftrl, ftrl->linear, 1, linear, false, ret);
    n += list_range(ftrl, ftrl->log, 1, logs, false, ret + n);
    if (ftrl->bins.n > 0)
        n += list_range(ftrl, ftrl->bins, ftrl->bin_cells, bins, true, ret + n);
    if (ftrl_is_supervised(ftrl))
        n += list_supervised(ftrl, ret + n);
    memcpy(ret + n, others, sizeof others);
    return n + sizeof others / sizeof others[0];
}

/* Crosses: three tensors each, and the coarse edges of each number that they take. */

static struct ftrl_item cross_item(const struct ftrl *ftrl, size_t i, size_t which)
{
    static const char *const suffix[] = {"w", "z", "root"};
    const struct ftrl_cross *cross = &ftrl->crosses[i];
    struct ftrl_item item = {.type = which == 0 ? TENSOR_F32 : TENSOR_F64, .n = cross->cells};
    item.data = which == 0   ? (void *)(ftrl->w + cross->at)
                : which == 1 ? (void *)(ftrl->z + cross->at)
                             : (void *)(ftrl->root + cross->at);
    snprintf(item.name, sizeof item.name, "cross.%s.%s", cross->name, suffix[which]);
    return item;
}

struct ftrl_item ftrl_coarse_item(const struct ftrl *ftrl, size_t i)
{
    struct ftrl_item item = {
        .type = TENSOR_F32, .n = ftrl->coarse_edges_size, .bins = (size_t)ftrl->options.cross_bins};
    item.data = ftrl->coarse_edges + i * ftrl->coarse_edges_size;
    snprintf(item.name, sizeof item.name, "coarse.%s.edges", ftrl->number_names[ftrl->coarse[i]]);
    return item;
}

bool ftrl_item_at(const struct ftrl *ftrl, size_t i, struct ftrl_item *ret)
{
    if (i < ftrl->n_coarse)
        *ret = ftrl_coarse_item(ftrl, i);
    else if (i < ftrl->n_coarse + 3 * ftrl->n_crosses)
        *ret = cross_item(ftrl, (i - ftrl->n_coarse) / 3, (i - ftrl->n_coarse) % 3);
    else
        return false;
    return true;
}
