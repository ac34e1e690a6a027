/* base/conf_read.c -- a mapping of the file into a struct, as its table says. */
#include "base/conf_node.h"

#include <assert.h>

enum { KEYS_MAX = 128, VALUE_SHOWN_MAX = 60 };

static void complain_type(struct conf_errors *errors, const struct conf_node *node,
                          const char *expected)
{
    static const char *const found[] = {
        [CONF_NODE_SCALAR] = "a single value",
        [CONF_NODE_SEQUENCE] = "a list",
        [CONF_NODE_MAPPING] = "a mapping",
    };
    conf_complain(errors, node, "is %s; expected %s", node->null ? "empty" : found[node->type],
                  expected);
}

static void complain_value(struct conf_errors *errors, const struct conf_node *node,
                           enum conf_type type)
{
    const char *name = conf_type_name(type);
    bool article = strncmp(name, "a ", 2) == 0;
    conf_complain(errors, node, "\"%.*s\" is %s%s; write %s", VALUE_SHOWN_MAX, node->text,
                  article ? "no " : "not ", name + (article ? 2 : 0), conf_type_hint(type));
}

static void complain_bounds(struct conf_errors *errors, const struct conf_node *node,
                            const struct conf_option *option, const union conf_value *value)
{
    struct buf text = {0};
    buf_text(&text, "must be ");
    conf_write_bounds(option, &text);
    buf_text(&text, ", got ");
    conf_write_value(conf_item_type(option->type), value, &text);
    conf_complain(errors, node, "%.*s", (int)text.len, text.data);
    buf_done(&text);
}

/* One scalar of the option's item type. */
static void read_value(const struct conf_node *node, const struct conf_option *option,
                       struct conf_errors *errors, void *ret)
{
    enum conf_type type = conf_item_type(option->type);
    union conf_value value;
    if (node->type != CONF_NODE_SCALAR || node->null)
        complain_type(errors, node, conf_type_name(type));
    else if (!conf_value_parse(type, node->text, &value))
        complain_value(errors, node, type);
    else if (!conf_in_bounds(option, &value))
        complain_bounds(errors, node, option, &value);
    else
        conf_value_store(type, &value, ret);
}

static void read_values(const struct conf_node *node, const struct conf_option *option,
                        struct conf_errors *errors, void *ret)
{
    size_t size = conf_value_size(conf_item_type(option->type));
    bool list = node->type == CONF_NODE_SEQUENCE;
    if (node->type == CONF_NODE_MAPPING) {
        complain_type(errors, node, conf_type_name(option->type));
        return;
    }
    size_t n = list ? node->n : 1;
    char *items = arena_take(&node->conf->arena, n * size + 1);
    memset(items, 0, n * size);
    for (size_t i = 0; i < n; i++)
        read_value(list ? node->items[i] : node, option, errors, items + i * size);
    struct conf_items read = {n, items};
    memcpy(ret, &read, sizeof read);
}

static void complain_choice(struct conf_errors *errors, const struct conf_node *node,
                            const char *const *choices)
{
    const char *nearest = conf_nearest(node->text, choices);
    if (nearest) {
        conf_complain(errors, node, "unknown choice \"%.*s\"; did you mean \"%s\"?",
                      VALUE_SHOWN_MAX, node->text, nearest);
        return;
    }
    struct buf names = {0};
    conf_write_names(choices, &names);
    conf_complain(errors, node, "unknown choice \"%.*s\"; expected %.*s", VALUE_SHOWN_MAX,
                  node->text, (int)names.len, names.data);
    buf_done(&names);
}

static void read_choice(const struct conf_node *node, const struct conf_option *option,
                        struct conf_errors *errors, int *ret)
{
    if (node->type != CONF_NODE_SCALAR) {
        complain_type(errors, node, "a single word");
        return;
    }
    int i = conf_choice_index(option, node->text);
    if (i < 0)
        complain_choice(errors, node, option->choices);
    else
        *ret = i;
}

static void read_map(const struct conf_node *node, struct conf_errors *errors, struct conf_map *ret)
{
    if (node->type != CONF_NODE_MAPPING) {
        complain_type(errors, node, conf_type_name(CONF_MAP));
        return;
    }
    const char **keys = arena_take(&node->conf->arena, (node->n + 1) * sizeof *keys);
    const char **values = arena_take(&node->conf->arena, (node->n + 1) * sizeof *values);
    for (size_t i = 0; i < node->n; i++) {
        const struct conf_node *item = node->items[i];
        if (item->type != CONF_NODE_SCALAR)
            complain_type(errors, item, "a text");
        keys[i] = item->key;
        values[i] = item->type == CONF_NODE_SCALAR ? item->text : "";
    }
    *ret = (struct conf_map){node->n, keys, values};
}

