/*
 * online/endpoint/catalog.h -- the models that the endpoint serves, by name.
 *
 * A *vector* model is a registry's current model as it is: a caller brings the numbers it sees. An
 * *events* model is the pipeline: a caller brings the fields of an event of one stream, the numbers
 * come from live state, and the model whose scores leave scores them: the champion, which may
 * become another while the endpoint serves.
 *
 * The catalog is made once, before the endpoint starts, and never changes; versions and the
 * champion do.
 */
#ifndef ONLINE_ENDPOINT_CATALOG_H
#define ONLINE_ENDPOINT_CATALOG_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/vector.h"
#include "ingest/schema.h"
#include "online/canary_share.h"
#include "online/registry.h"

enum served_kind { SERVED_VECTOR, SERVED_EVENTS };

struct served {
    const char *name;
    enum served_kind kind;
    const char *platform; /* "freshet_ftrl" */
    struct registry *registry;
    const struct vector_schema *columns;
    const struct stream *stream; /* of events */
    uint16_t stream_index;
    size_t reasons;                    /* how many a row is explained by */
    const struct canary_share *canary; /* the events that a version on trial scores; NULL: none */
    /* Of events, where several models may score them: these, and which of them is the champion now.
     * NULL: it scores by itself. */
    const struct served *models;
    const _Atomic size_t *champion;
};

enum { CATALOG_MAX = 64 };

struct catalog {
    size_t n;
    struct served items[CATALOG_MAX];
};

/* NULL if there is none. */
const struct served *catalog_find(const struct catalog *catalog, struct slice name);

/* What scores for it now: itself, or of a pipeline the champion. Who acquires and releases asks
 * once. */
const struct served *served_scorer(const struct served *served);

/* The current model of what scores, and the version that it is; given back with registry_release().
 * NULL: the registry has stopped. */
const struct model *served_acquire(const struct served *scorer, uint32_t *ret_version);
/* The same for an event: what is on trial, where the event is of its share. */
const struct model *served_acquire_for(const struct served *scorer, const struct event *event,
                                       uint32_t *ret_version);

/* The version that there is now, of what scores now. */
uint32_t served_version(const struct served *served);
/* Whether a version that a caller names ("", "3") is the one there is. */
bool served_has_version(const struct served *served, struct slice version);

/* Names of what goes in and comes out: fields of an event, or "vector". */
struct tensor_form {
    const char *name;
    const char *datatype;
    size_t n_dims;
    int64_t shape[2]; /* -1: any */
    bool optional;
};
size_t served_n_inputs(const struct served *served);
struct tensor_form served_input(const struct served *served, size_t i);
size_t served_n_outputs(const struct served *served);
struct tensor_form served_output(const struct served *served, size_t i);

#endif
