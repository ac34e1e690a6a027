/* What is asked: rows of a vector model, or events of the pipeline; for gRPC as messages, for HTTP
 * as heads and bodies in one. */
#include <string.h>

#include "tests/tools/load/load.h"

enum { EVENT_MAX = 4096 };

/* Protocol buffers. */

static void put_varint(struct buf *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        buf_byte(out, (uint8_t)(v | 0x80));
    buf_byte(out, (uint8_t)v);
}

static void put_field(struct buf *out, int number, struct slice data)
{
    put_varint(out, (uint64_t)number << 3 | 2);
    put_varint(out, data.len);
    buf_append(out, data.data, data.len);
}

/* inference.ModelInferRequest */
static void put_message(const struct load_options *options, const char *name, const char *type,
                        struct slice shape, struct slice raw, struct buf *ret)
{
    struct buf input = {0}, contents = {0};
    put_field(&input, 1, slice_of(name));
    put_field(&input, 2, slice_of(type));
    put_field(&input, 3, shape);
    if (options->typed) {
        put_field(&contents, 6, raw);
        put_field(&input, 5, buf_slice(&contents));
    }
    put_field(ret, 1, slice_of(options->model));
    put_field(ret, 5, buf_slice(&input));
    if (!options->typed)
        put_field(ret, 7, raw);
    buf_done(&input);
    buf_done(&contents);
}

static float number_at(size_t row, size_t column)
{
    return (float)row + (float)column / 64;
}

static void put_numbers(const struct load_options *options, struct buf *ret)
{
    for (size_t row = 0; row < options->rows; row++)
        for (size_t column = 0; column < options->columns; column++) {
            float v = number_at(row, column);
            buf_append(ret, &v, sizeof v);
        }
}

static void put_vectors(const struct load_options *options, struct buf *ret)
{
    struct buf numbers = {0}, shape = {0};
    put_numbers(options, &numbers);
    put_varint(&shape, options->rows);
    put_varint(&shape, options->columns);
    put_message(options, "vector", "FP32", buf_slice(&shape), buf_slice(&numbers), ret);
    buf_done(&numbers);
    buf_done(&shape);
}

static size_t format_event(const struct load_options *options, unsigned number, char *ret)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int len = snprintf(ret, EVENT_MAX, options->event, number);
#pragma GCC diagnostic pop
    return (size_t)(len < EVENT_MAX ? len : EVENT_MAX - 1);
}

static void put_event(const struct load_options *options, unsigned number, struct buf *ret)
{
    char text[EVENT_MAX];
    struct buf raw = {0};
    size_t len = format_event(options, number, text);
    buf_u32(&raw, (uint32_t)len);
    buf_append(&raw, text, len);
    put_message(options, "event", "BYTES", slice_of("\x01"), buf_slice(&raw), ret);
    buf_done(&raw);
}

/* HTTP. */

static void put_json_vectors(const struct load_options *options, struct buf *ret)
{
    buf_printf(
        ret,
        "{\"inputs\":[{\"name\":\"vector\",\"datatype\":\"FP32\",\"shape\":[%zu,%zu],\"data\":[",
        options->rows, options->columns);
    for (size_t row = 0; row < options->rows; row++)
        for (size_t column = 0; column < options->columns; column++)
            buf_printf(ret, "%s%.6g", row + column ? "," : "", (double)number_at(row, column));
    buf_text(ret, "]}]}");
}

static void put_json_event(const struct load_options *options, unsigned number, struct buf *ret)
{
    char text[EVENT_MAX];
    size_t len = format_event(options, number, text);
    buf_text(ret,
             "{\"inputs\":[{\"name\":\"event\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\"");
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            buf_byte(ret, '\\');
        buf_byte(ret, (uint8_t)text[i]);
    }
    buf_text(ret, "\"]}]}");
}

/* The binary extension; returns the length of its JSON. */
static size_t put_binary_vectors(const struct load_options *options, struct buf *ret)
{
    buf_printf(
        ret,
        "{\"inputs\":[{\"name\":\"vector\",\"datatype\":\"FP32\",\"shape\":[%zu,%zu],"
        "\"parameters\":{\"binary_data_size\":%zu}}],\"parameters\":{\"binary_data_output\":true}}",
        options->rows, options->columns, options->rows * options->columns * sizeof(float));
    size_t len = ret->len;
    put_numbers(options, ret);
    return len;
}

static void put_request(const struct load_options *options, unsigned number, struct buf *ret)
{
    struct buf body = {0};
    size_t json = 0;
    if (options->event)
        put_json_event(options, number, &body);
    else if (options->json)
        put_json_vectors(options, &body);
    else
        json = put_binary_vectors(options, &body);
    if (options->live)
        buf_text(ret, "GET /v2/health/live");
    else
        buf_printf(ret, "POST /v2/models/%s/infer", options->model);
    buf_printf(
        ret, " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: endpoint_load\r\nContent-Length: %zu\r\n",
        body.len);
    if (json > 0)
        buf_printf(ret, "Inference-Header-Content-Length: %zu\r\n", json);
    buf_text(ret, "\r\n");
    buf_append(ret, body.data, body.len);
    buf_done(&body);
}

static void put_body(const struct load_options *options, unsigned number, struct buf *ret)
{
    if (!options->grpc)
        put_request(options, number, ret);
    else if (options->event)
        put_event(options, number, ret);
    else
        put_vectors(options, ret);
}

void load_make_bodies(const struct load_options *options, struct load_bodies *ret)
{
    size_t ends[LOAD_BODIES_MAX + 1] = {0};
    *ret = (struct load_bodies){.n = options->event ? LOAD_BODIES_MAX : 1};
    for (size_t i = 0; i < ret->n; i++) {
        put_body(options, (unsigned)i, &ret->text);
        ends[i + 1] = ret->text.len;
    }
    for (size_t i = 0; i < ret->n; i++)
        ret->items[i] = (struct slice){ret->text.data + ends[i], ends[i + 1] - ends[i]};
}
