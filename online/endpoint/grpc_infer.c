/* ModelInfer and ModelStreamInfer. */
#include "base/number.h"
#include "inference.pb-c.h"
#include "online/endpoint/grpc_internal.h"

typedef Inference__ModelInferRequest request_message;
typedef Inference__ModelInferRequest__InferInputTensor input_message;

/* In. */

static bool refuse_input(struct call *call, const struct infer_tensor *tensor, const char *what)
{
    return call_refuse(call, REFUSED_INVALID, "input %.*s %s",
                       (int)(tensor->name.len < 60 ? tensor->name.len : 60), tensor->name.data,
                       what);
}

/* Numbers of 32 bits that stand for narrower ones. */
static bool narrow(struct call *call, struct infer_tensor *tensor, const void *from, size_t n)
{
    size_t size = infer_type_sizes[tensor->type];
    char *to = arena_take(&call->arena, n * size + 1);
    for (size_t i = 0; i < n; i++)
        memcpy(to + i * size, (const char *)from + i * sizeof(uint32_t), size); /* little-endian */
    tensor->data = (struct slice){to, n * size};
    return true;
}

static bool join_texts(struct call *call, struct infer_tensor *tensor,
                       const ProtobufCBinaryData *texts, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += sizeof(uint32_t) + texts[i].len;
    char *to = arena_take(&call->arena, len + 1), *at = to;
    for (size_t i = 0; i < n; i++) {
        uint32_t text = (uint32_t)texts[i].len;
        memcpy(at, &text, sizeof text);
        at += sizeof text;
        if (text > 0)
            memcpy(at, texts[i].data, text);
        at += text;
    }
    tensor->data = (struct slice){to, len};
    return true;
}

static bool take_contents(struct call *call, const Inference__InferTensorContents *in,
                          struct infer_tensor *tensor, size_t *ret_n)
{
    size_t wide = infer_type_sizes[tensor->type];
#define WHOLE(field)                                                                               \
    (*ret_n = in->n_##field,                                                                       \
     tensor->data = (struct slice){(const char *)in->field, *ret_n * wide}, true)
    switch (tensor->type) {
    case INFER_BOOL:
        return narrow(call, tensor, in->bool_contents, *ret_n = in->n_bool_contents);
    case INFER_UINT8:
    case INFER_UINT16:
    case INFER_UINT32:
        return narrow(call, tensor, in->uint_contents, *ret_n = in->n_uint_contents);
    case INFER_INT8:
    case INFER_INT16:
    case INFER_INT32:
        return narrow(call, tensor, in->int_contents, *ret_n = in->n_int_contents);
    case INFER_UINT64:
        return WHOLE(uint64_contents);
    case INFER_INT64:
        return WHOLE(int64_contents);
    case INFER_FP32:
        return WHOLE(fp32_contents);
    case INFER_FP64:
        return WHOLE(fp64_contents);
    case INFER_BYTES:
        return join_texts(call, tensor, in->bytes_contents, *ret_n = in->n_bytes_contents);
    default:
        return false;
    }
#undef WHOLE
}

static bool read_shape(struct call *call, const input_message *in, struct infer_tensor *tensor)
{
    if (in->n_shape > INFER_DIMS_MAX)
        return refuse_input(call, tensor, "has too many dimensions");
    tensor->n_dims = in->n_shape;
    for (size_t i = 0; i < in->n_shape; i++)
        tensor->shape[i] = in->shape[i];
    return call_check_shape(call, tensor);
}

static bool read_input(struct call *call, const request_message *in, size_t i)
{
    struct infer_tensor *tensor = &call->inputs[i];
    const input_message *input = in->inputs[i];
    *tensor = (struct infer_tensor){.name = slice_of(input->name),
                                    .type = infer_type_of(slice_of(input->datatype))};
    if (tensor->type == INFER_TYPES)
        return refuse_input(call, tensor, "has a datatype that is none");
    if (!read_shape(call, input, tensor))
        return false;
    if (in->n_raw_input_contents > 0) {
        if (input->contents)
            return refuse_input(call, tensor, "has contents beside raw_input_contents");
        const ProtobufCBinaryData *raw = &in->raw_input_contents[i];
        tensor->data = (struct slice){(const char *)raw->data, raw->len};
        return true;
    }
    size_t n = 0;
    if (!input->contents)
        return refuse_input(call, tensor, "has no contents");
    take_contents(call, input->contents, tensor, &n);
    return n == tensor->n || refuse_input(call, tensor, "has other contents than its shape says");
}

