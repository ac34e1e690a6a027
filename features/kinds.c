/* The list of kinds, and what several of them need. */
#include "features/kind.h"

#include <stdlib.h>

extern const struct feature_kind kind_category, kind_text, kind_calendar, kind_cycle, kind_rule,
    kind_window, kind_stl, kind_decay, kind_sketch, kind_outlier;

const struct feature_kind *const feature_kinds[] = {
    &kind_value,  &kind_category, &kind_text,  &kind_calendar, &kind_cycle,   &kind_rule,
    &kind_window, &kind_stl,      &kind_decay, &kind_sketch,   &kind_outlier, NULL};

void *part_add_item(struct part *part)
{
    size_t bytes = part->kind->item_bytes;
    part->items = realloc(part->items, (part->n + 1) * bytes);
    if (!part->items)
        abort();
    return memset((char *)part->items + part->n++ * bytes, 0, bytes);
}

void part_done(struct part *part)
{
    for (size_t i = 0; i < part->n && part->kind->drop; i++)
        part->kind->drop((char *)part->items + i * part->kind->item_bytes);
    free(part->items);
    *part = (struct part){0};
}

bool kind_zone(const struct making *making, const struct conf_node *node, const char *text,
               const struct zone **ret)
{
    *ret = NULL;
    if (!text || zone_find(text, ret) == ST_OK)
        return true;
    conf_complain(making->errors, conf_get(node, "zone"),
                  "\"%s\" is no time zone; expected a name such as Europe/Berlin", text);
    return false;
}

const char *kind_type_name(enum field_type type)
{
    static const char *const names[] = {"number", "entity", "category", "text"};
    return names[type];
}

static void complain_unknown(const struct making *making, const struct conf_node *node,
                             const char *name)
{
    size_t n = 0;
    for (size_t s = 0; s < making->schema->n_streams; s++)
        n += making->schema->streams[s].n_fields;
    const char **names = calloc(n + 1, sizeof *names);
    if (!names)
        abort();
    n = 0;
    for (size_t s = 0; s < making->schema->n_streams; s++)
        for (size_t i = 0; i < making->schema->streams[s].n_fields; i++)
            names[n++] = making->schema->streams[s].fields[i].name;
    const char *nearest = conf_nearest(name, names);
    if (nearest)
        conf_complain(making->errors, node, "no stream has a field \"%s\"; did you mean \"%s\"?",
                      name, nearest);
    else
        conf_complain(making->errors, node, "no stream has a field \"%s\"", name);
    free(names);
}

int *kind_find_field(const struct making *making, const struct conf_node *node, const char *option,
                     const char *name, enum field_type *ret_type)
{
    const struct schema *schema = making->schema;
    const struct conf_node *at = conf_get(node, option) ? conf_get(node, option) : node;
    int *found = calloc(schema->n_streams + 1, sizeof *found);
    if (!found)
        abort();
    const struct field *first = NULL;
    bool agree = true;
    for (size_t s = 0; s < schema->n_streams; s++) {
        found[s] = stream_find_field(&schema->streams[s], name);
        if (found[s] < 0)
            continue;
        const struct field *field = &schema->streams[s].fields[found[s]];
        agree = agree && (!first || first->type == field->type);
        first = first ? first : field;
    }
    if (!first)
        complain_unknown(making, at, name);
    else if (!agree)
        conf_complain(making->errors, at, "\"%s\" is of different types in different streams",
                      name);
    if (!first || !agree) {
        free(found);
        return NULL;
    }
    *ret_type = first->type;
    return found;
}
