/*
 * What `ftrl` costs a row: scoring, learning and publishing, on made-up rows like those of card
 * fraud (15 numbers, counts and risks among them) and of ads (3 numbers, 12 categories, some of
 * high cardinality). And `gbdt` on those of card fraud: a fit, and scoring one row at a time,
 * beside XGBoost's own prediction of one. And the two without labels, `iforest` and `hstrees`.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <xgboost/c_api.h>

#include "models/gbdt.h"
#include "models/model.h"

enum { NUMBERS = 15, CATEGORIES = 12, BATCH = 256, BATCHES_A_VERSION = 2 };

/* Processor time, because other processes disturb wall time more. */
static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / (double)(UINT64_C(1) << 53);
}

struct rows {
    size_t n, n_numbers, n_categories;
    float *dense;
    struct sparse *sparse;
    struct example *examples;
    struct vector *vectors;
};

/* Amounts, counts, and shares that are mostly 0, in turn. */
static float number(size_t column, uint64_t *seed)
{
    double u = noise(seed);
    if (column % 3 == 0)
        return (float)(-50 * log(1 - u));
    if (column % 3 == 1)
        return (float)floor(30 * u * u);
    return u < 0.97 ? 0 : (float)(u - 0.97);
}

/* From a handful of values to hundreds of thousands, the first ones far more frequent. */
static struct sparse category(size_t column, uint64_t *seed)
{
    double values = pow(3, (double)(1 + column));
    return (struct sparse){1 + (uint64_t)(values * pow(noise(seed), 3)), (uint32_t)column, 1};
}

static struct rows make_rows(size_t n, size_t n_numbers, size_t n_categories)
{
    struct rows rows = {.n = n,
                        .n_numbers = n_numbers,
                        .n_categories = n_categories,
                        .dense = calloc(n * n_numbers, sizeof(float)),
                        .sparse = calloc(n * n_categories + 1, sizeof(struct sparse)),
                        .examples = calloc(n, sizeof(struct example)),
                        .vectors = calloc(n, sizeof(struct vector))};
    uint64_t seed = 1;
    for (size_t i = 0; i < n; i++) {
        float *dense = rows.dense + i * n_numbers;
        struct sparse *sparse = rows.sparse + i * n_categories;
        for (size_t j = 0; j < n_numbers; j++)
            dense[j] = number(j, &seed);
        for (size_t j = 0; j < n_categories; j++)
            sparse[j] = category(j, &seed);
        rows.vectors[i] = (struct vector){dense, sparse, n_categories};
        float label = noise(&seed) < 0.01 + 0.1 * (dense[0] > 150) ? 1 : 0;
        rows.examples[i] = (struct example){
            .vector = rows.vectors[i], .label = label, .weight = 1, .time = (int64_t)i * 100000};
    }
    return rows;
}

static void free_rows(struct rows *rows)
{
    free(rows->dense);
    free(rows->sparse);
    free(rows->examples);
    free(rows->vectors);
}

static struct model *make_model(const char *kind, const struct rows *rows)
{
    static const char *const dense[] = {"n0", "n1", "n2",  "n3",  "n4",  "n5",  "n6", "n7",
                                        "n8", "n9", "n10", "n11", "n12", "n13", "n14"};
    static const char *const sparse[] = {"c0", "c1", "c2", "c3", "c4",  "c5",
                                         "c6", "c7", "c8", "c9", "c10", "c11"};
    struct vector_schema schema = {rows->n_numbers, rows->n_categories, dense, sparse, 0};
    const struct model_ops *ops = model_find_kind(kind);
    struct conf_errors errors = {0};
    struct model *model = NULL;
    void *options = calloc(1, ops->options->size);
    if (conf_read(NULL, ops->options, &errors, options) < 0 ||
        ops->create(options, &schema, NULL, &errors, &model) < 0) {
        fprintf(stderr, "%.*s", (int)errors.text.len, errors.text.data);
        exit(1);
    }
    free(options);
    return model;
}

static void print(const char *what, int64_t ns, size_t n)
{
    printf("%-24s %8.0f ns\n", what, (double)ns / (double)(n ? n : 1));
}

static void bench(const char *name, const struct rows *rows)
{
    struct model *learner = make_model("ftrl", rows), *copy = make_model("ftrl", rows);
    float scores[BATCH];
    int64_t learn = 0, score = 0, publish = 0;
    size_t published = 0, scored = 0;
    for (size_t i = 0; i + BATCH <= rows->n; i += BATCH) {
        int64_t t0 = now_ns();
        learner->ops->learn(learner, rows->examples + i, BATCH);
        int64_t t1 = now_ns();
        if (i / BATCH % BATCHES_A_VERSION == 0) {
            learner->ops->publish(learner, copy);
            published++;
        }
        int64_t t2 = now_ns();
        copy->ops->score(copy, rows->vectors + i, BATCH, scores);
        score += now_ns() - t2;
        publish += t2 - t1;
        learn += t1 - t0;
        scored += BATCH;
    }
    struct buf text = {0};
    learner->ops->describe(learner, &text);
    printf("%s: %.*s\n", name, (int)text.len, text.data);
    print("  score, a row", score, scored);
    print("  learn, a row", learn, scored);
    print("  publish, each", publish, published);
    buf_done(&text);
    learner->ops->free(learner);
    copy->ops->free(copy);
}

