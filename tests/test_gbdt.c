/*
 * Tests of models/gbdt.h.
 *
 * What is known without running it: trees beat a constant where labels follow a law; a row's score
 * does not depend on the batch; a model that is loaded, and shown the log again from where it says,
 * makes the same trees to the last bit as one that went on; the window holds no more than it may;
 * a cancelled fit changes nothing; models that XGBoost saved score as XGBoost scores them.
 */
#include "tests/ftrl_help.h"

#include "models/auc.h"
#include "models/gbdt.h"

static struct model *make(const char *yaml)
{
    struct conf_errors errors = {0};
    struct model *model = help_try_kind("gbdt", yaml, &help_schema, &errors);
    cr_assert(model != NULL, "%.*s", (int)errors.text.len, errors.text.data);
    conf_errors_done(&errors);
    return model;
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
    cr_assert(eq(int, model->ops->fit(model, &why), ST_OK), "%.*s", (int)why.len, why.data);
    buf_done(&why);
}

static double auc_of(const struct model *model, const struct help_rows *rows)
{
    float *scores = calloc(rows->n, sizeof *scores), *labels = calloc(rows->n, sizeof *labels);
    struct score_figures figures;
    model->ops->score(model, rows->vectors, rows->n, scores);
    for (size_t i = 0; i < rows->n; i++)
        labels[i] = rows->examples[i].label;
    cr_assert(eq(int, score_figures_exact(scores, labels, rows->n, &figures), ST_OK));
    free(scores);
    free(labels);
    return figures.auc;
}

Test(gbdt, learns_a_law_and_publishes_it)
{
    struct help_rows rows = numbered_rows(4000, 1), fresh = numbered_rows(4000, 2);
    struct model *learner = make("{rounds: 30, depth: 3}"), *copy = make("{rounds: 30, depth: 3}");
    float before, prior, after;
    learner->ops->score(learner, fresh.vectors, 1, &before);
    cr_expect(eq(flt, before, 0.5f), "nothing is known yet");
    learner->ops->learn(learner, rows.examples, 5);
    fit(learner);
    learner->ops->score(learner, fresh.vectors, 1, &prior);
    cr_expect(gbdt_of(learner)->forest == NULL, "too few positives for a tree");
    learner->ops->learn(learner, rows.examples + 5, rows.n - 5);
    learner->ops->score(learner, fresh.vectors, 1, &after);
    cr_expect(eq(flt, after, prior), "only a fit makes trees");
    fit(learner);
    cr_expect(gt(dbl, auc_of(learner, &fresh), 0.7));
    copy->ops->score(copy, fresh.vectors, 1, &after);
    cr_expect(eq(flt, after, before));
    learner->ops->publish(learner, copy);
    cr_expect(eq(dbl, auc_of(copy, &fresh), auc_of(learner, &fresh)));
    learner->ops->free(learner); /* the copy keeps the trees */
    cr_expect(gt(dbl, auc_of(copy, &fresh), 0.7));
    struct buf text = {0};
    copy->ops->describe(copy, &text);
    cr_expect(gt(sz, text.len, 0));
    buf_done(&text);
    copy->ops->free(copy);
    help_rows_done(&rows);
    help_rows_done(&fresh);
}

Test(gbdt, batches_do_not_matter)
{
    struct help_rows rows = numbered_rows(1000, 1);
    struct model *model = make("{rounds: 20}");
    float all[1000], one;
    model->ops->learn(model, rows.examples, rows.n);
    fit(model);
    model->ops->score(model, rows.vectors, rows.n, all);
    for (size_t i = 0; i < rows.n; i++) {
        model->ops->score(model, rows.vectors + i, 1, &one);
        cr_assert(memcmp(&one, &all[i], sizeof one) == 0);
    }
    model->ops->free(model);
    help_rows_done(&rows);
}

Test(gbdt, takes_infinite_numbers)
{
    struct help_rows rows = numbered_rows(1000, 1);
    struct model *model = make("{rounds: 5}");
    float scores[1000];
    for (size_t i = 0; i < rows.n; i += 7)
        rows.dense[i][i % 3] = i % 2 ? INFINITY : -INFINITY;
    model->ops->learn(model, rows.examples, rows.n);
    fit(model);
    model->ops->score(model, rows.vectors, rows.n, scores);
    for (size_t i = 0; i < rows.n; i++)
        cr_assert(scores[i] > 0 && scores[i] < 1);
    model->ops->free(model);
    help_rows_done(&rows);
}

