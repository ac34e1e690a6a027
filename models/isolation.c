#include "models/isolation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "models/isolation_sample.h"
#include "models/logistic.h"

#define EULER 0.57721566490153286061

/* The rows of a node: of the order, and how many questions led here. */
struct span {
    uint32_t from, to;
    unsigned depth;
};

struct isolation {
    struct isolation_options options;
    size_t n_columns;
    struct forest *forest;
    struct isolation_sample sample;
    size_t n;         /* rows of a tree: options.samples, or all */
    unsigned deepest; /* questions at most */
    double unit;      /* what one counts, in a leaf */
    /* of the tree that is being made */
    float *values;   /* n * n_columns */
    uint32_t *order; /* of its rows: a node's lie together */
    uint32_t *columns;
    size_t n_asked; /* columns[0, n_asked) are the tree's */
    struct span *spans;
    struct rng rng;
};

double isolation_path(size_t n)
{
    if (n <= 2)
        return n == 2 ? 1 : 0;
    double before = (double)(n - 1);
    return 2 * (rng_log(before) + EULER) - 2 * before / (double)n;
}

float isolation_score(const struct forest *forest, const float *row)
{
    const float most = 0x1.fffffep-1f;
    const double ln2 = 0.69314718055994530942;
    if (forest->n_trees == 0)
        return 0.5f;
    double bits = (double)forest_logit(forest, row);
    bits = bits < -100 ? -100 : bits > 0 ? 0 : bits;
    float score = (float)logistic_exp(bits * ln2);
    return score < most ? score : most;
}

/* Memory. */

static bool is_in_bounds(const struct isolation_options *options)
{
    return options->trees >= 1 && options->trees <= ISOLATION_TREES_MAX && options->samples >= 1 &&
           options->samples <= ISOLATION_SAMPLES_MAX && options->max_features > 0 &&
           options->max_features <= 1;
}

static struct forest *make_forest(size_t trees, size_t samples, size_t n_columns)
{
    struct forest *forest = calloc(1, sizeof *forest);
    if (!forest)
        return NULL;
    forest->holders = 1;
    forest->n_features = n_columns;
    forest->roots = calloc(trees, sizeof *forest->roots);
    forest->nodes = calloc(trees * 2 * samples, sizeof *forest->nodes);
    if (forest->roots && forest->nodes)
        return forest;
    forest_release(forest);
    return NULL;
}

void isolation_free(struct isolation *isolation)
{
    if (!isolation)
        return;
    forest_release(isolation->forest);
    isolation_sample_done(&isolation->sample);
    free(isolation->values);
    free(isolation->order);
    free(isolation->columns);
    free(isolation->spans);
    free(isolation);
}

enum status isolation_create(const struct isolation_options *options, size_t n_columns,
                             struct isolation **ret)
{
    if (!is_in_bounds(options) || n_columns == 0)
        return ST_EINVAL;
    struct isolation *isolation = calloc(1, sizeof *isolation);
    if (!isolation)
        return ST_ENOMEM;
    size_t samples = options->samples;
    isolation->options = *options;
    isolation->n_columns = n_columns;
    isolation->n_asked = (size_t)(options->max_features * (double)n_columns);
    isolation->n_asked = isolation->n_asked > 0 ? isolation->n_asked : 1;
    isolation->forest = make_forest(options->trees, samples, n_columns);
    isolation->values = calloc(samples * n_columns, sizeof *isolation->values);
    isolation->order = calloc(samples, sizeof *isolation->order);
    isolation->columns = calloc(n_columns, sizeof *isolation->columns);
    isolation->spans = calloc(2 * samples, sizeof *isolation->spans);
    enum status st = isolation_sample_init(&isolation->sample, samples);
    if (!isolation->forest || !isolation->values || !isolation->order || !isolation->columns ||
        !isolation->spans)
        st = ST_ENOMEM;
    if (st < 0)
        isolation_free(isolation);
    else
        *ret = isolation;
    return st;
}

struct forest *isolation_forest(const struct isolation *isolation)
{
    return isolation->forest;
}

/* One question. */

struct range {
    float least, most;
    size_t present, missing;
};

static struct range range_of(const struct isolation *isolation, const struct span *span,
                             uint32_t column)
{
    struct range range = {INFINITY, -INFINITY, 0, 0};
    for (uint32_t i = span->from; i < span->to; i++) {
        float x = isolation->values[isolation->order[i] * isolation->n_columns + column];
        range.least = x < range.least ? x : range.least;
        range.most = x > range.most ? x : range.most;
        range.missing += isnan(x) ? 1 : 0;
    }
    range.present = span->to - span->from - range.missing;
    return range;
}

static bool differs(const struct range *range)
{
    return range->present > 0 && (range->least < range->most || range->missing > 0);
}

/* A column of those whose values differ among the rows, each as likely; false if none does. Those
 * found without a difference are put behind the others: the next look is not at them. */
static bool draw_column(struct isolation *isolation, const struct span *span, uint32_t *ret_column,
                        struct range *ret_range)
{
    uint32_t *columns = isolation->columns;
    for (size_t left = isolation->n_asked; left > 0; left--) {
        size_t at = (size_t)rng_below(&isolation->rng, left);
        uint32_t column = columns[at];
        struct range range = range_of(isolation, span, column);
        if (differs(&range)) {
            *ret_column = column;
            *ret_range = range;
            return true;
        }
        columns[at] = columns[left - 1];
        columns[left - 1] = column;
    }
    return false;
}

