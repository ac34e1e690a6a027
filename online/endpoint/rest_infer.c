/* Requests to infer: JSON, or JSON with binary tensors behind it. */
#include <math.h>

#include "base/number.h"
#include "online/endpoint/infer_json.h"
#include "online/endpoint/rest.h"
#include "online/endpoint/worker.h"
#include "online/rows.h"

/* Less is not worth the time. */
enum { DEFLATED_FROM = 1024 };

/* In. */

static bool refuse_input(struct call *call, struct slice name, const char *what)
{
    return call_refuse(call, REFUSED_INVALID, "input %.*s %s", (int)(name.len < 60 ? name.len : 60),
                       name.data, what);
}

/* How much memory so many elements of a type need at least as JSON: a shape is no reason to ask for
 * more than was sent. */
static bool fits_text(const struct infer_tensor *tensor, struct slice text)
{
    return tensor->n <= text.len;
}

static bool fill_texts(struct call *call, size_t i, struct infer_tensor *tensor)
{
    struct buf texts = {0};
    const char *why = infer_json_fill_texts(call->worker->json, i, tensor->n, &texts);
    tensor->data = arena_copy(&call->arena, texts.data, texts.len);
    buf_done(&texts);
    return !why || refuse_input(call, tensor->name, why);
}

static bool fill(struct call *call, size_t i, struct slice text, struct infer_tensor *tensor)
{
    if (!fits_text(tensor, text))
        return refuse_input(call, tensor->name, "has less data than its shape says");
    if (tensor->type == INFER_BYTES)
        return fill_texts(call, i, tensor);
    size_t len = tensor->n * infer_type_sizes[tensor->type];
    char *data = arena_take(&call->arena, len + 1);
    const char *why = infer_json_fill(call->worker->json, i, tensor->type, tensor->n, data);
    tensor->data = (struct slice){data, len};
    return !why || refuse_input(call, tensor->name, why);
}

static bool take_binary(struct call *call, const struct infer_json_input *input,
                        struct slice *binary, struct infer_tensor *tensor)
{
    if ((uint64_t)input->binary_size > binary->len)
        return refuse_input(call, tensor->name, "has more binary data than were sent");
    tensor->data = (struct slice){binary->data, (size_t)input->binary_size};
    binary->data += input->binary_size;
    binary->len -= (size_t)input->binary_size;
    return true;
}

static bool read_input(struct call *call, size_t i, const struct infer_json_input *input,
                       struct slice text, struct slice *binary)
{
    struct infer_tensor *tensor = &call->inputs[i];
    *tensor =
        (struct infer_tensor){.type = infer_type_of(input->datatype), .n_dims = input->n_dims};
    tensor->name = arena_copy(&call->arena, input->name.data, input->name.len);
    memcpy(tensor->shape, input->shape, sizeof tensor->shape);
    if (tensor->type == INFER_TYPES)
        return refuse_input(call, tensor->name, "has a datatype that is none");
    if (!call_check_shape(call, tensor))
        return false;
    return input->binary_size >= 0 ? take_binary(call, input, binary, tensor)
                                   : fill(call, i, text, tensor);
}

static bool read_outputs(struct call *call, const struct infer_json_request *request)
{
    for (int i = 0; i < CALL_OUTPUTS; i++)
        call->binary[i] = request->binary_outputs;
    for (size_t i = 0; i < request->n_outputs; i++) {
        const struct infer_json_output *output = &request->outputs[i];
        int at = 0;
        while (at < CALL_OUTPUTS && !slice_eq(slice_of(call_output_names[at]), output->name))
            at++;
        if (at == CALL_OUTPUTS)
            return call_refuse(call, REFUSED_INVALID, "there is no output \"%.*s\"",
                               (int)(output->name.len < 60 ? output->name.len : 60),
                               output->name.data);
        call->wanted[at] = true;
        call->binary[at] = output->binary || request->binary_outputs;
    }
    return true;
}

bool rest_read_infer(struct call *call, const struct http1_head *head, struct slice body)
{
    struct slice text = body, binary = {0};
    if (head->infer_length >= 0) {
        if ((uint64_t)head->infer_length > body.len)
            return call_refuse(call, REFUSED_INVALID,
                               "Inference-Header-Content-Length is larger than the body");
        text.len = (size_t)head->infer_length;
        binary = (struct slice){body.data + text.len, body.len - text.len};
    }
    struct infer_json_request request;
    const char *why = infer_json_parse(call->worker->json, text, &request);
    if (why)
        return call_refuse(call, REFUSED_INVALID, "the request is not understood: %s", why);
    call->id = arena_copy(&call->arena, request.id.data, request.id.len);
    call->n_inputs = request.n_inputs;
    call->inputs = arena_take(&call->arena, call->n_inputs * sizeof *call->inputs + 1);
    for (size_t i = 0; i < request.n_inputs; i++)
        if (!read_input(call, i, &request.inputs[i], text, &binary))
            return false;
    if (binary.len > 0)
        return call_refuse(call, REFUSED_INVALID, "%zu bytes of binary data belong to no input",
                           binary.len);
    return read_outputs(call, &request);
}

