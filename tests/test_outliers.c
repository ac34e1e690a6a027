/*
 * Tests of the kinds `iforest` and `hstrees` (models/iforest.h, models/hstrees.h).
 *
 * What is known without running it: labels change nothing; a row's score does not depend on the
 * batch, and is 0.5 before anything is known; a model that is loaded, and shown the log again from
 * where it says, goes on to the same bits; columns are bound by name; a correction is no row more;
 * what is far out, missing or infinite has a score in (0, 1); a spoilt file is refused and changes
 * nothing.
 */
#include "tests/ftrl_help.h"

#include "models/hstrees.h"
#include "models/iforest.h"

enum { ROWS = 3000 };

struct kind_case {
    char kind[8], yaml[100];
};

#define KINDS                                                                                      \
    {"iforest", "{n_estimators: 20, max_samples: 64}"},                                            \
        {"iforest", "{n_estimators: 9, max_features: 0.5, bootstrap: true}"},                      \
        {"iforest", "{n_estimators: 20, rows: 300}"},                                              \
        {"iforest", "{n_estimators: 20, window: 4h}"},                                             \
        {"hstrees", "{trees: 10, depth: 8, window: 100}"},                                         \
    {                                                                                              \
        "hstrees", "{columns: [amount]}"                                                           \
    }

static struct model *make_of(const struct kind_case *c, const struct vector_schema *schema)
{
    struct conf_errors errors = {0};
    struct model *model = help_try_kind(c->kind, c->yaml, schema, &errors);
    cr_assert(model != NULL, "%.*s", (int)errors.text.len, errors.text.data);
    conf_errors_done(&errors);
    return model;
}

static struct model *make(const struct kind_case *c)
{
    return make_of(c, &help_schema);
}

static struct help_rows numbered_rows(size_t n, uint64_t seed)
{
    struct help_rows rows = help_rows(n, seed);
    for (size_t i = 0; i < n; i++)
        rows.examples[i].item = 100 + i;
    return rows;
}

static void fit(struct model *model)
{
    struct buf why = {0};
    if (model->ops->fit)
        cr_assert(eq(int, model->ops->fit(model, &why), ST_OK), "%.*s", (int)why.len, why.data);
    buf_done(&why);
}

static void learn_to(struct model *model, const struct help_rows *rows, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        model->ops->learn(model, &rows->examples[i], 1);
        if (i % 250 == 249)
            fit(model);
    }
}

