/*
 * models/ftrl_tensors.h -- inside `ftrl`: what of it goes into a file, and where it is in memory.
 */
#ifndef MODELS_FTRL_TENSORS_H
#define MODELS_FTRL_TENSORS_H

#include "models/ftrl.h"

enum { FTRL_PARTS_FILE_MAX = 48 };

/* One tensor of n_numbers rows, and where its rows are in the model. */
struct ftrl_part {
    const char *name;
    size_t length; /* elements a row */
    void *data;
    enum tensor_type type;
    bool of_bins; /* means nothing to a model with another number of bins */
    size_t bins;  /* they are edges of so many; 0: they are none */
};

/* Something of a cross, or of a number in crosses: a tensor of its own. */
struct ftrl_item {
    char name[FTRL_NAME_MAX + 32];
    enum tensor_type type;
    size_t n;
    void *data;
    size_t bins; /* as in a part */
};

/* All that there is once a number, at most FTRL_PARTS_FILE_MAX; returns how many. */
size_t ftrl_list_parts(const struct ftrl *ftrl, struct ftrl_part *ret);
/* Edges of the coarse bins of a number in crosses, i below n_coarse. */
struct ftrl_item ftrl_coarse_item(const struct ftrl *ftrl, size_t i);
/* Item i of all crosses and coarse bins; false behind the last. */
bool ftrl_item_at(const struct ftrl *ftrl, size_t i, struct ftrl_item *ret);

#endif
