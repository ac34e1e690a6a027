/*
 * base/conf_yaml.c -- YAML into nodes that know their line and their path.
 *
 * On libyaml's events rather than its documents, which neither merge keys nor refuse double ones.
 * An alias becomes a copy, so that a mistake in it is told with the path where it is used.
 */
#include "base/conf_node.h"

#include <stdlib.h>
#include <yaml.h>

struct anchor {
    struct anchor *next;
    const char *name;
    const struct conf_node *node;
    bool open; /* still inside of what it names */
};

struct parsing {
    yaml_parser_t parser;
    yaml_event_t event;
    bool has_event;
    struct conf *conf;
    struct conf_errors *errors;
    struct anchor *anchors;
    unsigned depth;
};

static const char *keep(struct parsing *in, const void *text)
{
    return arena_copy(&in->conf->arena, text, strlen(text) + 1).data;
}

static void complain_parser(struct parsing *in)
{
    const yaml_parser_t *p = &in->parser;
    size_t line = (p->problem ? p->problem_mark.line : p->context_mark.line) + 1;
    conf_complain(in->errors, NULL,
                  "%s:%zu: not YAML: %s%s%s; check indentation, quotes and colons", in->conf->name,
                  line, p->problem ? p->problem : "malformed", p->context ? " " : "",
                  p->context ? p->context : "");
}

static bool next(struct parsing *in)
{
    if (in->has_event)
        yaml_event_delete(&in->event);
    in->has_event = yaml_parser_parse(&in->parser, &in->event);
    if (!in->has_event)
        complain_parser(in);
    return in->has_event;
}

static bool next_but_one(struct parsing *in)
{
    bool good = next(in);
    return good && next(in);
}

static size_t event_line(const struct parsing *in)
{
    return in->event.start_mark.line + 1;
}

static struct anchor *anchor_add(struct parsing *in, const yaml_char_t *name,
                                 const struct conf_node *node)
{
    if (!name)
        return NULL;
    struct anchor *anchor = arena_take(&in->conf->arena, sizeof *anchor);
    *anchor = (struct anchor){in->anchors, keep(in, name), node, true};
    in->anchors = anchor;
    return anchor;
}

static bool is_null(const char *text)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++) {
        if (strcmp(text, nulls[i]) == 0)
            return true;
    }
    return false;
}

static bool take_scalar(struct parsing *in, struct conf_node *node)
{
    const char *value = (const char *)in->event.data.scalar.value;
    size_t length = in->event.data.scalar.length;
    if (strlen(value) != length) {
        conf_complain(in->errors, node, "holds a NUL character; no text may");
        return false;
    }
    node->type = CONF_NODE_SCALAR;
    node->text = conf_expand(node, (struct slice){value, length}, in->errors);
    node->null = in->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && is_null(node->text);
    return true;
}

/* The node that the present event begins, its end included; NULL on a mistake that ends parsing. */
static struct conf_node *take_node(struct parsing *in, const struct conf_node *parent,
                                   const char *key, size_t index, size_t line);

static bool take_items(struct parsing *in, struct conf_node *node)
{
    node->type = CONF_NODE_SEQUENCE;
    while (next(in)) {
        if (in->event.type == YAML_SEQUENCE_END_EVENT)
            return true;
        struct conf_node *item = take_node(in, node, NULL, node->n, event_line(in));
        if (!item)
            return false;
        conf_node_add(node, item);
    }
    return false;
}

static bool take_key(struct parsing *in, const struct conf_node *node, const char **ret)
{
    if (in->event.type != YAML_SCALAR_EVENT ||
        strlen((const char *)in->event.data.scalar.value) != in->event.data.scalar.length) {
        conf_complain(in->errors, NULL, "%s:%zu: a key must be a text", node->conf->name,
                      event_line(in));
        return false;
    }
    *ret = keep(in, in->event.data.scalar.value);
    return true;
}

static void add_pair(struct parsing *in, struct conf_node *node, struct conf_node *child)
{
    const struct conf_node *first = conf_node_find(node, child->key);
    if (first && !child->merge)
        conf_complain(in->errors, child, "given twice; the first is in line %zu", first->line);
    else
        conf_node_add(node, child);
}

/* What the mapping does not say itself, it has from the merged one. */
static bool merge_mapping(struct parsing *in, struct conf_node *node, const struct conf_node *from)
{
    if (from->type != CONF_NODE_MAPPING) {
        conf_complain(in->errors, from, "cannot be merged; expected a mapping or a list of them");
        return true;
    }
    for (size_t i = 0; i < from->n; i++) {
        const struct conf_node *item = from->items[i];
        if (conf_node_find(node, item->key))
            continue;
        struct conf_node *copy = conf_node_copy(item, node, item->key, 0, item->line);
        if (!copy)
            return false;
        conf_node_add(node, copy);
    }
    return true;
}

static bool merge_value(struct parsing *in, struct conf_node *node, const struct conf_node *value)
{
    if (value->type != CONF_NODE_SEQUENCE)
        return merge_mapping(in, node, value);
    for (size_t i = 0; i < value->n; i++) {
        if (!merge_mapping(in, node, value->items[i]))
            return false;
    }
    return true;
}

