/*
 * Tests of models/ftrl.h through models/model.h.
 *
 * Known without running it: the update of one weight on paper (exact answers); that a learner is a
 * function of the sequence of examples alone, so that cuts into batches, turns through a file and
 * publications change no bit, and the order of columns changes only rounding (laws); and that on
 * rows of a known logistic law it comes close to that law.
 */
#include "models/model.h"

#include "ftrl_help.h"

static float score_one(const struct model *model, const struct vector *vector)
{
    float p;
    model->ops->score(model, vector, 1, &p);
    return p;
}

/* Laws. */

Test(ftrl, an_untrained_model_says_one_half)
{
    struct model *model = help_model("");
    struct help_rows rows = help_rows(10, 1);
    for (size_t i = 0; i < rows.n; i++)
        cr_expect(eq(flt, score_one(model, &rows.vectors[i]), 0.5f));
    help_rows_done(&rows);
    model->ops->free(model);
}

Test(ftrl, batches_do_not_matter)
{
    struct model *whole = help_model(help_all_options), *cut = help_model(help_all_options);
    struct help_rows rows = help_rows(5000, 2);
    whole->ops->learn(whole, rows.examples, rows.n);
    uint64_t seed = 3;
    for (size_t i = 0; i < rows.n;) {
        size_t n = (size_t)(200 * help_noise(&seed) * help_noise(&seed));
        n = n < rows.n - i ? n : rows.n - i;
        cut->ops->learn(cut, rows.examples + i, n);
        i += n;
    }
    help_expect_same(whole, cut, &rows);
    float one, *all = calloc(rows.n, sizeof *all);
    whole->ops->score(whole, rows.vectors, rows.n, all);
    for (size_t i = 0; i < rows.n; i++) {
        whole->ops->score(whole, &rows.vectors[i], 1, &one);
        cr_expect(eq(flt, one, all[i]), "row %zu depends on those around it", i);
    }
    free(all);
    help_rows_done(&rows);
    whole->ops->free(whole);
    cut->ops->free(cut);
}

Test(ftrl, a_published_copy_scores_as_the_learner)
{
    struct model *learner = help_model(help_all_options), *a = help_model(help_all_options),
                 *b = help_model(help_all_options);
    struct help_rows rows = help_rows(6000, 4);
    uint64_t seed = 5;
    for (size_t i = 0; i < rows.n;) {
        size_t n = (size_t)(500 * help_noise(&seed)) + 1;
        n = n < rows.n - i ? n : rows.n - i;
        learner->ops->learn(learner, rows.examples + i, n);
        struct model *copy = help_noise(&seed) < 0.3 ? a : b;
        learner->ops->publish(learner, copy);
        help_expect_same(learner, copy, &rows);
        i += n;
    }
    help_rows_done(&rows);
    learner->ops->free(learner);
    a->ops->free(a);
    b->ops->free(b);
}

/* The first half learnt, a turn through a file, the second half: as if nothing had been between. */
Test(ftrl, goes_on_from_a_file_bit_for_bit)
{
    struct model *straight = help_model(help_all_options), *before = help_model(help_all_options),
                 *after = help_model(help_all_options);
    struct help_rows rows = help_rows(6000, 6);
    size_t half = 2777;
    straight->ops->learn(straight, rows.examples, rows.n);
    before->ops->learn(before, rows.examples, half);

    char path[] = "/tmp/freshet_ftrl_XXXXXX";
    close(mkstemp(path));
    struct tensors *saved = tensors_create(), *loaded = NULL;
    cr_assert(eq(int, before->ops->save(before, saved), ST_OK));
    cr_assert(eq(int, tensors_write(saved, path), ST_OK));
    cr_assert(eq(int, tensors_read(path, &loaded), ST_OK));
    cr_assert(eq(int, after->ops->load(after, loaded), ST_OK));
    help_expect_same(before, after, &rows);
    after->ops->learn(after, rows.examples + half, rows.n - half);
    help_expect_same(straight, after, &rows);

    /* Not only scores: all that is saved. */
    struct tensors *x = tensors_create(), *y = tensors_create();
    straight->ops->save(straight, x);
    after->ops->save(after, y);
    cr_assert(eq(sz, tensors_count(x), tensors_count(y)));
    for (size_t i = 0; i < tensors_count(x); i++) {
        const struct tensor *t = tensors_at(x, i), *u = tensors_at(y, i);
        size_t size = t->type == TENSOR_U8                             ? 1
                      : t->type == TENSOR_F32 || t->type == TENSOR_U32 ? 4
                                                                       : 8;
        cr_assert(eq(sz, t->n, u->n), "%s", t->name);
        cr_expect(memcmp(t->data, u->data, t->n * size) == 0, "%s differs", t->name);
    }
    tensors_free(saved);
    tensors_free(loaded);
    tensors_free(x);
    tensors_free(y);
    unlink(path);
    help_rows_done(&rows);
    straight->ops->free(straight);
    before->ops->free(before);
    after->ops->free(after);
}