/* Saved after `saved` rows; the other goes on, this one is loaded and shown its window again. */
struct resumption {
    char yaml[100];
    size_t saved;
};

ParameterizedTestParameters(gbdt, goes_on_after_a_load_as_if_nothing_had_been)
{
    static struct resumption cases[] = {
        {"{rounds: 10}", 700},
        {"{rounds: 10}", 0},
        {"{rounds: 10, rows: 300}", 700},
        {"{rounds: 10, window: 4h}", 700},
        {"{rounds: 10, how: continue, trees_max: 25, subsample: 0.5}", 700},
    };
    return cr_make_param_array(struct resumption, cases, sizeof cases / sizeof cases[0]);
}

static void learn_to(struct model *model, const struct help_rows *rows, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        model->ops->learn(model, &rows->examples[i], 1);
        if (i % 250 == 249)
            fit(model);
    }
}

/* Every so often a row comes once more, with another label. */
static void put_corrections(struct help_rows *rows)
{
    for (size_t i = 450; i < rows->n; i += 50) {
        struct example *row = &rows->examples[i], *before = &rows->examples[i - 445];
        memcpy(rows->dense[i], rows->dense[i - 445], sizeof rows->dense[i]);
        row->time = before->time;
        row->label = 1 - before->label;
        row->correction = true;
    }
}

ParameterizedTest(struct resumption *c, gbdt, goes_on_after_a_load_as_if_nothing_had_been)
{
    struct help_rows rows = numbered_rows(1500, 3);
    struct model *whole = make(c->yaml), *resumed = make(c->yaml);
    struct tensors *file = tensors_create();
    put_corrections(&rows);
    learn_to(whole, &rows, 0, c->saved);
    cr_assert(eq(int, whole->ops->save(whole, file), ST_OK));
    uint64_t from = whole->ops->recalls_from(whole);
    cr_assert(eq(int, resumed->ops->load(resumed, file), ST_OK));
    if (c->saved == 0)
        cr_expect(eq(u64, from, UINT64_MAX));
    for (size_t i = 0; i < c->saved; i++)
        if (rows.examples[i].item >= from)
            resumed->ops->recall(resumed, &rows.examples[i], 1);
    cr_expect(eq(sz, gbdt_of(resumed)->window.n, gbdt_of(whole)->window.n));
    learn_to(whole, &rows, c->saved, rows.n);
    learn_to(resumed, &rows, c->saved, rows.n);
    const struct buf *a = &gbdt_of(whole)->booster, *b = &gbdt_of(resumed)->booster;
    cr_expect(gt(sz, a->len, 0));
    cr_expect(slice_eq(buf_slice(a), buf_slice(b)));
    cr_expect(eq(u64, gbdt_of(resumed)->learnt, rows.n));
    tensors_free(file);
    whole->ops->free(whole);
    resumed->ops->free(resumed);
    help_rows_done(&rows);
}

Test(gbdt, window_is_bounded_by_rows_and_by_time)
{
    struct help_rows rows = numbered_rows(9000, 3); /* one a minute */
    struct model *few = make("{rounds: 1, rows: 500}"), *late = make("{rounds: 1, window: 10h}");
    few->ops->learn(few, rows.examples, rows.n);
    late->ops->learn(late, rows.examples, rows.n);
    fit(late);
    cr_expect(eq(sz, gbdt_of(few)->window.n, 500));
    cr_expect(le(sz, gbdt_of(few)->window.cap, 500 + 500 / 4 + 1024));
    cr_expect(eq(u64, few->ops->recalls_from(few), 100 + 9000 - 500));
    cr_expect(eq(sz, gbdt_of(late)->window.n, 601));
    cr_expect(eq(u64, late->ops->recalls_from(late), 100 + 9000 - 601));
    few->ops->free(few);
    late->ops->free(late);
    help_rows_done(&rows);
}

Test(gbdt, what_is_corrected_counts_once)
{
    struct help_rows rows = numbered_rows(10, 3);
    struct model *model = make("");
    rows.examples[3].correction = true; /* of one that is not there any more */
    model->ops->learn(model, rows.examples, rows.n);
    struct example corrected = rows.examples[4];
    corrected.label = 1;
    corrected.correction = true;
    model->ops->learn(model, &corrected, 1);
    const struct gbdt_window *window = &gbdt_of(model)->window;
    cr_expect(eq(sz, window->n, 11));
    cr_expect(eq(flt, window->weights[4], 0));
    cr_expect(eq(flt, window->weights[10], 1));
    cr_expect(eq(flt, window->labels[10], 1));
    model->ops->free(model);
    help_rows_done(&rows);
}

