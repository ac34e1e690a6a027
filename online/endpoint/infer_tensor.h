/*
 * online/endpoint/infer_tensor.h -- a named array of numbers or texts, as the Open Inference
 * Protocol has it on the wire: in row order, little-endian; of BYTES, {u32 length, bytes} an
 * element.
 *
 * Apart from the other headers because it is shared with C++.
 */
#ifndef ONLINE_ENDPOINT_INFER_TENSOR_H
#define ONLINE_ENDPOINT_INFER_TENSOR_H

#include "base/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

enum infer_type {
    INFER_BOOL,
    INFER_UINT8,
    INFER_UINT16,
    INFER_UINT32,
    INFER_UINT64,
    INFER_INT8,
    INFER_INT16,
    INFER_INT32,
    INFER_INT64,
    INFER_FP32,
    INFER_FP64,
    INFER_BYTES,
    INFER_TYPES
};

/* "FP32"; bytes an element, 0 for BYTES. */
extern const char *const infer_type_names[INFER_TYPES];
extern const uint8_t infer_type_sizes[INFER_TYPES];
/* INFER_TYPES if there is none of that name. */
enum infer_type infer_type_of(struct slice name);

enum { INFER_DIMS_MAX = 8, INFER_TENSORS_MAX = 4352 };

struct infer_tensor {
    struct slice name;
    enum infer_type type;
    size_t n_dims;
    int64_t shape[INFER_DIMS_MAX];
    size_t n; /* elements: the product of the shape */
    struct slice data;
};

#ifdef __cplusplus
}
#endif

#endif