static bool read_outputs(struct call *call, const request_message *in)
{
    for (size_t i = 0; i < in->n_outputs; i++) {
        int at = 0;
        while (at < CALL_OUTPUTS && strcmp(call_output_names[at], in->outputs[i]->name) != 0)
            at++;
        if (at == CALL_OUTPUTS)
            return call_refuse(call, REFUSED_INVALID, "there is no output \"%.60s\"",
                               in->outputs[i]->name);
        call->wanted[at] = true;
    }
    return true;
}

static bool read_request(struct call *call, const request_message *in)
{
    call->model = slice_of(in->model_name);
    call->version = slice_of(in->model_version);
    call->id = slice_of(in->id);
    call->raw = in->n_raw_input_contents > 0;
    if (call->raw && in->n_raw_input_contents != in->n_inputs)
        return call_refuse(call, REFUSED_INVALID, "%zu raw_input_contents; expected one an input",
                           in->n_raw_input_contents);
    if (in->n_inputs > INFER_TENSORS_MAX)
        return call_refuse(call, REFUSED_INVALID, "too many inputs");
    call->n_inputs = in->n_inputs;
    call->inputs = arena_take(&call->arena, in->n_inputs * sizeof *call->inputs + 1);
    for (size_t i = 0; i < in->n_inputs; i++)
        if (!read_input(call, in, i))
            return false;
    return read_outputs(call, in);
}

/* Out. */

struct outputs {
    Inference__ModelInferResponse__InferOutputTensor items[CALL_OUTPUTS], *list[CALL_OUTPUTS];
    Inference__InferTensorContents contents[CALL_OUTPUTS];
    ProtobufCBinaryData raw[CALL_OUTPUTS];
    int64_t shapes[CALL_OUTPUTS][2];
    Inference__InferParameter scorer;
    Inference__ModelInferResponse__ParametersEntry parameter, *parameters[1];
};

static void split_texts(struct call *call, Inference__InferTensorContents *ret)
{
    struct reader in = reader_of(call->reasons);
    ret->n_bytes_contents = call->n_rows;
    ret->bytes_contents = arena_take(&call->arena, call->n_rows * sizeof *ret->bytes_contents);
    for (size_t i = 0; i < call->n_rows; i++) {
        size_t len = read_u32(&in);
        const char *data = read_bytes(&in, len);
        ret->bytes_contents[i] = (ProtobufCBinaryData){len, (uint8_t *)(uintptr_t)data};
    }
}

/* What an output holds: its raw form in raw, and unless that is what was asked for, its elements.
 */
static void put_contents(struct call *call, int which, struct outputs *outputs)
{
    Inference__InferTensorContents *contents = &outputs->contents[which];
    size_t n = call->n_rows, n_all = n * call->served->columns->n_dense;
    const void *data = which == OUTPUT_SCORE      ? (const void *)call->scores
                       : which == OUTPUT_FEATURES ? (const void *)call->features
                                                  : (const void *)call->reasons.data;
    size_t len = which == OUTPUT_SCORE      ? n * sizeof(float)
                 : which == OUTPUT_FEATURES ? n_all * sizeof(double)
                                            : call->reasons.len;
    outputs->raw[which] = (ProtobufCBinaryData){len, (uint8_t *)(uintptr_t)data};
    *contents = (Inference__InferTensorContents)INFERENCE__INFER_TENSOR_CONTENTS__INIT;
    if (call->raw)
        return;
    outputs->items[which].contents = contents;
    if (which == OUTPUT_SCORE) {
        contents->n_fp32_contents = n;
        contents->fp32_contents = (float *)(uintptr_t)call->scores;
    } else if (which == OUTPUT_FEATURES) {
        contents->n_fp64_contents = n_all;
        contents->fp64_contents = (double *)(uintptr_t)call->features;
    } else {
        split_texts(call, contents);
    }
}

