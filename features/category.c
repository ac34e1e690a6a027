/* {category: FIELD}: a value of high cardinality, as one hashed entry of the sparse list. */
#include <stdlib.h>

#include "features/kind.h"

struct category_options {
    const char *field;
    const char *as;
};

static const struct conf_option category_table_options[] = {
    {.name = "category",
     .type = CONF_TEXT,
     .at = offsetof(struct category_options, field),
     .required = true,
     .help = "a field of type category or entity"},
    {.name = "as",
     .type = CONF_TEXT,
     .at = offsetof(struct category_options, as),
     .help = "the hashed field's name; by default the field's"},
    CONF_END};

static const struct conf_table category_table = {
    "category", "A category of any cardinality, hashed; models learn a weight for each value.",
    category_table_options, sizeof(struct category_options)};

struct category_item {
    int *field; /* a stream's index of it, or -1 */
    bool entity;
    uint32_t column;
};

static void category_drop(void *item)
{
    free(((struct category_item *)item)->field);
}

static void category_add(struct part *part, const struct making *making, const void *read,
                         const struct conf_node *node)
{
    const struct category_options *options = read;
    enum field_type type;
    int *field = kind_find_field(making, node, "category", options->field, &type);
    if (field && type != FIELD_CATEGORY && type != FIELD_ENTITY)
        conf_complain(making->errors, conf_get(node, "category"),
                      "\"%s\" is of type %s, not category or entity; see {%s: ...}", options->field,
                      kind_type_name(type), type == FIELD_TEXT ? "text" : "value");
    if (!field)
        return;
    const char *name = options->as ? options->as : options->field;
    struct category_item *item = part_add_item(part);
    item->field = field;
    item->entity = type == FIELD_ENTITY;
    item->column = columns_add_sparse(making->columns, making->errors, node, name);
}

static void category_extract(struct part *part, struct state *state, const struct event *event,
                             double *dense, struct sparse_row *sparse)
{
    const struct category_item *items = part->items;
    (void)state, (void)dense;
    for (size_t i = 0; i < part->n; i++) {
        const struct category_item *item = &items[i];
        int field = item->field[event->stream];
        if (field < 0)
            continue;
        const union value *value = &event->values[field];
        uint64_t hash = item->entity ? value->entity.lo : value->category;
        if (hash != 0)
            sparse_put(sparse, item->column, hash, 1);
    }
}

const struct feature_kind kind_category = {
    .key = "category",
    .scope = SCOPE_EVENT,
    .options = &category_table,
    .item_bytes = sizeof(struct category_item),
    .add = category_add,
    .drop = category_drop,
    .extract = category_extract,
};