/* Out. */

struct output {
    const char *type;
    size_t columns; /* 0: one dimension */
    size_t bytes;   /* as binary */
    const void *data;
};

static struct output output_of(const struct call *call, int which)
{
    size_t columns = call->served->columns->n_dense;
    if (which == OUTPUT_SCORE)
        return (struct output){"FP32", 0, call->n_rows * sizeof(float), call->scores};
    if (which == OUTPUT_FEATURES)
        return (struct output){"FP64", columns, call->n_rows * columns * sizeof(double),
                               call->features};
    return (struct output){"BYTES", 0, call->reasons.len, call->reasons.data};
}

static void put_number(struct buf *out, double v, bool is_float)
{
    if (!isfinite(v))
        buf_text(out, "null");
    else if (is_float)
        buf_float(out, (float)v);
    else
        buf_double(out, v);
}

static void put_data(const struct call *call, int which, struct buf *out)
{
    struct reader texts = reader_of(call->reasons);
    size_t n = call->n_rows * (which == OUTPUT_FEATURES ? call->served->columns->n_dense : 1);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_byte(out, ',');
        if (which == OUTPUT_SCORE) {
            put_number(out, (double)call->scores[i], true);
        } else if (which == OUTPUT_FEATURES) {
            put_number(out, call->features[i], false);
        } else {
            uint32_t len = read_u32(&texts);
            rows_json_text(out, (struct slice){read_bytes(&texts, len), len});
        }
    }
}

static void put_output(const struct call *call, int which, struct buf *out)
{
    struct output output = output_of(call, which);
    buf_text(out, "{\"name\":\"");
    buf_text(out, call_output_names[which]);
    buf_text(out, "\",\"datatype\":\"");
    buf_text(out, output.type);
    buf_text(out, "\",\"shape\":[");
    buf_int(out, (int64_t)call->n_rows);
    if (output.columns > 0) {
        buf_byte(out, ',');
        buf_int(out, (int64_t)output.columns);
    }
    if (call->binary[which]) {
        buf_text(out, "],\"parameters\":{\"binary_data_size\":");
        buf_int(out, (int64_t)output.bytes);
        buf_text(out, "}}");
        return;
    }
    buf_text(out, "],\"data\":[");
    put_data(call, which, out);
    buf_text(out, "]}");
}

static void put_json(const struct call *call, struct buf *out)
{
    buf_text(out, "{\"model_name\":");
    rows_json_text(out, call->model);
    buf_text(out, ",\"model_version\":\"");
    buf_int(out, call->answered_version);
    buf_byte(out, '"');
    if (call->id.len > 0) {
        buf_text(out, ",\"id\":");
        rows_json_text(out, call->id);
    }
    if (call->scorer != call->served) {
        buf_text(out, ",\"parameters\":{\"model\":");
        rows_json_text(out, slice_of(call->scorer->name));
        buf_byte(out, '}');
    }
    const char *between = ",\"outputs\":[";
    for (int i = 0; i < CALL_OUTPUTS; i++) {
        if (!call->wanted[i])
            continue;
        buf_text(out, between);
        put_output(call, i, out);
        between = ",";
    }
    buf_text(out, "]}");
}

/* Behind the JSON. */
static void put_binary(const struct call *call, struct buf *out)
{
    for (int i = 0; i < CALL_OUTPUTS; i++)
        if (call->wanted[i] && call->binary[i])
            buf_append(out, output_of(call, i).data, output_of(call, i).bytes);
}

/* Compressed, where the caller takes that and there is enough of it. */
static struct slice pack(struct rest *rest, struct buf *body, enum coding *ret)
{
    struct worker *worker = rest->link.worker;
    *ret = CODING_NONE;
    if (rest->accepts == CODING_NONE || body->len < DEFLATED_FROM ||
        !coder_deflate(worker->coder, rest->accepts, buf_slice(body), &worker->deflated))
        return buf_slice(body);
    *ret = rest->accepts;
    return buf_slice(&worker->deflated);
}

void rest_answer_infer(struct rest *rest, const struct call *call)
{
    struct buf *body = &rest->link.worker->text;
    buf_reset(body);
    put_json(call, body);
    size_t json = body->len;
    put_binary(call, body);
    bool binary = body->len > json;
    enum coding coding;
    struct slice packed = pack(rest, body, &coding);
    rest_answer_head(
        rest, 200, "OK",
        &(struct rest_content){binary ? "application/octet-stream" : "application/json", packed.len,
                               binary ? json : 0, coding});
    buf_append(link_out(&rest->link), packed.data, packed.len);
}
