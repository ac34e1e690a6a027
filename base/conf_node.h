/*
 * base/conf_node.h -- inside base/: what a configuration file is parsed into.
 */
#ifndef BASE_CONF_NODE_H
#define BASE_CONF_NODE_H

#include "base/arena.h"
#include "base/conf.h"

struct conf {
    const char *name; /* of the file, for messages */
    struct arena arena;
    struct conf_node *root;
    size_t n_nodes;
};

struct conf_node {
    struct conf *conf;
    const struct conf_node *parent; /* NULL: the root */
    const char *key;                /* in a mapping */
    size_t index;                   /* in a sequence */
    size_t line;                    /* of its key, or of itself in a sequence; from 1 */
    enum conf_node_type type;
    bool null;        /* a plain scalar that is empty, "~" or "null": as if it were not there */
    bool merge;       /* the key is a plain "<<" */
    const char *text; /* of a scalar */
    size_t n, cap;    /* children */
    struct conf_node **items;
};

/* A node below parent (NULL: the root), not yet among its children. */
struct conf_node *conf_node_make(struct conf *conf, const struct conf_node *parent, const char *key,
                                 size_t index, size_t line);
void conf_node_add(struct conf_node *parent, struct conf_node *child);
/* The child under a key, null or not; NULL if there is none. */
struct conf_node *conf_node_find(const struct conf_node *node, const char *key);
/* A deep copy with another place in the tree; NULL once there are too many nodes. */
struct conf_node *conf_node_copy(const struct conf_node *node, const struct conf_node *parent,
                                 const char *key, size_t index, size_t line);

/* Aliases multiply what a small file holds; a configuration never needs as much as this. */
enum { CONF_NODES_MAX = 200000, CONF_DEPTH_MAX = 64 };

/* Fills conf->root from YAML. Returns ST_EINVAL with at least one mistake in errors. */
STATUS_CHECKED enum status conf_yaml_parse(struct conf *conf, struct slice text,
                                           struct conf_errors *errors);
/* A scalar's text with ${NAME} replaced, in the node's arena; mistakes go to errors. */
const char *conf_expand(const struct conf_node *node, struct slice text,
                        struct conf_errors *errors);

/* Values of scalars, and how they are spoken of (conf_value.c). */
union conf_value {
    bool boolean;
    int64_t integer;
    double real;
    const char *text;
};
/* The type of one item of a list type, else the type itself. */
enum conf_type conf_item_type(enum conf_type type);
/* Of a scalar type but CONF_CHOICE; false if the text is none. text must outlive ret. */
bool conf_value_parse(enum conf_type type, const char *text, union conf_value *ret);
/* Bytes of the field, and the value put there. */
size_t conf_value_size(enum conf_type type);
void conf_value_store(enum conf_type type, const union conf_value *value, void *ret);
/* "a duration", "a list of numbers" */
const char *conf_type_name(enum conf_type type);
/* "a number with a unit, such as 7d or 1h30m" */
const char *conf_type_hint(enum conf_type type);
/* Bounds of an option: which there are, and "at least 1s and at most 30d" (or ""). */
bool conf_has_min(const struct conf_option *option);
bool conf_has_max(const struct conf_option *option);
void conf_write_bounds(const struct conf_option *option, struct buf *ret);
bool conf_in_bounds(const struct conf_option *option, const union conf_value *value);
/* A value as the file would say it. */
void conf_write_value(enum conf_type type, const union conf_value *value, struct buf *ret);
/* "a, b or c" */
void conf_write_names(const char *const *names, struct buf *ret);

/* The three kinds of lists of scalars are one in memory. */
struct conf_items {
    size_t n;
    const void *items;
};
/* Sets the option's field in ret to its default; a nested table's is left alone. */
void conf_default(const struct conf_option *option, char *ret);
/* -1: no such choice. */
int conf_choice_index(const struct conf_option *option, const char *text);

#endif
