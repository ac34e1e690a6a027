#include "models/chosen.h"

#include <stdlib.h>
#include <string.h>

static bool is_listed(const struct conf_texts *texts, const char *name)
{
    for (size_t i = 0; i < texts->n; i++)
        if (strcmp(texts->items[i], name) == 0)
            return true;
    return false;
}

static bool has_name(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void check_listed(const struct conf_texts *texts, const char *taken_by,
                         const struct vector_schema *schema, const struct conf_node *node,
                         struct conf_errors *errors)
{
    for (size_t i = 0; i < texts->n; i++) {
        const char *name = texts->items[i];
        bool category = has_name(schema->sparse, schema->n_sparse, name);
        if (category && taken_by)
            conf_complain(errors, node, "\"%s\" is a category; `%s` learns from numbers", name,
                          taken_by);
        else if (!category && !has_name(schema->dense, schema->n_dense, name))
            conf_complain(errors, node, "\"%s\" is none of the features' columns", name);
    }
}

static enum status select_columns(struct chosen *chosen, const struct conf_texts *columns,
                                  const struct conf_texts *exclude,
                                  const struct vector_schema *schema)
{
    chosen->column = calloc(schema->n_dense + 1, sizeof *chosen->column);
    chosen->names = calloc(schema->n_dense + 1, sizeof *chosen->names);
    if (!chosen->column || !chosen->names)
        return ST_ENOMEM;
    for (size_t i = 0; i < schema->n_dense; i++) {
        const char *name = schema->dense[i];
        if ((columns->n > 0 && !is_listed(columns, name)) || is_listed(exclude, name))
            continue;
        chosen->column[chosen->n] = (uint32_t)i;
        chosen->names[chosen->n] = strdup(name);
        if (!chosen->names[chosen->n++])
            return ST_ENOMEM;
    }
    return ST_OK;
}

enum status chosen_init(struct chosen *chosen, const char *kind, const struct conf_texts *columns,
                        const struct conf_texts *exclude, const struct vector_schema *schema,
                        const struct conf_node *node, struct conf_errors *errors)
{
    size_t mistakes = errors->n;
    *chosen = (struct chosen){0};
    check_listed(columns, kind, schema, conf_get(node, "columns"), errors);
    check_listed(exclude, NULL, schema, conf_get(node, "exclude"), errors);
    TRY(select_columns(chosen, columns, exclude, schema));
    if (chosen->n == 0)
        conf_complain(errors, node, "there is no number to learn from");
    return errors->n > mistakes ? ST_EINVAL : ST_OK;
}

void chosen_done(struct chosen *chosen)
{
    for (size_t i = 0; chosen->names && i < chosen->n; i++)
        free(chosen->names[i]);
    free(chosen->names);
    free(chosen->column);
}

size_t chosen_find(const struct chosen *chosen, const char *name, size_t len)
{
    size_t i = 0;
    while (i < chosen->n &&
           (strncmp(chosen->names[i], name, len) != 0 || chosen->names[i][len] != '\0'))
        i++;
    return i;
}

void chosen_write_names(const struct chosen *chosen, struct buf *ret)
{
    for (size_t i = 0; i < chosen->n; i++)
        buf_printf(ret, "%s%s", i > 0 ? "\n" : "", chosen->names[i]);
    buf_byte(ret, 0);
}

size_t chosen_bind_names(const struct chosen *chosen, const char *names, size_t max,
                         uint32_t *ret_places)
{
    for (size_t n = 0;; n++) {
        size_t len = strcspn(names, "\n");
        if (n == max)
            return SIZE_MAX;
        ret_places[n] = (uint32_t)chosen_find(chosen, names, len);
        if (names[len] == '\0')
            return n + 1;
        names += len + 1;
    }
}
