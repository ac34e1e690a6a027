/* How far the weights of each column moved between two saved models: columns by name, the linear,
 * logarithmic and binned weights of one taken together; crosses, each as a whole. What categories
 * weigh lies under hashes and is left out. */
#include <math.h>

#include "models/ftrl.h"
#include "models/moves.h"

/* Sums of squares. */
struct strength {
    double before, after, moved;
};

/* Weights of one column, or none. */
struct weights {
    const float *w;
    size_t n;
};

static struct weights row_of(const struct tensors *tensors, const char *part, size_t row)
{
    const struct tensor *tensor = tensors_get(tensors, part);
    if (!tensor || tensor->type != TENSOR_F32 || tensor->n_dims != 2 || row >= tensor->shape[0])
        return (struct weights){NULL, 0};
    size_t n = tensor->shape[1];
    return (struct weights){(const float *)tensor->data + row * n, n};
}

static struct weights all_of(const struct tensor *tensor)
{
    if (!tensor || tensor->type != TENSOR_F32)
        return (struct weights){NULL, 0};
    return (struct weights){tensor->data, tensor->n};
}

/* One that has another number of weights was another thing: all of both counts. */
static void add(struct weights before, struct weights after, struct strength *ret)
{
    bool same = before.n == after.n;
    double b = 0, a = 0, m = 0;
    for (size_t i = 0; i < before.n; i++)
        b += (double)before.w[i] * (double)before.w[i];
    for (size_t i = 0; i < after.n; i++)
        a += (double)after.w[i] * (double)after.w[i];
    for (size_t i = 0; same && i < after.n; i++)
        m += pow((double)after.w[i] - (double)before.w[i], 2);
    ret->before += b;
    ret->after += a;
    ret->moved += same ? m : a + b;
}

static void put(struct slice name, const struct strength *strength, struct moves *ret)
{
    moves_add(ret, name, sqrt(strength->before), sqrt(strength->after), sqrt(strength->moved));
}

/* Line i of the columns' names; false behind the last. */
static bool name_at(const char *columns, size_t i, struct slice *ret)
{
    for (; columns && *columns; i--) {
        size_t n = strcspn(columns, "\n");
        *ret = (struct slice){columns, n};
        if (i == 0)
            return true;
        columns += n + (columns[n] == '\n');
    }
    return false;
}

static size_t find_name(const char *columns, struct slice name)
{
    struct slice at;
    size_t i = 0;
    while (name_at(columns, i, &at) && !slice_eq(at, name))
        i++;
    return i;
}

static void compare_column(const struct tensors *before, const struct tensors *after,
                           struct slice name, struct moves *ret)
{
    static const char *const parts[] = {"linear.w", "log.w", "bins.w", "woe.w"};
    size_t was = find_name(tensors_text(before, "columns"), name);
    size_t is = find_name(tensors_text(after, "columns"), name);
    struct strength strength = {0};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        add(row_of(before, parts[i], was), row_of(after, parts[i], is), &strength);
    put(name, &strength, ret);
}

/* Those that are in `of`, and not in `but`; but NULL: all. */
static void compare_columns(const struct tensors *before, const struct tensors *after,
                            const struct tensors *of, const struct tensors *but, struct moves *ret)
{
    const char *names = tensors_text(of, "columns"),
               *known = but ? tensors_text(but, "columns") : "";
    struct slice name, other;
    for (size_t i = 0; name_at(names, i, &name); i++)
        if (!name_at(known, find_name(known, name), &other))
            compare_column(before, after, name, ret);
}

static bool is_cross(const struct tensor *tensor, struct slice *ret)
{
    static const char begin[] = "cross.";
    size_t n = strlen(tensor->name);
    if (strncmp(tensor->name, begin, sizeof begin - 1) != 0 ||
        strcmp(tensor->name + n - 2, ".w") != 0)
        return false;
    *ret = (struct slice){tensor->name + sizeof begin - 1, n - sizeof begin - 1};
    return true;
}

static void compare_crosses(const struct tensors *before, const struct tensors *after,
                            struct moves *ret)
{
    struct slice name;
    for (size_t i = 0; i < tensors_count(after); i++) {
        const struct tensor *tensor = tensors_at(after, i);
        struct strength strength = {0};
        if (!is_cross(tensor, &name))
            continue;
        add(all_of(tensors_get(before, tensor->name)), all_of(tensor), &strength);
        put(name, &strength, ret);
    }
}

enum status ftrl_compare(const struct tensors *before, const struct tensors *after,
                         struct moves *ret)
{
    compare_columns(before, after, after, NULL, ret);
    compare_columns(before, after, before, after, ret);
    compare_crosses(before, after, ret);
    moves_sort(ret);
    return ST_OK;
}
