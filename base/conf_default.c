/* base/conf_default.c -- what options hold where the file says nothing. */
#include "base/conf_node.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

_Static_assert(sizeof(struct conf_items) == sizeof(struct conf_texts),
               "lists of scalars are alike");
_Static_assert(sizeof(struct conf_items) == sizeof(struct conf_reals),
               "lists of scalars are alike");
_Static_assert(sizeof(struct conf_items) == sizeof(struct conf_durations),
               "lists of scalars are alike");

int conf_choice_index(const struct conf_option *option, const char *text)
{
    for (int i = 0; option->choices[i]; i++) {
        if (strcmp(option->choices[i], text) == 0)
            return i;
    }
    return -1;
}

/* Defaults that are lists need memory that outlives any file: each is parsed once and kept. */
struct default_list {
    struct default_list *next;
    const char *text;
    enum conf_type type;
    struct conf_items items;
    struct arena arena;
};
static struct default_list *default_lists;
static pthread_mutex_t default_lock = PTHREAD_MUTEX_INITIALIZER;

/* The next of "a, b, c", without the blanks around it. */
static const char *next_part(const char *text, size_t *len, const char **ret_end)
{
    text += strspn(text, " [");
    size_t whole = strcspn(text, ",]");
    *ret_end = text + whole + (text[whole] != '\0');
    while (whole > 0 && text[whole - 1] == ' ')
        whole--;
    *len = whole;
    return text;
}

static struct default_list *default_list_make(const char *text, enum conf_type type)
{
    enum conf_type item_type = conf_item_type(type);
    size_t size = conf_value_size(item_type), n = 0, len;
    struct default_list *list = calloc(1, sizeof *list);
    if (!list)
        abort();
    arena_init(&list->arena, 256);
    char *items = arena_take(&list->arena, (strlen(text) + 1) * size);
    for (const char *at = text, *end; *at; at = end, n++) {
        const char *part = next_part(at, &len, &end);
        if (len == 0)
            break;
        char *copy = arena_take(&list->arena, len + 1);
        memcpy(copy, part, len);
        copy[len] = '\0';
        union conf_value value;
        bool good = conf_value_parse(item_type, copy, &value);
        assert(good);
        (void)good;
        conf_value_store(item_type, &value, items + n * size);
    }
    list->text = text;
    list->type = type;
    list->items = (struct conf_items){n, items};
    return list;
}

static struct conf_items default_items(const char *text, enum conf_type type)
{
    if (!text)
        return (struct conf_items){0};
    pthread_mutex_lock(&default_lock);
    struct default_list *list = default_lists;
    while (list && (list->text != text || list->type != type))
        list = list->next;
    if (!list) {
        list = default_list_make(text, type);
        list->next = default_lists;
        default_lists = list;
    }
    pthread_mutex_unlock(&default_lock);
    return list->items;
}

static void default_values(const struct conf_option *option, void *ret)
{
    struct conf_items items = default_items(option->fallback, option->type);
    memcpy(ret, &items, sizeof items);
}

static void default_value(const struct conf_option *option, void *ret)
{
    union conf_value value = {0};
    if (option->fallback) {
        bool good = conf_value_parse(option->type, option->fallback, &value);
        assert(good);
        (void)good;
    } else if (option->type == CONF_REAL) {
        value.real = NAN;
    }
    conf_value_store(option->type, &value, ret);
}

/* What a field holds where the file says nothing, or nothing right. */
void conf_default(const struct conf_option *option, char *ret)
{
    void *field = ret + option->at;
    switch (option->type) {
    case CONF_TEXTS:
    case CONF_REALS:
    case CONF_DURATIONS:
        default_values(option, field);
        break;
    case CONF_CHOICE:
        *(int *)field = option->fallback ? conf_choice_index(option, option->fallback) : 0;
        assert(*(int *)field >= 0);
        break;
    case CONF_TABLE: /* read_missing() */
        break;
    case CONF_LIST:
        *(struct conf_list *)field = (struct conf_list){0};
        break;
    case CONF_MAP:
        *(struct conf_map *)field = (struct conf_map){0};
        break;
    case CONF_NODE:
        *(const struct conf_node **)field = NULL;
        break;
    default:
        default_value(option, field);
    }
}
