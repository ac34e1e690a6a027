/* What an item names, found in the schema. */
#include <stdlib.h>

#include "features/window.h"

static bool find_source(const struct item *item, const char *option, const char *name,
                        struct unit *unit, int **ret_fields)
{
    enum field_type type;
    *ret_fields = NULL;
    unit->source = strcmp(name, "events") == 0 ? SOURCE_EVENTS : SOURCE_LABEL;
    if (strcmp(name, "events") == 0)
        return true;
    if (strcmp(name, "label") == 0) {
        if (!item->making->schema->labels.present)
            complain(item, option, "a window over `label` needs `labels:`");
        return item->making->schema->labels.present;
    }
    *ret_fields = kind_find_field(item->making, item->node, option, name, &type);
    if (!*ret_fields)
        return false;
    if (type == FIELD_TEXT)
        complain(item, option, "\"%s\" is a text; a window needs a number, an entity or a category",
                 name);
    unit->source = type == FIELD_NUMBER   ? SOURCE_NUMBER
                   : type == FIELD_ENTITY ? SOURCE_ENTITY
                                          : SOURCE_CATEGORY;
    return true;
}

static void bind_entities(const struct item *item, struct unit *unit)
{
    const struct conf_texts *by = &item->options->by;
    const struct schema *schema = item->making->schema;
    unit->pair = by->n == 2;
    if (by->n < 1 || by->n > 2)
        complain(item, "by", "expected one entity or two, not %zu", by->n);
    for (size_t s = 0; s < schema->n_streams; s++)
        unit->bindings[s] = (struct unit_binding){.reads = true, .field = -1};
    for (size_t i = 0; i < by->n && i < 2; i++) {
        enum field_type type;
        int *fields = kind_find_field(item->making, item->node, "by", by->items[i], &type);
        if (fields && type != FIELD_ENTITY)
            complain(item, "by",
                     "\"%s\" is of type %s; windows are kept by entities (declare it as "
                     "`%s: entity`)",
                     by->items[i], kind_type_name(type), by->items[i]);
        for (size_t s = 0; fields && s < schema->n_streams; s++) {
            unit->bindings[s].by[i] = fields[s];
            unit->bindings[s].reads = unit->bindings[s].reads && fields[s] >= 0;
        }
        free(fields);
    }
}

/* Label windows hold events that may get a label: those of streams that are scored. */
static void bind_source(const struct item *item, struct unit *unit, const int *fields)
{
    const struct schema *schema = item->making->schema;
    bool any = false;
    for (size_t s = 0; s < schema->n_streams; s++) {
        struct unit_binding *binding = &unit->bindings[s];
        binding->field = fields ? fields[s] : -1;
        binding->enters = binding->reads && (!fields || fields[s] >= 0) &&
                          (!unit->where || where_usable(unit->where, (uint16_t)s)) &&
                          (unit->source != SOURCE_LABEL || schema->streams[s].score);
        any = any || binding->enters;
    }
    if (!any && right_so_far(item))
        conf_complain(item->making->errors, item->node,
                      unit->source == SOURCE_LABEL
                          ? "no stream that is scored has all the fields of this window"
                          : "no stream has all the fields of this window");
}

void window_bind(const struct item *item, const char *option, const char *source, struct unit *ret)
{
    const struct window_options *options = item->options;
    const struct zone *zone;
    int *fields;
    ret->bindings = calloc(item->making->schema->n_streams + 1, sizeof *ret->bindings);
    if (!ret->bindings)
        abort();
    bool found = find_source(item, option, source, ret, &fields);
    bind_entities(item, ret);
    if (kind_zone(item->making, item->node, options->zone, &zone) && options->where &&
        where_create(item->making, item->node, "where", options->where, zone, &ret->where) < 0)
        ret->where = NULL;
    if (found && right_so_far(item))
        bind_source(item, ret, fields);
    free(fields);
}