/* The update on paper. One number that never varies is 0 in both standardised forms, so that a row
 * has two inputs of 1: the bias and its bin. */

static const char *const one_dense[] = {"x"};
static const char *const one_field[] = {"c"};
static const struct vector_schema one_schema = {
    .n_dense = 1, .n_sparse = 1, .dense = one_dense, .sparse = one_field};

struct paper_case {
    char name[32];
    char yaml[96];
    float labels[2], weights[2];
    double logits[2]; /* after each of the two examples */
};

ParameterizedTestParameters(ftrl, updates_as_on_paper)
{
    static struct paper_case cases[] = {
        /* g = -1/2: n = 1/4, z = -1/2, w = 1/2 / ((1 + 1/2) / alpha) = 1/6, twice. */
        {"one positive", "{alpha: 0.5, l2: 0}", {1, 1}, {1, 0}, {1.0 / 3, 1.0 / 3}},
        {"one negative", "{alpha: 0.5, l2: 0}", {0, 0}, {1, 0}, {-1.0 / 3, -1.0 / 3}},
        /* p = 1 / (1 + exp(-1/3)) = 0.5825702, g = p: root = sqrt(1/4 + g^2) = 0.7677154,
         * z = -1/2 + g - (root - 1/2) / alpha / 6 = -0.0066683, w = 0.0018861, twice. */
        {"then a negative", "{alpha: 0.5, l2: 0}", {1, 0}, {1, 1}, {1.0 / 3, 0.0037722}},
        /* g = -1: n = 1, z = -1, w = 1 / ((1 + 1) / alpha) = 1/4. */
        {"of weight two", "{alpha: 0.5, l2: 0}", {1, 1}, {2, 0}, {0.5, 0.5}},
        /* The bin's: 1/2 / (3 + 3) = 1/12; the bias is not pulled: 1/6. */
        {"l2", "{alpha: 0.5, l2: 3}", {1, 1}, {1, 0}, {0.25, 0.25}},
        /* |z| = 1/2: the bin's stays 0 until |z| > l1. */
        {"l1 above", "{alpha: 0.5, l2: 0, l1: 0.6}", {1, 1}, {1, 0}, {1.0 / 6, 1.0 / 6}},
        {"l1 below", "{alpha: 0.5, l2: 0, l1: 0.2}", {1, 1}, {1, 0}, {0.8 / 3, 0.8 / 3}},
        /* w = 1/2 / ((2 + 1/2) / alpha) = 1/10. */
        {"beta", "{alpha: 0.5, l2: 0, beta: 2}", {1, 1}, {1, 0}, {0.2, 0.2}},
    };
    return cr_make_param_array(struct paper_case, cases, sizeof cases / sizeof cases[0]);
}

static double logit_of(const struct model *model, const struct vector *vector)
{
    double p = (double)score_one(model, vector);
    return log(p / (1 - p));
}

ParameterizedTest(struct paper_case *c, ftrl, updates_as_on_paper)
{
    struct model *model = help_model_of(c->yaml, &one_schema);
    float x = 7;
    struct vector vector = {&x, NULL, 0};
    for (size_t i = 0; i < 2; i++) {
        struct example example = {vector, c->labels[i], c->weights[i], 0};
        model->ops->learn(model, &example, 1);
        cr_expect(epsilon_eq(dbl, logit_of(model, &vector), c->logits[i], 2e-6), "%s: %zu", c->name,
                  i);
    }
    model->ops->free(model);
}

