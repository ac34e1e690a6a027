/*
 * models/safetensors_format.h -- what the writer and the reader of safetensors files share.
 */
#ifndef MODELS_SAFETENSORS_FORMAT_H
#define MODELS_SAFETENSORS_FORMAT_H

#include "models/safetensors.h"

#define SAFETENSORS_TEXTS      "__metadata__"
#define SAFETENSORS_SUM        "freshet.sum" /* text: what tensors_sum() said of all the others */
#define SAFETENSORS_ALIGN      8
#define SAFETENSORS_HEADER_MAX 100000000
#define SAFETENSORS_COUNT_MAX  16384 /* names are looked up one by one */

struct tensor_type_info {
    const char *name; /* in the file */
    size_t size;      /* bytes an element */
};

/* Indexed by enum tensor_type. */
extern const struct tensor_type_info tensor_types[];
extern const size_t tensor_types_n;

/* A checksum of all names, shapes, data and texts but SAFETENSORS_SUM, as 32 hexadecimal digits. */
struct tensors_sum {
    char text[33];
};
struct tensors_sum tensors_sum(const struct tensors *tensors);

#endif
