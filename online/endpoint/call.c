#include "online/endpoint/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/decode_json.h"
#include "online/endpoint/worker.h"
#include "online/service.h"

/* HTTP: RFC 9110; gRPC: the status codes of its core. */
const struct refusal_codes refusal_codes[REFUSALS] = {
    [REFUSED_NOT] = {200, 0, "OK"},
    [REFUSED_INVALID] = {400, 3, "Bad Request"},
    [REFUSED_TOKEN] = {401, 16, "Unauthorized"},
    [REFUSED_SCOPE] = {403, 7, "Forbidden"},
    [REFUSED_NOT_FOUND] = {404, 5, "Not Found"},
    [REFUSED_UNLOADED] = {400, 14, "Bad Request"}, /* as Triton has it */
    [REFUSED_METHOD] = {405, 12, "Method Not Allowed"},
    [REFUSED_TOO_LARGE] = {413, 8, "Content Too Large"},
    [REFUSED_FULL] = {503, 8, "Service Unavailable"},
    [REFUSED_LATE] = {504, 4, "Gateway Timeout"},
    [REFUSED_UNAVAILABLE] = {503, 14, "Service Unavailable"},
    [REFUSED_INTERNAL] = {500, 13, "Internal Server Error"},
};

const char *const call_output_names[CALL_OUTPUTS] = {"score", "features", "reasons"};

enum { CALL_BLOCK = 32 * 1024, CALL_KEPT = 256 * 1024 };

/* Both protocols' texts are UTF-8, and what is quoted may be anything and cut anywhere. */
static void make_readable(char *text)
{
    if (json_is_utf8(text, strlen(text)))
        return;
    for (; *text; text++)
        *text = (unsigned char)*text < 0x80 ? *text : '?';
}

bool call_refuse(struct call *call, enum refusal refusal, const char *format, ...)
{
    if (call->refusal != REFUSED_NOT)
        return false;
    call->refusal = refusal;
    va_list args;
    va_start(args, format);
    vsnprintf(call->why, sizeof call->why, format, args);
    va_end(args);
    make_readable(call->why);
    return false;
}

/* Calls are made once and circulate. */

static struct call *call_make(struct worker *worker)
{
    if (worker->n_calls == worker->calls_max)
        return NULL;
    struct call *call = calloc(1, sizeof *call);
    if (!call)
        return NULL;
    arena_init(&call->arena, CALL_BLOCK);
    call->worker = worker;
    call->deadline = INT64_MAX;
    worker->n_calls++;
    return call;
}

struct call *call_take(struct worker *worker)
{
    struct call *call = worker->free_calls;
    if (!call)
        return call_make(worker);
    worker->free_calls = call->next;
    struct arena arena = call->arena;
    *call = (struct call){.worker = worker, .arena = arena, .deadline = INT64_MAX};
    return call;
}

/* One that was large does not stay so. */
void call_give(struct call *call)
{
    struct worker *worker = call->worker;
    worker->asked -= call->asked;
    call->asked = 0;
    if (arena_held(&call->arena) > CALL_KEPT) {
        call_free(call);
        worker->n_calls--;
        return;
    }
    arena_reset(&call->arena);
    call->next = worker->free_calls;
    worker->free_calls = call;
}

void call_free(struct call *call)
{
    arena_done(&call->arena);
    free(call);
}

bool call_check_shape(struct call *call, struct infer_tensor *tensor)
{
    int64_t n = 1;
    int name = (int)(tensor->name.len < 60 ? tensor->name.len : 60);
    for (size_t i = 0; i < tensor->n_dims; i++)
        if (tensor->shape[i] < 0 || __builtin_mul_overflow(n, tensor->shape[i], &n))
            return call_refuse(call, REFUSED_INVALID, "input %.*s: its shape is no shape", name,
                               tensor->name.data);
    if (n > INT32_MAX)
        return call_refuse(call, REFUSED_TOO_LARGE, "input %.*s: too many elements", name,
                           tensor->name.data);
    tensor->n = (size_t)n;
    return true;
}

/* The model that is asked. */

static bool find_model(struct call *call)
{
    int name = (int)(call->model.len < 60 ? call->model.len : 60);
    call->served = catalog_find(call->worker->options->catalog, call->model);
    if (!call->served)
        return call_refuse(call, REFUSED_NOT_FOUND, "there is no model \"%.*s\"", name,
                           call->model.data);
    if (!worker_serves(call->worker, call->served))
        return call_refuse(call, REFUSED_UNLOADED, "model \"%.*s\" is unloaded", name,
                           call->model.data);
    if (!served_has_version(call->served, call->version))
        return call_refuse(call, REFUSED_NOT_FOUND,
                           "model \"%.*s\" has no version \"%.*s\" any more, or not yet", name,
                           call->model.data, (int)(call->version.len < 20 ? call->version.len : 20),
                           call->version.data);
    if (call->deadline < service_clock())
        return call_refuse(call, REFUSED_LATE, "the deadline has passed");
    return true;
}

static bool check_outputs(struct call *call)
{
    bool any = false;
    for (int i = 0; i < CALL_OUTPUTS; i++)
        any = any || call->wanted[i];
    call->wanted[OUTPUT_SCORE] = call->wanted[OUTPUT_SCORE] || !any;
    if (call->wanted[OUTPUT_FEATURES] && call->served->kind != SERVED_EVENTS)
        return call_refuse(call, REFUSED_INVALID,
                           "there is no output \"features\": they are what is asked about");
    if (call->wanted[OUTPUT_REASONS] && served_scorer(call->served)->reasons == 0)
        return call_refuse(call, REFUSED_INVALID,
                           "there is no output \"reasons\": this model cannot tell them");
    return true;
}

void call_start(struct call *call)
{
    if (call->refusal == REFUSED_NOT && find_model(call) && check_outputs(call)) {
        struct vector *vectors;
        if (call->served->kind == SERVED_EVENTS && call_ask_events(call))
            return;
        if (call->served->kind == SERVED_VECTOR && call_read_vectors(call, &vectors))
            call_score(call, vectors);
    }
    call->done(call);
}
