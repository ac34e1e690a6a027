#include "features/plan.h"

#include <assert.h>
#include <stdlib.h>

#include "features/kind.h"

enum { KINDS_MAX = 16 };

/* The parts that have something to do at a verb. */
struct parts {
    size_t n;
    struct part *items[KINDS_MAX];
};

struct plan {
    struct columns columns;
    bool of_clock[VECTOR_DENSE_MAX]; /* each dense column */
    size_t n_label_keys;
    const char **label_key_names;
    size_t n_parts;
    struct part parts[KINDS_MAX]; /* one of each kind that the config names */
    struct parts extract, observe, observe_vector, prefetch, label;
};

/* Making. */

/* The kind that one of an item's keys names. */
static const struct feature_kind *find_kind(const struct conf_node *node)
{
    for (size_t i = 0; i < conf_count(node); i++)
        for (size_t k = 0; feature_kinds[k]; k++)
            if (conf_key(node, i) && strcmp(conf_key(node, i), feature_kinds[k]->key) == 0)
                return feature_kinds[k];
    return NULL;
}

static void complain_no_kind(const struct conf_node *node, struct conf_errors *errors)
{
    const char *names[KINDS_MAX + 1] = {NULL};
    for (size_t k = 0; feature_kinds[k]; k++)
        names[k] = feature_kinds[k]->key;
    const char *nearest = NULL;
    for (size_t i = 0; !nearest && i < conf_count(node); i++)
        nearest = conf_key(node, i) ? conf_nearest(conf_key(node, i), names) : NULL;
    struct buf list = {0};
    for (size_t k = 0; names[k]; k++)
        buf_printf(&list, "%s`%s`", k == 0 ? "" : names[k + 1] ? ", " : " or ", names[k]);
    if (nearest)
        conf_complain(errors, node, "no kind of feature; did you mean \"%s\"?", nearest);
    else
        conf_complain(errors, node, "no kind of feature; expected one of the keys %.*s",
                      (int)list.len, list.data);
    buf_done(&list);
}

static struct part *obtain_part(struct plan *plan, const struct feature_kind *kind)
{
    for (size_t i = 0; i < plan->n_parts; i++)
        if (plan->parts[i].kind == kind)
            return &plan->parts[i];
    assert(plan->n_parts < KINDS_MAX);
    plan->parts[plan->n_parts].kind = kind;
    return &plan->parts[plan->n_parts++];
}

static void add_item(struct plan *plan, const struct making *making, const struct conf_node *node)
{
    _Alignas(16) char options[KIND_OPTIONS_MAX];
    const struct feature_kind *kind = find_kind(node);
    if (!kind) {
        complain_no_kind(node, making->errors);
        return;
    }
    assert(kind->options->size <= sizeof options);
    size_t before = plan->columns.dense.n;
    if (conf_read(node, kind->options, making->errors, options) == ST_OK)
        kind->add(obtain_part(plan, kind), making, options, node);
    for (size_t i = before; i < plan->columns.dense.n; i++)
        plan->of_clock[i] = kind->of_clock;
}

static void add_items(struct plan *plan, const struct making *making,
                      const struct conf_node *features)
{
    if (features && conf_node_type(features) != CONF_NODE_SEQUENCE)
        conf_complain(making->errors, features, "expected a list of features");
    else if (conf_count(features) == 0)
        value_add_all(obtain_part(plan, &kind_value), making);
    for (size_t i = 0; i < conf_count(features); i++)
        add_item(plan, making, conf_item(features, i));
}

static void parts_add(struct parts *parts, struct part *part, bool wanted)
{
    if (wanted)
        parts->items[parts->n++] = part;
}

static void name_label_keys(struct plan *plan)
{
    plan->label_key_names = calloc(plan->n_label_keys + 1, sizeof *plan->label_key_names);
    if (!plan->label_key_names)
        abort();
    const char **to = plan->label_key_names;
    for (size_t i = 0; i < plan->label.n; i++) {
        const struct part *part = plan->label.items[i];
        for (size_t key = 0; key < part->n_label_keys; key++)
            *to++ = part->kind->label_key_name(part, key);
    }
}

static enum status make_ready(struct plan *plan, const struct making *making)
{
    columns_ready(&plan->columns);
    for (size_t i = 0; i < plan->n_parts; i++) {
        struct part *part = &plan->parts[i];
        if (part->kind->ready)
            TRY(part->kind->ready(part, making));
        part->n_label_keys = part->kind->n_label_keys ? part->kind->n_label_keys(part) : 0;
        plan->n_label_keys += part->n_label_keys;
        parts_add(&plan->extract, part, !part->kind->observe_vector);
        parts_add(&plan->observe, part, part->kind->observe);
        parts_add(&plan->observe_vector, part, part->kind->observe_vector);
        parts_add(&plan->prefetch, part, part->kind->prefetch);
        parts_add(&plan->label, part, part->n_label_keys > 0);
    }
    for (size_t i = 0; i < plan->observe_vector.n; i++)
        parts_add(&plan->extract, plan->observe_vector.items[i], true);
    name_label_keys(plan);
    return ST_OK;
}

/* A family's name is that of its kind, a slash, and what people call it. */
static void tell_removed(void *arg, struct slice name)
{
    const struct plan_watch *watch = arg;
    const char *slash = memchr(name.data, '/', name.len);
    if (watch)
        watch->removed(watch->arg, slash ? slash + 1 : name.data);
}

