/*
 * Tests of models/ftrl.h through models/model.h: other columns than before.
 *
 * Known without running it: names, not places, say what a column is, so that the order of columns
 * changes only rounding; what the old and the new have in common is taken over as it was.
 */
#include "models/model.h"
#include "models/safetensors.h"
#include "tests/ftrl_help.h"

/* Names, not places, say what a column is. */

static const char *const turned_dense[] = {"count", "risk", "amount"};
static const char *const turned_fields[] = {"user", "site"};
static const struct vector_schema turned_schema = {
    .n_dense = HELP_DENSE, .n_sparse = HELP_SPARSE, .dense = turned_dense, .sparse = turned_fields};

static struct help_rows turned(const struct help_rows *rows)
{
    struct help_rows other = help_rows(rows->n, 0);
    for (size_t i = 0; i < rows->n; i++) {
        for (size_t j = 0; j < HELP_DENSE; j++)
            other.dense[i][j] = rows->dense[i][HELP_DENSE - 1 - j];
        for (size_t j = 0; j < HELP_SPARSE; j++) {
            other.sparse[i][j] = rows->sparse[i][HELP_SPARSE - 1 - j];
            other.sparse[i][j].field = (uint32_t)j;
        }
        other.examples[i].label = rows->examples[i].label;
    }
    return other;
}

Test(ftrl, the_order_of_columns_does_not_matter)
{
    struct model *a = help_model(help_all_options),
                 *b = help_model_of(help_all_options, &turned_schema);
    struct help_rows rows = help_rows(4000, 7), other = turned(&rows);
    a->ops->learn(a, rows.examples, rows.n);
    b->ops->learn(b, other.examples, rows.n);
    for (size_t i = 0; i < rows.n; i++)
        cr_assert(
            epsilon_eq(dbl, logit_of(a, &rows.vectors[i]), logit_of(b, &other.vectors[i]), 1e-3));

    /* A file of one is loaded by the other; then it scores the same, but for the order of sums. */
    struct tensors *file = tensors_create();
    a->ops->save(a, file);
    cr_assert(eq(int, b->ops->load(b, file), ST_OK));
    for (size_t i = 0; i < rows.n; i++)
        cr_assert(
            epsilon_eq(dbl, logit_of(a, &rows.vectors[i]), logit_of(b, &other.vectors[i]), 1e-5));
    tensors_free(file);
    help_rows_done(&rows);
    help_rows_done(&other);
    a->ops->free(a);
    b->ops->free(b);
}

static const char *const grown_dense[] = {"amount", "new", "count"}; /* "risk" is gone */
static const struct vector_schema grown_schema = {
    .n_dense = HELP_DENSE, .n_sparse = HELP_SPARSE, .dense = grown_dense, .sparse = help_fields};

static const float *weights(const struct tensors *file, const char *name, size_t n)
{
    const struct tensor *tensor = tensors_get_as(file, name, TENSOR_F32, n);
    cr_assert(tensor != NULL, "%s", name);
    return tensor->data;
}

Test(ftrl, columns_may_come_and_go)
{
    struct model *before = help_model("{bins: 5}"),
                 *after = help_model_of("{bins: 5}", &grown_schema);
    struct help_rows rows = help_rows(3000, 8);
    before->ops->learn(before, rows.examples, rows.n);
    struct tensors *old = tensors_create(), *new = tensors_create();
    before->ops->save(before, old);
    cr_assert(eq(int, after->ops->load(after, old), ST_OK));
    after->ops->save(after, new);
    const float *a = weights(old, "linear.w", 3), *b = weights(new, "linear.w", 3);
    cr_expect(a[0] != 0);
    cr_expect(eq(flt, b[0], a[0]));
    cr_expect(eq(flt, b[1], 0));
    cr_expect(eq(flt, b[2], a[2]));
    const float *c = weights(old, "bins.w", 18), *d = weights(new, "bins.w", 18);
    for (size_t i = 0; i < 6; i++) {
        cr_expect(eq(flt, d[i], c[i]));
        cr_expect(eq(flt, d[6 + i], 0));
        cr_expect(eq(flt, d[12 + i], c[12 + i]));
    }
    after->ops->learn(after, rows.examples, rows.n); /* and it goes on */
    tensors_free(old);
    tensors_free(new);
    help_rows_done(&rows);
    before->ops->free(before);
    after->ops->free(after);
}

/* Other bins or crosses than the file's: what can be is taken over, and the rest is learnt anew. */
Test(ftrl, options_may_change)
{
    const char *others[] = {"{bins: 5}", "{crosses: [[risk, count]], cross_bins: 4}",
                            "{exclude: [amount, site]}", "{table: 16, crosses: [[amount, risk]]}"};
    struct model *before = help_model(help_all_options);
    struct help_rows rows = help_rows(5000, 9);
    before->ops->learn(before, rows.examples, rows.n);
    struct tensors *file = tensors_create();
    before->ops->save(before, file);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct model *after = help_model(others[i]);
        cr_expect(eq(int, after->ops->load(after, file), ST_OK), "%s", others[i]);
        after->ops->learn(after, rows.examples, rows.n);
        float p = score_one(after, &rows.vectors[0]);
        cr_expect(p > 0 && p < 1, "%s", others[i]);
        after->ops->free(after);
    }
    tensors_free(file);
    help_rows_done(&rows);
    before->ops->free(before);
}
