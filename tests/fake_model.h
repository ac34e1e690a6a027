/*
 * tests/fake_model.h -- a kind of model that remembers what it was given, for tests of those around
 * it.
 *
 * Its digest goes through all that it has learnt, row by row: two of them agree only if they learnt
 * the same rows in the same order. Its words all hold the number of rows, so that a reader can tell
 * a copy that changes under it.
 */
#ifndef TESTS_FAKE_MODEL_H
#define TESTS_FAKE_MODEL_H

#include <math.h>
#include <stdlib.h>

#include "models/model.h"

enum { FAKE_WORDS = 256 };

struct fake_model {
    struct model head;
    uint64_t learnt, digest;
    uint64_t words[FAKE_WORDS];
    uint64_t calls; /* of learn */
};

/* What learning one row makes of a digest. */
static inline uint64_t fake_digest(uint64_t digest, const struct example *row, size_t n_dense)
{
    uint32_t bits[2];
    memcpy(&bits[0], &row->label, 4);
    memcpy(&bits[1], &row->weight, 4);
    digest = (digest ^ bits[0]) * UINT64_C(0x9e3779b97f4a7c15) + bits[1] + (uint64_t)row->time;
    for (size_t i = 0; i < n_dense; i++) {
        memcpy(&bits[0], &row->vector.dense[i], 4);
        digest = (digest ^ bits[0]) * UINT64_C(0xd6e8feb86659fd93);
    }
    for (size_t i = 0; i < row->vector.n_sparse; i++)
        digest = (digest ^ row->vector.sparse[i].hash) * UINT64_C(0xc2b2ae3d27d4eb4f);
    return digest;
}

enum { FAKE_DENSE = 2 };

static inline struct fake_model *fake_of(const struct model *model)
{
    return (struct fake_model *)(uintptr_t)model;
}

static inline void fake_free(struct model *model)
{
    free(model);
}

static inline void fake_score(const struct model *model, const struct vector *rows, size_t n,
                              float *ret)
{
    for (size_t i = 0; i < n; i++)
        ret[i] = (float)(fake_of(model)->digest % 997 + 1) / 1000 + 0 * rows[i].dense[0];
}

static inline void fake_learn(struct model *model, const struct example *rows, size_t n)
{
    struct fake_model *fake = fake_of(model);
    for (size_t i = 0; i < n; i++)
        fake->digest = fake_digest(fake->digest, &rows[i], FAKE_DENSE);
    fake->learnt += n;
    fake->calls++;
}

static inline void fake_publish(struct model *from, struct model *to)
{
    fake_of(to)->learnt = fake_of(from)->learnt;
    fake_of(to)->digest = fake_of(from)->digest;
    for (size_t i = 0; i < FAKE_WORDS; i++)
        fake_of(to)->words[i] = fake_of(from)->learnt;
}

static inline enum status fake_save(const struct model *model, struct tensors *ret)
{
    uint64_t all[2] = {fake_of(model)->learnt, fake_of(model)->digest};
    tensors_put(ret, "all", TENSOR_U64, (size_t[]){2}, 1, all);
    return ST_OK;
}

static inline enum status fake_load(struct model *model, const struct tensors *tensors)
{
    const struct tensor *all = tensors_get_as(tensors, "all", TENSOR_U64, 2);
    if (!all)
        return ST_ECORRUPT;
    fake_of(model)->learnt = ((const uint64_t *)all->data)[0];
    fake_of(model)->digest = ((const uint64_t *)all->data)[1];
    return ST_OK;
}

static inline enum status fake_make(void *arg, struct model **ret)
{
    static const struct model_ops ops = {.name = "fake",
                                         .free = fake_free,
                                         .score = fake_score,
                                         .learn = fake_learn,
                                         .publish = fake_publish,
                                         .save = fake_save,
                                         .load = fake_load};
    (void)arg;
    struct fake_model *fake = calloc(1, sizeof *fake);
    if (!fake)
        return ST_ENOMEM;
    fake->head.ops = &ops;
    *ret = &fake->head;
    return ST_OK;
}

#endif
