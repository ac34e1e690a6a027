#include "online/endpoint/catalog.h"

#include "base/number.h"

const struct served *catalog_find(const struct catalog *catalog, struct slice name)
{
    for (size_t i = 0; i < catalog->n; i++)
        if (slice_eq(slice_of(catalog->items[i].name), name))
            return &catalog->items[i];
    return NULL;
}

const struct served *served_scorer(const struct served *served)
{
    return served->champion ? &served->models[*served->champion] : served;
}

const struct model *served_acquire(const struct served *scorer, uint32_t *ret_version)
{
    const struct model *model = registry_acquire(scorer->registry, 0); /* whichever: never waits */
    if (model)
        *ret_version = registry_version_of(scorer->registry, model);
    return model;
}

const struct model *served_acquire_for(const struct served *scorer, const struct event *event,
                                       uint32_t *ret_version)
{
    struct canary_limits limits;
    if (!scorer->canary || scorer->canary->share == 0)
        return served_acquire(scorer, ret_version);
    const struct model *trial = registry_acquire_trial(scorer->registry, ret_version, &limits);
    if (trial && canary_share_has(scorer->canary, event, *ret_version))
        return trial;
    if (trial)
        registry_release(scorer->registry, trial);
    return served_acquire(scorer, ret_version);
}

uint32_t served_version(const struct served *served)
{
    return registry_version(served_scorer(served)->registry);
}

bool served_has_version(const struct served *served, struct slice version)
{
    int64_t number;
    if (version.len == 0)
        return true;
    return number_to_int(version, &number) == ST_OK && number == (int64_t)served_version(served);
}

/* An event's own names come first: its id and its time, where they are no fields as well. */
static size_t own_names(const struct stream *stream, const char **ret)
{
    size_t n = 0;
    if (stream->id_field && stream_find_field(stream, stream->id_field) < 0)
        ret[n++] = stream->id_field;
    if (stream->time_field && stream_find_field(stream, stream->time_field) < 0)
        ret[n++] = stream->time_field;
    return n;
}

size_t served_n_inputs(const struct served *served)
{
    const char *own[2];
    return served->kind == SERVED_VECTOR
               ? 1
               : own_names(served->stream, own) + served->stream->n_fields;
}

static struct tensor_form event_input(const struct served *served, size_t i)
{
    const char *own[2];
    size_t n = own_names(served->stream, own);
    if (i < n)
        return (struct tensor_form){own[i], "BYTES", 1, {-1}, false};
    const struct field *field = &served->stream->fields[i - n];
    const char *type = field->type == FIELD_NUMBER ? "FP64" : "BYTES";
    return (struct tensor_form){field->name, type, 1, {-1}, true};
}

struct tensor_form served_input(const struct served *served, size_t i)
{
    if (served->kind == SERVED_EVENTS)
        return event_input(served, i);
    int64_t columns = (int64_t)served->columns->n_dense;
    return (struct tensor_form){"vector", "FP32", 2, {-1, columns}, false};
}

size_t served_n_outputs(const struct served *served)
{
    return 1 + (served->kind == SERVED_EVENTS) + (served_scorer(served)->reasons > 0);
}

struct tensor_form served_output(const struct served *served, size_t i)
{
    int64_t columns = (int64_t)served->columns->n_dense;
    if (i == 0)
        return (struct tensor_form){"score", "FP32", 1, {-1}, false};
    if (i == 1 && served->kind == SERVED_EVENTS)
        return (struct tensor_form){"features", "FP64", 2, {-1, columns}, true};
    return (struct tensor_form){"reasons", "BYTES", 1, {-1}, true};
}
