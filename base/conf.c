#include "base/conf_node.h"

#include <errno.h>
#include <stdlib.h>

enum { FILE_MAX = 16 << 20, ARENA_BLOCK = 16 * 1024 };

struct conf_node *conf_node_make(struct conf *conf, const struct conf_node *parent, const char *key,
                                 size_t index, size_t line)
{
    struct conf_node *node = arena_take(&conf->arena, sizeof *node);
    *node = (struct conf_node){
        .conf = conf, .parent = parent, .key = key, .index = index, .line = line};
    conf->n_nodes++;
    return node;
}

void conf_node_add(struct conf_node *parent, struct conf_node *child)
{
    if (parent->n == parent->cap) {
        size_t cap = parent->cap ? parent->cap * 2 : 8;
        struct conf_node **items = arena_take(&parent->conf->arena, cap * sizeof(void *));
        for (size_t i = 0; i < parent->n; i++)
            items[i] = parent->items[i];
        parent->items = items;
        parent->cap = cap;
    }
    parent->items[parent->n++] = child;
}

struct conf_node *conf_node_find(const struct conf_node *node, const char *key)
{
    for (size_t i = 0; i < node->n; i++) {
        if (strcmp(node->items[i]->key, key) == 0)
            return node->items[i];
    }
    return NULL;
}

struct conf_node *conf_node_copy(const struct conf_node *node, const struct conf_node *parent,
                                 const char *key, size_t index, size_t line)
{
    if (node->conf->n_nodes >= CONF_NODES_MAX)
        return NULL;
    struct conf_node *copy = conf_node_make(node->conf, parent, key, index, line);
    copy->type = node->type;
    copy->null = node->null;
    copy->text = node->text;
    for (size_t i = 0; i < node->n; i++) {
        const struct conf_node *item = node->items[i];
        struct conf_node *below = conf_node_copy(item, copy, item->key, item->index, item->line);
        if (!below)
            return NULL;
        conf_node_add(copy, below);
    }
    return copy;
}

const struct conf_node *conf_root(const struct conf *conf)
{
    return conf->root;
}

enum conf_node_type conf_node_type(const struct conf_node *node)
{
    return node->type;
}

const struct conf_node *conf_get(const struct conf_node *node, const char *key)
{
    if (!node || node->type != CONF_NODE_MAPPING)
        return NULL;
    const struct conf_node *found = conf_node_find(node, key);
    return found && !found->null ? found : NULL;
}

size_t conf_count(const struct conf_node *node)
{
    return node ? node->n : 0;
}

const struct conf_node *conf_item(const struct conf_node *node, size_t i)
{
    return node->items[i];
}

const char *conf_key(const struct conf_node *node, size_t i)
{
    return node->items[i]->key;
}

const char *conf_text(const struct conf_node *node)
{
    return node && node->type == CONF_NODE_SCALAR ? node->text : NULL;
}

/* "models[0].publish" */
static void write_path(const struct conf_node *node, struct buf *ret)
{
    if (!node->parent)
        return;
    write_path(node->parent, ret);
    if (node->key)
        buf_printf(ret, "%s%s", node->parent->parent ? "." : "", node->key);
    else
        buf_printf(ret, "[%zu]", node->index);
}

static void write_place(const struct conf_node *node, struct buf *ret)
{
    buf_printf(ret, "%s:%zu: ", node->conf->name, node->line);
    if (!node->parent)
        return;
    write_path(node, ret);
    buf_text(ret, ": ");
}

void conf_complain(struct conf_errors *errors, const struct conf_node *node, const char *format,
                   ...)
{
    size_t start = errors->text.len;
    if (node)
        write_place(node, &errors->text);
    va_list args;
    va_start(args, format);
    buf_vprintf(&errors->text, format, args);
    va_end(args);
    for (size_t i = start; i < errors->text.len; i++) { /* keys and values may hold anything */
        if ((unsigned char)errors->text.data[i] < ' ')
            errors->text.data[i] = ' ';
    }
    buf_byte(&errors->text, '\n');
    errors->n++;
}

void conf_errors_print(const struct conf_errors *errors, FILE *to)
{
    if (errors->text.len > 0)
        fwrite(errors->text.data, 1, errors->text.len, to);
}

void conf_errors_done(struct conf_errors *errors)
{
    buf_done(&errors->text);
    errors->n = 0;
}

static struct conf *conf_make(const char *name)
{
    struct conf *conf = calloc(1, sizeof *conf);
    if (!conf)
        return NULL;
    arena_init(&conf->arena, ARENA_BLOCK);
    conf->name = arena_copy(&conf->arena, name, strlen(name) + 1).data;
    return conf;
}

void conf_free(struct conf *conf)
{
    if (!conf)
        return;
    arena_done(&conf->arena);
    free(conf);
}

enum status conf_parse(const char *name, struct slice text, struct conf_errors *errors,
                       struct conf **ret)
{
    struct conf *conf = conf_make(name);
    if (!conf)
        return ST_ENOMEM;
    enum status st = conf_yaml_parse(conf, text, errors);
    if (st < 0)
        conf_free(conf);
    else
        *ret = conf;
    return st;
}

static enum status read_file(const char *path, struct buf *ret)
{
    FILE *file = fopen(path, "rbe");
    if (!file)
        return ST_EIO;
    size_t got;
    do {
        got = fread(buf_reserve(ret, 64 * 1024), 1, 64 * 1024, file);
        ret->len += got;
    } while (got > 0 && ret->len <= FILE_MAX);
    bool failed = ferror(file);
    fclose(file);
    if (!failed && ret->len > FILE_MAX)
        errno = EFBIG;
    return failed || ret->len > FILE_MAX ? ST_EIO : ST_OK;
}

enum status conf_load(const char *path, struct conf_errors *errors, struct conf **ret)
{
    struct buf text = {0};
    enum status st = read_file(path, &text);
    if (st < 0)
        conf_complain(errors, NULL, "%s: cannot be read: %s", path, strerror(errno));
    else
        st = conf_parse(path, buf_slice(&text), errors, ret);
    buf_done(&text);
    return st;
}
