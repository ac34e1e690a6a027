/* From an item of the config to its sketches, and their families of state. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hll.h"
#include "base/kll.h"
#include "base/space_saving.h"
#include "features/sketch_feature.h"

/* Which sketch serves what is taken. */
static const struct sketch_type *const types[] = {
    [SKETCH_DISTINCT] = &sketch_hll,       [SKETCH_QUANTILE] = &sketch_kll,
    [SKETCH_RANK] = &sketch_kll,           [SKETCH_TOP] = &sketch_space_saving,
    [SKETCH_SHARE] = &sketch_space_saving, [SKETCH_TIMES] = &sketch_count_min,
};

static const struct sketch_type *const each_type[] = {&sketch_hll, &sketch_kll,
                                                      &sketch_space_saving, &sketch_count_min};

void sketch_item_drop(void *dropped)
{
    struct sketch_item *item = dropped;
    free(item->memory);
    unit_drop(&item->unit);
}

/* Reading. */

static bool read_quantile(const char *name, double *ret)
{
    char *end;
    if (name[0] != 'p' || name[1] < '0' || name[1] > '9')
        return false;
    *ret = strtod(name + 1, &end) / 100;
    return *end == '\0' && *ret >= 0 && *ret <= 1;
}

static bool read_take(const struct item *read, const char *name, struct sketch_column *ret)
{
    static const char *const names[] = {"distinct", "rank", "top", "share", "times", NULL};
    static const enum sketch_take takes[] = {SKETCH_DISTINCT, SKETCH_RANK, SKETCH_TOP, SKETCH_SHARE,
                                             SKETCH_TIMES};
    ret->take = SKETCH_QUANTILE;
    if (read_quantile(name, &ret->q))
        return true;
    for (size_t i = 0; names[i]; i++)
        if (strcmp(name, names[i]) == 0) {
            ret->take = takes[i];
            return true;
        }
    complain(read, "take",
             "\"%s\" is nothing to take; expected distinct, p50 (or another percentage), rank, "
             "top, share or times",
             name);
    return false;
}

static void check_size(const struct item *read, const struct sketch_type *type, int64_t size)
{
    bool power = (size & (size - 1)) == 0;
    if (size == 0)
        return;
    if (size < type->size_min || size > type->size_max || (type->power_of_two && !power))
        complain(read, "size", "expected %s%u to %u for this sketch",
                 type->power_of_two ? "a power of two from " : "", type->size_min, type->size_max);
}

static void check_source(const struct item *read, const struct sketch_type *type,
                         const struct unit *unit)
{
    if (unit->source == SOURCE_EVENTS)
        complain(read, "sketch", "events have no values; name a field");
    else if (type->numbers && unit->source != SOURCE_NUMBER)
        complain(read, "take", "\"%s\" holds no numbers; take distinct, top, share or times",
                 read->options->window);
}

/* Making. */

static void add_columns(struct sketch_item *item, const struct item *read,
                        const struct sketch_options *options, const char *stem)
{
    for (size_t i = 0; i < options->take.n; i++) {
        struct sketch_column column;
        if (!read_take(read, options->take.items[i], &column) ||
            types[column.take] != item->panes.type || item->n_columns == SKETCH_COLUMNS_MAX)
            continue;
        struct buf name = {0};
        buf_printf(&name, "%s.%s", stem, options->take.items[i]);
        buf_byte(&name, 0);
        column.column =
            columns_add_dense(read->making->columns, read->making->errors, read->node, name.data);
        item->columns[item->n_columns++] = column;
        buf_done(&name);
    }
}

/* STEM.7d, and of the family the sketch's name behind it: one item may need several. */
static char *family_name(const struct item *read, const struct sketch_type *type, char **ret_stem)
{
    struct buf name = {0};
    const char *over = conf_text(conf_get(read->node, "over"));
    buf_printf(&name, ".%s", over ? over : "");
    buf_byte(&name, 0);
    *ret_stem = fading_name(read, "sketch", name.data);
    buf_reset(&name);
    buf_printf(&name, "%s %s", *ret_stem, type->name);
    buf_byte(&name, 0);
    return name.data;
}

static void add_sketch(struct part *part, const struct item *read,
                       const struct sketch_options *options, const struct sketch_type *type)
{
    struct sketch_item made = {.unit = {.node = read->node}};
    char *stem = NULL;
    check_size(read, type, options->size);
    fading_bind(read, "sketch", &made.unit);
    if (right_so_far(read))
        check_source(read, type, &made.unit);
    made.unit.series.entry = type->numbers ? SERIES_VALUE : SERIES_HASH;
    made.panes =
        (struct panes){.type = type,
                       .size = options->size > 0 ? (unsigned)options->size : type->size_default,
                       .panes = options->panes,
                       .width = options->over / options->panes};
    if (right_so_far(read)) {
        made.unit.name = family_name(read, type, &stem);
        add_columns(&made, read, options, strchr(stem, '/') + 1);
        free(stem);
    }
    if (right_so_far(read))
        *(struct sketch_item *)part_add_item(part) = made;
    else
        unit_drop(&made.unit);
}

void sketch_item_add(struct part *part, const struct making *making, const void *read,
                     const struct conf_node *node)
{
    const struct sketch_options *options = read;
    struct window_options window = {.window = options->sketch,
                                    .by = options->by,
                                    .where = options->where,
                                    .zone = options->zone,
                                    .as = options->as};
    struct item item = {making, node, &window, {0}, making->errors->n};
    bool wanted[sizeof each_type / sizeof *each_type] = {false};
    struct sketch_column column;
    for (size_t i = 0; i < options->take.n; i++)
        if (read_take(&item, options->take.items[i], &column))
            for (size_t t = 0; t < sizeof each_type / sizeof *each_type; t++)
                wanted[t] = wanted[t] || types[column.take] == each_type[t];
    if (options->take.n > SKETCH_COLUMNS_MAX)
        complain(&item, "take", "expected at most %d columns", SKETCH_COLUMNS_MAX);
    if (options->over % options->panes != 0)
        complain(&item, "panes", "expected a number that divides `over` without a rest");
    for (size_t t = 0; t < sizeof each_type / sizeof *each_type && right_so_far(&item); t++)
        if (wanted[t])
            add_sketch(part, &item, options, each_type[t]);
}

/* State. */

static size_t memory_of(const struct panes *panes)
{
    size_t sketches = (size_t)panes->panes + 1;
    if (panes->type == &sketch_hll)
        return sizeof(struct hll_union);
    if (panes->type == &sketch_kll)
        return kll_union_bytes(panes->size, sketches);
    return panes->type == &sketch_space_saving ? space_union_bytes(panes->size, sketches) : 0;
}

enum status sketch_item_ready(struct sketch_item *item, const struct making *making)
{
    struct buf shape = {0};
    const struct panes *panes = &item->panes;
    size_t bytes = memory_of(panes);
    item->memory = bytes > 0 ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
    if (bytes > 0 && !item->memory)
        return ST_ENOMEM;
    int64_t over = panes->panes * panes->width;
    buf_printf(&shape, "sketch %s\nsize %u\npanes %" PRId64 "\nover %" PRId64 "\n",
               panes->type->name, panes->size, (int64_t)panes->panes, over);
    enum status st =
        fading_claim(&item->unit, making, &shape, over, &item->panes.family, &item->warm);
    buf_done(&shape);
    return st;
}
