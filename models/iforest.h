/*
 * models/iforest.h -- inside `iforest`: an isolation forest, made anew at each publication from a
 * window of the examples, whose labels it does not look at.
 *
 * isolation.h makes the trees, forest.h scores them; copies share them. Learning an example only
 * puts it into the window, which is not saved but read again from the log (as that of `gbdt`).
 */
#ifndef MODELS_IFOREST_H
#define MODELS_IFOREST_H

#include <stdatomic.h>

#include "models/chosen.h"
#include "models/gbdt.h"
#include "models/isolation.h"

struct iforest_options {
    int64_t window, rows;
    int64_t n_estimators, max_samples, random_state;
    double max_features;
    bool bootstrap;
    struct conf_texts columns, exclude;
};

struct iforest {
    struct model head;
    struct iforest_options options;
    struct chosen chosen;
    struct gbdt_window window;
    uint64_t learnt;
    struct forest *forest; /* NULL: none yet. Its features are the chosen columns; one more than
                              there are: a column that is not there any more */
    _Atomic bool cancelled;
};

static inline struct iforest *iforest_of(const struct model *model)
{
    return (struct iforest *)(uintptr_t)model;
}

enum status iforest_save(const struct model *model, struct tensors *ret);
enum status iforest_load(struct model *model, const struct tensors *tensors);

extern const struct model_ops iforest_ops;

#endif
