/* {value: FIELD}: a number of the event as it is. */
#include <math.h>
#include <stdlib.h>

#include "features/kind.h"

struct value_options {
    const char *field;
    const char *as;
};

static const struct conf_option value_table_options[] = {
    {.name = "value",
     .type = CONF_TEXT,
     .at = offsetof(struct value_options, field),
     .required = true,
     .help = "a field of type number"},
    {.name = "as",
     .type = CONF_TEXT,
     .at = offsetof(struct value_options, as),
     .help = "the column's name; by default the field's"},
    CONF_END};

static const struct conf_table value_table = {"value", "A number of the event, as it is.",
                                              value_table_options, sizeof(struct value_options)};

struct value_item {
    int *field; /* a stream's index of it, or -1 */
    uint32_t column;
};

static void value_drop(void *item)
{
    free(((struct value_item *)item)->field);
}

static void value_add(struct part *part, const struct making *making, const void *read,
                      const struct conf_node *node)
{
    const struct value_options *options = read;
    enum field_type type;
    int *field = kind_find_field(making, node, "value", options->field, &type);
    if (field && type != FIELD_NUMBER)
        conf_complain(making->errors, conf_get(node, "value"), "\"%s\" is of type %s, not number%s",
                      options->field, kind_type_name(type),
                      type == FIELD_TEXT ? "; see {text: ...}" : "; see {category: ...}");
    if (!field)
        return;
    const char *name = options->as ? options->as : options->field;
    struct value_item *item = part_add_item(part);
    item->field = field;
    item->column = columns_add_dense(making->columns, making->errors, node, name);
}

static bool in_earlier_stream(const struct schema *schema, size_t stream, const char *name)
{
    for (size_t s = 0; s < stream; s++)
        if (stream_find_field(&schema->streams[s], name) >= 0)
            return true;
    return false;
}

void value_add_all(struct part *part, const struct making *making)
{
    for (size_t s = 0; s < making->schema->n_streams; s++) {
        const struct stream *stream = &making->schema->streams[s];
        for (size_t i = 0; i < stream->n_fields; i++) {
            const struct value_options options = {stream->fields[i].name, NULL};
            if (stream->fields[i].type == FIELD_NUMBER &&
                !in_earlier_stream(making->schema, s, options.field))
                value_add(part, making, &options, NULL);
        }
    }
}

static void value_extract(struct part *part, struct state *state, const struct event *event,
                          double *dense, struct sparse_row *sparse)
{
    const struct value_item *items = part->items;
    (void)state, (void)sparse;
    for (size_t i = 0; i < part->n; i++) {
        int field = items[i].field[event->stream];
        dense[items[i].column] = field < 0 ? NAN : event->values[field].number;
    }
}

const struct feature_kind kind_value = {
    .key = "value",
    .scope = SCOPE_EVENT,
    .options = &value_table,
    .item_bytes = sizeof(struct value_item),
    .add = value_add,
    .drop = value_drop,
    .extract = value_extract,
};