Test(gbdt, a_cancelled_fit_changes_nothing)
{
    struct help_rows rows = numbered_rows(2000, 4);
    struct model *model = make("{rounds: 5}");
    struct buf why = {0};
    model->ops->learn(model, rows.examples, 1000);
    fit(model);
    const struct forest *before = gbdt_of(model)->forest;
    model->ops->learn(model, rows.examples + 1000, 1000);
    model->ops->cancel(model);
    cr_expect(eq(int, model->ops->fit(model, &why), ST_ESTOPPED));
    cr_expect(gbdt_of(model)->forest == before);
    buf_done(&why);
    model->ops->free(model);
    help_rows_done(&rows);
}

Test(gbdt, trees_are_added_until_there_are_too_many)
{
    struct help_rows rows = numbered_rows(1000, 4);
    struct model *model = make("{rounds: 10, how: continue, trees_max: 25}");
    const size_t expected[] = {10, 20, 10, 20};
    model->ops->learn(model, rows.examples, rows.n);
    for (size_t i = 0; i < 4; i++) {
        fit(model);
        cr_expect(eq(sz, gbdt_of(model)->forest->n_trees, expected[i]));
    }
    model->ops->free(model);
    help_rows_done(&rows);
}

Test(gbdt, explains_its_scores)
{
    struct help_rows rows = numbered_rows(2000, 5);
    struct model *model = make("{rounds: 20, exclude: [count]}");
    model->ops->learn(model, rows.examples, rows.n);
    fit(model);
    for (size_t i = 0; i < 100; i++) {
        struct reason items[4];
        struct reasons reasons = {items, 0, 4};
        float score;
        double sum = model->ops->explain(model, &rows.vectors[i], &reasons);
        model->ops->score(model, &rows.vectors[i], 1, &score);
        for (size_t j = 0; j < reasons.n; j++) {
            sum += reasons.items[j].log_odds;
            cr_expect(strcmp(reasons.items[j].name, "count") != 0);
        }
        cr_expect(lt(dbl, fabs(1 / (1 + exp(-sum)) - (double)score), 1e-5));
    }
    model->ops->free(model);
    help_rows_done(&rows);
}

/* Imported models. */

static void write_file(const char *path, struct slice bytes)
{
    FILE *file = fopen(path, "wb");
    cr_assert(file != NULL);
    fwrite(bytes.data, 1, bytes.len, file);
    fclose(file);
}

Test(gbdt, serves_what_xgboost_saved)
{
    struct help_rows rows = numbered_rows(2000, 6);
    struct model *trained = make("{rounds: 10}");
    char path[64], yaml[128];
    snprintf(path, sizeof path, "/tmp/freshet-gbdt-%d.ubj", (int)getpid());
    snprintf(yaml, sizeof yaml, "{file: %s}", path);
    trained->ops->learn(trained, rows.examples, rows.n);
    fit(trained);
    write_file(path, buf_slice(&gbdt_of(trained)->booster));
    struct model *imported = make(yaml);
    cr_expect(eq(dbl, auc_of(imported, &rows), auc_of(trained, &rows)));
    imported->ops->learn(imported, rows.examples, rows.n);
    cr_expect(eq(u64, imported->ops->recalls_from(imported), UINT64_MAX), "it learns nothing");
    fit(imported);
    cr_expect(eq(dbl, auc_of(imported, &rows), auc_of(trained, &rows)));
    unlink(path);
    trained->ops->free(trained);
    imported->ops->free(imported);
    help_rows_done(&rows);
}

struct import_case {
    char why[40], features[40], n[4], objective[24], complaint[60];
};

