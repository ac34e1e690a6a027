/* The small models, one of each kind that is all our own, that fuzz_model.c loads files into, and
 * rows for them. */
#ifndef TESTS_FUZZ_MODEL_H
#define TESTS_FUZZ_MODEL_H

#include <math.h>

#include "models/model.h"
#include "tests/fuzz/fuzz.h"

enum { MODEL_ROWS = 8 };

static const char *const model_dense[] = {"AMOUNT"};
static const char *const model_sparse[] = {"COUNTRY"};
static const struct vector_schema model_schema = {
    .n_dense = 1, .n_sparse = 1, .dense = model_dense, .sparse = model_sparse};

struct model_case {
    const char *kind, *yaml;
};

enum { MODEL_KINDS = 3 };

static const struct model_case model_cases[MODEL_KINDS] = {
    {"ftrl", "{bins: 4, cross_bins: 2, table: 64, crosses: [[AMOUNT, COUNTRY]]}"},
    {"iforest", "{n_estimators: 3, max_samples: 4, rows: 20}"},
    {"hstrees", "{trees: 2, depth: 3, window: 4}"},
};

static struct model *make_model(const struct model_case *of)
{
    const struct model_ops *ops = model_find_kind(of->kind);
    struct conf_errors errors = {0};
    struct model *model = NULL;
    const struct conf_node *node = fuzz_conf(of->yaml);
    void *options = calloc(1, ops->options->size);
    if (!options || conf_read(node, ops->options, &errors, options) < 0 ||
        ops->create(options, &model_schema, node, &errors, &model) < 0) {
        conf_errors_print(&errors, stderr);
        abort();
    }
    free(options);
    return model;
}

/* Shows it rows, small numbers and a missing one, and learns them. ret_scores: of before. */
static void use_model(struct model *model, float *ret_scores)
{
    static const float dense[MODEL_ROWS] = {0, 1, 12.5f, NAN, -3, 1e9f, 57.16f, 2};
    struct sparse sparse[MODEL_ROWS];
    struct vector rows[MODEL_ROWS];
    struct example examples[MODEL_ROWS];
    for (size_t i = 0; i < MODEL_ROWS; i++) {
        sparse[i] = (struct sparse){1 + i % 3, 0, 1};
        rows[i] = (struct vector){&dense[i], &sparse[i], 1};
        examples[i] = (struct example){
            .vector = rows[i], .label = i % 2 ? 1 : 0, .weight = 1, .time = 1000 * (int64_t)i};
    }
    model->ops->score(model, rows, MODEL_ROWS, ret_scores);
    model->ops->learn(model, examples, MODEL_ROWS);
    struct buf why = {0};
    if (model->ops->fit && model->ops->fit(model, &why) < 0)
        abort();
    buf_done(&why);
}

#endif
