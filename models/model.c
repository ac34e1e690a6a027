#include "models/model.h"

#include <string.h>

extern const struct model_ops ftrl_ops;

const struct model_ops *const model_kinds[] = {&ftrl_ops, NULL};

const struct model_ops *model_find_kind(const char *name)
{
    for (size_t i = 0; model_kinds[i]; i++)
        if (strcmp(model_kinds[i]->name, name) == 0)
            return model_kinds[i];
    return NULL;
}
