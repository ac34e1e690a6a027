/* base/conf_expand.c -- ${NAME} and ${NAME:-default} in a configuration's scalars. */
#include "base/conf_node.h"

#include <stdlib.h>

static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return name.len > 0;
}

static void replace(const struct conf_node *node, struct slice name, const char *fallback,
                    size_t fallback_len, struct buf *ret, struct conf_errors *errors)
{
    char variable[128];
    if (!is_name(name) || name.len >= sizeof variable) {
        conf_complain(errors, node,
                      "\"${%.*s\" names no variable; expected ${NAME} or "
                      "${NAME:-default}, or $${ for the characters themselves",
                      (int)(name.len < 40 ? name.len : 40), name.data);
        return;
    }
    memcpy(variable, name.data, name.len);
    variable[name.len] = '\0';
    const char *value = getenv(variable);
    if (value && (*value || !fallback))
        buf_text(ret, value);
    else if (fallback)
        buf_append(ret, fallback, fallback_len);
    else
        conf_complain(errors, node,
                      "the environment has no %s; set it or write ${%s:-default} instead", variable,
                      variable);
}

/* What stands between ${ and }: a name, or one with a default as the shell has it. */
static void replace_inner(const struct conf_node *node, struct slice inner, struct buf *ret,
                          struct conf_errors *errors)
{
    const char *mark = memmem(inner.data, inner.len, ":-", 2);
    if (!mark) {
        replace(node, inner, NULL, 0, ret, errors);
        return;
    }
    size_t name_len = (size_t)(mark - inner.data);
    replace(node, (struct slice){inner.data, name_len}, mark + 2, inner.len - name_len - 2, ret,
            errors);
}

/* The text from a "${" on; returns what is behind it. */
static struct slice expand_one(const struct conf_node *node, struct slice text, struct buf *ret,
                               struct conf_errors *errors)
{
    const char *end = memchr(text.data, '}', text.len);
    size_t inner_len = (end ? (size_t)(end - text.data) : text.len) - 2;
    struct slice inner = {text.data + 2, inner_len};
    if (end)
        replace_inner(node, inner, ret, errors);
    else
        replace(node, (struct slice){0}, NULL, 0, ret, errors);
    size_t used = end ? inner_len + 3 : text.len;
    return (struct slice){text.data + used, text.len - used};
}

static void expand(const struct conf_node *node, struct slice text, struct buf *ret,
                   struct conf_errors *errors)
{
    while (text.len > 0) {
        if (text.len >= 3 && memcmp(text.data, "$${", 3) == 0) {
            buf_text(ret, "${");
            text = (struct slice){text.data + 3, text.len - 3};
        } else if (text.len >= 2 && memcmp(text.data, "${", 2) == 0) {
            text = expand_one(node, text, ret, errors);
        } else {
            buf_byte(ret, (uint8_t)*text.data);
            text = (struct slice){text.data + 1, text.len - 1};
        }
    }
}

const char *conf_expand(const struct conf_node *node, struct slice text, struct conf_errors *errors)
{
    struct buf all = {0};
    if (memmem(text.data, text.len, "${", 2))
        expand(node, text, &all, errors);
    else
        buf_append(&all, text.data, text.len);
    buf_byte(&all, '\0');
    const char *kept = arena_copy(&node->conf->arena, all.data, all.len).data;
    buf_done(&all);
    return kept;
}
