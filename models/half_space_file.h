/*
 * models/half_space_file.h -- half-space trees in a model file.
 */
#ifndef MODELS_HALF_SPACE_FILE_H
#define MODELS_HALF_SPACE_FILE_H

#include "models/half_space.h"
#include "models/safetensors.h"

/* What its owner stores beside the tensors. */
enum { HALF_SPACE_COUNTERS = 5 };

/* All of it, as tensors whose names begin with prefix (at most 32 bytes). */
void half_space_save(const struct half_space *trees, const char *prefix, struct tensors *ret,
                     uint64_t ret_counters[HALF_SPACE_COUNTERS]);
/* places: of each of the file's n_columns columns its own, among ours; n_columns of ours for one
 * that is not there. Columns that the file lacks are unknown until a window has seen them. Trees of
 * another shape begin anew. Returns ST_ECORRUPT. */
STATUS_CHECKED enum status half_space_load(struct half_space *trees, const char *prefix,
                                           const struct tensors *tensors,
                                           const uint64_t counters[HALF_SPACE_COUNTERS],
                                           const uint32_t *places, size_t n_columns);

#endif
