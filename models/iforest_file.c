/* An `iforest` as tensors: its trees, node by node. A leaf's threshold is its value; the values of
 * a row's leaves add up to log2 of its score. */
#include <math.h>
#include <stdlib.h>

#include "models/iforest.h"

enum { FORMAT = 1 };

static void put_nodes(const struct forest *forest, struct tensors *ret)
{
    size_t n = forest ? forest->n_nodes : 0, trees = forest ? forest->n_trees : 0;
    float *thresholds = calloc(n + 1, sizeof *thresholds);
    uint32_t *features = calloc(2 * n + 1, sizeof *features), *left = features + n;
    if (!thresholds || !features)
        abort();
    for (size_t i = 0; i < n; i++) {
        thresholds[i] = forest->nodes[i].threshold;
        features[i] = forest->nodes[i].feature;
        left[i] = forest->nodes[i].left;
    }
    tensors_put(ret, "roots", TENSOR_U32, &trees, 1, forest ? forest->roots : features);
    tensors_put(ret, "thresholds", TENSOR_F32, &n, 1, thresholds);
    tensors_put(ret, "features", TENSOR_U32, &n, 1, features);
    tensors_put(ret, "left", TENSOR_U32, &n, 1, left);
    free(thresholds);
    free(features);
}

enum status iforest_save(const struct model *model, struct tensors *ret)
{
    const struct iforest *iforest = iforest_of(model);
    uint64_t counters[] = {FORMAT, iforest->learnt};
    struct buf names = {0};
    chosen_write_names(&iforest->chosen, &names);
    tensors_put_text(ret, "kind", iforest_ops.name);
    tensors_put_text(ret, "columns", names.data);
    tensors_put(ret, "counters", TENSOR_U64, (size_t[]){2}, 1, counters);
    put_nodes(iforest->forest, ret);
    buf_done(&names);
    return ST_OK;
}

/* What a file holds of the trees, borrowed. */
struct stored {
    size_t n, trees, n_columns;
    const uint32_t *roots, *features, *left;
    const float *thresholds;
    uint32_t places[VECTOR_DENSE_MAX + 1]; /* of its columns, among ours; behind them, of none */
};

static const void *data_of(const struct tensors *tensors, const char *name, enum tensor_type type,
                           size_t n)
{
    const struct tensor *tensor = tensors_get_as(tensors, name, type, n);
    return tensor ? tensor->data : NULL;
}

static bool find_stored(const struct tensors *tensors, struct stored *ret)
{
    const struct tensor *roots = tensors_get(tensors, "roots");
    const struct tensor *features = tensors_get(tensors, "features");
    if (!roots || roots->type != TENSOR_U32 || !features || features->n > UINT32_MAX)
        return false;
    ret->trees = roots->n;
    ret->roots = roots->data;
    ret->n = features->n;
    ret->features = data_of(tensors, "features", TENSOR_U32, ret->n);
    ret->left = data_of(tensors, "left", TENSOR_U32, ret->n);
    ret->thresholds = data_of(tensors, "thresholds", TENSOR_F32, ret->n);
    return ret->features && ret->left && ret->thresholds && ret->trees <= ISOLATION_TREES_MAX;
}

/* A way down always ends: both children of a node come behind it. */
static bool is_sound_node(const struct stored *stored, size_t i)
{
    float threshold = stored->thresholds[i];
    if (stored->left[i] == 0)
        return threshold <= 0 && threshold >= -1e6f;
    return !isnan(threshold) && stored->left[i] > i && stored->left[i] < stored->n - 1 &&
           stored->features[i] >> 1 <= stored->n_columns;
}

static bool is_sound(const struct stored *stored)
{
    for (size_t i = 0; i < stored->trees; i++)
        if (stored->roots[i] >= stored->n)
            return false;
    for (size_t i = 0; i < stored->n; i++)
        if (!is_sound_node(stored, i))
            return false;
    return true;
}

/* A column that the model lacks is always missing: look() puts that behind those it has. */
static struct forest_node node_of(const struct stored *stored, size_t i)
{
    uint32_t feature = stored->features[i], left = stored->left[i];
    uint32_t place = left ? stored->places[feature >> 1] : 0;
    return (struct forest_node){
        .threshold = stored->thresholds[i], .feature = place << 1 | (feature & 1), .left = left};
}

static enum status make_forest(const struct stored *stored, size_t n_columns, struct forest **ret)
{
    struct forest *forest = calloc(1, sizeof *forest);
    if (!forest)
        return ST_ENOMEM;
    forest->holders = 1;
    forest->n_features = n_columns;
    forest->n_trees = stored->trees;
    forest->n_nodes = stored->n;
    forest->roots = calloc(stored->trees + 1, sizeof *forest->roots);
    forest->nodes = calloc(stored->n + 1, sizeof *forest->nodes);
    if (!forest->roots || !forest->nodes) {
        forest_release(forest);
        return ST_ENOMEM;
    }
    memcpy(forest->roots, stored->roots, stored->trees * sizeof *forest->roots);
    for (size_t i = 0; i < stored->n; i++)
        forest->nodes[i] = node_of(stored, i);
    *ret = forest;
    return ST_OK;
}

static enum status read_forest(const struct tensors *tensors, const struct chosen *chosen,
                               struct forest **ret)
{
    struct stored stored;
    const char *names = tensors_text(tensors, "columns");
    if (!names || !find_stored(tensors, &stored))
        return ST_ECORRUPT;
    stored.n_columns = chosen_bind_names(chosen, names, VECTOR_DENSE_MAX, stored.places);
    if (stored.n_columns == SIZE_MAX || !is_sound(&stored))
        return ST_ECORRUPT;
    stored.places[stored.n_columns] = (uint32_t)chosen->n;
    return stored.trees == 0 ? ST_OK : make_forest(&stored, chosen->n, ret);
}

enum status iforest_load(struct model *model, const struct tensors *tensors)
{
    struct iforest *iforest = iforest_of(model);
    struct forest *forest = NULL;
    const char *kind = tensors_text(tensors, "kind");
    const struct tensor *counters = tensors_get(tensors, "counters");
    if (!kind || strcmp(kind, iforest_ops.name) != 0 || !counters || counters->type != TENSOR_U64 ||
        counters->n < 1)
        return ST_ECORRUPT;
    if (((const uint64_t *)counters->data)[0] > FORMAT)
        return ST_EVERSION;
    if (counters->n != 2)
        return ST_ECORRUPT;
    TRY(read_forest(tensors, &iforest->chosen, &forest));
    forest_release(iforest->forest);
    iforest->forest = forest;
    iforest->learnt = ((const uint64_t *)counters->data)[1];
    return ST_OK;
}