/* At or above the least, below the most: both sides get rows. */
static float draw_threshold(struct rng *rng, const struct range *range)
{
    float drawn = (float)rng_between(rng, (double)range->least, (double)range->most);
    return drawn < range->most ? drawn : range->least;
}

static bool goes_left(const struct forest_node *node, float x)
{
    return isnan(x) ? node->feature & 1 : x < node->threshold;
}

/* Rows that go left are put before those that go right; returns where these begin. */
static uint32_t part_rows(struct isolation *isolation, const struct span *span,
                          const struct forest_node *node)
{
    uint32_t *order = isolation->order, left = span->from, right = span->to;
    const float *values = isolation->values + (node->feature >> 1);
    while (left < right) {
        uint32_t row = order[left];
        if (goes_left(node, values[row * isolation->n_columns])) {
            left++;
        } else {
            order[left] = order[--right];
            order[right] = row;
        }
    }
    return left;
}

/* Rows at or below what is drawn go left: they are below the next larger number. */
static uint32_t ask(struct isolation *isolation, const struct span *span, uint32_t column,
                    const struct range *range, struct forest_node *ret)
{
    bool missing_left =
        range->missing > 0 && range->least < range->most && rng_below(&isolation->rng, 2) == 0;
    float drawn = range->least < range->most ? draw_threshold(&isolation->rng, range) : range->most;
    ret->threshold = nextafterf(drawn, INFINITY);
    ret->feature = column << 1 | missing_left;
    uint32_t middle = part_rows(isolation, span, ret);
    if (range->missing == 0)
        ret->feature |= middle - span->from > span->to - middle ? 1 : 0;
    return middle;
}

/* A tree: nodes level by level, each with the span of its rows beside it. */

static void grow_node(struct isolation *isolation, size_t root, size_t at)
{
    struct forest *forest = isolation->forest;
    struct forest_node *node = &forest->nodes[at];
    struct span span = isolation->spans[at - root];
    uint32_t column, n = span.to - span.from;
    struct range range;
    if (n < 2 || span.depth == isolation->deepest ||
        !draw_column(isolation, &span, &column, &range)) {
        double path = isolation->unit > 0 ? span.depth + isolation_path(n) : 1;
        double unit = isolation->unit > 0 ? isolation->unit : 1;
        *node = (struct forest_node){
            .threshold = (float)(-path / (unit * (double)isolation->options.trees))};
        return;
    }
    uint32_t middle = ask(isolation, &span, column, &range, node);
    node->left = (uint32_t)forest->n_nodes;
    struct span *below = &isolation->spans[forest->n_nodes - root];
    below[0] = (struct span){span.from, middle, span.depth + 1};
    below[1] = (struct span){middle, span.to, span.depth + 1};
    forest->n_nodes += 2;
}

static void draw_rows(struct isolation *isolation, const struct isolation_rows *rows)
{
    size_t n_columns = isolation->n_columns;
    const uint32_t *drawn = isolation_sample_draw(&isolation->sample, rows, isolation->n,
                                                  isolation->options.bootstrap, &isolation->rng);
    for (size_t i = 0; i < isolation->n; i++) {
        memcpy(isolation->values + i * n_columns, rows->values + drawn[i] * n_columns,
               n_columns * sizeof *rows->values);
        isolation->order[i] = (uint32_t)i;
    }
}

/* The first n_asked of all columns, shuffled so far. */
static void draw_columns(struct isolation *isolation)
{
    uint32_t *columns = isolation->columns;
    for (size_t i = 0; i < isolation->n_columns; i++)
        columns[i] = (uint32_t)i;
    if (isolation->n_asked == isolation->n_columns)
        return;
    for (size_t i = 0; i < isolation->n_asked; i++) {
        size_t other = i + (size_t)rng_below(&isolation->rng, isolation->n_columns - i);
        uint32_t column = columns[i];
        columns[i] = columns[other];
        columns[other] = column;
    }
}

static void grow_tree(struct isolation *isolation, const struct isolation_rows *rows, size_t tree)
{
    struct forest *forest = isolation->forest;
    size_t root = forest->n_nodes++;
    isolation->rng = rng_part(isolation->options.seed, tree);
    draw_rows(isolation, rows);
    draw_columns(isolation);
    forest->roots[tree] = (uint32_t)root;
    isolation->spans[0] = (struct span){0, (uint32_t)isolation->n, 0};
    for (size_t at = root; at < forest->n_nodes; at++)
        grow_node(isolation, root, at);
}

static unsigned log2_up(size_t n)
{
    unsigned bits = 0;
    while ((size_t)1 << bits < n)
        bits++;
    return bits;
}

enum status isolation_fit(struct isolation *isolation, const struct isolation_rows *rows)
{
    const struct isolation_options *options = &isolation->options;
    if (rows->n == 0 || rows->n > UINT32_MAX)
        return ST_EINVAL;
    isolation->n = rows->n < options->samples ? rows->n : options->samples;
    isolation->deepest = log2_up(isolation->n > 2 ? isolation->n : 2);
    isolation->unit = isolation_path(isolation->n);
    isolation->forest->n_nodes = 0;
    for (size_t tree = 0; tree < options->trees; tree++)
        grow_tree(isolation, rows, tree);
    isolation->forest->n_trees = options->trees;
    return ST_OK;
}
