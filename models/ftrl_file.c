/*
 * An `ftrl` as tensors: [number, ...] for what belongs to numbers, one tensor a cross, and the
 * table.
 *
 * What is stored is found by name again: the text "columns" names the numbers in order, tensors of
 * crosses and of coarse bins carry their columns' names. A model with other numbers of bins than
 * the file, or bins that are made otherwise, takes over everything but the bins.
 *
 * Format 2 has supervised bins; a file without is of format 1.
 */
#include <stdlib.h>

#include "models/ftrl_tensors.h"

enum { FORMAT = 2 };

static size_t element_size(enum tensor_type type)
{
    return type == TENSOR_U8 ? 1 : type == TENSOR_F32 || type == TENSOR_U32 ? 4 : 8;
}

/* Saving. */

static const char *binning_name(const struct ftrl *ftrl)
{
    return ftrl->options.binning == FTRL_WOE ? "woe" : "supervised";
}

static void save_columns(const struct ftrl *ftrl, struct tensors *ret)
{
    struct buf names = {0};
    for (size_t i = 0; i < ftrl->n_numbers; i++)
        buf_printf(&names, "%s%s", i > 0 ? "\n" : "", ftrl->number_names[i]);
    buf_byte(&names, 0);
    tensors_put_text(ret, "kind", ftrl_ops.name);
    tensors_put_text(ret, "columns", names.data);
    if (ftrl_is_supervised(ftrl))
        tensors_put_text(ret, "binning", binning_name(ftrl));
    buf_done(&names);
}

static void save_counters(const struct ftrl *ftrl, struct tensors *ret)
{
    uint64_t format = ftrl_is_supervised(ftrl) ? FORMAT : 1;
    uint64_t shape[] = {format, (uint64_t)ftrl->options.bins, (uint64_t)ftrl->options.cross_bins};
    uint64_t counters[] = {ftrl->learnt, ftrl->scaled_at, (uint64_t)ftrl->newest};
    double bias[] = {(double)ftrl->w[0], ftrl->z[0], ftrl->root[0]};
    tensors_put(ret, "shape", TENSOR_U64, (size_t[]){3}, 1, shape);
    tensors_put(ret, "counters", TENSOR_U64, (size_t[]){3}, 1, counters);
    tensors_put(ret, "bias", TENSOR_F64, (size_t[]){3}, 1, bias);
    if (ftrl->balance.how != BALANCE_NONE)
        tensors_put(ret, "classes", TENSOR_F64, (size_t[]){2}, 1, ftrl->balance.counts);
}

enum status ftrl_save(const struct model *model, struct tensors *ret)
{
    const struct ftrl *ftrl = (const struct ftrl *)(const void *)model;
    struct ftrl_part parts[FTRL_PARTS_FILE_MAX];
    struct ftrl_item item;
    save_columns(ftrl, ret);
    save_counters(ftrl, ret);
    size_t n = ftrl_list_parts(ftrl, parts);
    for (size_t i = 0; i < n; i++)
        tensors_put(ret, parts[i].name, parts[i].type, (size_t[]){ftrl->n_numbers, parts[i].length},
                    2, parts[i].data);
    for (size_t i = 0; ftrl_item_at(ftrl, i, &item); i++)
        tensors_put(ret, item.name, item.type, &item.n, 1, item.data);
    sparse_table_save(&ftrl->table, ret);
    admission_save(&ftrl->admission, ret);
    return ST_OK;
}

/* Loading: first all is checked, then taken over. */

struct file {
    const struct tensors *tensors;
    const uint64_t *shape, *counters;
    const double *bias, *classes; /* classes: NULL where none were counted */
    size_t n_numbers;
    size_t *row_of; /* of each number of the model: its row in the file, or SPARSE_NONE */
    bool same_bins, same_cross_bins;
};

static size_t row_of_name(const char *columns, const char *name)
{
    size_t row = 0, length = strlen(name);
    for (const char *at = columns; at; row++) {
        const char *end = strchr(at, '\n');
        size_t n = end ? (size_t)(end - at) : strlen(at);
        if (n == length && memcmp(at, name, n) == 0)
            return row;
        at = end ? end + 1 : NULL;
    }
    return SPARSE_NONE;
}

