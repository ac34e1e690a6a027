/*
 * features/kind.h -- what a kind of feature is: one row, {window: ...} or {calendar: ...} in a
 * config.
 *
 * Each kind is one file that ends in its row, and one line in kinds.c. A plan makes one `part` of
 * each kind it meets, adds the config's items to it, and then lets it extract and observe: a part
 * works on all of its items at once.
 *
 *     static void value_add(struct part *part, const struct making *making, const void *options,
 *                           const struct conf_node *node)
 *     {
 *         ...                                             // complain, or
 *         struct value_item *item = part_add_item(part);  // zeroed
 *         item->column = columns_add_dense(making->columns, making->errors, node, name);
 *     }
 *
 *     const struct feature_kind kind_value = {
 *         .key = "value", .options = &value_table, .item_bytes = sizeof(struct value_item),
 *         .add = value_add, .drop = value_drop, .extract = value_extract};
 */
#ifndef FEATURES_KIND_H
#define FEATURES_KIND_H

#include "base/conf.h"
#include "features/columns.h"
#include "features/ledger.h"
#include "features/plan.h"
#include "ingest/schema.h"
#include "ingest/state.h"

struct feature_kind;

/* The items of one kind. */
struct part {
    const struct feature_kind *kind;
    size_t n;
    void *items;         /* n of kind->item_bytes */
    size_t n_label_keys; /* once it is ready */
};

/* What a plan is made with. */
struct making {
    const struct schema *schema;
    int64_t lateness;
    struct state *state;   /* NULL: the plan is only checked */
    struct ledger *ledger; /* with a state: claims families */
    const struct plan_watch *watch;
    struct conf_errors *errors;
    struct columns *columns;
};

/* The hashed categories of one event; items has room for VECTOR_SPARSE_MAX. */
struct sparse_row {
    struct sparse *items;
    size_t n;
};

/* Adds an entry; those past VECTOR_SPARSE_MAX are dropped. */
static inline void sparse_put(struct sparse_row *row, uint32_t field, uint64_t hash, float weight)
{
    if (row->n < VECTOR_SPARSE_MAX)
        row->items[row->n++] = (struct sparse){hash, field, weight};
}

/* Which state a kind reads: none but its event, the records of the event's own entities, or any. */
enum feature_scope { SCOPE_EVENT, SCOPE_ENTITY, SCOPE_GLOBAL };

struct feature_kind {
    const char *key; /* the key of an item that names the kind, and its first option */
    enum feature_scope scope;
    bool of_clock; /* its columns follow from when an event happens, and from nothing else */
    const struct conf_table *options; /* of one item; at most KIND_OPTIONS_MAX bytes */

    size_t item_bytes;

    /* Takes an item of the config: names its columns, and remembers what to do in items of its own.
     * options are only lent. What is wrong is complained of at node. */
    void (*add)(struct part *part, const struct making *making, const void *options,
                const struct conf_node *node);
    /* Frees what an item owns. Optional. */
    void (*drop)(void *item);
    /* After the last item: claims families of state. Optional. */
    enum status (*ready)(struct part *part, const struct making *making);

    void (*extract)(struct part *part, struct state *state, const struct event *event,
                    double *dense, struct sparse_row *sparse);
    /* All below are optional. */
    void (*observe)(struct part *part, struct state *state, const struct event *event);
    /* Instead of observe, by a kind that works on columns: it extracts after the kinds that have
     * none of this, and dense is the vector that was extracted of the event. */
    void (*observe_vector)(struct part *part, struct state *state, const struct event *event,
                           const double *dense);
    /* A kind that has keys has the other verbs on labels too. */
    size_t (*n_label_keys)(const struct part *part);
    void (*label_keys)(const struct part *part, const struct event *event, struct key128 *ret);
    /* What a key is for, by a name that stays when features are added around it. */
    const char *(*label_key_name)(const struct part *part, size_t key);
    void (*label)(struct part *part, struct state *state, const struct key128 *keys,
                  int64_t event_time, uint32_t tag, double label);
    /* See plan_prefetch(); of a label by its event's keys. A kind that keeps records must have
     * these: the working set may be smaller than the state. */
    void (*prefetch)(const struct part *part, struct state *state, const struct event *event,
                     enum plan_prefetch stage);
    void (*prefetch_label)(const struct part *part, struct state *state, const struct key128 *keys,
                           enum plan_prefetch stage);
    enum status (*describe)(const struct part *part, struct record *rec, struct buf *ret);
};

#define KIND_OPTIONS_MAX 512

/* One item more, zeroed; those before it may move. */
void *part_add_item(struct part *part);
void part_done(struct part *part);

/* All kinds, NULL-terminated: the one list to extend. */
extern const struct feature_kind *const feature_kinds[];

/* The zone of an option's text, NULL (UTC) for NULL. False after a complaint. */
bool kind_zone(const struct making *making, const struct conf_node *node, const char *text,
               const struct zone **ret);
/* The index of a field in each stream, or -1, in an array of n_streams that the caller frees;
 * *ret_type is its type. NULL after a complaint: no stream has it, or streams disagree about its
 * type. option: the item's key that named it. */
int *kind_find_field(const struct making *making, const struct conf_node *node, const char *option,
                     const char *name, enum field_type *ret_type);
/* What a config without features gets: every number of every stream, under its name. */
extern const struct feature_kind kind_value;
void value_add_all(struct part *value, const struct making *making);
/* "number", "entity", ... */
const char *kind_type_name(enum field_type type);

#endif
