/*
 * Tests of models/balance.h, and of what `ftrl` and `gbdt` make of it and of SMOTE.
 *
 * Known without running it: weights of small counts; that a positive which counts for two is an
 * example of weight two, but for ln(2) off its score (exact); that scores of a model without
 * anything to tell rows apart are the share of positives, however the classes are weighed or filled
 * up, since scores are put right (law); that the order of scores is no worse; that a turn through a
 * file changes nothing; what is refused.
 */
#include "models/balance.h"
#include "models/ftrl.h"
#include "models/gbdt.h"
#include "tests/ftrl_help.h"

Test(balance, weights_of_counts)
{
    struct balance balance = {.how = BALANCE_BALANCED, .number = 7};
    cr_expect(eq(dbl, balance_weight(&balance, 0), 1), "nothing counted");
    balance_count(&balance, 0, 30);
    cr_expect(eq(dbl, balance_weight(&balance, 0), 1), "no positives");
    balance_count(&balance, 1, 1.5f);
    cr_expect(eq(dbl, balance_weight(&balance, 0), 20));
    cr_expect(eq(dbl, balance_weight(&balance, 27), 2));
    balance.how = BALANCE_NUMBER;
    cr_expect(eq(dbl, balance_weight(&balance, 0), 7));
    balance.how = BALANCE_NONE;
    cr_expect(eq(dbl, balance_weight(&balance, 0), 1));
}

static struct model *make(const char *kind, const char *yaml)
{
    struct conf_errors errors = {0};
    struct model *model = help_try_kind(kind, yaml, &help_schema, &errors);
    cr_assert(model != NULL, "%.*s", (int)errors.text.len, errors.text.data);
    conf_errors_done(&errors);
    return model;
}

static void fit(struct model *model)
{
    struct buf why = {0};
    if (model->ops->fit)
        cr_assert(eq(int, model->ops->fit(model, &why), ST_OK), "%.*s", (int)why.len, why.data);
    buf_done(&why);
}

/* A class weight of w is an example's weight of w, and ln(w) off the score. */
Test(balance, a_class_weight_is_the_weight_of_positives)
{
    struct model *weighed = make("ftrl", "{class_weight: 8}"), *plain = make("ftrl", "");
    struct help_rows rows = help_rows(4000, 3);
    weighed->ops->learn(weighed, rows.examples, rows.n);
    for (size_t i = 0; i < rows.n; i++)
        rows.examples[i].weight = rows.examples[i].label > 0 ? 8 : 1;
    plain->ops->learn(plain, rows.examples, rows.n);
    for (size_t i = 0; i < 100; i++)
        cr_expect(epsilon_eq(dbl, logit_of(weighed, &rows.vectors[i]),
                             logit_of(plain, &rows.vectors[i]) - log(8), 1e-3),
                  "row %zu", i);
    help_rows_done(&rows);
    weighed->ops->free(weighed);
    plain->ops->free(plain);
}

/* Rows that cannot be told apart: no number varies. */
static double share_told(const char *kind, const char *yaml, double *ret_share)
{
    struct model *model = make(kind, yaml);
    struct help_rows rows = help_rows(20000, 4);
    uint64_t seed = 9;
    double positives = 0;
    for (size_t i = 0; i < rows.n; i++) {
        rows.dense[i][0] = rows.dense[i][1] = rows.dense[i][2] = 1;
        rows.examples[i].vector.n_sparse = rows.vectors[i].n_sparse = 0;
        rows.examples[i].label = help_noise(&seed) < 0.02 ? 1 : 0;
        positives += (double)rows.examples[i].label;
    }
    model->ops->learn(model, rows.examples, rows.n);
    fit(model);
    double told = (double)score_one(model, &rows.vectors[0]);
    *ret_share = positives / (double)rows.n;
    help_rows_done(&rows);
    model->ops->free(model);
    return told;
}

struct way {
    char kind[8], yaml[64];
};

