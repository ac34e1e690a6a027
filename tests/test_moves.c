/*
 * Tests of models/moves.h and of what the kinds make of two files (model_ops.compare).
 *
 * What is known without running it: the distance between two lists of weights that were written
 * down here; nothing has moved from a file to itself; columns are found by their names, wherever
 * they stand, and one that comes or goes has moved by all that it weighs.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>

#include "models/model.h"

static struct tensors *saved(const char *columns, const float *linear, size_t n, const float *cross)
{
    struct tensors *tensors = tensors_create();
    tensors_put_text(tensors, "kind", "ftrl");
    tensors_put_text(tensors, "columns", columns);
    tensors_put(tensors, "linear.w", TENSOR_F32, (size_t[]){n, 2}, 2, linear);
    tensors_put(tensors, "cross.a*b.w", TENSOR_F32, (size_t[]){2}, 1, cross);
    return tensors;
}

static void expect(const struct moves *moves, size_t i, const char *name, double before,
                   double after, double moved)
{
    const struct move *move = moves_at(moves, i);
    cr_expect(eq(str, (char *)move->name, (char *)name));
    cr_expect(epsilon_eq(dbl, move->before, before, 1e-12), "%s before: %g", name, move->before);
    cr_expect(epsilon_eq(dbl, move->after, after, 1e-12), "%s after: %g", name, move->after);
    cr_expect(epsilon_eq(dbl, move->moved, moved, 1e-12), "%s moved: %g", name, move->moved);
}

Test(moves, of_ftrl_are_distances_of_weights)
{
    struct tensors *before =
        saved("a\nb\ngone", (const float[]){3, 4, 0, 1, 6, 8}, 3, (float[]){1, 0});
    struct tensors *after =
        saved("new\nb\na", (const float[]){0, 2, 0, 1, 3, 7}, 3, (float[]){1, 1});
    struct moves moves = {0};
    cr_assert(eq(int, model_find_kind("ftrl")->compare(before, after, &moves), ST_OK));
    cr_assert(eq(sz, moves_count(&moves), 5));
    expect(&moves, 0, "gone", 10, 0, 10);
    expect(&moves, 1, "a", 5, sqrt(58), 3);
    expect(&moves, 2, "new", 0, 2, 2);
    expect(&moves, 3, "a*b", 1, sqrt(2), 1);
    expect(&moves, 4, "b", 1, 1, 0);
    moves_done(&moves);
    tensors_free(before);
    tensors_free(after);
}

Test(moves, none_from_a_file_to_itself)
{
    struct tensors *file = saved("a\nb", (const float[]){3, 4, 0, 1}, 2, (float[]){1, 0});
    struct moves moves = {0};
    cr_assert(eq(int, model_find_kind("ftrl")->compare(file, file, &moves), ST_OK));
    for (size_t i = 0; i < moves_count(&moves); i++)
        cr_expect(eq(dbl, moves_at(&moves, i)->moved, 0));
    moves_done(&moves);
    tensors_free(file);
}

Test(moves, a_file_without_columns_has_none)
{
    struct tensors *none = tensors_create();
    struct moves moves = {0};
    cr_assert(eq(int, model_find_kind("ftrl")->compare(none, none, &moves), ST_OK));
    cr_expect(eq(sz, moves_count(&moves), 0));
    cr_assert(eq(int, model_find_kind("gbdt")->compare(none, none, &moves), ST_OK));
    cr_expect(eq(sz, moves_count(&moves), 0));
    moves_done(&moves);
    tensors_free(none);
}