Test(ftrl, a_missing_number_has_a_weight_of_its_own)
{
    struct model *model = help_model_of("{alpha: 0.5, l2: 0}", &one_schema);
    float there = 7, missing = NAN, infinite = -INFINITY;
    struct vector a = {&there, NULL, 0}, b = {&missing, NULL, 0}, c = {&infinite, NULL, 0};
    model->ops->learn(model, &(struct example){a, 1, 1, 0}, 1);
    cr_expect(epsilon_eq(dbl, logit_of(model, &a), 1.0 / 3, 2e-6));
    cr_expect(epsilon_eq(dbl, logit_of(model, &b), 1.0 / 6, 2e-6), "only the bias");
    cr_expect(eq(flt, score_one(model, &b), score_one(model, &c)), "infinite is missing");
    model->ops->free(model);
}

/* A category with weight v is an input of v. */
Test(ftrl, categories_learn_as_on_paper)
{
    struct model *model = help_model_of("{alpha: 0.5, l2: 0, admit: 1}", &one_schema);
    float x = 7;
    struct sparse own[] = {{5, 0, 2}}, other[] = {{6, 0, 2}};
    struct vector a = {&x, own, 1}, b = {&x, other, 1};
    model->ops->learn(model, &(struct example){a, 1, 1, 0}, 1);
    /* g = -1: w = 1/4, times 2, beside the two of 1/6. */
    cr_expect(epsilon_eq(dbl, logit_of(model, &a), 1.0 / 3 + 0.5, 2e-6));
    cr_expect(epsilon_eq(dbl, logit_of(model, &b), 1.0 / 3, 2e-6));
    model->ops->free(model);
}

Test(ftrl, categories_are_admitted_and_expire)
{
    struct model *model = help_model_of("{admit: 3, expire: 1h}", &one_schema);
    float x = 7;
    struct sparse own[] = {{5, 0, 1}}, other[] = {{6, 0, 1}};
    struct vector with = {&x, own, 1}, without = {&x, NULL, 0}, later = {&x, other, 1};
    const int64_t minute = 60000000;
    for (int i = 1; i <= 3; i++) {
        model->ops->learn(model, &(struct example){with, 1, 1, i * minute}, 1);
        bool counts = score_one(model, &with) > score_one(model, &without);
        cr_expect(eq(int, counts, i == 3), "after %d", i);
    }
    /* Two places of 1024 are looked at with each example. */
    for (int i = 0; i < 600; i++)
        model->ops->learn(model, &(struct example){later, i % 2, 1, 62 * minute}, 1);
    cr_expect(score_one(model, &with) > score_one(model, &without), "59 minutes old");
    for (int i = 0; i < 600; i++)
        model->ops->learn(model, &(struct example){later, i % 2, 1, 64 * minute}, 1);
    cr_expect(eq(flt, score_one(model, &with), score_one(model, &without)), "61 minutes old");
    model->ops->free(model);
}

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

/* A known law. */

static double true_logit(const struct help_rows *rows, size_t i)
{
    const float *x = rows->dense[i];
    return -2 + 0.02 * ((double)x[0] - 50) + 2 * (double)x[1] +
           (rows->sparse[i][0].hash == UINT64_C(3) * 77777 ? 1.5 : 0) -
           (rows->sparse[i][1].hash == 99991 ? 1 : 0);
}

Test(ftrl, comes_close_to_a_known_law)
{
    struct model *model = help_model("");
    struct help_rows rows = help_rows(60000, 10), fresh = help_rows(20000, 11);
    model->ops->learn(model, rows.examples, rows.n);
    double loss = 0, least = 0, mean = 0, share = 0;
    for (size_t i = 0; i < fresh.n; i++) {
        double p = (double)score_one(model, &fresh.vectors[i]);
        double q = 1 / (1 + exp(-true_logit(&fresh, i)));
        loss -= q * log(p) + (1 - q) * log(1 - p);
        least -= q * log(q) + (1 - q) * log(1 - q);
        mean += p;
        share += q;
    }
    cr_expect(loss < 1.02 * least, "%g, of at least %g", loss / fresh.n, least / fresh.n);
    cr_expect(epsilon_eq(dbl, mean / share, 1, 0.03), "predicted and true rates differ");
    help_rows_done(&rows);
    help_rows_done(&fresh);
    model->ops->free(model);
}

