/* An `hstrees` as tensors: the questions of its trees, the masses of two windows, and the columns'
 * ranges. A file of other trees (`trees`, `depth` or `window` were changed) is taken for none: the
 * model begins anew. */
#include <math.h>
#include <stdlib.h>

#include "models/hstrees.h"

enum { FORMAT = 1, COUNTERS = 7, RANGES = 3 };

static void put_nodes(const struct half_space *trees, struct tensors *ret)
{
    size_t shape[] = {trees->options.trees, trees->n_inner}, n = shape[0] * shape[1];
    float *thresholds = calloc(n, sizeof *thresholds);
    uint32_t *features = calloc(n, sizeof *features);
    if (!thresholds || !features)
        abort();
    for (size_t i = 0; i < n; i++) {
        thresholds[i] = trees->nodes[i].threshold;
        features[i] = trees->nodes[i].feature;
    }
    tensors_put(ret, "thresholds", TENSOR_F32, shape, 2, thresholds);
    tensors_put(ret, "features", TENSOR_U32, shape, 2, features);
    free(thresholds);
    free(features);
}

static void put_windows(const struct half_space *trees, struct tensors *ret)
{
    size_t masses[] = {trees->options.trees, trees->n_nodes}, ranges[] = {trees->n_columns, 2};
    double weights[] = {trees->reference_weight, trees->latest_weight};
    tensors_put(ret, "reference", TENSOR_F32, masses, 2, trees->reference);
    tensors_put(ret, "latest", TENSOR_F32, masses, 2, trees->latest);
    tensors_put(ret, "weights", TENSOR_F64, (size_t[]){2}, 1, weights);
    tensors_put(ret, "ranges.reference", TENSOR_F64, ranges, 2, trees->reference_ranges);
    tensors_put(ret, "ranges.latest", TENSOR_F64, ranges, 2, trees->latest_ranges);
    tensors_put(ret, "ranges.seen", TENSOR_F64, ranges, 2, trees->seen);
}

enum status hstrees_save(const struct model *model, struct tensors *ret)
{
    const struct hstrees *hstrees = hstrees_of(model);
    const struct half_space *trees = hstrees->trees;
    uint64_t counters[COUNTERS] = {FORMAT,
                                   hstrees->learnt,
                                   trees->windows,
                                   trees->rows,
                                   trees->options.trees,
                                   trees->options.depth,
                                   trees->options.window};
    struct buf names = {0};
    chosen_write_names(&hstrees->chosen, &names);
    tensors_put_text(ret, "kind", hstrees_ops.name);
    tensors_put_text(ret, "columns", names.data);
    tensors_put(ret, "counters", TENSOR_U64, (size_t[]){COUNTERS}, 1, counters);
    put_nodes(trees, ret);
    put_windows(trees, ret);
    buf_done(&names);
    return ST_OK;
}

/* What a file holds, borrowed. */
struct stored {
    size_t n_nodes, n_masses, n_columns;
    const uint64_t *counters;
    const float *thresholds, *masses[2];
    const uint32_t *features;
    const double *weights;
    const struct half_space_range *ranges[RANGES];
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
    static const char *const ranges[RANGES] = {"ranges.reference", "ranges.latest", "ranges.seen"};
    bool all = true;
    ret->thresholds = data_of(tensors, "thresholds", TENSOR_F32, ret->n_nodes);
    ret->features = data_of(tensors, "features", TENSOR_U32, ret->n_nodes);
    ret->masses[0] = data_of(tensors, "reference", TENSOR_F32, ret->n_masses);
    ret->masses[1] = data_of(tensors, "latest", TENSOR_F32, ret->n_masses);
    ret->weights = data_of(tensors, "weights", TENSOR_F64, 2);
    for (size_t i = 0; i < RANGES; i++) {
        ret->ranges[i] = data_of(tensors, ranges[i], TENSOR_F64, 2 * ret->n_columns);
        all = all && ret->ranges[i];
    }
    return all && ret->thresholds && ret->features && ret->masses[0] && ret->masses[1] &&
           ret->weights;
}

