/*
 * models/chosen.h -- the dense columns that a model looks at: all, or those that its options
 * `columns` and `exclude` leave, bound by name.
 */
#ifndef MODELS_CHOSEN_H
#define MODELS_CHOSEN_H

#include "base/conf.h"
#include "base/status.h"
#include "base/vector.h"

struct chosen {
    size_t n;
    uint32_t *column; /* of each: its place in vector.dense */
    char **names;
};

/* columns: the only ones, all if empty; exclude: not these. kind: for complaints. Categories may be
 * excluded by name, but not taken. Names that are none of the columns, and a choice of none, are
 * complained of: ST_EINVAL. chosen_done() is due after a failure, too. */
STATUS_CHECKED enum status chosen_init(struct chosen *chosen, const char *kind,
                                       const struct conf_texts *columns,
                                       const struct conf_texts *exclude,
                                       const struct vector_schema *schema,
                                       const struct conf_node *node, struct conf_errors *errors);
void chosen_done(struct chosen *chosen);

/* Of a name, len bytes long, its place among the chosen; n if it is none of them. */
size_t chosen_find(const struct chosen *chosen, const char *name, size_t len);
/* The names, a line each, as model files hold them. */
void chosen_write_names(const struct chosen *chosen, struct buf *ret);
/* Of each line of `names` its place among the chosen, n where it is none of them. Returns how many
 * lines there are, or SIZE_MAX if more than max. */
size_t chosen_bind_names(const struct chosen *chosen, const char *names, size_t max,
                         uint32_t *ret_places);

#endif
