/* Trees as XGBoost writes them, laid out anew. */
#include <math.h>
#include <stdlib.h>

#include "base/number.h"
#include "models/forest.h"
#include "models/ubjson.h"

/* More nodes than any model of use has; indexes fit into 32 bits with room to spare. */
#define NODES_MAX (UINT64_C(1) << 28)

struct tree {
    const struct ubjson *left, *right, *feature, *threshold, *default_left, *split_type, *hessian;
    size_t n;
};

static const struct ubjson *numbers(const struct ubjson *tree, const char *name, size_t *n)
{
    static const struct ubjson none = {.type = UBJSON_NUMBERS, .element = 'U'};
    const struct ubjson *found = ubjson_get(tree, name);
    /* An empty array has no type. */
    if (found && found->type == UBJSON_ARRAY && found->n == 0)
        found = &none;
    if (!found || found->type != UBJSON_NUMBERS)
        return NULL;
    if (*n == 0)
        *n = found->n;
    return found->n == *n ? found : NULL;
}

static bool open_tree(const struct ubjson *value, struct tree *ret)
{
    struct tree tree = {.n = 0};
    tree.left = numbers(value, "left_children", &tree.n);
    tree.right = numbers(value, "right_children", &tree.n);
    tree.feature = numbers(value, "split_indices", &tree.n);
    tree.threshold = numbers(value, "split_conditions", &tree.n);
    tree.default_left = numbers(value, "default_left", &tree.n);
    tree.split_type = numbers(value, "split_type", &tree.n);
    tree.hessian = numbers(value, "sum_hessian", &tree.n);
    *ret = tree;
    return tree.left && tree.right && tree.feature && tree.threshold && tree.default_left &&
           tree.split_type && tree.hessian && tree.n > 0;
}

/* A tree being laid out: its nodes in the new order, level by level. */
struct layout {
    struct forest *forest;
    const struct tree *tree;
    uint32_t *order; /* place in the tree, of each node from the tree's first on */
    size_t n, first;
};

/* False if the node is none of this forest's. */
static bool place_node(struct layout *layout, size_t i)
{
    const struct tree *tree = layout->tree;
    struct forest *forest = layout->forest;
    size_t old = layout->order[i];
    double left = ubjson_number(tree->left, old), right = ubjson_number(tree->right, old);
    double feature = ubjson_number(tree->feature, old);
    struct forest_node *node = &forest->nodes[layout->first + i];
    *node = (struct forest_node){.threshold = (float)ubjson_number(tree->threshold, old)};
    if (left == -1 && right == -1)
        return !isnan(node->threshold);
    double n = (double)tree->n;
    if (!(left > 0 && left < n && right > 0 && right < n && layout->n + 2 <= tree->n) ||
        !(feature >= 0 && feature < (double)forest->n_features) ||
        ubjson_number(tree->split_type, old) != 0)
        return false;
    node->feature = (uint32_t)feature * 2 + (ubjson_number(tree->default_left, old) != 0);
    node->left = (uint32_t)(layout->first + layout->n);
    layout->order[layout->n++] = (uint32_t)left;
    layout->order[layout->n++] = (uint32_t)right;
    return true;
}

/* From the leaves up: children come behind their parents. */
static void find_means(struct layout *layout, double *hessians)
{
    struct forest *forest = layout->forest;
    for (size_t i = layout->n; i-- > 0;) {
        const struct forest_node *node = &forest->nodes[layout->first + i];
        float *mean = &forest->means[layout->first + i];
        hessians[i] = fmax(ubjson_number(layout->tree->hessian, layout->order[i]), 0);
        *mean = node->threshold;
        if (!node->left)
            continue;
        size_t left = node->left - layout->first;
        double a = hessians[left], b = hessians[left + 1], sum = a + b;
        double share = sum > 0 ? a / sum : 0.5;
        *mean = (float)(share * (double)forest->means[node->left] +
                        (1 - share) * (double)forest->means[node->left + 1]);
        hessians[i] = sum;
    }
}

static enum status lay_out(struct forest *forest, const struct tree *tree)
{
    struct layout layout = {.forest = forest, .tree = tree, .n = 1, .first = forest->n_nodes};
    double *hessians = calloc(tree->n, sizeof *hessians);
    layout.order = calloc(tree->n, sizeof *layout.order);
    bool sound = true;
    if (layout.order && hessians) {
        for (size_t i = 0; sound && i < layout.n; i++)
            sound = place_node(&layout, i);
        if (sound)
            find_means(&layout, hessians);
    }
    enum status st = !layout.order || !hessians ? ST_ENOMEM : sound ? ST_OK : ST_ECORRUPT;
    forest->roots[forest->n_trees++] = (uint32_t)layout.first;
    forest->n_nodes += layout.n;
    free(layout.order);
    free(hessians);
    return st;
}