static bool is_mass(double v)
{
    return v >= 0 && v < 1e30;
}

static bool is_sound(const struct stored *stored, size_t window)
{
    bool sound = is_mass(stored->weights[0]) && is_mass(stored->weights[1]) &&
                 (stored->counters[2] < 2 || stored->weights[0] > 0) &&
                 stored->counters[3] < window;
    for (size_t i = 0; sound && i < stored->n_nodes; i++)
        sound = isfinite(stored->thresholds[i]) && stored->features[i] >> 1 <= stored->n_columns;
    for (size_t i = 0; sound && i < stored->n_masses; i++)
        sound = is_mass((double)stored->masses[0][i]) && is_mass((double)stored->masses[1][i]);
    for (size_t i = 0; sound && i < RANGES * stored->n_columns; i++) {
        const struct half_space_range *range =
            &stored->ranges[i / stored->n_columns][i % stored->n_columns];
        sound = !isnan(range->low) && !isnan(range->high);
    }
    return sound;
}

static void take_ranges(const struct stored *stored, size_t which, size_t n_columns,
                        struct half_space_range *ret)
{
    for (size_t i = 0; i < stored->n_columns; i++)
        if (stored->places[i] < n_columns)
            ret[stored->places[i]] = stored->ranges[which][i];
}

/* Ranges of columns that the file lacks stay unknown until a window has seen them. */
static void take(const struct stored *stored, struct half_space *trees)
{
    half_space_reset(trees);
    for (size_t i = 0; i < stored->n_nodes; i++) {
        uint32_t feature = stored->features[i];
        trees->nodes[i] = (struct half_space_node){
            stored->thresholds[i], stored->places[feature >> 1] << 1 | (feature & 1)};
    }
    memcpy(trees->reference, stored->masses[0], stored->n_masses * sizeof *trees->reference);
    memcpy(trees->latest, stored->masses[1], stored->n_masses * sizeof *trees->latest);
    trees->reference_weight = stored->weights[0];
    trees->latest_weight = stored->weights[1];
    take_ranges(stored, 0, trees->n_columns, trees->reference_ranges);
    take_ranges(stored, 1, trees->n_columns, trees->latest_ranges);
    take_ranges(stored, 2, trees->n_columns, trees->seen);
    trees->windows = stored->counters[2];
    trees->rows = stored->counters[3];
}

static bool has_shape(const uint64_t *counters, const struct half_space_options *options)
{
    return counters[4] == options->trees && counters[5] == options->depth &&
           counters[6] == options->window;
}

static enum status read_trees(struct hstrees *hstrees, const struct tensors *tensors,
                              const uint64_t *counters)
{
    struct half_space *trees = hstrees->trees;
    const char *names = tensors_text(tensors, "columns");
    if (!names)
        return ST_ECORRUPT;
    if (!has_shape(counters, &trees->options)) {
        half_space_reset(trees);
        return ST_OK;
    }
    struct stored stored = {.n_nodes = trees->options.trees * trees->n_inner,
                            .n_masses = trees->options.trees * trees->n_nodes,
                            .counters = counters};
    stored.n_columns = chosen_bind_names(&hstrees->chosen, names, VECTOR_DENSE_MAX, stored.places);
    if (stored.n_columns == SIZE_MAX || !find_stored(tensors, &stored) ||
        !is_sound(&stored, trees->options.window))
        return ST_ECORRUPT;
    stored.places[stored.n_columns] = (uint32_t)trees->n_columns;
    take(&stored, trees);
    return ST_OK;
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
    TRY(read_trees(hstrees, tensors, values));
    hstrees->learnt = values[1];
    hstrees->published_from = NULL;
    hstrees->lives++;
    return ST_OK;
}
