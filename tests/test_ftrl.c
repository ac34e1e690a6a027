/*
 * Tests of models/ftrl.h through models/model.h: scores and updates.
 *
 * Known without running it: the update of one weight on paper (exact answers); that a learner is a
 * function of the sequence of examples alone, so that cuts into batches, turns through a file and
 * publications change no bit (laws); and that on rows of a known logistic law it comes close to
 * that law.
 */
#include "models/model.h"

#include "tests/ftrl_help.h"

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

static void check_batches(const char *yaml)
{
    struct model *whole = help_model(yaml), *cut = help_model(yaml);
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

Test(ftrl, batches_do_not_matter)
{
    for (size_t i = 0; i < HELP_WAYS; i++)
        check_batches(help_ways[i]);
}

static void check_published(const char *yaml)
{
    struct model *learner = help_model(yaml), *a = help_model(yaml), *b = help_model(yaml);
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

Test(ftrl, a_published_copy_scores_as_the_learner)
{
    for (size_t i = 0; i < HELP_WAYS; i++)
        check_published(help_ways[i]);
}

/* The first half learnt, a turn through a file, the second half: as if nothing had been between. */
static void check_file(const char *yaml)
{
    struct model *straight = help_model(yaml), *before = help_model(yaml),
                 *after = help_model(yaml);
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

Test(ftrl, goes_on_from_a_file_bit_for_bit)
{
    for (size_t i = 0; i < HELP_WAYS; i++)
        check_file(help_ways[i]);
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

ParameterizedTest(struct paper_case *c, ftrl, updates_as_on_paper)
{
    struct model *model = help_model_of(c->yaml, &one_schema);
    float x = 7;
    struct vector vector = {&x, NULL, 0};
    for (size_t i = 0; i < 2; i++) {
        struct example example = {.vector = vector, .label = c->labels[i], .weight = c->weights[i]};
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
    model->ops->learn(
        model, &(struct example){.vector = a, .label = (float)(1), .weight = 1, .time = 0}, 1);
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
    model->ops->learn(
        model, &(struct example){.vector = a, .label = (float)(1), .weight = 1, .time = 0}, 1);
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
        model->ops->learn(
            model,
            &(struct example){.vector = with, .label = (float)(1), .weight = 1, .time = i * minute},
            1);
        bool counts = score_one(model, &with) > score_one(model, &without);
        cr_expect(eq(int, counts, i == 3), "after %d", i);
    }
    /* Two places of 1024 are looked at with each example. */
    for (int i = 0; i < 600; i++)
        model->ops->learn(
            model,
            &(struct example){
                .vector = later, .label = (float)(i % 2), .weight = 1, .time = 62 * minute},
            1);
    cr_expect(score_one(model, &with) > score_one(model, &without), "59 minutes old");
    for (int i = 0; i < 600; i++)
        model->ops->learn(
            model,
            &(struct example){
                .vector = later, .label = (float)(i % 2), .weight = 1, .time = 64 * minute},
            1);
    cr_expect(eq(flt, score_one(model, &with), score_one(model, &without)), "61 minutes old");
    model->ops->free(model);
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
