/*
 * What the pipeline is asked about: events, as the stream has them.
 *
 * Either one BYTES input "event", each element a record as it would stand on the topic; or the
 * fields as an input each, by name, as many elements as there are events. Both go through the
 * stream's own decoder, so that a value means here what it means there.
 */
#include <math.h>
#include <stdio.h>

#include "base/number.h"
#include "ingest/decode.h"
#include "online/endpoint/call.h"
#include "online/endpoint/worker.h"

/* The decoder's memory is for its next event; what the call's own refers to is the call's. */
static bool keep_event(struct call *call, struct decoder *decoder, size_t row, struct event *event)
{
    if (event->kind == EVENT_DEAD)
        return call_refuse(call, REFUSED_INVALID, "event %zu: %s", row, event->reason);
    size_t n_texts, n = call->served->stream->n_fields;
    union value *values = arena_take(&call->arena, n * sizeof *values + 1);
    if (n > 0)
        memcpy(values, event->values, n * sizeof *values);
    const uint32_t *texts = decoder_texts(decoder, &n_texts);
    for (size_t i = 0; i < n_texts; i++)
        values[texts[i]].text =
            arena_copy(&call->arena, values[texts[i]].text.data, values[texts[i]].text.len);
    event->values = values;
    event->id = (struct slice){0};
    event->raw = (struct slice){0};
    if (key_is_none(event->id_key))
        event->id_key = hash_event_id(slice_of(""));
    return true;
}

/* The next element of a BYTES tensor. */
static bool next_text(struct call *call, const struct infer_tensor *tensor, struct reader *in,
                      struct slice *ret)
{
    uint32_t len = read_u32(in);
    const char *data = read_bytes(in, len);
    if (in->bad)
        return call_refuse(
            call, REFUSED_INVALID, "input %.*s: its data end before its %zu elements do",
            (int)(tensor->name.len < 60 ? tensor->name.len : 60), tensor->name.data, tensor->n);
    *ret = (struct slice){data, len};
    return true;
}

static bool set_rows(struct call *call, const struct infer_tensor *tensor)
{
    if (call->n_rows == 0)
        call->n_rows = tensor->n;
    if (tensor->n == 0 || tensor->n != call->n_rows)
        return call_refuse(call, REFUSED_INVALID,
                           "input %.*s has %zu elements; expected one an event, the same of each",
                           (int)(tensor->name.len < 60 ? tensor->name.len : 60), tensor->name.data,
                           tensor->n);
    if (tensor->n > call->worker->options->events_max)
        return call_refuse(call, REFUSED_TOO_LARGE, "%zu events; at most %zu are scored at once",
                           tensor->n, call->worker->options->events_max);
    return true;
}

/* Records. */

static bool read_records(struct call *call, struct decoder *decoder, struct event *events)
{
    const struct infer_tensor *tensor = &call->inputs[0];
    struct reader in = reader_of(tensor->data);
    int64_t now = worker_wall_clock();
    if (tensor->type != INFER_BYTES)
        return call_refuse(call, REFUSED_INVALID, "input event is of type %s; expected BYTES",
                           infer_type_names[tensor->type]);
    for (size_t i = 0; i < call->n_rows; i++) {
        struct slice record = {0};
        if (!next_text(call, tensor, &in, &record))
            return false;
        decoder_decode(decoder, record, now, &events[i]);
        if (!keep_event(call, decoder, i, &events[i]))
            return false;
    }
    return reader_done(&in) || call_refuse(call, REFUSED_INVALID, "input event: too much data");
}

/* Fields. A number becomes the text that reads back as the same number. */

static struct scalar number_scalar(struct call *call, double v)
{
    char *text = arena_take(&call->arena, NUMBER_TEXT_MAX);
    if (isnan(v))
        return (struct scalar){NULL, 0, SCALAR_NONE};
    return (struct scalar){text, number_from_double(v, text), SCALAR_NUMBER};
}

static struct scalar integer_scalar(struct call *call, int64_t v)
{
    char *text = arena_take(&call->arena, NUMBER_TEXT_MAX);
    return (struct scalar){text, number_from_int(v, text), SCALAR_NUMBER};
}

static bool read_scalar(struct call *call, const struct infer_tensor *tensor, struct reader *in,
                        struct scalar *ret)
{
    struct slice text = {0};
    switch (tensor->type) {
    case INFER_BYTES:
        if (!next_text(call, tensor, in, &text))
            return false;
        *ret = (struct scalar){text.data, text.len, text.len ? SCALAR_TEXT : SCALAR_NONE};
        return true;
    case INFER_FP64:
        *ret = number_scalar(call, read_f64(in));
        return true;
    case INFER_FP32:
        *ret = number_scalar(call, (double)read_f32(in));
        return true;
    case INFER_INT64:
        *ret = integer_scalar(call, (int64_t)read_u64(in));
        return true;
    case INFER_INT32:
        *ret = integer_scalar(call, (int32_t)read_u32(in));
        return true;
    default:
        return call_refuse(call, REFUSED_INVALID,
                           "input %.*s is of type %s; expected BYTES, FP64, FP32, INT64 or INT32",
                           (int)(tensor->name.len < 60 ? tensor->name.len : 60), tensor->name.data,
                           infer_type_names[tensor->type]);
    }
}