static void put_output(struct call *call, int which, struct outputs *outputs)
{
    static const char *const types[CALL_OUTPUTS] = {"FP32", "FP64", "BYTES"};
    Inference__ModelInferResponse__InferOutputTensor *item = &outputs->items[which];
    *item = (Inference__ModelInferResponse__InferOutputTensor)
        INFERENCE__MODEL_INFER_RESPONSE__INFER_OUTPUT_TENSOR__INIT;
    item->name = (char *)(uintptr_t)call_output_names[which];
    item->datatype = (char *)(uintptr_t)types[which];
    item->n_shape = which == OUTPUT_FEATURES ? 2 : 1;
    item->shape = outputs->shapes[which];
    item->shape[0] = (int64_t)call->n_rows;
    item->shape[1] = (int64_t)call->served->columns->n_dense;
    put_contents(call, which, outputs);
}

/* Which of its models scored for a pipeline. */
static void put_scorer(const struct call *call, struct outputs *outputs,
                       Inference__ModelInferResponse *ret)
{
    if (call->scorer == call->served)
        return;
    outputs->scorer = (Inference__InferParameter)INFERENCE__INFER_PARAMETER__INIT;
    outputs->scorer.parameter_choice_case =
        INFERENCE__INFER_PARAMETER__PARAMETER_CHOICE_STRING_PARAM;
    outputs->scorer.string_param = (char *)(uintptr_t)call->scorer->name;
    outputs->parameter = (Inference__ModelInferResponse__ParametersEntry)
        INFERENCE__MODEL_INFER_RESPONSE__PARAMETERS_ENTRY__INIT;
    outputs->parameter.key = (char *)(uintptr_t) "model";
    outputs->parameter.value = &outputs->scorer;
    outputs->parameters[0] = &outputs->parameter;
    ret->n_parameters = 1;
    ret->parameters = outputs->parameters;
}

static void make_response(struct call *call, struct outputs *outputs,
                          char version[NUMBER_TEXT_MAX + 1], Inference__ModelInferResponse *ret)
{
    size_t n = 0;
    for (int i = 0; i < CALL_OUTPUTS; i++) {
        if (!call->wanted[i])
            continue;
        put_output(call, i, outputs);
        outputs->raw[n] = outputs->raw[i];
        outputs->list[n++] = &outputs->items[i];
    }
    version[number_from_int(call->answered_version, version)] = 0;
    *ret = (Inference__ModelInferResponse)INFERENCE__MODEL_INFER_RESPONSE__INIT;
    ret->model_name = (char *)(uintptr_t)call->model.data;
    ret->model_version = version;
    ret->id = (char *)(uintptr_t)call->id.data;
    ret->n_outputs = n;
    ret->outputs = outputs->list;
    ret->n_raw_output_contents = call->raw ? n : 0;
    ret->raw_output_contents = outputs->raw;
    put_scorer(call, outputs, ret);
}

/* A stream goes on after a request that was refused: the answer says so instead of its status. */
static void answer(struct grpc_stream *stream, struct call *call)
{
    struct outputs outputs;
    char version[NUMBER_TEXT_MAX + 1];
    Inference__ModelInferResponse response;
    Inference__ModelStreamInferResponse wrapped = INFERENCE__MODEL_STREAM_INFER_RESPONSE__INIT;
    bool good = call->refusal == REFUSED_NOT;
    if (!good && !stream->method->streaming) {
        grpc_refuse(stream, call->refusal, call->why);
        return;
    }
    if (good) {
        make_response(call, &outputs, version, &response);
        wrapped.infer_response = &response;
    } else {
        wrapped.error_message = call->why;
    }
    grpc_reply(stream, stream->method->streaming ? &wrapped.base : &response.base);
}

static void call_done(struct call *call)
{
    struct grpc_stream *stream = call->owner;
    if (stream) {
        bool later = stream->waiting;
        answer(stream, call);
        grpc_stream_forget_call(stream);
        if (later)
            grpc_stream_came_back(stream);
    }
    call_give(call);
}

void grpc_take_infer(struct grpc_stream *stream, struct call *call, struct slice message)
{
    request_message *in =
        grpc_unpack(stream, call, &inference__model_infer_request__descriptor, message);
    if (!in) {
        call_give(call);
        return;
    }
    call->done = call_done;
    read_request(call, in);
    call_start(call);
}