static struct criterion_test_params all_ways(void)
{
    static struct way cases[] = {
        {"ftrl", "{class_weight: 10, l2: 0}"},
        {"ftrl", "{class_weight: 0.2, l2: 0}"},
        {"ftrl", "{class_weight: balanced, l2: 0}"},
        {"gbdt", "{class_weight: 10}"},
        {"gbdt", "{class_weight: balanced}"},
        {"gbdt", "{smote: 0.5}"},
        {"gbdt", "{smote: 0.3, class_weight: balanced}"},
    };
    return cr_make_param_array(struct way, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTestParameters(balance, scores_are_put_right)
{
    return all_ways();
}

ParameterizedTest(struct way *c, balance, scores_are_put_right)
{
    double share, told = share_told(c->kind, c->yaml, &share);
    cr_expect(fabs(log(told / share)) < 0.25, "%s %s: %g, not %g", c->kind, c->yaml, told, share);
}

static double auc_of(const struct model *model, const struct help_rows *rows)
{
    double won = 0, pairs = 0;
    float *scores = calloc(rows->n, sizeof *scores);
    model->ops->score(model, rows->vectors, rows->n, scores);
    for (size_t i = 0; i < rows->n; i++)
        for (size_t j = 0; j < rows->n; j++) {
            if (!(rows->examples[i].label > rows->examples[j].label))
                continue;
            won += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
            pairs++;
        }
    free(scores);
    return won / pairs;
}

/* All ways learn the law of the rows; where positives are not rare, SMOTE blurs it a little. */
ParameterizedTestParameters(balance, the_order_is_learnt)
{
    return all_ways();
}

ParameterizedTest(struct way *c, balance, the_order_is_learnt)
{
    struct model *model = make(c->kind, c->yaml), *plain = make(c->kind, "");
    struct help_rows rows = help_rows(6000, 5), others = help_rows(400, 6);
    model->ops->learn(model, rows.examples, rows.n);
    plain->ops->learn(plain, rows.examples, rows.n);
    fit(model);
    fit(plain);
    double auc = auc_of(model, &others), before = auc_of(plain, &others);
    cr_expect(auc > before - 0.05, "%s %s: %g, %g without", c->kind, c->yaml, auc, before);
    help_rows_done(&rows);
    help_rows_done(&others);
    model->ops->free(model);
    plain->ops->free(plain);
}

/* A turn through a file, and a copy, know what was counted. */
static void check_file(const char *kind, const char *yaml)
{
    struct model *from = make(kind, yaml), *to = make(kind, yaml), *copy = make(kind, yaml);
    struct help_rows rows = help_rows(3000, 7);
    struct tensors *saved = tensors_create();
    from->ops->learn(from, rows.examples, rows.n);
    fit(from);
    cr_assert(eq(int, from->ops->save(from, saved), ST_OK));
    cr_assert(eq(int, to->ops->load(to, saved), ST_OK));
    cr_assert(eq(int, model_copy(from, copy), ST_OK));
    help_expect_same(from, to, &rows);
    help_expect_same(from, copy, &rows);
    if (!from->ops->fit) {
        from->ops->learn(from, rows.examples, rows.n);
        to->ops->learn(to, rows.examples, rows.n);
        copy->ops->learn(copy, rows.examples, rows.n);
        help_expect_same(from, to, &rows);
        help_expect_same(from, copy, &rows);
    }
    tensors_free(saved);
    help_rows_done(&rows);
    from->ops->free(from);
    to->ops->free(to);
    copy->ops->free(copy);
}

Test(balance, is_kept_with_the_model)
{
    check_file("ftrl", "{class_weight: balanced}");
    check_file("ftrl", "{class_weight: 5}");
    check_file("gbdt", "{class_weight: balanced, smote: 0.4, rounds: 10}");
}

/* As many positives as were asked for, behind the rows that there are, and none that stay. */
Test(balance, smote_fills_up_to_its_ratio)
{
    struct model *model = make("gbdt", "{smote: 0.5, rounds: 5}");
    struct gbdt *gbdt = gbdt_of(model);
    struct help_rows rows = help_rows(3000, 8);
    struct gbdt_balance balance;
    for (size_t i = 0; i < rows.n; i++) {
        rows.examples[i].label = i % 20 == 0 ? 1 : 0; /* 150 to 2850 */
        rows.examples[i].weight = i % 20 == 0 ? 1 : 2;
    }
    model->ops->learn(model, rows.examples, rows.n);
    cr_assert(eq(int, gbdt_rebalance(gbdt, &balance), ST_OK));
    cr_expect(eq(sz, balance.made, 2850 - 150), "half of 5700, by weight");
    cr_expect(epsilon_eq(dbl, balance.offset, log(2850.0 / 150), 1e-9));
    cr_expect(eq(dbl, balance.weight, 1));
    cr_expect(eq(sz, gbdt->window.n, 3000));
    fit(model);
    cr_expect(eq(sz, gbdt->window.n, 3000));
    model->ops->learn(model, rows.examples, rows.n);
    cr_expect(eq(sz, gbdt->window.n, 6000));
    cr_expect(eq(flt, gbdt->window.labels[gbdt->window.first + 3001], 0), "none is left behind");
    help_rows_done(&rows);
    model->ops->free(model);
}

struct refusal {
    char kind[8], yaml[64], complaint[48];
};

ParameterizedTestParameters(balance, refusals)
{
    static struct refusal cases[] = {
        {"ftrl", "{class_weight: balance}", "or `balanced`"},
        {"ftrl", "{class_weight: 0}", "expected a number from 1e-06"},
        {"ftrl", "{class_weight: [1, 2]}", "expected a number"},
        {"ftrl", "{class_weight: .nan}", "expected a number"},
        {"ftrl", "{smote: 0.5}", "unknown key"},
        {"gbdt", "{class_weight: -3}", "expected a number"},
        {"gbdt", "{smote: 1.5}", "smote"},
        {"gbdt", "{smote_neighbours: 33}", "smote_neighbours"},
    };
    return cr_make_param_array(struct refusal, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct refusal *c, balance, refusals)
{
    struct conf_errors errors = {0};
    struct model *model = help_try_kind(c->kind, c->yaml, &help_schema, &errors);
    cr_expect(model == NULL && errors.n == 1, "%s", c->yaml);
    buf_byte(&errors.text, 0);
    cr_expect(strstr(errors.text.data, c->complaint) != NULL, "%s: %s", c->yaml, errors.text.data);
    conf_errors_done(&errors);
}
