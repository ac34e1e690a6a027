/* An `hstrees` as tensors: its trees (half_space_file.h), and of which columns they are. A file of
 * other trees (`trees`, `depth` or `window` were changed) is taken for none: the model begins anew.
 */
#include "models/half_space_file.h"
#include "models/hstrees.h"

enum { FORMAT = 1, COUNTERS = 2 + HALF_SPACE_COUNTERS };

enum status hstrees_save(const struct model *model, struct tensors *ret)
{
    const struct hstrees *hstrees = hstrees_of(model);
    uint64_t counters[COUNTERS] = {FORMAT, hstrees->learnt};
    struct buf names = {0};
    chosen_write_names(&hstrees->chosen, &names);
    half_space_save(hstrees->trees, "", ret, counters + 2);
    tensors_put_text(ret, "kind", hstrees_ops.name);
    tensors_put_text(ret, "columns", names.data);
    tensors_put(ret, "counters", TENSOR_U64, (size_t[]){COUNTERS}, 1, counters);
    buf_done(&names);
    return ST_OK;
}

static enum status read_trees(struct hstrees *hstrees, const struct tensors *tensors,
                              const uint64_t *counters)
{
    const char *names = tensors_text(tensors, "columns");
    uint32_t places[VECTOR_DENSE_MAX];
    if (!names)
        return ST_ECORRUPT;
    size_t n = chosen_bind_names(&hstrees->chosen, names, VECTOR_DENSE_MAX, places);
    if (n == SIZE_MAX)
        return ST_ECORRUPT;
    return half_space_load(hstrees->trees, "", tensors, counters, places, n);
}

enum status hstrees_load(struct model *model, const struct tensors *tensors)
{
    struct hstrees *hstrees = hstrees_of(model);
    const char *kind = tensors_text(tensors, "kind");
    const struct tensor *counters = tensors_get(tensors, "counters");
    if (!kind || strcmp(kind, hstrees_ops.name) != 0 || !counters || counters->type != TENSOR_U64 ||
        counters->n < 1)
        return ST_ECORRUPT;
    const uint64_t *values = counters->data;
    if (values[0] > FORMAT)
        return ST_EVERSION;
    if (counters->n != COUNTERS)
        return ST_ECORRUPT;
    TRY(read_trees(hstrees, tensors, values + 2));
    hstrees->learnt = values[1];
    hstrees->published_from = NULL;
    hstrees->lives++;
    return ST_OK;
}