/* The label is whether exactly one of two numbers is high: no sum of functions of one number each
 * can tell, a cross can. */
static double loss_on_chequers(const char *yaml)
{
    struct model *model = help_model(yaml);
    struct help_rows rows = help_rows(20000, 12);
    uint64_t seed = 13;
    double loss = 0;
    for (size_t i = 0; i < rows.n; i++) {
        rows.dense[i][0] = (float)help_noise(&seed);
        rows.dense[i][1] = (float)help_noise(&seed);
        rows.examples[i].label = (rows.dense[i][0] > 0.5f) != (rows.dense[i][1] > 0.5f);
        double p = (double)score_one(model, &rows.vectors[i]);
        if (i >= rows.n / 2)
            loss -= log(rows.examples[i].label > 0 ? p : 1 - p) / (double)(rows.n / 2);
        model->ops->learn(model, &rows.examples[i], 1);
    }
    help_rows_done(&rows);
    model->ops->free(model);
    return loss;
}

Test(ftrl, crosses_see_what_sums_cannot)
{
    double without = loss_on_chequers(""), with = loss_on_chequers("crosses: [[amount, risk]]");
    cr_expect(without > 0.67, "%g", without);
    cr_expect(with < 0.2, "%g", with);
}

/* Refusals. */

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
static enum status load_spoilt(const struct tensors *good, size_t which, int how)
{
    struct tensors *bad = tensors_create();
    tensors_put_text(bad, "kind", tensors_text(good, "kind"));
    tensors_put_text(bad, "columns", tensors_text(good, "columns"));
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
    struct model *model = help_model(help_all_options);
    enum status st = model->ops->load(model, bad);
    struct help_rows rows = help_rows(300, 14);
    if (st == ST_OK)
        model->ops->learn(model, rows.examples, rows.n);
    help_rows_done(&rows);
    model->ops->free(model);
    tensors_free(bad);
    return st;
}

Test(ftrl, load_refuses_spoilt_files)
{
    struct model *model = help_model(help_all_options);
    struct help_rows rows = help_rows(1000, 15);
    model->ops->learn(model, rows.examples, rows.n);
    struct tensors *good = tensors_create();
    model->ops->save(model, good);
    cr_expect(eq(int, load_spoilt(good, SIZE_MAX, 0), ST_OK));
    for (size_t i = 0; i < tensors_count(good); i++) {
        const struct tensor *t = tensors_at(good, i);
        bool optional = strncmp(t->name, "cross.", 6) == 0 || strncmp(t->name, "coarse.", 7) == 0 ||
                        strncmp(t->name, "admission.", 10) == 0;
        bool floats = t->type == TENSOR_F32 || t->type == TENSOR_F64;
        cr_expect(optional || load_spoilt(good, i, 0) == ST_ECORRUPT, "%s missing", t->name);
        cr_expect(strncmp(t->name, "admission.", 10) == 0 || load_spoilt(good, i, 1) == ST_ECORRUPT,
                  "%s shorter", t->name);
        cr_expect(eq(int, floats ? load_spoilt(good, i, 2) : ST_ECORRUPT, ST_ECORRUPT), "%s is NaN",
                  t->name);
    }
    tensors_free(good);
    help_rows_done(&rows);
    model->ops->free(model);
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

Test(ftrl, describes_itself)
{
    struct model *model = help_model("");
    struct buf text = {0};
    model->ops->describe(model, &text);
    buf_byte(&text, 0);
    cr_expect(strstr(text.data, "0 rows learnt; 3 numbers") == text.data, "%s", text.data);
    buf_done(&text);
    model->ops->free(model);
}

Test(ftrl, kinds_are_found_by_name)
{
    cr_expect(eq(ptr, (void *)model_find_kind("ftrl"), (void *)model_kinds[0]));
    cr_expect(model_find_kind("frtl") == NULL);
}
