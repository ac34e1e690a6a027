/*
 * online/endpoint/infer_json.h -- the JSON of an inference request taken apart: a C face on
 * simdjson.
 *
 *     {"id": "42", "inputs": [{"name": "vector", "datatype": "FP32", "shape": [1, 2],
 *      "data": [0.5, 1.0]}], "outputs": [{"name": "score"}]}
 *
 * Data may be nested as the shape is, or flat; null is a number that is not known. With the binary
 * tensor extension an input has "parameters": {"binary_data_size": N} instead of data.
 *
 *     if ((why = infer_json_parse(json, text, &request))) ...
 *     why = infer_json_fill(json, i, INFER_FP32, n, floats);
 */
#ifndef ONLINE_ENDPOINT_INFER_JSON_H
#define ONLINE_ENDPOINT_INFER_JSON_H

#include <stdbool.h>

#include "online/endpoint/infer_tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

struct infer_json;

struct infer_json_input {
    struct slice name, datatype;
    size_t n_dims;
    int64_t shape[INFER_DIMS_MAX];
    int64_t binary_size; /* -1: its data are in the JSON */
    bool has_data;
};

struct infer_json_output {
    struct slice name;
    bool binary;
};

/* Borrowed; good until the next parse. */
struct infer_json_request {
    struct slice id;
    size_t n_inputs, n_outputs;
    const struct infer_json_input *inputs;
    const struct infer_json_output *outputs;
    bool binary_outputs; /* unless an output says otherwise */
};

struct infer_json *infer_json_create(void);
void infer_json_free(struct infer_json *json);
/* NULL, or what is wrong with the text. */
const char *infer_json_parse(struct infer_json *json, struct slice text,
                             struct infer_json_request *ret);
/* Writes the n elements of an input with data; NULL, or what is wrong with them. */
const char *infer_json_fill(struct infer_json *json, size_t input, enum infer_type type, size_t n,
                            char *ret);
/* The same of BYTES: appends {u32 length, bytes} an element. */
const char *infer_json_fill_texts(struct infer_json *json, size_t input, size_t n, struct buf *ret);

#ifdef __cplusplus
}
#endif

#endif
