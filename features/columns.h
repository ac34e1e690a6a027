/*
 * features/columns.h -- the names of a vector's columns while a plan is made, and then for good.
 *
 * Columns are numbered in the order in which they are added; no two have the same name.
 */
#ifndef FEATURES_COLUMNS_H
#define FEATURES_COLUMNS_H

#include <stdbool.h>

#include "base/conf.h"
#include "base/vector.h"

struct names {
    size_t n, cap;
    char **items;
};

struct columns {
    struct names dense;
    struct names sparse;
    struct vector_schema schema; /* filled by columns_ready() */
};

void columns_done(struct columns *columns);

/* Their indices. The name is copied. One that is there already, or is one too many, is complained
 * of at node. */
uint32_t columns_add_dense(struct columns *columns, struct conf_errors *errors,
                           const struct conf_node *node, const char *name);
uint32_t columns_add_sparse(struct columns *columns, struct conf_errors *errors,
                            const struct conf_node *node, const char *name);

/* Of the dense columns so far the one of that name; false if there is none. */
bool columns_find_dense(const struct columns *columns, const char *name, uint32_t *ret);
/* The one whose name is most like it, or NULL. */
const char *columns_nearest_dense(const struct columns *columns, const char *name);

/* After the last: lays out the schema, with its id. */
void columns_ready(struct columns *columns);

#endif
