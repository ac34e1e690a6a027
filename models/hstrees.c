/* What an `hstrees` is made of: its options, score, learn, publish. */
#include "models/hstrees.h"

#include <stdlib.h>

#include "models/gbdt.h"

static void free_hstrees(struct model *model)
{
    struct hstrees *hstrees = hstrees_of(model);
    if (!hstrees)
        return;
    chosen_done(&hstrees->chosen);
    half_space_free(hstrees->trees);
    free(hstrees);
}

static enum status make_trees(struct hstrees *hstrees)
{
    const struct hstrees_options *options = &hstrees->options;
    struct half_space_options half_space_options = {
        .trees = (size_t)options->trees,
        .depth = (size_t)options->depth,
        .window = (size_t)options->window,
        .seed = (uint64_t)options->seed,
    };
    return half_space_create(&half_space_options, hstrees->chosen.n, &hstrees->trees);
}

static enum status create(const void *options, const struct vector_schema *schema,
                          const struct conf_node *node, struct conf_errors *errors,
                          struct model **ret)
{
    struct hstrees *hstrees = calloc(1, sizeof *hstrees);
    if (!hstrees)
        return ST_ENOMEM;
    hstrees->head.ops = &hstrees_ops;
    hstrees->options = *(const struct hstrees_options *)options;
    enum status st = chosen_init(&hstrees->chosen, hstrees_ops.name, &hstrees->options.columns,
                                 &hstrees->options.exclude, schema, node, errors);
    if (st == ST_OK)
        st = make_trees(hstrees);
    if (st < 0)
        free_hstrees(&hstrees->head);
    else
        *ret = &hstrees->head;
    return st;
}

static void look(const struct hstrees *hstrees, const struct vector *vector, float *ret)
{
    const struct chosen *chosen = &hstrees->chosen;
    for (size_t i = 0; i < chosen->n; i++)
        ret[i] = gbdt_finite(vector->dense[chosen->column[i]]);
}

static void score(const struct model *model, const struct vector *rows, size_t n, float *ret)
{
    const struct hstrees *hstrees = hstrees_of(model);
    float row[VECTOR_DENSE_MAX], unit_row[2 * (VECTOR_DENSE_MAX + 1)];
    for (size_t i = 0; i < n; i++) {
        look(hstrees, &rows[i], row);
        ret[i] = half_space_score(hstrees->trees, row, unit_row);
    }
}

/* A correction is a row that was here before: only its label is another. */
static void learn(struct model *model, const struct example *rows, size_t n)
{
    struct hstrees *hstrees = hstrees_of(model);
    float row[VECTOR_DENSE_MAX];
    for (size_t i = 0; i < n; i++) {
        if (rows[i].correction || !(rows[i].weight > 0))
            continue;
        look(hstrees, &rows[i].vector, row);
        half_space_learn(hstrees->trees, row, rows[i].weight);
    }
    hstrees->learnt += n;
}

/* What scores changes only where a window is full. */
static void publish(struct model *from, struct model *to)
{
    const struct hstrees *source = hstrees_of(from);
    struct hstrees *target = hstrees_of(to);
    if (target->published_from == source && target->published_life == source->lives &&
        target->trees->windows == source->trees->windows)
        return;
    half_space_copy_reference(source->trees, target->trees);
    target->published_from = source;
    target->published_life = source->lives;
}

static void copy(struct model *from, struct model *to)
{
    half_space_copy(hstrees_of(from)->trees, hstrees_of(to)->trees);
    hstrees_of(to)->learnt = hstrees_of(from)->learnt;
    hstrees_of(to)->published_from = NULL;
    hstrees_of(to)->lives++;
}

static void describe(const struct model *model, struct buf *ret)
{
    const struct hstrees *hstrees = hstrees_of(model);
    buf_printf(ret, "%llu rows, %llu windows of %lld, %lld trees of depth %lld",
               (unsigned long long)hstrees->learnt, (unsigned long long)hstrees->trees->windows,
               (long long)hstrees->options.window, (long long)hstrees->options.trees,
               (long long)hstrees->options.depth);
}

/* Options. */

#define AT(field) offsetof(struct hstrees_options, field)

static const struct conf_option options[] = {
    {.name = "trees",
     .type = CONF_INT,
     .at = AT(trees),
     .fallback = "25",
     .min = 1,
     .max = HALF_SPACE_TREES_MAX,
     .help = "Trees. Each takes 24 bytes times two to the power of `depth`."},
    {.name = "depth",
     .type = CONF_INT,
     .at = AT(depth),
     .fallback = "10",
     .min = 1,
     .max = HALF_SPACE_DEPTH_MAX,
     .help = "Questions that a tree asks."},
    {.name = "window",
     .type = CONF_INT,
     .at = AT(window),
     .fallback = "250",
     .min = 2,
     .max = 1e6,
     .help = "Rows that are counted before their counts score. The first window finds the "
             "columns' ranges; until the second is full every score is 0.5."},
    {.name = "seed",
     .type = CONF_INT,
     .at = AT(seed),
     .fallback = "0",
     .min = 0,
     .max = 9007199254740992,
     .help = "Of what is drawn: the trees. Taken only where a model begins."},
    {.name = "columns",
     .type = CONF_TEXTS,
     .at = AT(columns),
     .help = "The only columns to look at; all numbers, unless given."},
    {.name = "exclude", .type = CONF_TEXTS, .at = AT(exclude), .help = "Columns not to look at."},
    CONF_END,
};

static const struct conf_table table = {
    "hstrees",
    "Half-space trees: a streaming forest that says how few rows of late came where a row lies. "
    "Labels are not looked at. Scores are no probabilities. See docs/outliers.md.",
    options, sizeof(struct hstrees_options)};

const struct model_ops hstrees_ops = {
    .name = "hstrees",
    .help = "Half-space trees: what is unlike the rest, learnt row by row, without labels.",
    .options = &table,
    .create = create,
    .free = free_hstrees,
    .score = score,
    .learn = learn,
    .publish = publish,
    .save = hstrees_save,
    .load = hstrees_load,
    .copy = copy,
    .describe = describe,
    .unlabelled = true,
};
