#include "online/endpoint/infer_tensor.h"

const char *const infer_type_names[INFER_TYPES] = {"BOOL",   "UINT8", "UINT16", "UINT32",
                                                   "UINT64", "INT8",  "INT16",  "INT32",
                                                   "INT64",  "FP32",  "FP64",   "BYTES"};
const uint8_t infer_type_sizes[INFER_TYPES] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 0};

enum infer_type infer_type_of(struct slice name)
{
    int type = 0;
    while (type < INFER_TYPES && !slice_eq(slice_of(infer_type_names[type]), name))
        type++;
    return (enum infer_type)type;
}
