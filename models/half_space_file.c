/* Half-space trees as tensors, each named with a prefix: the questions, the masses of two windows,
 * and the columns' ranges. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vector.h"
#include "models/half_space_file.h"

enum { RANGES = 3, NAME = 64 };

struct name {
    char text[NAME];
};

static struct name name_of(const char *prefix, const char *tensor)
{
    struct name name;
    snprintf(name.text, sizeof name.text, "%s%s", prefix, tensor);
    return name;
}

static void put_nodes(const struct half_space *trees, const char *prefix, struct tensors *ret)
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
    tensors_put(ret, name_of(prefix, "thresholds").text, TENSOR_F32, shape, 2, thresholds);
    tensors_put(ret, name_of(prefix, "features").text, TENSOR_U32, shape, 2, features);
    free(thresholds);
    free(features);
}

static void put_windows(const struct half_space *trees, const char *prefix, struct tensors *ret)
{
    size_t masses[] = {trees->options.trees, trees->n_nodes}, ranges[] = {trees->n_columns, 2};
    double weights[] = {trees->reference_weight, trees->latest_weight};
    tensors_put(ret, name_of(prefix, "reference").text, TENSOR_F32, masses, 2, trees->reference);
    tensors_put(ret, name_of(prefix, "latest").text, TENSOR_F32, masses, 2, trees->latest);
    tensors_put(ret, name_of(prefix, "weights").text, TENSOR_F64, (size_t[]){2}, 1, weights);
    tensors_put(ret, name_of(prefix, "ranges.reference").text, TENSOR_F64, ranges, 2,
                trees->reference_ranges);
    tensors_put(ret, name_of(prefix, "ranges.latest").text, TENSOR_F64, ranges, 2,
                trees->latest_ranges);
    tensors_put(ret, name_of(prefix, "ranges.seen").text, TENSOR_F64, ranges, 2, trees->seen);
}

void half_space_save(const struct half_space *trees, const char *prefix, struct tensors *ret,
                     uint64_t ret_counters[HALF_SPACE_COUNTERS])
{
    const uint64_t counters[HALF_SPACE_COUNTERS] = {trees->windows, trees->rows,
                                                    trees->options.trees, trees->options.depth,
                                                    trees->options.window};
    memcpy(ret_counters, counters, sizeof counters);
    put_nodes(trees, prefix, ret);
    put_windows(trees, prefix, ret);
}

/* What a file holds, borrowed. */
struct stored {
    size_t n_nodes, n_masses, n_columns;
    const uint64_t *counters;
    const float *thresholds, *masses[2];
    const uint32_t *features;
    const double *weights;
    const struct half_space_range *ranges[RANGES];
    const uint32_t *places; /* n_columns */
};

/* Where to look. */
struct place {
    const struct tensors *tensors;
    const char *prefix;
};

static const void *data_of(const struct place *place, const char *name, enum tensor_type type,
                           size_t n)
{
    const struct tensor *tensor =
        tensors_get_as(place->tensors, name_of(place->prefix, name).text, type, n);
    return tensor ? tensor->data : NULL;
}

static bool find_stored(const struct place *place, struct stored *ret)
{
    static const char *const ranges[RANGES] = {"ranges.reference", "ranges.latest", "ranges.seen"};
    bool all = true;
    ret->thresholds = data_of(place, "thresholds", TENSOR_F32, ret->n_nodes);
    ret->features = data_of(place, "features", TENSOR_U32, ret->n_nodes);
    ret->masses[0] = data_of(place, "reference", TENSOR_F32, ret->n_masses);
    ret->masses[1] = data_of(place, "latest", TENSOR_F32, ret->n_masses);
    ret->weights = data_of(place, "weights", TENSOR_F64, 2);
    for (size_t i = 0; i < RANGES; i++) {
        ret->ranges[i] = data_of(place, ranges[i], TENSOR_F64, 2 * ret->n_columns);
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
                 (stored->counters[0] < 2 || stored->weights[0] > 0) &&
                 stored->counters[1] < window;
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
        uint32_t feature = stored->features[i], column = feature >> 1;
        uint32_t place =
            column < stored->n_columns ? stored->places[column] : (uint32_t)trees->n_columns;
        trees->nodes[i] =
            (struct half_space_node){stored->thresholds[i], place << 1 | (feature & 1)};
    }
    memcpy(trees->reference, stored->masses[0], stored->n_masses * sizeof *trees->reference);
    memcpy(trees->latest, stored->masses[1], stored->n_masses * sizeof *trees->latest);
    trees->reference_weight = stored->weights[0];
    trees->latest_weight = stored->weights[1];
    take_ranges(stored, 0, trees->n_columns, trees->reference_ranges);
    take_ranges(stored, 1, trees->n_columns, trees->latest_ranges);
    take_ranges(stored, 2, trees->n_columns, trees->seen);
    trees->windows = stored->counters[0];
    trees->rows = stored->counters[1];
}

static bool has_shape(const uint64_t *counters, const struct half_space_options *options)
{
    return counters[2] == options->trees && counters[3] == options->depth &&
           counters[4] == options->window;
}

enum status half_space_load(struct half_space *trees, const char *prefix,
                            const struct tensors *tensors,
                            const uint64_t counters[HALF_SPACE_COUNTERS], const uint32_t *places,
                            size_t n_columns)
{
    if (!has_shape(counters, &trees->options)) {
        half_space_reset(trees);
        return ST_OK;
    }
    struct place place = {tensors, prefix};
    struct stored stored = {.n_nodes = trees->options.trees * trees->n_inner,
                            .n_masses = trees->options.trees * trees->n_nodes,
                            .n_columns = n_columns,
                            .counters = counters,
                            .places = places};
    if (!find_stored(&place, &stored) || !is_sound(&stored, trees->options.window))
        return ST_ECORRUPT;
    take(&stored, trees);
    return ST_OK;
}
