/* What a vector model is asked about: its columns as one FP32 matrix, or one by one by name. */
#include <math.h>
#include <stdio.h>

#include "online/endpoint/call.h"
#include "online/endpoint/worker.h"

static bool take_rows(struct call *call, const struct infer_tensor *tensor, size_t n)
{
    if (call->n_rows == 0)
        call->n_rows = n;
    if (n == 0 || n != call->n_rows)
        return call_refuse(call, REFUSED_INVALID,
                           "input %.*s has %zu rows; expected %zu, as many in each input",
                           (int)(tensor->name.len < 60 ? tensor->name.len : 60), tensor->name.data,
                           n, call->n_rows ? call->n_rows : 1);
    if (n > call->worker->options->rows_max)
        return call_refuse(call, REFUSED_TOO_LARGE, "%zu rows; at most %zu are scored at once", n,
                           call->worker->options->rows_max);
    return true;
}

static bool is_float32(struct call *call, const struct infer_tensor *tensor)
{
    int len = (int)(tensor->name.len < 60 ? tensor->name.len : 60);
    if (tensor->type != INFER_FP32)
        return call_refuse(call, REFUSED_INVALID, "input %.*s is of type %s; expected FP32", len,
                           tensor->name.data, infer_type_names[tensor->type]);
    if (tensor->data.len != tensor->n * sizeof(float))
        return call_refuse(call, REFUSED_INVALID,
                           "input %.*s has %zu bytes of data; its shape needs %zu", len,
                           tensor->name.data, tensor->data.len, tensor->n * sizeof(float));
    return true;
}

static const float *read_matrix(struct call *call, const struct infer_tensor *tensor,
                                size_t columns)
{
    if (tensor->n_dims != 2 || tensor->shape[1] != (int64_t)columns) {
        call_refuse(call, REFUSED_INVALID, "input vector has another shape; expected [rows, %zu]",
                    columns);
        return NULL;
    }
    if (!is_float32(call, tensor) || !take_rows(call, tensor, (size_t)tensor->shape[0]))
        return NULL;
    float *dense = arena_take(&call->arena, tensor->data.len + 1);
    memcpy(dense, tensor->data.data, tensor->data.len);
    return dense;
}

static size_t find_column(const struct vector_schema *columns, struct slice name)
{
    size_t i = 0;
    while (i < columns->n_dense && !slice_eq(slice_of(columns->dense[i]), name))
        i++;
    return i;
}

static bool read_column(struct call *call, const struct infer_tensor *tensor, float *dense,
                        bool *seen)
{
    const struct vector_schema *columns = call->served->columns;
    size_t column = find_column(columns, tensor->name);
    int len = (int)(tensor->name.len < 60 ? tensor->name.len : 60);
    if (column == columns->n_dense)
        return call_refuse(call, REFUSED_INVALID,
                           "there is no input \"%.*s\"; expected \"vector\" or columns by name",
                           len, tensor->name.data);
    if (seen[column])
        return call_refuse(call, REFUSED_INVALID, "input %.*s occurs twice", len,
                           tensor->name.data);
    if (!is_float32(call, tensor))
        return false;
    seen[column] = true;
    for (size_t row = 0; row < call->n_rows; row++)
        memcpy(&dense[row * columns->n_dense + column], tensor->data.data + row * sizeof(float),
               sizeof(float));
    return true;
}

/* Columns that are not brought are unknown. */
static const float *read_columns(struct call *call, size_t columns)
{
    for (size_t i = 0; i < call->n_inputs; i++)
        if (!take_rows(call, &call->inputs[i], call->inputs[i].n))
            return NULL;
    if (columns > 0 && call->n_rows > (SIZE_MAX / 2) / (columns * sizeof(float)))
        return NULL;
    float *dense = arena_take(&call->arena, call->n_rows * columns * sizeof *dense + 1);
    bool *seen = arena_take(&call->arena, columns + 1);
    memset(seen, 0, columns + 1);
    for (size_t i = 0; i < call->n_rows * columns; i++)
        dense[i] = NAN;
    for (size_t i = 0; i < call->n_inputs; i++)
        if (!read_column(call, &call->inputs[i], dense, seen))
            return NULL;
    return dense;
}

bool call_read_vectors(struct call *call, struct vector **ret)
{
    size_t columns = call->served->columns->n_dense;
    if (call->n_inputs == 0)
        return call_refuse(call, REFUSED_INVALID, "no inputs; expected \"vector\"");
    bool whole = call->n_inputs == 1 && slice_eq(call->inputs[0].name, slice_of("vector"));
    const float *dense =
        whole ? read_matrix(call, &call->inputs[0], columns) : read_columns(call, columns);
    if (!dense)
        return false;
    struct vector *vectors = arena_take(&call->arena, call->n_rows * sizeof *vectors);
    for (size_t i = 0; i < call->n_rows; i++)
        vectors[i] = (struct vector){.dense = dense + i * columns};
    *ret = vectors;
    return true;
}
