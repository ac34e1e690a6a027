/* The methods, and the small ones among them. */
#include <stdio.h>

#include "inference.pb-c.h"
#include "online/endpoint/describe.h"
#include "online/endpoint/grpc_internal.h"

static char *text_of(const char *text)
{
    return (char *)(uintptr_t)text; /* protobuf-c's own structs have no const */
}

static void take_server_live(struct grpc_stream *stream, struct call *call, struct slice message)
{
    Inference__ServerLiveResponse out = INFERENCE__SERVER_LIVE_RESPONSE__INIT;
    (void)message;
    out.live = true;
    grpc_reply_at_once(stream, call, &out.base);
}

static void take_server_ready(struct grpc_stream *stream, struct call *call, struct slice message)
{
    Inference__ServerReadyResponse out = INFERENCE__SERVER_READY_RESPONSE__INIT;
    (void)message;
    out.ready = grpc_is_ready(call->worker);
    grpc_reply_at_once(stream, call, &out.base);
}

static void take_server_metadata(struct grpc_stream *stream, struct call *call,
                                 struct slice message)
{
    Inference__ServerMetadataResponse out = INFERENCE__SERVER_METADATA_RESPONSE__INIT;
    char *extensions[8];
    (void)message;
    for (; describe_extensions[out.n_extensions]; out.n_extensions++)
        extensions[out.n_extensions] = text_of(describe_extensions[out.n_extensions]);
    out.extensions = extensions;
    out.name = text_of(call->worker->options->name);
    out.version = text_of(FRESHET_VERSION);
    grpc_reply_at_once(stream, call, &out.base);
}

/* The model of that name and version; NULL: there is none. */
static const struct served *find(struct call *call, const char *name, const char *version)
{
    const struct served *served = catalog_find(call->worker->options->catalog, slice_of(name));
    return served && served_has_version(served, slice_of(version)) ? served : NULL;
}

static void take_model_ready(struct grpc_stream *stream, struct call *call, struct slice message)
{
    Inference__ModelReadyResponse out = INFERENCE__MODEL_READY_RESPONSE__INIT;
    Inference__ModelReadyRequest *in =
        grpc_unpack(stream, call, &inference__model_ready_request__descriptor, message);
    if (!in) {
        call_give(call);
        return;
    }
    const struct served *served = find(call, in->name, in->version);
    out.ready = served && worker_serves(call->worker, served);
    grpc_reply_at_once(stream, call, &out.base);
}

static Inference__ModelMetadataResponse__TensorMetadata **
list_forms(struct call *call, const struct served *served,
           struct tensor_form (*form_of)(const struct served *, size_t), size_t n)
{
    Inference__ModelMetadataResponse__TensorMetadata *items =
        arena_take(&call->arena, n * sizeof *items + 1);
    Inference__ModelMetadataResponse__TensorMetadata **list =
        arena_take(&call->arena, n * sizeof(void *) + 1);
    for (size_t i = 0; i < n; i++) {
        struct tensor_form form = form_of(served, i);
        items[i] = (Inference__ModelMetadataResponse__TensorMetadata)
            INFERENCE__MODEL_METADATA_RESPONSE__TENSOR_METADATA__INIT;
        items[i].name = text_of(form.name);
        items[i].datatype = text_of(form.datatype);
        items[i].n_shape = form.n_dims;
        items[i].shape = arena_take(&call->arena, sizeof form.shape);
        memcpy(items[i].shape, form.shape, sizeof form.shape);
        list[i] = &items[i];
    }
    return list;
}

static char *version_text(struct call *call, const struct served *served)
{
    char *text = arena_take(&call->arena, 16);
    snprintf(text, 16, "%u", served_version(served));
    return text;
}

static void take_model_metadata(struct grpc_stream *stream, struct call *call, struct slice message)
{
    Inference__ModelMetadataResponse out = INFERENCE__MODEL_METADATA_RESPONSE__INIT;
    Inference__ModelMetadataRequest *in =
        grpc_unpack(stream, call, &inference__model_metadata_request__descriptor, message);
    const struct served *served = in ? find(call, in->name, in->version) : NULL;
    if (!served) {
        grpc_refuse(stream, REFUSED_NOT_FOUND, "there is no such model, or not of that version");
        call_give(call);
        return;
    }
    if (!worker_serves(call->worker, served)) {
        grpc_refuse(stream, REFUSED_UNLOADED, "the model is unloaded");
        call_give(call);
        return;
    }
    char *version = version_text(call, served);
    out.name = text_of(served->name);
    out.n_versions = 1;
    out.versions = &version;
    out.platform = text_of(served_scorer(served)->platform);
    out.n_inputs = served_n_inputs(served);
    out.inputs = list_forms(call, served, served_input, out.n_inputs);
    out.n_outputs = served_n_outputs(served);
    out.outputs = list_forms(call, served, served_output, out.n_outputs);
    grpc_reply_at_once(stream, call, &out.base);
}

