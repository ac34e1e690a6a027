/* {rule: "TX_AMOUNT > 220 and night", as: high_at_night}: 1 where a rule holds, else 0. */
#include <math.h>

#include "features/kind.h"
#include "features/where.h"

struct rule_options {
    const char *rule;
    const char *as;
    const char *zone;
};

static const struct conf_option rule_table_options[] = {
    {.name = "rule",
     .type = CONF_TEXT,
     .at = offsetof(struct rule_options, rule),
     .required = true,
     .help = "a rule on the event's fields and the calendar, such as TX_AMOUNT > 220 and (night or "
             "weekend), COUNTRY == \"DE\", or MCC not in [5411, 5812]"},
    {.name = "as",
     .type = CONF_TEXT,
     .at = offsetof(struct rule_options, as),
     .required = true,
     .help = "the column's name"},
    {.name = "zone",
     .type = CONF_TEXT,
     .at = offsetof(struct rule_options, zone),
     .help = "time zone of the calendar's words, such as Europe/Berlin; UTC by default"},
    CONF_END};

static const struct conf_table rule_table = {"rule", "1 where a rule holds, else 0.",
                                             rule_table_options, sizeof(struct rule_options)};

struct rule_item {
    struct where *where;
    uint32_t column;
};

static void rule_drop(void *item)
{
    where_free(((struct rule_item *)item)->where);
}

static void rule_add(struct part *part, const struct making *making, const void *read,
                     const struct conf_node *node)
{
    const struct rule_options *options = read;
    const struct zone *zone;
    struct where *where = NULL;
    if (!kind_zone(making, node, options->zone, &zone) ||
        where_create(making, node, "rule", options->rule, zone, &where) < 0)
        return;
    struct rule_item *item = part_add_item(part);
    item->where = where;
    item->column = columns_add_dense(making->columns, making->errors, node, options->as);
}

static void rule_extract(struct part *part, struct state *state, const struct event *event,
                         double *dense, struct sparse_row *sparse)
{
    const struct rule_item *items = part->items;
    (void)state, (void)sparse;
    for (size_t i = 0; i < part->n; i++) {
        const struct where *where = items[i].where;
        dense[items[i].column] =
            where_usable(where, event->stream) ? where_holds(where, event) : NAN;
    }
}

const struct feature_kind kind_rule = {
    .key = "rule",
    .scope = SCOPE_EVENT,
    .options = &rule_table,
    .item_bytes = sizeof(struct rule_item),
    .add = rule_add,
    .drop = rule_drop,
    .extract = rule_extract,
};
