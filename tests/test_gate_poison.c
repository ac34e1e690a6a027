/*
 * Tests of online/gate.h: hours that must not reach what serves.
 *
 * Known without running it: each of these hours does a learner without a gate harm (which the test
 * checks first, or it would show nothing), and behind a gate what serves is no worse on examples
 * that nobody has learnt than before; that the learner then is the champion again, to the bit; and
 * that clean hours before and after are let through.
 */
#include "models/auc.h"
#include "online/gate.h"
#include "tests/gate_fixture.h"

enum { HOUR = 600, CLEAN_HOURS = 25, POISON_MAX = 60000, FRESH_ROWS = 8000 };

/* All hours, and rows to judge by that are in none of them. */
struct world {
    struct help_rows clean, unseen;
    struct gated gated;
};

static struct world world_begin(void)
{
    struct gate_options options = small_gate();
    struct world world = {help_rows((CLEAN_HOURS + 5) * HOUR, 21), help_rows(FRESH_ROWS, 22),
                          gated_begin(&options)};
    for (size_t hour = 0; hour < CLEAN_HOURS; hour++)
        cr_assert(eq(int,
                     (int)gated_hour(&world.gated, world.clean.examples + hour * HOUR, HOUR, 32),
                     VERDICT_PROMOTED),
                  "clean hour %zu: %s", hour,
                  decision_reason_text((enum decision_reason)world.gated.decision.reason));
    cr_assert(isfinite(world.gated.decision.difference), "labels were judged by");
    return world;
}