/* All trees; the arrays have room for them. */
static enum status read_trees(struct forest *forest, const struct ubjson *trees)
{
    size_t nodes = 0;
    for (const struct ubjson *value = trees->first; value; value = value->next) {
        struct tree tree;
        if (!open_tree(value, &tree) || (nodes += tree.n) > NODES_MAX)
            return ST_ECORRUPT;
    }
    forest->roots = calloc(trees->n + 1, sizeof *forest->roots);
    forest->nodes = calloc(nodes + 1, sizeof *forest->nodes);
    forest->means = calloc(nodes + 1, sizeof *forest->means);
    if (!forest->roots || !forest->nodes || !forest->means)
        return ST_ENOMEM;
    forest->bias = (double)forest->base;
    for (const struct ubjson *value = trees->first; value; value = value->next) {
        struct tree tree;
        open_tree(value, &tree);
        TRY(lay_out(forest, &tree));
        forest->bias += (double)forest->means[forest->roots[forest->n_trees - 1]];
    }
    return ST_OK;
}

/* Parameters are numbers as texts. */
static bool parameter(const struct ubjson *object, const char *name, double *ret)
{
    const struct ubjson *found = ubjson_get(object, name);
    return found && found->type == UBJSON_TEXT && number_to_double(found->text, ret) == ST_OK;
}

static bool is_text(const struct ubjson *value, const char *text)
{
    return value && value->type == UBJSON_TEXT && slice_eq(value->text, slice_of(text));
}

/* base_score is a probability, but for the objective whose scores are logits. */
static enum status read_objective(const struct ubjson *learner, struct forest *forest,
                                  struct buf *why)
{
    const struct ubjson *params = ubjson_get(learner, "learner_model_param");
    const struct ubjson *name = ubjson_get(ubjson_get(learner, "objective"), "name");
    double base, classes = 0, features;
    if (!parameter(params, "base_score", &base) || !parameter(params, "num_feature", &features) ||
        !(features >= 0 && features < 1e6)) {
        buf_text(why, "it lacks its parameters");
        return ST_ECORRUPT;
    }
    bool raw = is_text(name, "binary:logitraw");
    if ((!raw && !is_text(name, "binary:logistic") && !is_text(name, "reg:logistic")) ||
        (parameter(params, "num_class", &classes) && classes > 1)) {
        buf_text(why, "it is no binary classifier: its objective must be binary:logistic");
        return ST_EINVAL;
    }
    if (!raw && !(base > 0 && base < 1)) {
        buf_text(why, "its base_score is no probability");
        return ST_ECORRUPT;
    }
    forest->n_features = (size_t)features;
    forest->base = raw ? (float)base : -logf(1.0f / (float)base - 1.0f);
    return ST_OK;
}

static enum status read_names(const struct ubjson *learner, struct forest *forest)
{
    const struct ubjson *names = ubjson_get(learner, "feature_names");
    if (!names || names->type != UBJSON_ARRAY || names->n == 0)
        return ST_OK;
    if (names->n != forest->n_features)
        return ST_ECORRUPT;
    forest->names = calloc(names->n, sizeof *forest->names);
    size_t i = 0;
    for (const struct ubjson *name = names->first; name && forest->names; name = name->next) {
        if (name->type != UBJSON_TEXT)
            return ST_ECORRUPT;
        forest->names[i] = strndup(name->text.data ? name->text.data : "", name->text.len);
        if (!forest->names[i++])
            return ST_ENOMEM;
    }
    return forest->names ? ST_OK : ST_ENOMEM;
}

static enum status read_model(const struct ubjson *root, struct buf *why, struct forest *forest)
{
    const struct ubjson *learner = ubjson_get(root, "learner");
    const struct ubjson *booster = ubjson_get(learner, "gradient_booster");
    const struct ubjson *trees = ubjson_get(ubjson_get(booster, "model"), "trees");
    TRY(read_objective(learner, forest, why));
    if (!is_text(ubjson_get(booster, "name"), "gbtree")) {
        buf_text(why, "its booster must be gbtree");
        return ST_EINVAL;
    }
    enum status st = trees && trees->type == UBJSON_ARRAY ? ST_OK : ST_ECORRUPT;
    if (st == ST_OK)
        st = read_names(learner, forest);
    if (st == ST_OK)
        st = read_trees(forest, trees);
    if (st == ST_ECORRUPT)
        buf_text(why, "its trees are not sound, or have categorical splits");
    return st;
}

enum status forest_read(struct slice ubjson, struct buf *why, struct forest **ret)
{
    struct forest *forest = calloc(1, sizeof *forest);
    if (!forest)
        return ST_ENOMEM;
    forest->holders = 1;
    const struct ubjson *root = NULL;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    enum status st = ubjson_read(ubjson, &arena, &root);
    if (st < 0)
        buf_text(why, "it is no UBJSON");
    else
        st = read_model(root, why, forest);
    arena_done(&arena);
    if (st < 0)
        forest_release(forest);
    else
        *ret = forest;
    return st;
}
