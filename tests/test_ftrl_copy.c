/*
 * Tests of copy of `ftrl`, and of model_copy().
 *
 * Known without running it: a copy is the same learner: it saves to the same file, and both go on
 * to the same bits; however often, in whatever direction, and whatever was learnt or published
 * between.
 */
#include "models/model.h"
#include "tests/ftrl_help.h"

static void expect_same_learner(struct model *a, struct model *b)
{
    struct tensors *of_a = tensors_create(), *of_b = tensors_create();
    cr_assert(eq(int, a->ops->save(a, of_a), ST_OK));
    cr_assert(eq(int, b->ops->save(b, of_b), ST_OK));
    cr_assert(eq(sz, tensors_count(of_a), tensors_count(of_b)));
    for (size_t i = 0; i < tensors_count(of_a); i++) {
        const struct tensor *x = tensors_at(of_a, i), *y = tensors_at(of_b, i);
        size_t size = x->type == TENSOR_U8                             ? 1
                      : x->type == TENSOR_F32 || x->type == TENSOR_U32 ? 4
                                                                       : 8;
        cr_expect(x->n == y->n && memcmp(x->data, y->data, x->n * size) == 0, "%s", x->name);
    }
    tensors_free(of_a);
    tensors_free(of_b);
}

/* Two learners and a copy that scores, in the order in which a gate uses them. */
static void go_back_and_forth(const char *yaml)
{
    struct model *learner = help_model(yaml), *champion = help_model(yaml),
                 *scorer = help_model(yaml), *straight = help_model(yaml);
    struct help_rows rows = help_rows(6000, 9);
    for (size_t round = 0; round < 12; round++) {
        const struct example *part = rows.examples + round * 500;
        learner->ops->learn(learner, part, 500);
        if (round % 3 == 1) { /* what was learnt is taken back */
            cr_assert(eq(int, model_copy(champion, learner), ST_OK));
            expect_same_learner(champion, learner);
            learner->ops->learn(learner, part + 100, 200);
            straight->ops->learn(straight, part + 100, 200);
        } else {
            straight->ops->learn(straight, part, 500);
        }
        cr_assert(eq(int, model_copy(learner, champion), ST_OK));
        learner->ops->publish(learner, scorer);
        expect_same_learner(learner, champion);
        expect_same_learner(straight, champion);
        help_expect_same(scorer, champion, &rows);
    }
    help_rows_done(&rows);
    learner->ops->free(learner);
    champion->ops->free(champion);
    scorer->ops->free(scorer);
    straight->ops->free(straight);
}

Test(ftrl, a_copy_is_the_same_learner)
{
    go_back_and_forth("");
    go_back_and_forth("{admit: 1}");
    go_back_and_forth("{table: 64, expire: 1h}");
    for (size_t i = 0; i < HELP_WAYS; i++)
        go_back_and_forth(help_ways[i]);
}

/* A kind without a copy of its own is saved and loaded. */
Test(ftrl, is_copied_by_save_and_load_too)
{
    struct model_ops plain = *model_find_kind("ftrl");
    struct model *a = help_model(help_all_options), *b = help_model(help_all_options);
    struct help_rows rows = help_rows(2000, 2);
    a->ops->learn(a, rows.examples, rows.n);
    const struct model_ops *ops = a->ops;
    plain.copy = NULL;
    a->ops = &plain;
    cr_assert(eq(int, model_copy(a, b), ST_OK));
    a->ops = ops;
    expect_same_learner(a, b);
    help_rows_done(&rows);
    a->ops->free(a);
    b->ops->free(b);
}