static size_t count_names(const char *columns)
{
    size_t n = *columns != 0;
    for (; *columns; columns++)
        n += *columns == '\n';
    return n;
}

static const void *data_of(const struct file *file, const char *name, enum tensor_type type,
                           size_t n)
{
    const struct tensor *tensor = tensors_get_as(file->tensors, name, type, n);
    return tensor ? tensor->data : NULL;
}

static bool is_same_binning(const struct ftrl *ftrl, const char *binning)
{
    return ftrl_is_supervised(ftrl) ? binning && strcmp(binning, binning_name(ftrl)) == 0
                                    : !binning;
}

static bool open_file(const struct ftrl *ftrl, const struct tensors *tensors, struct file *file)
{
    const char *kind = tensors_text(tensors, "kind"), *columns = tensors_text(tensors, "columns");
    file->tensors = tensors;
    file->shape = data_of(file, "shape", TENSOR_U64, 3);
    file->counters = data_of(file, "counters", TENSOR_U64, 3);
    file->bias = data_of(file, "bias", TENSOR_F64, 3);
    file->classes = data_of(file, "classes", TENSOR_F64, 2);
    if (!kind || strcmp(kind, ftrl_ops.name) != 0 || !columns || !file->shape || !file->counters ||
        !file->bias || file->shape[0] < 1 || file->shape[0] > FORMAT)
        return false;
    file->n_numbers = count_names(columns);
    file->same_bins = file->shape[1] == (uint64_t)ftrl->options.bins &&
                      is_same_binning(ftrl, tensors_text(tensors, "binning"));
    file->same_cross_bins = file->shape[2] == (uint64_t)ftrl->options.cross_bins;
    for (size_t i = 0; i < ftrl->n_numbers; i++)
        file->row_of[i] = row_of_name(columns, ftrl->number_names[i]);
    return true;
}

static bool has_nan(const void *data, enum tensor_type type, size_t n)
{
    const float *f = data;
    const double *d = data;
    bool found = false;
    for (size_t i = 0; i < n && (type == TENSOR_F32 || type == TENSOR_F64); i++)
        found |= type == TENSOR_F32 ? isnan(f[i]) : isnan(d[i]);
    return found;
}

static bool are_sketches(const char *data, size_t n, size_t size)
{
    for (size_t i = 0; i < n; i++)
        if (!quantile_is_sound((const struct quantile *)(const void *)(data + i * size),
                               FTRL_SKETCH_K))
            return false;
    return true;
}

/* Rising, and not more than there may be: what is looked up in them is an index. */
static bool are_edges(const float *edges, size_t rows, size_t length, size_t bins)
{
    bool sound = true;
    for (size_t i = 0; i < rows; i++, edges += length) {
        for (size_t j = 1; j < length; j++)
            sound &= edges[j - 1] < edges[j] || isinf(edges[j]);
        for (size_t j = bins - 1; j < length; j++)
            sound &= edges[j] == INFINITY;
    }
    return sound;
}

static bool check_part(const struct ftrl *ftrl, const struct file *file,
                       const struct ftrl_part *part)
{
    if (part->of_bins && !file->same_bins)
        return true;
    size_t n = file->n_numbers * part->length;
    const void *data = data_of(file, part->name, part->type, n);
    if (!data || has_nan(data, part->type, n) ||
        (part->bins > 0 && !are_edges(data, file->n_numbers, part->length, part->bins)))
        return false;
    return part->type != TENSOR_U8 || are_sketches(data, file->n_numbers, ftrl->sketch_size);
}

/* A cross that the file lacks begins at 0; one of another size is corrupt. */
static bool check_item(const struct file *file, const struct ftrl_item *item)
{
    const struct tensor *tensor = tensors_get(file->tensors, item->name);
    return !tensor || !file->same_cross_bins ||
           (tensor->type == item->type && tensor->n == item->n &&
            !has_nan(tensor->data, tensor->type, tensor->n) &&
            (item->bins == 0 || are_edges(tensor->data, 1, item->n, item->bins)));
}

/* The weights of two classes, if they are there. */
static bool are_weights(const double *classes)
{
    return !classes || (classes[0] >= 0 && classes[1] >= 0 && classes[0] + classes[1] < 1e300);
}