/* One input's values into the scalars of all events: n_names a row. */
static bool read_field(struct call *call, const struct infer_tensor *tensor, size_t n_names,
                       struct scalar *ret)
{
    struct reader in = reader_of(tensor->data);
    for (size_t row = 0; row < call->n_rows; row++)
        if (!read_scalar(call, tensor, &in, &ret[row * n_names]))
            return false;
    return reader_done(&in) ||
           call_refuse(call, REFUSED_INVALID, "input %.*s: its data are not what its shape says",
                       (int)(tensor->name.len < 60 ? tensor->name.len : 60), tensor->name.data);
}

static bool read_fields(struct call *call, const char *const *names, size_t n_names,
                        struct scalar *ret)
{
    for (size_t i = 0; i < call->n_inputs; i++) {
        const struct infer_tensor *tensor = &call->inputs[i];
        size_t at = 0;
        while (at < n_names && !slice_eq(slice_of(names[at]), tensor->name))
            at++;
        if (at == n_names)
            return call_refuse(call, REFUSED_INVALID,
                               "there is no input \"%.*s\"; expected \"event\" or its fields",
                               (int)(tensor->name.len < 60 ? tensor->name.len : 60),
                               tensor->name.data);
        if (!set_rows(call, tensor) || !read_field(call, tensor, n_names, ret + at))
            return false;
    }
    return true;
}

static bool read_apart(struct call *call, struct decoder *decoder, struct event *events)
{
    size_t n_names, n;
    const char *const *names = decoder_names(decoder, &n_names);
    n = call->n_rows * n_names;
    struct scalar *scalars = arena_take(&call->arena, n * sizeof *scalars + 1);
    for (size_t i = 0; i < n; i++)
        scalars[i] = (struct scalar){NULL, 0, SCALAR_NONE};
    if (!read_fields(call, names, n_names, scalars))
        return false;
    int64_t now = worker_wall_clock();
    for (size_t i = 0; i < call->n_rows; i++) {
        decoder_decode_values(decoder, scalars + i * n_names, now, &events[i]);
        if (!keep_event(call, decoder, i, &events[i]))
            return false;
    }
    return true;
}

/* To the state thread and back. */

static void make_room(struct call *call, struct event *events)
{
    size_t n = call->n_rows, columns = call->served->columns->n_dense;
    call->request = (struct request){
        .events = events,
        .n = n,
        .deadline = call->deadline,
        .values = arena_take(&call->arena, n * columns * sizeof(double) + 1),
        .sparse = arena_take(&call->arena, n * VECTOR_SPARSE_MAX * sizeof(struct sparse)),
        .n_sparse = arena_take(&call->arena, n * sizeof(size_t)),
        .owner = call,
    };
}

bool call_ask_events(struct call *call)
{
    struct worker *worker = call->worker;
    struct decoder *decoder = worker->decoders[call->served->stream_index];
    if (call->n_inputs == 0 || !set_rows(call, &call->inputs[0]))
        return call_refuse(call, REFUSED_INVALID, "no inputs; expected \"event\" or its fields");
    struct event *events = arena_take(&call->arena, call->n_rows * sizeof *events);
    bool whole = call->n_inputs == 1 && slice_eq(call->inputs[0].name, slice_of("event")) &&
                 stream_find_field(call->served->stream, "event") < 0;
    if (!(whole ? read_records(call, decoder, events) : read_apart(call, decoder, events)))
        return false;
    make_room(call, events);
    size_t size = arena_held(&call->arena);
    if (worker->asked + size > worker->held_max ||
        !requests_ask(worker->options->requests, worker->number, &call->request))
        return call_refuse(call, REFUSED_FULL, "too many events are waiting to be scored");
    call->asked = size;
    worker->asked += size;
    return true;
}

static void score_extracted(struct call *call)
{
    const struct request *request = &call->request;
    size_t columns = call->served->columns->n_dense;
    float *dense = arena_take(&call->arena, call->n_rows * columns * sizeof *dense + 1);
    struct vector *vectors = arena_take(&call->arena, call->n_rows * sizeof *vectors);
    for (size_t i = 0; i < call->n_rows * columns; i++)
        dense[i] = (float)request->values[i];
    for (size_t i = 0; i < call->n_rows; i++)
        vectors[i] = (struct vector){dense + i * columns, request->sparse + i * VECTOR_SPARSE_MAX,
                                     request->n_sparse[i]};
    call->features = request->values;
    call_score(call, vectors);
}

void call_extracted(struct call *call)
{
    enum status st = call->request.status;
    if (st == ST_OK)
        score_extracted(call);
    else if (st == ST_EAGAIN)
        call_refuse(call, REFUSED_LATE, "the deadline has passed");
    else
        call_refuse(call, REFUSED_UNAVAILABLE, "%s",
                    st == ST_ESTOPPED ? "the service is ending" : "the state cannot be read");
    call->done(call);
}
