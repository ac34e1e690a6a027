#include "models/model.h"

#include <string.h>

extern const struct model_ops ftrl_ops, gbdt_ops, hstrees_ops, iforest_ops;

const struct model_ops *const model_kinds[] = {&ftrl_ops, &gbdt_ops, &iforest_ops, &hstrees_ops,
                                               NULL};

enum status model_copy(struct model *from, struct model *to)
{
    if (from->ops->copy) {
        from->ops->copy(from, to);
        return ST_OK;
    }
    struct tensors *tensors = tensors_create();
    if (!tensors)
        return ST_ENOMEM;
    enum status st = from->ops->save(from, tensors);
    if (st == ST_OK)
        st = to->ops->load(to, tensors);
    tensors_free(tensors);
    return st;
}

/* Rows beside each other stay together. */
static void each_kept(struct model *model, const struct example *rows, size_t n,
                      void (*fn)(struct model *model, const struct example *rows, size_t n))
{
    size_t from = 0;
    for (size_t i = 0; i <= n; i++) {
        if (i < n && !rows[i].aside)
            continue;
        if (i > from)
            fn(model, rows + from, i - from);
        from = i + 1;
    }
}

void model_learn(struct model *model, const struct example *rows, size_t n)
{
    each_kept(model, rows, n, model->ops->learn);
}

void model_recall(struct model *model, const struct example *rows, size_t n)
{
    each_kept(model, rows, n, model->ops->recall);
}

const struct model_ops *model_find_kind(const char *name)
{
    for (size_t i = 0; model_kinds[i]; i++)
        if (strcmp(model_kinds[i]->name, name) == 0)
            return model_kinds[i];
    return NULL;
}