/* Takes the "<<" pairs out first: a key of the mapping itself wins wherever it stands. */
static bool merge_pairs(struct parsing *in, struct conf_node *node)
{
    size_t n = node->n, kept = 0;
    struct conf_node **all = node->items;
    struct conf_node *merges = conf_node_make(in->conf, node, NULL, 0, node->line);
    for (size_t i = 0; i < n; i++) {
        if (all[i]->merge)
            conf_node_add(merges, all[i]);
        else
            all[kept++] = all[i];
    }
    node->n = kept;
    for (size_t i = 0; i < merges->n; i++) {
        if (!merge_value(in, node, merges->items[i]))
            return false;
    }
    return true;
}

static bool take_pairs(struct parsing *in, struct conf_node *node)
{
    node->type = CONF_NODE_MAPPING;
    bool merges = false;
    while (next(in)) {
        if (in->event.type == YAML_MAPPING_END_EVENT)
            return !merges || merge_pairs(in, node);
        const char *key;
        size_t line = event_line(in);
        if (!take_key(in, node, &key))
            return false;
        bool merge =
            in->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && strcmp(key, "<<") == 0;
        struct conf_node *child = next(in) ? take_node(in, node, key, 0, line) : NULL;
        if (!child)
            return false;
        child->merge = merge;
        merges |= merge;
        add_pair(in, node, child);
    }
    return false;
}

static struct conf_node *too_large(struct parsing *in, size_t line)
{
    conf_complain(in->errors, NULL, "%s:%zu: too much; at most %d values, %d deep, are read",
                  in->conf->name, line, CONF_NODES_MAX, CONF_DEPTH_MAX);
    return NULL;
}

static struct conf_node *take_alias(struct parsing *in, const struct conf_node *parent,
                                    const char *key, size_t index, size_t line)
{
    const char *name = (const char *)in->event.data.alias.anchor;
    const struct anchor *anchor = in->anchors;
    while (anchor && strcmp(anchor->name, name) != 0)
        anchor = anchor->next;
    if (!anchor || anchor->open) {
        conf_complain(in->errors, NULL, "%s:%zu: *%s %s", in->conf->name, event_line(in), name,
                      anchor ? "stands inside of &itself; that would never end"
                             : "is not known; expected a &name above");
        return NULL;
    }
    struct conf_node *copy = conf_node_copy(anchor->node, parent, key, index, line);
    return copy ? copy : too_large(in, line);
}

static bool take_content(struct parsing *in, struct conf_node *node)
{
    switch (in->event.type) {
    case YAML_SCALAR_EVENT:
        return take_scalar(in, node);
    case YAML_SEQUENCE_START_EVENT:
        return take_items(in, node);
    default:
        return take_pairs(in, node);
    }
}

static const yaml_char_t *event_anchor(const struct parsing *in)
{
    switch (in->event.type) {
    case YAML_SCALAR_EVENT:
        return in->event.data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return in->event.data.sequence_start.anchor;
    default:
        return in->event.data.mapping_start.anchor;
    }
}

static struct conf_node *take_node(struct parsing *in, const struct conf_node *parent,
                                   const char *key, size_t index, size_t line)
{
    if (in->event.type == YAML_ALIAS_EVENT)
        return take_alias(in, parent, key, index, line);
    if (in->conf->n_nodes >= CONF_NODES_MAX || in->depth >= CONF_DEPTH_MAX)
        return too_large(in, line);
    struct conf_node *node = conf_node_make(in->conf, parent, key, index, line);
    struct anchor *anchor = anchor_add(in, event_anchor(in), node);
    in->depth++;
    bool good = take_content(in, node);
    in->depth--;
    if (anchor)
        anchor->open = false;
    return good ? node : NULL;
}

/* A file without anything in it is a mapping without keys. */
static void root_set(struct conf *conf, struct conf_node *root)
{
    if (!root || root->null) {
        root = conf_node_make(conf, NULL, NULL, 0, 1);
        root->type = CONF_NODE_MAPPING;
    }
    conf->root = root;
}

static bool take_stream(struct parsing *in)
{
    struct conf_node *root = NULL;
    if (!next_but_one(in)) /* the stream's start, then a document's or the end */
        return false;
    if (in->event.type == YAML_DOCUMENT_START_EVENT) {
        if (!next(in) || !(root = take_node(in, NULL, NULL, 0, event_line(in))))
            return false;
        if (!next_but_one(in)) /* the document's end, then what follows */
            return false;
    }
    if (in->event.type != YAML_STREAM_END_EVENT) {
        conf_complain(in->errors, NULL, "%s:%zu: a second document starts; expected only one",
                      in->conf->name, event_line(in));
        return false;
    }
    root_set(in->conf, root);
    return true;
}

enum status conf_yaml_parse(struct conf *conf, struct slice text, struct conf_errors *errors)
{
    struct parsing in = {.conf = conf, .errors = errors};
    size_t before = errors->n;
    if (!yaml_parser_initialize(&in.parser))
        return ST_ENOMEM;
    yaml_parser_set_input_string(&in.parser, (const unsigned char *)(text.data ? text.data : ""),
                                 text.len);
    bool good = take_stream(&in);
    if (in.has_event)
        yaml_event_delete(&in.event);
    yaml_parser_delete(&in.parser);
    return good && errors->n == before ? ST_OK : ST_EINVAL;
}
