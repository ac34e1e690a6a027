/* How the trees of two saved models differ: the share of all splits that each column has. */
#include <math.h>
#include <stdlib.h>

#include "models/gbdt.h"
#include "models/moves.h"

struct splits {
    size_t n; /* columns */
    double *share;
};

static size_t count_names(const char *columns)
{
    size_t n = columns && *columns;
    for (; columns && *columns; columns++)
        n += *columns == '\n';
    return n;
}

static void count_splits(const struct forest *forest, struct splits *ret)
{
    double all = 0;
    for (size_t i = 0; i < forest->n_nodes; i++) {
        const struct forest_node *node = &forest->nodes[i];
        if (node->left == 0 || node->feature >> 1 >= ret->n)
            continue;
        ret->share[node->feature >> 1] += 1;
        all += 1;
    }
    for (size_t i = 0; i < ret->n && all > 0; i++)
        ret->share[i] /= all;
}

/* Without trees all shares are 0. */
static enum status read_splits(const struct tensors *tensors, struct splits *ret)
{
    const struct tensor *booster = tensors_get(tensors, "booster");
    struct forest *forest = NULL;
    struct buf why = {0};
    ret->n = count_names(tensors_text(tensors, "columns"));
    ret->share = calloc(ret->n + 1, sizeof *ret->share);
    if (!ret->share)
        return ST_ENOMEM;
    if (!booster || booster->n == 0)
        return ST_OK;
    enum status st = forest_read((struct slice){booster->data, booster->n}, &why, &forest);
    if (st == ST_OK)
        count_splits(forest, ret);
    forest_release(forest);
    buf_done(&why);
    return st;
}

static double share_of(const char *columns, const struct splits *splits, struct slice name)
{
    for (size_t i = 0; columns && *columns && i < splits->n; i++) {
        size_t n = strcspn(columns, "\n");
        if (slice_eq((struct slice){columns, n}, name))
            return splits->share[i];
        columns += n + (columns[n] == '\n');
    }
    return -1;
}

/* Columns of `at`; known: those that were listed already, NULL: none. */
static void list(const char *at, const char *known, const struct splits *known_splits,
                 const struct tensors *files[2], const struct splits splits[2], struct moves *ret)
{
    while (at && *at) {
        struct slice name = {at, strcspn(at, "\n")};
        double before = fmax(share_of(tensors_text(files[0], "columns"), &splits[0], name), 0);
        double after = fmax(share_of(tensors_text(files[1], "columns"), &splits[1], name), 0);
        if (!known || share_of(known, known_splits, name) < 0)
            moves_add(ret, name, before, after, fabs(after - before));
        at += name.len + (at[name.len] == '\n');
    }
}

enum status gbdt_compare(const struct tensors *before, const struct tensors *after,
                         struct moves *ret)
{
    const struct tensors *files[2] = {before, after};
    const char *was = tensors_text(before, "columns"), *is = tensors_text(after, "columns");
    struct splits splits[2] = {{0}, {0}};
    enum status st = read_splits(before, &splits[0]);
    if (st == ST_OK)
        st = read_splits(after, &splits[1]);
    if (st == ST_OK) {
        list(is, NULL, NULL, files, splits, ret);
        list(was, is ? is : "", &splits[1], files, splits, ret);
        moves_sort(ret);
    }
    free(splits[0].share);
    free(splits[1].share);
    return st;
}