static void read_table(const struct conf_node *node, const struct conf_table *table,
                       struct conf_errors *errors, void *ret);

static void read_list(const struct conf_node *node, const struct conf_table *table,
                      struct conf_errors *errors, struct conf_list *ret)
{
    if (node->type != CONF_NODE_SEQUENCE) {
        complain_type(errors, node, conf_type_name(CONF_LIST));
        return;
    }
    assert(table->size > 0);
    char *items = arena_take(&node->conf->arena, node->n * table->size + 1);
    for (size_t i = 0; i < node->n; i++)
        read_table(node->items[i], table, errors, items + i * table->size);
    const struct conf_node *const *nodes = (const struct conf_node *const *)node->items;
    *ret = (struct conf_list){node->n, items, nodes};
}

static void read_option(const struct conf_node *node, const struct conf_option *option,
                        struct conf_errors *errors, char *ret)
{
    void *field = ret + option->at;
    switch (option->type) {
    case CONF_TEXTS:
    case CONF_REALS:
    case CONF_DURATIONS:
        read_values(node, option, errors, field);
        break;
    case CONF_CHOICE:
        read_choice(node, option, errors, field);
        break;
    case CONF_TABLE:
        read_table(node, option->table, errors, field);
        break;
    case CONF_LIST:
        read_list(node, option->table, errors, field);
        break;
    case CONF_MAP:
        read_map(node, errors, field);
        break;
    case CONF_NODE:
        *(const struct conf_node **)field = node;
        break;
    default:
        read_value(node, option, errors, field);
    }
}

/* Stands for a table that the file leaves out, so that what it requires is missed by its path. */
static const struct conf_node *empty_table(const struct conf_node *parent, const char *key)
{
    struct conf_node *node = conf_node_make(parent->conf, parent, key, 0, parent->line);
    node->type = CONF_NODE_MAPPING;
    return node;
}

static void read_missing(const struct conf_node *node, const struct conf_table *table,
                         const struct conf_option *option, struct conf_errors *errors, char *ret)
{
    if (option->required && node)
        conf_complain(errors, empty_table(node, option->name), "missing; expected %s: %s",
                      conf_type_name(option->type), option->help);
    else if (option->required)
        conf_complain(errors, NULL, "%s.%s: missing; expected %s: %s", table->name, option->name,
                      conf_type_name(option->type), option->help);
    else if (option->type == CONF_TABLE)
        read_table(node ? empty_table(node, option->name) : NULL, option->table, errors,
                   ret + option->at);
}

static void complain_key(const struct conf_node *node, const struct conf_table *table,
                         struct conf_errors *errors)
{
    const char *names[KEYS_MAX];
    size_t n = 0;
    for (; table->options[n].name && n < KEYS_MAX - 1; n++)
        names[n] = table->options[n].name;
    names[n] = NULL;
    const char *nearest = conf_nearest(node->key, names);
    if (nearest) {
        conf_complain(errors, node, "unknown key; did you mean \"%s\"?", nearest);
        return;
    }
    struct buf known = {0};
    conf_write_names(names, &known);
    conf_complain(errors, node, "unknown key; expected %.*s", (int)known.len, known.data);
    buf_done(&known);
}

static const struct conf_option *find_option(const struct conf_table *table, const char *name)
{
    for (const struct conf_option *option = table->options; option->name; option++) {
        if (strcmp(option->name, name) == 0)
            return option;
    }
    return NULL;
}

/* First what the file says, in its order, so that mistakes are told in the order of lines; then
 * what it leaves out. node NULL: it leaves out all. */
static void read_table(const struct conf_node *node, const struct conf_table *table,
                       struct conf_errors *errors, void *ret)
{
    memset(ret, 0, table->size);
    for (const struct conf_option *option = table->options; option->name; option++)
        conf_default(option, ret);
    if (node && node->type != CONF_NODE_MAPPING) {
        complain_type(errors, node, conf_type_name(CONF_TABLE));
        return;
    }
    for (size_t i = 0; node && i < node->n; i++) {
        const struct conf_node *item = node->items[i];
        const struct conf_option *option = find_option(table, item->key);
        if (!option)
            complain_key(item, table, errors);
        else if (!item->null)
            read_option(item, option, errors, ret);
    }
    for (const struct conf_option *option = table->options; option->name; option++) {
        if (!conf_get(node, option->name))
            read_missing(node, table, option, errors, ret);
    }
}

enum status conf_read(const struct conf_node *node, const struct conf_table *table,
                      struct conf_errors *errors, void *ret)
{
    size_t before = errors->n;
    read_table(node, table, errors, ret);
    return errors->n == before ? ST_OK : ST_EINVAL;
}
