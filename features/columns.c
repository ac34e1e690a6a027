#include "features/columns.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static void names_done(struct names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->items[i]);
    free(names->items);
}

void columns_done(struct columns *columns)
{
    names_done(&columns->dense);
    names_done(&columns->sparse);
    *columns = (struct columns){0};
}

static bool names_hold(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

static uint32_t names_add(struct names *names, const char *name)
{
    if (names->n == names->cap) {
        names->cap = names->cap ? 2 * names->cap : 32;
        names->items = realloc(names->items, names->cap * sizeof *names->items);
    }
    char *copy = strdup(name);
    if (!names->items || !copy)
        abort();
    names->items[names->n] = copy;
    return (uint32_t)names->n++;
}

static void check_name(const struct columns *columns, struct conf_errors *errors,
                       const struct conf_node *node, const char *name)
{
    if (names_hold(&columns->dense, name) || names_hold(&columns->sparse, name))
        conf_complain(errors, node, "there is a column \"%s\" already; name this one with `as:`",
                      name);
}

uint32_t columns_add_dense(struct columns *columns, struct conf_errors *errors,
                           const struct conf_node *node, const char *name)
{
    check_name(columns, errors, node, name);
    if (columns->dense.n == VECTOR_DENSE_MAX)
        conf_complain(errors, node, "more than %d columns", VECTOR_DENSE_MAX);
    return names_add(&columns->dense, name);
}

uint32_t columns_add_sparse(struct columns *columns, struct conf_errors *errors,
                            const struct conf_node *node, const char *name)
{
    check_name(columns, errors, node, name);
    return names_add(&columns->sparse, name);
}

bool columns_find_dense(const struct columns *columns, const char *name, uint32_t *ret)
{
    for (size_t i = 0; i < columns->dense.n; i++)
        if (strcmp(columns->dense.items[i], name) == 0) {
            *ret = (uint32_t)i;
            return true;
        }
    return false;
}

const char *columns_nearest_dense(const struct columns *columns, const char *name)
{
    const struct names *dense = &columns->dense;
    const char **names = calloc(dense->n + 1, sizeof *names);
    if (!names)
        abort();
    for (size_t i = 0; i < dense->n; i++)
        names[i] = dense->items[i];
    const char *nearest = conf_nearest(name, names);
    free(names);
    return nearest;
}

static void hash_names(struct buf *buf, const struct names *names)
{
    buf_u64(buf, names->n);
    for (size_t i = 0; i < names->n; i++)
        buf_append(buf, names->items[i], strlen(names->items[i]) + 1);
}

void columns_ready(struct columns *columns)
{
    struct buf all = {0};
    hash_names(&all, &columns->dense);
    hash_names(&all, &columns->sparse);
    columns->schema = (struct vector_schema){
        .n_dense = columns->dense.n,
        .n_sparse = columns->sparse.n,
        .dense = (const char *const *)columns->dense.items,
        .sparse = (const char *const *)columns->sparse.items,
        .id = XXH3_64bits(all.data, all.len),
    };
    buf_done(&all);
}