ParameterizedTestParameters(gbdt, imports_or_says_why_not)
{
    static struct import_case cases[] = {
        {"good", "\"risk\",\"amount\"", "2", "binary:logistic", ""},
        {"no names, as many columns", "", "3", "binary:logistic", ""},
        {"logits", "\"risk\"", "1", "binary:logitraw", ""},
        {"no names, other columns", "", "2", "binary:logistic", "2 features without names"},
        {"a column that is not there", "\"risk\",\"risky\"", "2", "binary:logistic", "\"risky\""},
        {"a regression", "\"risk\"", "1", "reg:squarederror", "binary:logistic"},
    };
    return cr_make_param_array(struct import_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct import_case *c, gbdt, imports_or_says_why_not)
{
    struct conf_errors errors = {0};
    struct buf json = {0};
    char path[64], yaml[128];
    snprintf(path, sizeof path, "/tmp/freshet-gbdt-%d.json", (int)getpid());
    snprintf(yaml, sizeof yaml, "{file: %s}", path);
    buf_printf(&json, "{\"learner\":{\"attributes\":{},\"feature_names\":[%s],", c->features);
    buf_text(&json, "\"feature_types\":[],\"gradient_booster\":{\"model\":{\"gbtree_model_param\":"
                    "{\"num_parallel_tree\":\"1\",\"num_trees\":\"0\",\"size_leaf_vector\":\"0\"},"
                    "\"tree_info\":[],\"trees\":[]},\"name\":\"gbtree\"},\"learner_model_param\":"
                    "{\"base_score\":\"5E-1\",\"boost_from_average\":\"1\",\"num_class\":\"0\",");
    buf_printf(&json,
               "\"num_feature\":\"%s\",\"num_target\":\"1\"},\"objective\":{\"name\":\"%s\",", c->n,
               c->objective);
    buf_text(&json, "\"reg_loss_param\":{\"scale_pos_weight\":\"1\"}}},\"version\":[1,7,4]}");
    write_file(path, buf_slice(&json));
    struct model *model = help_try_kind("gbdt", yaml, &help_schema, &errors);
    buf_byte(&errors.text, 0);
    if (c->complaint[0] == 0)
        cr_expect(model != NULL, "%s: %s", c->why, errors.text.data);
    else
        cr_expect(model == NULL && strstr(errors.text.data, c->complaint), "%s: %s", c->why,
                  errors.text.data);
    if (model)
        model->ops->free(model);
    unlink(path);
    buf_done(&json);
    conf_errors_done(&errors);
}

struct refusal {
    char yaml[60], complaint[40];
};

ParameterizedTestParameters(gbdt, refuses_options)
{
    static struct refusal cases[] = {
        {"{columns: [amuont]}", "\"amuont\""},
        {"{columns: [site]}", "\"site\" is a category"},
        {"{exclude: [amount, risk, count]}", "no number to learn from"},
        {"{file: /no/such/file.json}", "no such file"},
        {"{how: again}", "refit"},
        {"{subsample: 2}", "subsample"},
    };
    return cr_make_param_array(struct refusal, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct refusal *c, gbdt, refuses_options)
{
    struct conf_errors errors = {0};
    cr_expect(help_try_kind("gbdt", c->yaml, &help_schema, &errors) == NULL);
    buf_byte(&errors.text, 0);
    cr_expect(strstr(errors.text.data, c->complaint) != NULL, "%s", errors.text.data);
    conf_errors_done(&errors);
}

/* Files. */

struct file_case {
    char why[40], kind[8];
    uint64_t format;
    size_t cut; /* bytes that the trees lack */
    int status;
};

ParameterizedTestParameters(gbdt, loads_only_what_is_sound)
{
    static struct file_case cases[] = {
        {"good", "gbdt", 1, 0, ST_OK},
        {"another kind", "ftrl", 1, 0, ST_ECORRUPT},
        {"a newer format", "gbdt", 2, 0, ST_EVERSION},
        {"trees cut", "gbdt", 1, 10, ST_ECORRUPT},
    };
    return cr_make_param_array(struct file_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct file_case *c, gbdt, loads_only_what_is_sound)
{
    struct help_rows rows = numbered_rows(1000, 7);
    struct model *trained = make("{rounds: 3}"), *loaded = make("");
    trained->ops->learn(trained, rows.examples, rows.n);
    fit(trained);
    const struct buf *booster = &gbdt_of(trained)->booster;
    struct tensors *file = tensors_create();
    tensors_put_text(file, "kind", c->kind);
    tensors_put(file, "counters", TENSOR_U64, (size_t[]){2}, 1, (uint64_t[]){c->format, 5});
    tensors_put(file, "prior", TENSOR_F64, (size_t[]){1}, 1, (double[]){0});
    tensors_put(file, "booster", TENSOR_U8, (size_t[]){booster->len - c->cut}, 1, booster->data);
    cr_expect(eq(int, loaded->ops->load(loaded, file), c->status), "%s", c->why);
    if (c->status == ST_OK)
        cr_expect(eq(dbl, auc_of(loaded, &rows), auc_of(trained, &rows)));
    else
        cr_expect(gbdt_of(loaded)->forest == NULL && gbdt_of(loaded)->learnt == 0, "untouched");
    tensors_free(file);
    trained->ops->free(trained);
    loaded->ops->free(loaded);
    help_rows_done(&rows);
}
