/*
 * What the tests of `ftrl` and `gbdt` share: a schema, options from text, and rows that follow a
 * known law.
 */
#ifndef TESTS_FTRL_HELP_H
#define TESTS_FTRL_HELP_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "models/model.h"

enum { HELP_DENSE = 3, HELP_SPARSE = 2 };

static const char *const help_dense[] = {"amount", "risk", "count"};
static const char *const help_fields[] = {"site", "user"};
static const struct vector_schema help_schema = {
    .n_dense = HELP_DENSE, .n_sparse = HELP_SPARSE, .dense = help_dense, .sparse = help_fields};

/* The model that a config's lines describe, or NULL with the complaints in errors. */
static inline struct model *help_try_kind(const char *kind, const char *yaml,
                                          const struct vector_schema *schema,
                                          struct conf_errors *errors)
{
    const struct model_ops *ops = model_find_kind(kind);
    struct conf *conf = NULL;
    struct model *model = NULL;
    void *options = calloc(1, ops->options->size);
    const struct conf_node *node = NULL;
    if (yaml[0] && conf_parse("test", slice_of(yaml), errors, &conf) == ST_OK)
        node = conf_root(conf);
    if (errors->n == 0 && conf_read(node, ops->options, errors, options) == ST_OK)
        (void)!ops->create(options, schema, node, errors, &model);
    conf_free(conf);
    free(options);
    return model;
}

static inline struct model *help_try(const char *yaml, const struct vector_schema *schema,
                                     struct conf_errors *errors)
{
    return help_try_kind("ftrl", yaml, schema, errors);
}

static inline struct model *help_model_of(const char *yaml, const struct vector_schema *schema)
{
    struct conf_errors errors = {0};
    struct model *model = help_try(yaml, schema, &errors);
    cr_assert(model != NULL, "%.*s", (int)errors.text.len, errors.text.data);
    conf_errors_done(&errors);
    return model;
}

static inline struct model *help_model(const char *yaml)
{
    return help_model_of(yaml, &help_schema);
}

/* The same noise for the same seed everywhere: in [0, 1). */
static inline double help_noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / (double)(UINT64_C(1) << 53);
}

/* Rows with everything that they point to. */
struct help_rows {
    size_t n;
    float (*dense)[HELP_DENSE];
    struct sparse (*sparse)[HELP_SPARSE];
    struct example *examples;
    struct vector *vectors;
};

/* Amounts of long tail, a risk that is mostly 0, a count that is sometimes missing; a site out of
 * twenty, a user out of many. The label follows a logistic law of all of them. */
static inline struct help_rows help_rows(size_t n, uint64_t seed)
{
    struct help_rows rows = {.n = n,
                             .dense = calloc(n, sizeof *rows.dense),
                             .sparse = calloc(n, sizeof *rows.sparse),
                             .examples = calloc(n, sizeof *rows.examples),
                             .vectors = calloc(n, sizeof *rows.vectors)};
    for (size_t i = 0; i < n; i++) {
        double amount = -50 * log(1 - help_noise(&seed)), u = help_noise(&seed);
        double risk = u < 0.9 ? 0 : (u - 0.9) * 10, count = floor(20 * help_noise(&seed));
        uint64_t site = 1 + (uint64_t)(20 * help_noise(&seed));
        uint64_t user = 1 + (uint64_t)(400 * pow(help_noise(&seed), 3));
        double logit =
            -2 + 0.02 * (amount - 50) + 2 * risk + (site == 3 ? 1.5 : 0) - (user == 1 ? 1 : 0);
        rows.dense[i][0] = (float)amount;
        rows.dense[i][1] = (float)risk;
        rows.dense[i][2] = help_noise(&seed) < 0.1 ? NAN : (float)count;
        rows.sparse[i][0] = (struct sparse){site * 77777, 0, 1};
        rows.sparse[i][1] = (struct sparse){user * 99991, 1, 1};
        rows.vectors[i] = (struct vector){rows.dense[i], rows.sparse[i], HELP_SPARSE};
        rows.examples[i] =
            (struct example){.vector = rows.vectors[i],
                             .label = help_noise(&seed) < 1 / (1 + exp(-logit)) ? 1 : 0,
                             .weight = 1,
                             .time = INT64_C(1500000000000000) + (int64_t)i * 60000000};
    }
    return rows;
}

static inline void help_rows_done(struct help_rows *rows)
{
    free(rows->dense);
    free(rows->sparse);
    free(rows->examples);
    free(rows->vectors);
}

/* Two models score these rows to the same bits. */
static inline void help_expect_same(const struct model *a, const struct model *b,
                                    const struct help_rows *rows)
{
    float *x = calloc(rows->n, sizeof *x), *y = calloc(rows->n, sizeof *y);
    a->ops->score(a, rows->vectors, rows->n, x);
    b->ops->score(b, rows->vectors, rows->n, y);
    cr_expect(memcmp(x, y, rows->n * sizeof *x) == 0, "scores differ");
    free(x);
    free(y);
}

#define HELP_CROSSES                                                                               \
    "crosses: [[amount, risk], [amount, site], [site, user], [amount, risk, count]]"
static const char *const help_all_options = "{" HELP_CROSSES ", admit: 2}";
/* The same, and with each way to make bins. */
static const char *const help_ways[] = {"{" HELP_CROSSES ", admit: 2}",
                                        "{" HELP_CROSSES ", binning: supervised, bin_trend: auto}",
                                        "{" HELP_CROSSES ", binning: woe, bins: 9}"};
enum { HELP_WAYS = sizeof help_ways / sizeof help_ways[0] };

static inline float score_one(const struct model *model, const struct vector *vector)
{
    float p;
    model->ops->score(model, vector, 1, &p);
    return p;
}

static inline double logit_of(const struct model *model, const struct vector *vector)
{
    double p = (double)score_one(model, vector);
    return log(p / (1 - p));
}

#endif
