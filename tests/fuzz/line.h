/* A small state with all that the line keeps in one: windows, the ledger of features, layouts and
 * the label join. fuzz_records.c spoils its records. */
#ifndef TESTS_FUZZ_LINE_H
#define TESTS_FUZZ_LINE_H

#include <math.h>

#include "features/plan.h"
#include "ingest/join.h"
#include "ingest/layouts.h"
#include "ingest/pack.h"
#include "tests/fuzz/fuzz.h"

struct line {
    struct state *state;
    struct plan *plan;
    struct layouts *layouts;
    struct join *join;
    int64_t now;
};

static const struct conf_node *line_features(void)
{
    static const struct conf_node *node;
    if (!node)
        node = fuzz_conf(
            "- {value: AMOUNT}\n"
            "- {category: COUNTRY}\n"
            "- {window: AMOUNT, by: CARD, over: [1d, 7d], take: [count, std, since, burst, "
            "velocity]}\n"
            "- {window: AMOUNT, by: SHOP, over: 1d, take: [mean, gap, burst], kind: tiled}\n"
            "- {window: label, by: SHOP, over: 30d, take: mean}\n"
            "- {window: events, by: CARD, over: 1d, take: distinct, of: COUNTRY}\n");
    return node;
}

static void line_done(struct line *line)
{
    join_free(line->join);
    layouts_free(line->layouts);
    plan_free(line->plan);
    state_free(line->state);
}

/* Opens all of it over a state, as a start does. */
static enum status line_open(struct line *line)
{
    const struct schema *schema = fuzz_schema();
    struct conf_errors errors = {0};
    enum status st = plan_create_at(schema, line_features(), DAY_US, line->state, line->now, NULL,
                                    &errors, &line->plan);
    conf_errors_done(&errors);
    TRY(st);
    const struct vector_schema *vector = plan_vector_schema(line->plan);
    size_t n_keys = plan_n_label_keys(line->plan);
    TRY(layouts_open(line->state, vector, plan_label_key_names(line->plan), n_keys,
                     &line->layouts));
    struct join_options options = {.labels = schema->labels,
                                   .n_dense = vector->n_dense,
                                   .n_keys = n_keys,
                                   .layouts = line->layouts};
    TRY(join_create(&options, line->state, &line->join));
    return join_recover(line->join);
}

/* A vector that was spoilt while it waited is refused by whoever reads it. */
static void line_released(void *arg, const struct released *example)
{
    struct line *line = arg;
    float dense[VECTOR_DENSE_MAX];
    struct sparse sparse[VECTOR_SPARSE_MAX];
    size_t n_sparse, n_dense = plan_vector_schema(line->plan)->n_dense;
    struct reader in = reader_of(example->packed);
    enum status st = unpack_vector(&in, dense, n_dense, sparse, &n_sparse);
    FUZZ_LAW(st == ST_OK || st == ST_ECORRUPT, "it is a vector or corrupt");
}

/* Event i, at its time: one of three cards and of two shops. */
static void line_take(struct line *line, unsigned i, int64_t time)
{
    union value values[6] = {{.entity = {1 + i % 3, 11}},
                             {.entity = {1 + i % 2, 22}},
                             {.number = i % 7 ? i : NAN},
                             {.category = 1 + i % 4},
                             {.text = {0}},
                             {.category = 0}};
    struct event event = {
        .time = time, .id_key = {(uint64_t)i << 32 | i, (uint64_t)i << 57}, .values = values};
    double dense[64];
    float narrow[64];
    struct sparse sparse[VECTOR_SPARSE_MAX];
    struct key128 keys[8];
    size_t n_sparse;
    struct pending pending;
    struct pending_ref ref;
    double label;
    line->now = time;
    join_release(line->join, time, false, line_released, line);
    if (join_find(line->join, event.id_key, time, &pending, &ref))
        return;
    plan_extract(line->plan, line->state, &event, dense, sparse, &n_sparse);
    plan_observe(line->plan, line->state, &event, dense);
    plan_label_keys(line->plan, &event, keys);
    for (size_t c = 0; c < plan_vector_schema(line->plan)->n_dense; c++)
        narrow[c] = (float)dense[c];
    struct pending_parts parts = {.id = event.id_key,
                                  .time = time,
                                  .scored = true,
                                  .keys = keys,
                                  .dense = narrow,
                                  .sparse = sparse,
                                  .n_sparse = n_sparse};
    if (join_add(line->join, &parts, time, &ref, &label))
        plan_label(line->plan, line->state, keys, time, i, label);
    join_set_score(line->join, ref, 0.5f, 1);
}

static void line_label(struct line *line, unsigned i, int64_t time, double value)
{
    struct label label = {
        .id = {(uint64_t)i << 32 | i, (uint64_t)i << 57}, .value = value, .now = time, .offset = i};
    struct labelled labelled = {0};
    enum label_outcome outcome = join_label(line->join, &label, line_released, line, &labelled);
    if ((outcome == LABEL_APPLIED || outcome == LABEL_CORRECTED) && labelled.keys)
        plan_label(line->plan, line->state, labelled.keys, labelled.time, i, value);
}

#endif