static bool check(const struct ftrl *ftrl, const struct file *file, const struct ftrl_part *parts,
                  size_t n_parts)
{
    struct ftrl_item item;
    bool sound = !has_nan(file->bias, TENSOR_F64, 3) && are_weights(file->classes);
    for (size_t i = 0; sound && i < n_parts; i++)
        sound = check_part(ftrl, file, &parts[i]);
    for (size_t i = 0; sound && ftrl_item_at(ftrl, i, &item); i++)
        sound = check_item(file, &item);
    return sound;
}

static void take_part(const struct ftrl *ftrl, const struct file *file,
                      const struct ftrl_part *part)
{
    if (part->of_bins && !file->same_bins)
        return;
    size_t size = part->length * element_size(part->type);
    const char *from = data_of(file, part->name, part->type, file->n_numbers * part->length);
    for (size_t i = 0; i < ftrl->n_numbers; i++)
        if (file->row_of[i] != SPARSE_NONE)
            memcpy((char *)part->data + i * size, from + file->row_of[i] * size, size);
}

/* Numbers whose bins could not be taken over get new ones at the next row. */
static void renew_missing(struct ftrl *ftrl, const struct file *file)
{
    struct ftrl_item item;
    for (size_t i = 0; i < ftrl->n_numbers; i++)
        if (file->row_of[i] != SPARSE_NONE && !file->same_bins)
            ftrl->next_bins[i] = ftrl_sketch(ftrl, i)->n + 1;
    for (size_t i = 0; i < ftrl->n_coarse; i++) {
        item = ftrl_coarse_item(ftrl, i);
        size_t number = ftrl->coarse[i];
        if (file->row_of[number] != SPARSE_NONE &&
            (!file->same_cross_bins || !tensors_get(file->tensors, item.name)))
            ftrl->next_bins[number] = ftrl_sketch(ftrl, number)->n + 1;
    }
}

static void take_all(struct ftrl *ftrl, const struct file *file, const struct ftrl_part *parts,
                     size_t n_parts)
{
    struct ftrl_item item;
    ftrl_clear(ftrl);
    for (size_t i = 0; i < n_parts; i++)
        take_part(ftrl, file, &parts[i]);
    for (size_t i = 0; file->same_cross_bins && ftrl_item_at(ftrl, i, &item); i++) {
        const struct tensor *tensor = tensors_get(file->tensors, item.name);
        if (tensor)
            memcpy(item.data, tensor->data, item.n * element_size(item.type));
    }
    ftrl->w[0] = (float)file->bias[0];
    ftrl->z[0] = file->bias[1];
    ftrl->root[0] = file->bias[2];
    ftrl->learnt = file->counters[0];
    ftrl->scaled_at = file->counters[1];
    ftrl->newest = (int64_t)file->counters[2];
    if (file->classes)
        memcpy(ftrl->balance.counts, file->classes, sizeof ftrl->balance.counts);
    ftrl_put_offset(ftrl);
    renew_missing(ftrl, file);
}

/* A file of ours that a newer freshet wrote. */
static bool is_newer(const struct tensors *tensors)
{
    const char *kind = tensors_text(tensors, "kind");
    const struct tensor *shape = tensors_get(tensors, "shape");
    return kind && strcmp(kind, ftrl_ops.name) == 0 && shape && shape->type == TENSOR_U64 &&
           shape->n > 0 && *(const uint64_t *)shape->data > FORMAT;
}

enum status ftrl_load(struct model *model, const struct tensors *tensors)
{
    struct ftrl *ftrl = (struct ftrl *)(void *)model;
    if (is_newer(tensors))
        return ST_EVERSION;
    struct ftrl_part parts[FTRL_PARTS_FILE_MAX];
    size_t n = ftrl_list_parts(ftrl, parts);
    struct file file = {.row_of = calloc(ftrl->n_numbers + 1, sizeof *file.row_of)};
    if (!file.row_of)
        return ST_ENOMEM;
    bool sound = open_file(ftrl, tensors, &file) && check(ftrl, &file, parts, n);
    if (sound)
        take_all(ftrl, &file, parts, n);
    free(file.row_of);
    if (!sound)
        return ST_ECORRUPT;
    admission_load(&ftrl->admission, tensors);
    return sparse_table_load(&ftrl->table, tensors);
}
