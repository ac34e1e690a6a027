/*
 * models/safetensors.h -- named tensors and text metadata in one file that any Python can read.
 *
 * Layout (https://github.com/huggingface/safetensors, format section): 8 bytes little-endian header
 * length, a JSON header {"name": {"dtype", "shape", "data_offsets"}, "__metadata__": {...}}, then
 * the data. Written files are byte-identical for the same content.
 *
 *     struct tensors *file = tensors_create();
 *     tensors_put(file, "w", TENSOR_F32, (size_t[]){n}, 1, w);        // copies
 *     tensors_put_text(file, "kind", "ftrl");
 *     TRY(tensors_write(file, "model.safetensors"));                  // temporary, fsync, rename
 */
#ifndef MODELS_SAFETENSORS_H
#define MODELS_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

enum tensor_type { TENSOR_F32, TENSOR_F64, TENSOR_I64, TENSOR_U64, TENSOR_U32, TENSOR_U8 };

#define TENSOR_DIMS_MAX 8

struct tensor {
    const char *name;
    enum tensor_type type;
    size_t n_dims;
    size_t shape[TENSOR_DIMS_MAX];
    size_t n;         /* elements */
    const void *data; /* aligned to 16 bytes */
};

struct tensors;

struct tensors *tensors_create(void);
void tensors_free(struct tensors *tensors);

/* Copies name and data. A name may be put once. */
void tensors_put(struct tensors *tensors, const char *name, enum tensor_type type,
                 const size_t *shape, size_t n_dims, const void *data);
void tensors_put_text(struct tensors *tensors, const char *key, const char *value);
/* Puts a checksum of all that was put, as a text: a reader then refuses what differs. Last, once.
 */
void tensors_put_sum(struct tensors *tensors);

/* Puts all tensors and texts of another, but its sum and those whose names begin so. */
void tensors_put_others(struct tensors *tensors, const struct tensors *from, const char *without);

/* NULL if there is none of that name. */
const struct tensor *tensors_get(const struct tensors *tensors, const char *name);
/* The same, only if it has this type and this many elements. */
const struct tensor *tensors_get_as(const struct tensors *tensors, const char *name,
                                    enum tensor_type type, size_t n);
const char *tensors_text(const struct tensors *tensors, const char *key);
/* For listing; in the order of the file. */
size_t tensors_count(const struct tensors *tensors);
const struct tensor *tensors_at(const struct tensors *tensors, size_t i);

/* To path.tmp, fsync, rename, fsync of the folder: after ST_OK the file is there, whole. */
STATUS_CHECKED enum status tensors_write(const struct tensors *tensors, const char *path);
/* Appends the same bytes to a buffer. */
void tensors_render(const struct tensors *tensors, struct buf *ret);
/* Returns ST_EIO, ST_ENOTFOUND, or ST_ECORRUPT for anything that is not a whole, well-formed file:
 * contents that differ from the sum that tensors_put_sum() noted, offsets out of range or
 * overlapping, shapes that overflow, a header over 100 MB, more than 16384 tensors, types other
 * than those above. */
STATUS_CHECKED enum status tensors_read(const char *path, struct tensors **ret);
STATUS_CHECKED enum status tensors_parse(struct slice bytes, struct tensors **ret);

#endif