static void take_index(struct grpc_stream *stream, struct call *call, struct slice message)
{
    const struct catalog *catalog = call->worker->options->catalog;
    Inference__RepositoryIndexResponse out = INFERENCE__REPOSITORY_INDEX_RESPONSE__INIT;
    Inference__RepositoryIndexResponse__ModelIndex items[CATALOG_MAX], *list[CATALOG_MAX];
    (void)message;
    for (size_t i = 0; i < catalog->n; i++) {
        items[i] = (Inference__RepositoryIndexResponse__ModelIndex)
            INFERENCE__REPOSITORY_INDEX_RESPONSE__MODEL_INDEX__INIT;
        items[i].name = text_of(catalog->items[i].name);
        items[i].version = version_text(call, &catalog->items[i]);
        bool serves = worker_serves(call->worker, &catalog->items[i]);
        items[i].state = text_of(serves ? "READY" : "UNAVAILABLE");
        items[i].reason = text_of(serves ? "" : "unloaded");
        list[i] = &items[i];
    }
    out.n_models = catalog->n;
    out.models = list;
    grpc_reply_at_once(stream, call, &out.base);
}

/* Serves a model again, or no more. Returns whether it does now. */
static bool set_served(struct grpc_stream *stream, struct call *call, const char *name, bool serves)
{
    const struct served *served = catalog_find(call->worker->options->catalog, slice_of(name));
    if (served)
        worker_set_served(call->worker, served, serves);
    else
        grpc_refuse(stream, REFUSED_NOT_FOUND, "there is no such model in the configuration");
    return served != NULL;
}

static void take_load(struct grpc_stream *stream, struct call *call, struct slice message)
{
    Inference__RepositoryModelLoadResponse out = INFERENCE__REPOSITORY_MODEL_LOAD_RESPONSE__INIT;
    Inference__RepositoryModelLoadRequest *in =
        grpc_unpack(stream, call, &inference__repository_model_load_request__descriptor, message);
    if (in && in->n_parameters > 0)
        grpc_refuse(stream, REFUSED_INVALID, "models come from their trainers, not with a request");
    else if (in && set_served(stream, call, in->model_name, true)) {
        grpc_reply_at_once(stream, call, &out.base);
        return;
    }
    call_give(call);
}

static void take_unload(struct grpc_stream *stream, struct call *call, struct slice message)
{
    Inference__RepositoryModelUnloadResponse out =
        INFERENCE__REPOSITORY_MODEL_UNLOAD_RESPONSE__INIT;
    Inference__RepositoryModelUnloadRequest *in =
        grpc_unpack(stream, call, &inference__repository_model_unload_request__descriptor, message);
    if (in && set_served(stream, call, in->model_name, false))
        grpc_reply_at_once(stream, call, &out.base);
    else
        call_give(call);
}

#define INFERENCE "/inference.GRPCInferenceService/"

/* The one that is asked most comes first. */
const struct grpc_method grpc_methods[] = {
    {INFERENCE "ModelInfer", false, SCOPE_SCORE, grpc_take_infer},
    {INFERENCE "ModelStreamInfer", true, SCOPE_SCORE, grpc_take_infer},
    {INFERENCE "ServerLive", false, 0, take_server_live},
    {INFERENCE "ServerReady", false, 0, take_server_ready},
    {INFERENCE "ModelReady", false, SCOPE_SCORE, take_model_ready},
    {INFERENCE "ServerMetadata", false, SCOPE_SCORE, take_server_metadata},
    {INFERENCE "ModelMetadata", false, SCOPE_SCORE, take_model_metadata},
    {INFERENCE "RepositoryIndex", false, SCOPE_SCORE, take_index},
    {"/grpc.health.v1.Health/Check", false, 0, grpc_take_health},
    {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", true, SCOPE_SCORE,
     grpc_take_reflection},
    {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", true, SCOPE_SCORE,
     grpc_take_reflection},
    {"/grpc.health.v1.Health/Watch", false, 0, grpc_take_watch},
    {INFERENCE "RepositoryModelLoad", false, SCOPE_ADMIN, take_load},
    {INFERENCE "RepositoryModelUnload", false, SCOPE_ADMIN, take_unload},
    {NULL, false, 0, NULL}};
