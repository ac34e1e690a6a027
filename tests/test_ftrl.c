/*
 * Tests of models/ftrl.h through models/model.h.
 *
 * Known without running it: the update of one weight on paper (exact answers); that a learner is a
 * function of the sequence of examples alone, so that cuts into batches, turns through a file and
 * publications change no bit, and the order of columns changes only rounding (laws); and that on
 * rows of a known logistic law it comes close to that law.
 */
#include "models/model.h"

#include "ftrl_help.h"

static float score_one(const struct model *model, const struct vector *vector)
{
    float p;
    model->ops->score(model, vector, 1, &p);
    return p;
}

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

Test(ftrl, batches_do_not_matter)
{
    struct model *whole = help_model(help_all_options), *cut = help_model(help_all_options);
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

Test(ftrl, a_published_copy_scores_as_the_learner)
{
    struct model *learner = help_model(help_all_options), *a = help_model(help_all_options),
                 *b = help_model(help_all_options);
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

/* The first half learnt, a turn through a file, the second half: as if nothing had been between. */
Test(ftrl, goes_on_from_a_file_bit_for_bit)
{
    struct model *straight = help_model(help_all_options), *before = help_model(help_all_options),
                 *after = help_model(help_all_options);
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
