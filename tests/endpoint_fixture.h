/*
 * tests/endpoint_fixture.h -- an endpoint over a model whose scores say which version made them, so
 * that a test can tell an answer that mixes two.
 *
 * A row's score is version * 1000 + its first column. The version is read from one of the model's
 * weights, another for each row, all of which a publication writes: a model that were read while it
 * is being published would give rows of one answer different versions.
 */
#ifndef TESTS_ENDPOINT_FIXTURE_H
#define TESTS_ENDPOINT_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "models/model.h"
#include "online/endpoint/endpoint.h"

enum { TOLD_COLUMNS_MAX = 64, TOLD_STEP = 1000, TOLD_PRIME = 1000003 };

struct told_model {
    struct model head;
    uint32_t version;
    size_t n; /* weights */
    float weights[];
};

static inline struct told_model *told_of(const struct model *model)
{
    return (struct told_model *)(uintptr_t)model;
}

static inline void told_free(struct model *model)
{
    free(model);
}

static inline void told_score(const struct model *model, const struct vector *rows, size_t n,
                              float *ret)
{
    const struct told_model *told = told_of(model);
    for (size_t i = 0; i < n; i++)
        ret[i] = told->weights[i * TOLD_PRIME % told->n] * TOLD_STEP + rows[i].dense[0];
}

static inline void told_publish(struct model *from, struct model *to)
{
    struct told_model *told = told_of(to);
    told->version = told_of(from)->version;
    for (size_t i = 0; i < told->n; i++)
        told->weights[i] = (float)told->version;
}

static inline double told_explain(const struct model *model, const struct vector *row,
                                  struct reasons *ret)
{
    reasons_offer(ret, "first", (double)row->dense[0]);
    return (double)told_of(model)->version;
}

static const struct model_ops told_ops = {.name = "told",
                                          .free = told_free,
                                          .score = told_score,
                                          .publish = told_publish,
                                          .explain = told_explain};

struct told {
    char names[TOLD_COLUMNS_MAX][8];
    const char *columns[TOLD_COLUMNS_MAX];
    struct vector_schema vectors;
    struct schema schema;
    struct registry *registry;
    struct model *learner;
    struct catalog catalog;
    struct endpoint_options options;
    struct endpoint *endpoint;
    bool ill;
    size_t weights; /* of the model */
};

static inline enum status told_make(void *arg, struct model **ret)
{
    const struct told *told = arg;
    struct told_model *model = calloc(1, sizeof *model + told->weights * sizeof(float));
    if (!model)
        return ST_ENOMEM;
    model->head.ops = &told_ops;
    model->n = told->weights;
    *ret = &model->head;
    return ST_OK;
}

static inline const char *told_health(void *arg, bool *ret_ok)
{
    const struct told *told = arg;
    *ret_ok = !told->ill;
    return told->ill ? "ill" : "ok";
}

/* Makes version `version` the current one. */
static inline void told_set_version(struct told *told, uint32_t version)
{
    told_of(told->learner)->version = version;
    registry_publish(told->registry, told->learner, version);
}

/* Everything but the start; options may still be changed. Columns are f0, f1, ... */
static inline void told_init_sized(struct told *told, size_t columns, size_t weights)
{
    *told = (struct told){.weights = weights};
    for (size_t i = 0; i < columns; i++) {
        snprintf(told->names[i], sizeof told->names[i], "f%u", (unsigned)i % 10000);
        told->columns[i] = told->names[i];
    }
    told->vectors = (struct vector_schema){.n_dense = columns, .dense = told->columns};
    if (registry_create(told_make, told, &told->registry) < 0 ||
        told_make(told, &told->learner) < 0)
        abort();
    told_set_version(told, 1);
    told->catalog.items[told->catalog.n++] = (struct served){.name = "told",
                                                             .kind = SERVED_VECTOR,
                                                             .platform = "freshet_told",
                                                             .registry = told->registry,
                                                             .columns = &told->vectors,
                                                             .reasons = 3};
    told->options = (struct endpoint_options){.name = "test",
                                              .http = "127.0.0.1:0",
                                              .grpc = "127.0.0.1:0",
                                              .threads = 1,
                                              .body_max = 1 << 20,
                                              .rows_max = 4096,
                                              .events_max = 64,
                                              .queue = 64,
                                              .connections_max = 20000,
                                              .idle = 60 * SECOND_US,
                                              .drain = 5 * SECOND_US,
                                              .catalog = &told->catalog,
                                              .schema = &told->schema,
                                              .health = told_health,
                                              .health_arg = told};
}

static inline void told_init(struct told *told, size_t columns)
{
    told_init_sized(told, columns, 1);
}

static inline enum status told_start(struct told *told)
{
    struct buf error = {0};
    enum status st = endpoint_start(&told->options, &error, &told->endpoint);
    if (st < 0)
        fprintf(stderr, "%.*s\n", (int)error.len, error.len ? error.data : "");
    buf_done(&error);
    return st;
}

static inline void told_done(struct told *told)
{
    endpoint_free(told->endpoint);
    registry_free(told->registry);
    told_free(told->learner);
}

#endif
