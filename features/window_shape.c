/* What gives a unit's records their meaning, in words: stored with them, and shown to people. */
#include "features/window.h"

static const char *const source_names[] = {"events", "label", "number", "entity", "category"};

/* The kinds of its entities, as the streams have them: ids of another kind are other ids. */
static void put_kinds(const struct unit *unit, const struct schema *schema, int which,
                      struct buf *ret)
{
    const char *last = NULL;
    for (size_t s = 0; s < schema->n_streams; s++) {
        int field = unit->bindings[s].reads ? unit->bindings[s].by[which] : -1;
        const char *kind = field < 0 ? NULL : schema->streams[s].fields[field].entity_kind;
        if (!kind || (last && strcmp(kind, last) == 0))
            continue;
        buf_printf(ret, "by %s\n", kind);
        last = kind;
    }
}

void unit_put_source(const struct unit *unit, const struct schema *schema, struct buf *ret)
{
    buf_printf(ret, "of %s\n", source_names[unit->source]);
    for (int i = 0; i <= unit->pair; i++)
        put_kinds(unit, schema, i, ret);
}

void unit_put_shape(const struct unit *unit, const struct schema *schema, struct buf *ret)
{
    const struct series *series = &unit->series;
    unit_put_source(unit, schema, ret);
    buf_printf(ret, "tiles %u\nentries_max %u\n", series->tiles, series->entries_max);
    if (series->entry == SERIES_LABEL)
        buf_printf(ret, "absent %.17g\n", series->absent);
    buf_byte(ret, '\0');
}
