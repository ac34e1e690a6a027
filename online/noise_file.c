/* The noise filter as tensors: its forest as "noise.forest.*", the line and the window that makes
 * the next one, what is kept column by column, and what may be recalled. And as text for people. */
#include <stdlib.h>

#include "base/number.h"
#include "models/half_space_file.h"
#include "online/noise_internal.h"
#include "online/readable.h"

enum { N_OF = 4 + HALF_SPACE_COUNTERS, N_LINE = 2 };

static const char forest_prefix[] = "noise.forest.";

static const struct vector *vector_at(const void *noise, size_t i)
{
    return &noise_at(noise, i)->kept.vector;
}

static void save_rows(const struct noise *noise, struct tensors *ret)
{
    size_t n = noise->n;
    uint64_t *item = calloc(2 * n + 1, sizeof *item);
    float *weight = calloc(3 * n + 1, sizeof *weight);
    uint32_t *column = calloc(n + 1, sizeof *column);
    if (!item || !weight || !column)
        abort();
    int64_t *time = (int64_t *)(void *)(item + n);
    float *score = weight + n, *line = score + n;
    for (size_t i = 0; i < n; i++) {
        const struct noise_row *row = noise_at(noise, i);
        item[i] = row->item;
        time[i] = row->time;
        weight[i] = row->weight;
        score[i] = row->score;
        line[i] = row->line;
        column[i] = row->column;
    }
    kept_vectors_save(ret, "noise", vector_at, noise, n, noise->options.schema->n_dense);
    tensors_put(ret, "noise.item", TENSOR_U64, &n, 1, item);
    tensors_put(ret, "noise.time", TENSOR_I64, &n, 1, time);
    tensors_put(ret, "noise.weight", TENSOR_F32, &n, 1, weight);
    tensors_put(ret, "noise.score", TENSOR_F32, &n, 1, score);
    tensors_put(ret, "noise.line", TENSOR_F32, &n, 1, line);
    tensors_put(ret, "noise.column", TENSOR_U32, &n, 1, column);
    free(item);
    free(weight);
    free(column);
}

static void save_names(const struct noise *noise, struct tensors *ret)
{
    const struct vector_schema *schema = noise->options.schema;
    struct buf names = {0};
    for (size_t i = 0; i < schema->n_dense; i++)
        buf_printf(&names, "%s\n", schema->dense[i]);
    buf_byte(&names, 0);
    tensors_put_text(ret, "noise.columns", names.data);
    buf_done(&names);
}

/* share 0: what is kept has been given back, and there is nothing else. */
void noise_save(const struct noise *noise, struct tensors *ret)
{
    const struct noise_window *window = &noise->window;
    uint64_t of[N_OF] = {noise->options.schema->id, noise->fresh_from, window->seen, window->n};
    double line[N_LINE] = {noise->options.share, (double)noise->line};
    if (!noise->forest)
        return;
    half_space_save(noise->forest, forest_prefix, ret, of + 4);
    tensors_put(ret, "noise.of", TENSOR_U64, (size_t[]){N_OF}, 1, of);
    tensors_put(ret, "noise.lines", TENSOR_F64, (size_t[]){N_LINE}, 1, line);
    tensors_put(ret, "noise.window", TENSOR_F32, (size_t[]){NOISE_LINE_ROWS}, 1, window->highest);
    tensors_put(ret, "noise.items", TENSOR_U64, &noise->n_items, 1, noise->items); /* NULL: 0 */
    save_names(noise, ret);
    save_rows(noise, ret);
}

/* What a file holds of what was set aside, borrowed. */
struct stored {
    struct stored_vectors vectors;
    const uint64_t *item;
    const int64_t *time;
    const float *weight, *score, *line;
    const uint32_t *column;
};

static const void *data_of(const struct tensors *tensors, const char *name, enum tensor_type type,
                           size_t n)
{
    const struct tensor *tensor = tensors_get_as(tensors, name, type, n);
    return tensor ? tensor->data : NULL;
}

static bool find_stored(const struct tensors *tensors, size_t n_dense, struct stored *ret)
{
    const struct tensor *item = tensors_get(tensors, "noise.item");
    if (!item || item->type != TENSOR_U64)
        return false;
    size_t n = item->n;
    ret->item = item->data;
    ret->time = data_of(tensors, "noise.time", TENSOR_I64, n);
    ret->weight = data_of(tensors, "noise.weight", TENSOR_F32, n);
    ret->score = data_of(tensors, "noise.score", TENSOR_F32, n);
    ret->line = data_of(tensors, "noise.line", TENSOR_F32, n);
    ret->column = data_of(tensors, "noise.column", TENSOR_U32, n);
    return ret->time && ret->weight && ret->score && ret->line && ret->column &&
           stored_vectors_find(tensors, "noise", n_dense, &ret->vectors) && ret->vectors.n == n;
}

/* Where fewer are kept than were, the newest of them. */
static bool load_rows(struct noise *noise, const struct tensors *tensors)
{
    struct sparse entries[VECTOR_SPARSE_MAX];
    struct stored stored;
    struct vector vector;
    if (!find_stored(tensors, noise->options.schema->n_dense, &stored))
        return false;
    if (noise->options.share == 0 && noise_resize(noise, stored.vectors.n) < 0)
        abort();
    for (size_t i = 0; i < stored.vectors.n; i++) {
        if (!stored_vectors_next(&stored.vectors, entries, &vector) || !(stored.weight[i] > 0))
            return false;
        struct noise_row *row = noise_push(noise, &vector);
        row->item = stored.item[i];
        row->time = stored.time[i];
        row->weight = stored.weight[i];
        row->score = stored.score[i];
        row->line = stored.line[i];
        row->column = stored.column[i];
    }
    return true;
}