static void world_end(struct world *world)
{
    gated_end(&world->gated);
    help_rows_done(&world->clean);
    help_rows_done(&world->unseen);
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

static void expect_same_bits(const struct model *a, const struct model *b)
{
    struct tensors *of_a = tensors_create(), *of_b = tensors_create();
    struct buf x = {0}, y = {0};
    cr_assert(eq(int, a->ops->save(a, of_a), ST_OK));
    cr_assert(eq(int, b->ops->save(b, of_b), ST_OK));
    tensors_render(of_a, &x);
    tensors_render(of_b, &y);
    cr_expect(slice_eq(buf_slice(&x), buf_slice(&y)), "the learner is not the champion");
    tensors_free(of_a);
    tensors_free(of_b);
    buf_done(&x);
    buf_done(&y);
}

/* What an ungated learner in the same state would come to. */
static double auc_ungated(struct world *world, const struct example *rows, size_t n)
{
    struct model *copy = help_model("");
    cr_assert(eq(int, model_copy(world->gated.learner, copy), ST_OK));
    copy->ops->learn(copy, rows, n);
    double auc = auc_of(copy, &world->unseen);
    copy->ops->free(copy);
    return auc;
}

static void expect_clean_hours_pass(struct world *world)
{
    for (size_t hour = CLEAN_HOURS; hour < CLEAN_HOURS + 5; hour++)
        cr_expect(eq(int,
                     (int)gated_hour(&world->gated, world->clean.examples + hour * HOUR, HOUR, 32),
                     VERDICT_PROMOTED),
                  "clean again, hour %zu: %s", hour,
                  decision_reason_text((enum decision_reason)world->gated.decision.reason));
}

/* The hour is turned away, and leaves no trace. */
static void expect_refused(struct world *world, const struct example *rows, size_t n,
                           double harm_min)
{
    double before = auc_of(gated_serving(&world->gated), &world->unseen);
    double ungated = auc_ungated(world, rows, n);
    cr_assert(ungated < before - harm_min, "no harm without a gate: %g, %g", ungated, before);
    cr_expect(eq(int, (int)gated_hour(&world->gated, rows, n, 32), VERDICT_REFUSED), "%s",
              decision_reason_text((enum decision_reason)world->gated.decision.reason));
    cr_expect(eq(dbl, auc_of(gated_serving(&world->gated), &world->unseen), before));
    expect_same_bits(gated_serving(&world->gated), world->gated.learner);
    expect_clean_hours_pass(world);
}

Test(gate, an_hour_of_flipped_labels)
{
    struct world world = world_begin();
    struct help_rows poison = help_rows(HOUR, 99);
    for (size_t i = 0; i < HOUR; i++)
        poison.examples[i].label = 1 - poison.examples[i].label;
    expect_refused(&world, poison.examples, HOUR, 0.05);
    help_rows_done(&poison);
    world_end(&world);
}

Test(gate, an_hour_of_labels_that_mean_nothing)
{
    struct world world = world_begin();
    struct help_rows poison = help_rows(4 * HOUR, 98);
    for (size_t i = 0; i < poison.n; i++)
        poison.examples[i].label = i % 2;
    expect_refused(&world, poison.examples, poison.n, 0.01);
    help_rows_done(&poison);
    world_end(&world);
}

/* Missing numbers by themselves do ftrl little harm; the rule is about what it would learn of them.
 */
Test(gate, an_hour_without_features)
{
    struct world world = world_begin();
    struct help_rows poison = help_rows(HOUR, 97);
    for (size_t i = 0; i < HOUR; i++)
        poison.dense[i][0] = poison.dense[i][1] = NAN;
    double before = auc_of(gated_serving(&world.gated), &world.unseen);
    cr_expect(eq(int, (int)gated_hour(&world.gated, poison.examples, HOUR, 32), VERDICT_REFUSED));
    cr_expect(eq(dbl, world.gated.decision.reason, REASON_MISSING));
    cr_expect(epsilon_eq(dbl, world.gated.decision.missing, 1, 1e-9));
    cr_expect(eq(dbl, auc_of(gated_serving(&world.gated), &world.unseen), before));
    expect_clean_hours_pass(&world);
    help_rows_done(&poison);
    world_end(&world);
}

/* A hundred times an hour's events, all of one user, all alike but for small change. */
Test(gate, a_burst_of_one_entity)
{
    struct world world = world_begin();
    struct help_rows poison = help_rows(POISON_MAX, 96);
    for (size_t i = 0; i < poison.n; i++) {
        poison.dense[i][0] = 400 + (float)(i % 10);
        poison.dense[i][1] = 0.9f;
        poison.sparse[i][1].hash = 7 * 99991;
        poison.examples[i].label = 0;
    }
    expect_refused(&world, poison.examples, poison.n, 0.005);
    help_rows_done(&poison);
    world_end(&world);
}

/* Nothing is learnt: the next version is the same, and nothing is in the way of the one after it.
 */
Test(gate, an_empty_hour)
{
    struct world world = world_begin();
    double before = auc_of(gated_serving(&world.gated), &world.unseen);
    cr_expect(eq(int, (int)gated_hour(&world.gated, NULL, 0, 32), VERDICT_PROMOTED));
    cr_expect(eq(dbl, world.gated.decision.examples, 0));
    cr_expect(eq(dbl, world.gated.decision.difference, 0));
    cr_expect(eq(dbl, auc_of(gated_serving(&world.gated), &world.unseen), before));
    expect_clean_hours_pass(&world);
    world_end(&world);
}

/* What was not poison but a new world gets its chance: after `patience` refusals the examples
 * count, and then what serves follows them. */
Test(gate, a_new_world_is_followed_in_the_end)
{
    struct world world = world_begin();
    struct help_rows after = help_rows(120 * HOUR, 95), judged = help_rows(FRESH_ROWS, 94);
    size_t refused = 0;
    for (size_t i = 0; i < after.n; i++)
        after.examples[i].label = 1 - after.examples[i].label;
    for (size_t i = 0; i < judged.n; i++)
        judged.examples[i].label = 1 - judged.examples[i].label;
    for (size_t hour = 0; hour < 120; hour++)
        refused +=
            gated_hour(&world.gated, after.examples + hour * HOUR, HOUR, 32) == VERDICT_REFUSED;
    double auc = auc_of(gated_serving(&world.gated), &judged);
    cr_expect(refused >= small_gate().patience, "%zu refused", refused);
    cr_expect(auc > 0.6, "AUC in the new world: %g, %zu refused", auc, refused);
    help_rows_done(&after);
    help_rows_done(&judged);
    world_end(&world);
}
