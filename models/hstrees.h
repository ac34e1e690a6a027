/*
 * models/hstrees.h -- inside `hstrees`: half-space trees (half_space.h) as a model, which learns
 * row by row and looks at no label.
 */
#ifndef MODELS_HSTREES_H
#define MODELS_HSTREES_H

#include "models/chosen.h"
#include "models/half_space.h"
#include "models/model.h"

struct hstrees_options {
    int64_t trees, depth, window, seed;
    struct conf_texts columns, exclude;
};

struct hstrees {
    struct model head;
    struct hstrees_options options;
    struct chosen chosen;
    struct half_space *trees;
    uint64_t learnt;
    uint64_t lives;                       /* times that it became another: loads, copies */
    const struct hstrees *published_from; /* what this scores as, as it was in that life */
    uint64_t published_life;
};

static inline struct hstrees *hstrees_of(const struct model *model)
{
    return (struct hstrees *)(uintptr_t)model;
}

enum status hstrees_save(const struct model *model, struct tensors *ret);
enum status hstrees_load(struct model *model, const struct tensors *tensors);

extern const struct model_ops hstrees_ops;

#endif
