/*
 * Tests of models/ftrl.h through models/model.h: what it refuses.
 *
 * Known without running it: which options and columns make no sense, and that a file which was
 * spoilt anywhere is not loaded.
 */
#include "models/model.h"
#include "models/safetensors.h"
#include "tests/ftrl_help.h"

struct refusal_case {
    char yaml[96];
    char complaint[64]; /* part of it */
};

ParameterizedTestParameters(ftrl, create_refuses)
{
    static struct refusal_case cases[] = {
        {"{columns: [amont]}", "did you mean \"amount\"?"},
        {"{exclude: nothing_like_it}", "\"nothing_like_it\" is none of the features' columns"},
        {"{crosses: amount}", "expected a list of crosses"},
        {"{crosses: [amount]}", "expected a list of 2 or 3 columns"},
        {"{crosses: [[amount]]}", "expected a list of 2 or 3 columns"},
        {"{crosses: [[amount, risk, count, site]]}", "expected a list of 2 or 3 columns"},
        {"{crosses: [[amount, [risk]]]}", "expected the name of a column"},
        {"{crosses: [[amount, sitee]]}", "did you mean \"site\"?"},
        {"{crosses: [[amount, risk], [amount, risk]]}", "this cross is there twice"},
        {"{crosses: [[site, user], [site, user]]}", "this cross is there twice"},
        {"{exclude: [risk], crosses: [[amount, risk]]}", "\"risk\" is excluded"},
        {"{alpha: 0}", "alpha"},
        {"{bins: 257}", "bins"},
        {"{bins: 65, binning: woe}", "supervised bins are 64 at most"},
        {"{binning: supervized}", "supervised"},
        {"{binning: woe, bin_trend: up}", "bin_trend"},
        {"{binning: woe, bin_share: 0.6}", "bin_share"},
        {"{admit: 0}", "admit"},
        {"{expire: 1ms}", "expire"},
    };
    return cr_make_param_array(struct refusal_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct refusal_case *c, ftrl, create_refuses)
{
    struct conf_errors errors = {0};
    struct model *model = help_try(c->yaml, &help_schema, &errors);
    cr_expect(model == NULL, "%s", c->yaml);
    cr_expect(eq(sz, errors.n, 1), "%s", c->yaml);
    buf_byte(&errors.text, 0);
    cr_expect(strstr(errors.text.data, c->complaint) != NULL, "%s: %s", c->yaml, errors.text.data);
    conf_errors_done(&errors);
}

/* The saved tensors, one of them missing, of another length, or with one element spoilt. */
static enum status load_spoilt(const char *yaml, const struct tensors *good, size_t which, int how)
{
    struct tensors *bad = tensors_create();
    tensors_put_text(bad, "kind", tensors_text(good, "kind"));
    tensors_put_text(bad, "columns", tensors_text(good, "columns"));
    if (tensors_text(good, "binning"))
        tensors_put_text(bad, "binning", tensors_text(good, "binning"));
    for (size_t i = 0; i < tensors_count(good); i++) {
        const struct tensor *t = tensors_at(good, i);
        size_t shorter = t->n - 1, size = t->type == TENSOR_F32 ? 4 : 8;
        bool whole = i != which, floats = t->type == TENSOR_F32 || t->type == TENSOR_F64;
        if (whole || (how == 2 && !floats))
            tensors_put(bad, t->name, t->type, t->shape, t->n_dims, t->data);
        else if (how == 1)
            tensors_put(bad, t->name, t->type, &shorter, 1, t->data);
        else if (how == 2) {
            char *copy = malloc(t->n * size);
            memcpy(copy, t->data, t->n * size);
            memset(copy, 0xff, size); /* a NaN */
            tensors_put(bad, t->name, t->type, t->shape, t->n_dims, copy);
            free(copy);
        }
    }
    struct model *model = help_model(yaml);
    enum status st = model->ops->load(model, bad);
    struct help_rows rows = help_rows(300, 14);
    if (st == ST_OK)
        model->ops->learn(model, rows.examples, rows.n);
    help_rows_done(&rows);
    model->ops->free(model);
    tensors_free(bad);
    return st;
}

static void check_spoilt(const char *yaml)
{
    struct model *model = help_model(yaml);
    struct help_rows rows = help_rows(1000, 15);
    model->ops->learn(model, rows.examples, rows.n);
    struct tensors *good = tensors_create();
    model->ops->save(model, good);
    cr_expect(eq(int, load_spoilt(yaml, good, SIZE_MAX, 0), ST_OK));
    for (size_t i = 0; i < tensors_count(good); i++) {
        const struct tensor *t = tensors_at(good, i);
        bool optional = strncmp(t->name, "cross.", 6) == 0 || strncmp(t->name, "coarse.", 7) == 0 ||
                        strncmp(t->name, "admission.", 10) == 0;
        bool floats = t->type == TENSOR_F32 || t->type == TENSOR_F64;
        cr_expect(optional || load_spoilt(yaml, good, i, 0) == ST_ECORRUPT, "%s missing", t->name);
        cr_expect(strncmp(t->name, "admission.", 10) == 0 ||
                      load_spoilt(yaml, good, i, 1) == ST_ECORRUPT,
                  "%s shorter", t->name);
        cr_expect(eq(int, floats ? load_spoilt(yaml, good, i, 2) : ST_ECORRUPT, ST_ECORRUPT),
                  "%s is NaN", t->name);
    }
    tensors_free(good);
    help_rows_done(&rows);
    model->ops->free(model);
}

Test(ftrl, load_refuses_spoilt_files)
{
    for (size_t i = 0; i < HELP_WAYS; i++)
        check_spoilt(help_ways[i]);
}

/* Edges that fall, or one more than there are bins. */
Test(ftrl, load_refuses_edges_that_are_none)
{
    const char *const yaml = "{bins: 4, binning: supervised}";
    struct help_rows rows = help_rows(1000, 15);
    for (size_t way = 0; way < 4; way++) {
        struct model *model = help_model(yaml), *other = help_model(yaml);
        struct tensors *file = tensors_create();
        model->ops->learn(model, rows.examples, rows.n);
        cr_assert(eq(int, model->ops->save(model, file), ST_OK));
        const struct tensor *t = tensors_get(file, way % 2 ? "prebins.edges" : "bins.edges");
        float *edges = (float *)(uintptr_t)t->data;
        cr_assert(eq(int, other->ops->load(other, file), ST_OK));
        size_t last = way % 2 ? 63 : 3;
        for (size_t i = 0; i <= last; i++)
            edges[i] = way < 2 ? (float)i : i < last ? (float)-(double)i : INFINITY;
        cr_expect(eq(int, other->ops->load(other, file), ST_ECORRUPT), "way %zu", way);
        tensors_free(file);
        model->ops->free(model);
        other->ops->free(other);
    }
    help_rows_done(&rows);
}

Test(ftrl, load_refuses_a_newer_format_as_such)
{
    struct tensors *file = tensors_create();
    struct model *model = help_model("");
    const uint64_t shape[] = {99, 16, 8};
    tensors_put_text(file, "kind", "ftrl");
    tensors_put(file, "shape", TENSOR_U64, (size_t[]){3}, 1, shape);
    cr_expect(eq(int, model->ops->load(model, file), ST_EVERSION));
    tensors_free(file);
    model->ops->free(model);
}

Test(ftrl, load_refuses_another_kind)
{
    struct model *model = help_model("");
    struct tensors *file = tensors_create();
    cr_expect(eq(int, model->ops->load(model, file), ST_ECORRUPT));
    tensors_put_text(file, "kind", "forest");
    cr_expect(eq(int, model->ops->load(model, file), ST_ECORRUPT));
    tensors_free(file);
    const struct model_ops *ops = model->ops;
    ops->free(model);
    ops->free(NULL);
}