/* XGBoost's own prediction of one row at a time, without a copy of the row. */
static void bench_xgboost(const struct gbdt *gbdt, const struct rows *rows, size_t n)
{
    static const char config[] = "{\"type\": 0, \"training\": false, \"iteration_begin\": 0, "
                                 "\"iteration_end\": 0, \"missing\": NaN, "
                                 "\"strict_shape\": false, \"cache_id\": 0}";
    BoosterHandle booster;
    char array[200];
    const bst_ulong *shape;
    bst_ulong dims;
    const float *out;
    if (XGBoosterCreate(NULL, 0, &booster) != 0 ||
        XGBoosterLoadModelFromBuffer(booster, gbdt->booster.data, gbdt->booster.len) != 0 ||
        XGBoosterSetParam(booster, "nthread", "1") != 0)
        exit(1);
    int64_t t0 = now_ns();
    for (size_t i = 0; i < n; i++) {
        snprintf(array, sizeof array,
                 "{\"data\": [%zu, true], \"shape\": [1, %zu], \"typestr\": \"<f4\", "
                 "\"version\": 3}",
                 (size_t)(uintptr_t)rows->vectors[i].dense, rows->n_numbers);
        if (XGBoosterPredictFromDense(booster, array, config, NULL, &shape, &dims, &out) != 0)
            exit(1);
    }
    print("  the same by XGBoost", now_ns() - t0, n);
    XGBoosterFree(booster);
}

static void bench_gbdt(const struct rows *rows)
{
    struct model *model = make_model("gbdt", rows);
    struct buf text = {0};
    model->ops->learn(model, rows->examples, rows->n);
    int64_t t0 = now_ns();
    if (model->ops->fit(model, &text) < 0)
        exit(1);
    int64_t fit = now_ns() - t0;
    float sum = 0, score;
    t0 = now_ns();
    for (size_t i = 0; i < rows->n; i++) {
        model->ops->score(model, &rows->vectors[i], 1, &score);
        sum += score;
    }
    int64_t scoring = now_ns() - t0;
    model->ops->describe(model, &text);
    printf("trees (mean score %.4f): %.*s\n", (double)sum / (double)rows->n, (int)text.len,
           text.data);
    print("  fit, a row", fit, rows->n);
    print("  score, one row at a time", scoring, rows->n);
    bench_xgboost((const struct gbdt *)(const void *)model, rows, 20000);
    buf_done(&text);
    model->ops->free(model);
}

/* `iforest`: learning is a place in the window, and its share of a fit. */
static void bench_outliers(const char *kind, const struct rows *rows)
{
    struct model *model = make_model(kind, rows), *copy = make_model(kind, rows);
    struct buf text = {0};
    float sum = 0, score;
    int64_t t0 = now_ns();
    model->ops->learn(model, rows->examples, rows->n);
    int64_t t1 = now_ns();
    if (model->ops->fit && model->ops->fit(model, &text) < 0)
        exit(1);
    int64_t t2 = now_ns();
    model->ops->publish(model, copy);
    int64_t t3 = now_ns();
    for (size_t i = 0; i < rows->n; i++) {
        copy->ops->score(copy, &rows->vectors[i], 1, &score);
        sum += score;
    }
    int64_t t4 = now_ns();
    model->ops->describe(model, &text);
    printf("%s (mean score %.4f): %.*s\n", kind, (double)sum / (double)rows->n, (int)text.len,
           text.data);
    print("  learn, a row", t1 - t0, rows->n);
    if (model->ops->fit)
        print("  fit, each", t2 - t1, 1);
    print("  publish, each", t3 - t2, 1);
    print("  score, one row at a time", t4 - t3, rows->n);
    buf_done(&text);
    model->ops->free(model);
    copy->ops->free(copy);
}

int main(void)
{
    enum { N = 500000 };
    struct rows fraud = make_rows(N, NUMBERS, 0);
    bench("fraud", &fraud);
    bench_gbdt(&fraud);
    bench_outliers("iforest", &fraud);
    bench_outliers("hstrees", &fraud);
    free_rows(&fraud);
    struct rows ads = make_rows(N, 3, CATEGORIES);
    bench("ads", &ads);
    free_rows(&ads);
    return 0;
}