ParameterizedTestParameters(outliers, what_is_far_out_scores_highest)
{
    static struct kind_case cases[] = {KINDS};
    return cr_make_param_array(struct kind_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct kind_case *c, outliers, what_is_far_out_scores_highest)
{
    struct help_rows rows = numbered_rows(ROWS, 1);
    struct model *model = make(c), *copy = make(c);
    const float far[HELP_DENSE] = {9000, 40, 500};
    const struct vector vector = {far, rows.sparse[0], HELP_SPARSE};
    cr_expect(eq(flt, score_one(model, &vector), 0.5f), "nothing is known");
    fit(model);
    cr_expect(eq(flt, score_one(model, &vector), 0.5f), "there is no row to make trees from");
    learn_to(model, &rows, 0, rows.n);
    model->ops->publish(model, copy);
    float highest = score_one(copy, &vector);
    size_t above = 0;
    for (size_t i = 0; i < rows.n; i++) {
        float score = score_one(copy, &rows.vectors[i]);
        cr_assert(score > 0 && score < 1);
        above += score > highest;
    }
    cr_expect(lt(sz, above, rows.n / 50), "%zu rows score higher", above);
    cr_expect(gt(flt, highest, 0.5f));
    help_expect_same(model, copy, &rows);
    struct buf text = {0};
    model->ops->describe(model, &text);
    cr_expect(gt(sz, text.len, 0));
    buf_done(&text);
    model->ops->free(model);
    copy->ops->free(copy);
    help_rows_done(&rows);
}

ParameterizedTestParameters(outliers, labels_and_batches_change_nothing)
{
    static struct kind_case cases[] = {KINDS};
    return cr_make_param_array(struct kind_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct kind_case *c, outliers, labels_and_batches_change_nothing)
{
    struct help_rows rows = numbered_rows(1000, 1);
    struct model *one = make(c), *all = make(c);
    learn_to(one, &rows, 0, rows.n);
    for (size_t i = 0; i < rows.n; i++)
        rows.examples[i].label = 1 - rows.examples[i].label;
    all->ops->learn(all, rows.examples, rows.n);
    fit(all);
    help_expect_same(one, all, &rows);
    float scores[1000];
    all->ops->score(all, rows.vectors, rows.n, scores);
    for (size_t i = 0; i < rows.n; i++)
        cr_assert(eq(flt, score_one(all, &rows.vectors[i]), scores[i]));
    struct example again = rows.examples[500];
    again.correction = true;
    again.label = 1 - again.label;
    all->ops->learn(all, &again, 1);
    fit(all);
    help_expect_same(one, all, &rows);
    one->ops->free(one);
    all->ops->free(all);
    help_rows_done(&rows);
}

ParameterizedTestParameters(outliers, goes_on_after_a_load_as_if_nothing_had_been)
{
    static struct kind_case cases[] = {KINDS};
    return cr_make_param_array(struct kind_case, cases, sizeof cases / sizeof cases[0]);
}

/* Thinned negatives weigh more; every so often a row is a correction. */
static void put_weights_and_corrections(struct help_rows *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        rows->examples[i].weight = rows->examples[i].label > 0 ? 1 : 4;
        rows->examples[i].correction = i > 400 && i % 50 == 0;
    }
}

static void check_load(const struct kind_case *c, const struct help_rows *rows, size_t saved)
{
    struct model *whole = make(c), *resumed = make(c), *copy = make(c);
    struct tensors *file = tensors_create();
    learn_to(resumed, rows, 30, 180); /* of another life */
    resumed->ops->free(resumed);
    resumed = make(c);
    learn_to(whole, rows, 0, saved);
    resumed->ops->publish(resumed, copy);
    cr_assert(eq(int, whole->ops->save(whole, file), ST_OK));
    uint64_t from = whole->ops->recalls_from ? whole->ops->recalls_from(whole) : UINT64_MAX;
    cr_assert(eq(int, resumed->ops->load(resumed, file), ST_OK));
    for (size_t i = 0; i < saved; i++)
        if (rows->examples[i].item >= from)
            resumed->ops->recall(resumed, &rows->examples[i], 1);
    help_expect_same(whole, resumed, rows);
    learn_to(whole, rows, saved, rows->n);
    learn_to(resumed, rows, saved, rows->n);
    help_expect_same(whole, resumed, rows);
    resumed->ops->publish(resumed, copy);
    help_expect_same(whole, copy, rows);
    tensors_free(file);
    whole->ops->free(whole);
    resumed->ops->free(resumed);
    copy->ops->free(copy);
}

ParameterizedTest(struct kind_case *c, outliers, goes_on_after_a_load_as_if_nothing_had_been)
{
    struct help_rows rows = numbered_rows(1500, 3);
    put_weights_and_corrections(&rows);
    check_load(c, &rows, 0);
    check_load(c, &rows, 120);
    check_load(c, &rows, 730);
    help_rows_done(&rows);
}

ParameterizedTestParameters(outliers, takes_any_number)
{
    static struct kind_case cases[] = {KINDS};
    return cr_make_param_array(struct kind_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct kind_case *c, outliers, takes_any_number)
{
    const float odd[] = {NAN, INFINITY, -INFINITY, 0, -0.0f, 1e-44f, 3.4028234e38f, -1e30f};
    struct help_rows rows = numbered_rows(1000, 1);
    struct model *model = make(c);
    for (size_t i = 0; i < rows.n; i++)
        for (size_t j = 0; j < HELP_DENSE; j++)
            rows.dense[i][j] = i % 3 ? rows.dense[i][j] : odd[(i / 3 + 3 * j) % 8];
    learn_to(model, &rows, 0, rows.n);
    for (size_t i = 0; i < rows.n; i++) {
        float score = score_one(model, &rows.vectors[i]);
        cr_assert(score > 0 && score < 1, "row %zu: %g", i, (double)score);
    }
    model->ops->free(model);
    help_rows_done(&rows);
}

/* The same columns in another order score the same; one that is gone is missing everywhere. */
Test(outliers, columns_are_bound_by_name)
{
    static struct kind_case cases[] = {KINDS};
    static const char *const names[] = {"count", "other", "amount"};
    static const struct vector_schema turned = {.n_dense = 3, .n_sparse = 0, .dense = names};
    struct help_rows rows = numbered_rows(1000, 1);
    for (size_t k = 0; k < 5; k++) { /* all columns */
        struct model *before = make(&cases[k]), *after = make_of(&cases[k], &turned);
        struct tensors *file = tensors_create(), *again = tensors_create();
        learn_to(before, &rows, 0, rows.n);
        cr_assert(eq(int, before->ops->save(before, file), ST_OK));
        cr_assert(eq(int, after->ops->load(after, file), ST_OK));
        for (size_t i = 0; i < rows.n; i++) {
            const float row[3] = {rows.dense[i][2], 77, rows.dense[i][0]};
            rows.dense[i][1] = NAN;
            const struct vector vector = {row, NULL, 0};
            cr_assert(eq(flt, score_one(after, &vector), score_one(before, &rows.vectors[i])));
        }
        cr_assert(eq(int, after->ops->save(after, again), ST_OK), "with a column of none");
        cr_expect(eq(int, after->ops->load(after, again), ST_OK));
        tensors_free(file);
        tensors_free(again);
        before->ops->free(before);
        after->ops->free(after);
    }
    help_rows_done(&rows);
}

Test(outliers, a_cancelled_fit_changes_nothing)
{
    struct help_rows rows = numbered_rows(500, 4);
    struct model *model = make(&(struct kind_case){"iforest", "{n_estimators: 5}"});
    struct buf why = {0};
    learn_to(model, &rows, 0, 250);
    const struct forest *before = iforest_of(model)->forest;
    model->ops->cancel(model);
    cr_expect(eq(int, model->ops->fit(model, &why), ST_ESTOPPED));
    cr_expect(before != NULL && iforest_of(model)->forest == before);
    buf_done(&why);
    model->ops->free(model);
    help_rows_done(&rows);
}

Test(outliers, trees_of_another_shape_begin_anew)
{
    struct help_rows rows = numbered_rows(500, 4);
    struct model *few = make(&(struct kind_case){"hstrees", "{trees: 5, window: 100}"});
    struct model *more = make(&(struct kind_case){"hstrees", "{trees: 6, window: 100}"});
    struct tensors *file = tensors_create();
    learn_to(few, &rows, 0, rows.n);
    learn_to(more, &rows, 0, rows.n);
    cr_assert(eq(int, few->ops->save(few, file), ST_OK));
    cr_expect(eq(int, more->ops->load(more, file), ST_OK));
    cr_expect(eq(flt, score_one(more, &rows.vectors[0]), 0.5f));
    tensors_free(file);
    few->ops->free(few);
    more->ops->free(more);
    help_rows_done(&rows);
}

struct refusal {
    char kind[8], yaml[60], complaint[40];
};

ParameterizedTestParameters(outliers, refuses_options)
{
    static struct refusal cases[] = {
        {"iforest", "{columns: [amuont]}", "\"amuont\""},
        {"iforest", "{columns: [site]}", "\"site\" is a category; `iforest`"},
        {"hstrees", "{columns: [site]}", "\"site\" is a category; `hstrees`"},
        {"hstrees", "{exclude: [amount, risk, count]}", "no number to learn from"},
        {"iforest", "{max_features: 2}", "max_features"},
        {"iforest", "{max_samples: 0}", "max_samples"},
        {"hstrees", "{depth: 16}", "depth"},
        {"hstrees", "{window: 1}", "window"},
    };
    return cr_make_param_array(struct refusal, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct refusal *c, outliers, refuses_options)
{
    struct conf_errors errors = {0};
    cr_expect(help_try_kind(c->kind, c->yaml, &help_schema, &errors) == NULL);
    buf_byte(&errors.text, 0);
    cr_expect(strstr(errors.text.data, c->complaint) != NULL, "%s", errors.text.data);
    conf_errors_done(&errors);
}

/* Files in which one word of one tensor is another. */
struct spoilt_case {
    char kind[8], tensor[20];
    size_t at; /* in words of 4 bytes */
    uint32_t word;
    int status;
};

ParameterizedTestParameters(outliers, loads_only_what_is_sound)
{
    static struct spoilt_case cases[] = {
        {"iforest", "counters", 2, 5, ST_OK},
        {"iforest", "counters", 0, 2, ST_EVERSION},
        {"iforest", "roots", 0, 1 << 30, ST_ECORRUPT},
        {"iforest", "left", 0, 1 << 30, ST_ECORRUPT},
        {"iforest", "left", 1, 1, ST_ECORRUPT},
        {"iforest", "features", 0, 100, ST_ECORRUPT},
        {"iforest", "thresholds", 0, 0x7fc00000, ST_ECORRUPT},
        {"hstrees", "counters", 2, 5, ST_OK},
        {"hstrees", "counters", 0, 2, ST_EVERSION},
        {"hstrees", "counters", 6, 1000, ST_ECORRUPT},
        {"hstrees", "features", 3, 100, ST_ECORRUPT},
        {"hstrees", "thresholds", 3, 0x7fc00000, ST_ECORRUPT},
        {"hstrees", "reference", 3, 0xbf800000, ST_ECORRUPT},
        {"hstrees", "latest", 3, 0x7f800000, ST_ECORRUPT},
        {"hstrees", "weights", 1, 0xbf800000, ST_ECORRUPT},
        {"hstrees", "ranges.seen", 1, 0x7ff80000, ST_ECORRUPT},
    };
    return cr_make_param_array(struct spoilt_case, cases, sizeof cases / sizeof cases[0]);
}

static struct tensors *spoil(const struct tensors *file, const struct spoilt_case *c)
{
    struct tensors *spoilt = tensors_create();
    const struct tensor *tensor = tensors_get(file, c->tensor);
    static const size_t sizes[] = {4, 8, 8, 8, 4, 1};
    size_t size = tensor->n * sizes[tensor->type];
    uint32_t *words = malloc(size);
    memcpy(words, tensor->data, size);
    words[c->at] = c->word;
    tensors_put_others(spoilt, file, c->tensor);
    tensors_put(spoilt, c->tensor, tensor->type, tensor->shape, tensor->n_dims, words);
    free(words);
    return spoilt;
}

ParameterizedTest(struct spoilt_case *c, outliers, loads_only_what_is_sound)
{
    struct help_rows rows = numbered_rows(1000, 7);
    struct kind_case kind = {"", ""};
    memcpy(kind.kind, c->kind, sizeof kind.kind);
    struct model *trained = make(&kind), *other = make(&kind), *untouched = make(&kind);
    struct tensors *file = tensors_create();
    learn_to(trained, &rows, 0, rows.n);
    learn_to(other, &rows, 200, 900);
    learn_to(untouched, &rows, 200, 900);
    cr_assert(eq(int, trained->ops->save(trained, file), ST_OK));
    struct tensors *spoilt = spoil(file, c);
    cr_expect(eq(int, other->ops->load(other, spoilt), c->status), "%s", c->tensor);
    help_expect_same(other, c->status == ST_OK ? trained : untouched, &rows);
    struct model *foreign = make(&(struct kind_case){"gbdt", ""});
    cr_expect(eq(int, foreign->ops->load(foreign, file), ST_ECORRUPT));
    foreign->ops->free(foreign);
    tensors_free(file);
    tensors_free(spoilt);
    trained->ops->free(trained);
    other->ops->free(other);
    untouched->ops->free(untouched);
    help_rows_done(&rows);
}