static bool load_items(struct noise *noise, const struct tensors *tensors)
{
    const struct tensor *items = tensors_get(tensors, "noise.items");
    if (!items || items->type != TENSOR_U64)
        return false;
    const uint64_t *item = items->data;
    for (size_t i = 0; noise->options.recalls && i < items->n; i++) {
        if (i > 0 && item[i] <= item[i - 1])
            return false;
        noise_add_item(noise, item[i]);
    }
    return true;
}

/* A window is as long as the share says: of another share it is begun anew. */
static bool load_line(struct noise *noise, const struct tensors *tensors, const uint64_t *of)
{
    const double *line = data_of(tensors, "noise.lines", TENSOR_F64, N_LINE);
    const float *highest = data_of(tensors, "noise.window", TENSOR_F32, NOISE_LINE_ROWS);
    if (!line || !highest || of[3] > NOISE_LINE_ROWS)
        return false;
    if (line[0] != noise->options.share)
        return true;
    noise->line = (float)line[1];
    noise->window = (struct noise_window){.seen = of[2], .n = (size_t)of[3]};
    memcpy(noise->window.highest, highest, sizeof noise->window.highest);
    return true;
}

static bool load_forest(struct noise *noise, const struct tensors *tensors, const uint64_t *of)
{
    uint32_t places[VECTOR_DENSE_MAX];
    size_t n = noise->options.schema->n_dense;
    for (size_t i = 0; i < n; i++)
        places[i] = (uint32_t)i;
    return !noise->forest ||
           half_space_load(noise->forest, forest_prefix, tensors, of + 4, places, n) == ST_OK;
}

enum status noise_load(struct noise *noise, const struct tensors *tensors)
{
    noise_clear(noise);
    const uint64_t *of = data_of(tensors, "noise.of", TENSOR_U64, N_OF);
    if (!of || of[0] != noise->options.schema->id)
        return ST_OK;
    noise->fresh_from = of[1];
    bool aside = noise->options.share > 0;
    if (load_rows(noise, tensors) &&
        (!aside || (load_items(noise, tensors) && load_line(noise, tensors, of) &&
                    load_forest(noise, tensors, of))))
        return ST_OK;
    noise_clear(noise);
    return ST_ECORRUPT;
}

/* For people. */

static size_t read_names(const char *text, struct slice *ret, size_t max)
{
    size_t n = 0;
    for (const char *end; (end = strchr(text, '\n')) != NULL && n < max; text = end + 1)
        ret[n++] = (struct slice){text, (size_t)(end - text)};
    return n;
}

struct printed {
    struct stored stored;
    struct slice names[VECTOR_DENSE_MAX];
    size_t n_dense;
};

static void print_header(const struct printed *printed, struct buf *ret)
{
    buf_text(ret, "item,time,score,line,column");
    for (size_t i = 0; i < printed->n_dense; i++) {
        buf_text(ret, ",");
        buf_append(ret, printed->names[i].data, printed->names[i].len);
    }
    buf_text(ret, "\n");
}

static void print_number(struct buf *ret, float v)
{
    buf_text(ret, ",");
    if (v == v)
        buf_float(ret, v);
}

static void print_row(const struct printed *printed, size_t i, const struct vector *vector,
                      struct buf *ret)
{
    const struct stored *stored = &printed->stored;
    buf_printf(ret, "%llu,%s", (unsigned long long)stored->item[i],
               readable_time(stored->time[i]).text);
    print_number(ret, stored->score[i]);
    print_number(ret, stored->line[i]);
    buf_text(ret, ",");
    if (stored->column[i] < printed->n_dense)
        buf_append(ret, printed->names[stored->column[i]].data,
                   printed->names[stored->column[i]].len);
    for (size_t column = 0; column < printed->n_dense; column++)
        print_number(ret, vector->dense[column]);
    buf_text(ret, "\n");
}

static enum status print_all(struct printed *printed, struct buf *ret)
{
    struct sparse entries[VECTOR_SPARSE_MAX];
    struct vector vector;
    print_header(printed, ret);
    for (size_t i = 0; i < printed->stored.vectors.n; i++) {
        if (!stored_vectors_next(&printed->stored.vectors, entries, &vector))
            return ST_ECORRUPT;
        print_row(printed, i, &vector, ret);
    }
    return ST_OK;
}

enum status noise_print(const struct tensors *tensors, struct buf *ret)
{
    const char *names = tensors_text(tensors, "noise.columns");
    struct printed *printed = calloc(1, sizeof *printed);
    if (!printed)
        return ST_ENOMEM;
    enum status st = ST_OK;
    if (names) {
        printed->n_dense = read_names(names, printed->names, VECTOR_DENSE_MAX);
        st = find_stored(tensors, printed->n_dense, &printed->stored) ? print_all(printed, ret)
                                                                      : ST_ECORRUPT;
    }
    free(printed);
    return st;
}