/* Families that no part claims while they make ready are of features that are gone. */
static enum status make_with_ledger(struct plan *plan, struct making *making, int64_t now)
{
    if (!making->state)
        return make_ready(plan, making);
    TRY(ledger_open(making->state, now, &making->ledger));
    enum status st = make_ready(plan, making);
    if (st < 0)
        ledger_free(making->ledger);
    else
        ledger_close(making->ledger, tell_removed, (void *)(uintptr_t)making->watch);
    return st;
}

enum status plan_create_at(const struct schema *schema, const struct conf_node *features,
                           int64_t lateness, struct state *state, int64_t now,
                           const struct plan_watch *watch, struct conf_errors *errors,
                           struct plan **ret)
{
    struct plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        return ST_ENOMEM;
    struct making making = {.schema = schema,
                            .lateness = lateness,
                            .state = state,
                            .watch = watch,
                            .errors = errors,
                            .columns = &plan->columns};
    size_t before = errors->n;
    add_items(plan, &making, features);
    enum status st = errors->n > before ? ST_EINVAL : make_with_ledger(plan, &making, now);
    if (st < 0) {
        plan_free(plan);
        return st;
    }
    *ret = plan;
    return ST_OK;
}

enum status plan_create(const struct schema *schema, const struct conf_node *features,
                        int64_t lateness, struct state *state, struct conf_errors *errors,
                        struct plan **ret)
{
    return plan_create_at(schema, features, lateness, state, INT64_MIN, NULL, errors, ret);
}

void plan_free(struct plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; i < plan->n_parts; i++)
        part_done(&plan->parts[i]);
    free(plan->label_key_names);
    columns_done(&plan->columns);
    free(plan);
}

const struct vector_schema *plan_vector_schema(const struct plan *plan)
{
    return &plan->columns.schema;
}

bool plan_is_of_clock(const struct plan *plan, size_t column)
{
    return plan->of_clock[column];
}

/* The verbs: each part in turn. */

void plan_extract(struct plan *plan, struct state *state, const struct event *event, double *dense,
                  struct sparse *sparse, size_t *ret_n_sparse)
{
    struct sparse_row row = {sparse, 0};
    for (size_t i = 0; i < plan->extract.n; i++)
        plan->extract.items[i]->kind->extract(plan->extract.items[i], state, event, dense, &row);
    *ret_n_sparse = row.n;
}

void plan_observe(struct plan *plan, struct state *state, const struct event *event,
                  const double *dense)
{
    for (size_t i = 0; i < plan->observe.n; i++)
        plan->observe.items[i]->kind->observe(plan->observe.items[i], state, event);
    for (size_t i = 0; i < plan->observe_vector.n && dense; i++)
        plan->observe_vector.items[i]->kind->observe_vector(plan->observe_vector.items[i], state,
                                                            event, dense);
}

void plan_prefetch(const struct plan *plan, struct state *state, const struct event *event,
                   enum plan_prefetch stage)
{
    for (size_t i = 0; i < plan->prefetch.n; i++)
        plan->prefetch.items[i]->kind->prefetch(plan->prefetch.items[i], state, event, stage);
}

size_t plan_n_label_keys(const struct plan *plan)
{
    return plan->n_label_keys;
}

const char *const *plan_label_key_names(const struct plan *plan)
{
    return plan->label_key_names;
}

void plan_label_keys(const struct plan *plan, const struct event *event, struct key128 *ret)
{
    for (size_t i = 0; i < plan->label.n; i++) {
        const struct part *part = plan->label.items[i];
        part->kind->label_keys(part, event, ret);
        ret += part->n_label_keys;
    }
}

void plan_label(struct plan *plan, struct state *state, const struct key128 *keys,
                int64_t event_time, uint32_t tag, double label)
{
    for (size_t i = 0; i < plan->label.n; i++) {
        struct part *part = plan->label.items[i];
        part->kind->label(part, state, keys, event_time, tag, label);
        keys += part->n_label_keys;
    }
}

void plan_prefetch_label(const struct plan *plan, struct state *state, const struct key128 *keys,
                         enum plan_prefetch stage)
{
    for (size_t i = 0; i < plan->label.n; i++) {
        const struct part *part = plan->label.items[i];
        part->kind->prefetch_label(part, state, keys, stage);
        keys += part->n_label_keys;
    }
}

/* For people. */

enum status plan_describe(const struct plan *plan, struct record *rec, struct buf *ret)
{
    for (size_t i = 0; i < plan->n_parts; i++)
        if (plan->parts[i].kind->describe &&
            plan->parts[i].kind->describe(&plan->parts[i], rec, ret) == ST_OK)
            return ST_OK;
    return ST_ENOTFOUND;
}

void plan_write_doc(struct buf *ret)
{
    for (size_t k = 0; feature_kinds[k]; k++)
        conf_write_doc(feature_kinds[k]->options, ret);
}

void plan_write_schema(struct buf *ret)
{
    buf_text(ret, "{\"type\":\"array\",\"items\":{\"oneOf\":[");
    for (size_t k = 0; feature_kinds[k]; k++) {
        if (k > 0)
            buf_byte(ret, ',');
        conf_write_schema(feature_kinds[k]->options, ret);
    }
    buf_text(ret, "]}}");
}
