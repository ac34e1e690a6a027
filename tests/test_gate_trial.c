/*
 * Tests of online/gate.h where versions are tried (canary.h).
 *
 * What is known without running it: the stable version is what was promoted before; confirmed, it
 * is the champion that goes on; rolled back, learner and champion are the stable one, weight for
 * weight; what is stored in between comes to the same; a person's choice is not tried.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "models/safetensors.h"
#include "online/gate.h"
#include "tests/gate_fixture.h"

enum { ROWS = 300, LOOKED_AT = 200 };

static enum status make(void *arg, struct model **ret)
{
    *ret = help_model(arg);
    return ST_OK;
}

static struct gated begin(void)
{
    struct gate_options options = small_gate();
    struct gated gated = gated_begin(&options);
    gated.tries = true;
    gate_set_make(gated.gate, make, "");
    return gated;
}

/* Few labels: all is promoted. */
static void live(struct gated *gated, uint64_t seed)
{
    struct help_rows rows = help_rows(ROWS, seed);
    cr_assert(eq(int, gated_hour(gated, rows.examples, ROWS, 50), VERDICT_PROMOTED));
    help_rows_done(&rows);
}

static uint64_t end_trial(struct gated *gated, uint32_t version, enum verdict verdict)
{
    uint64_t lost;
    struct decision decision = decision_unknown(version, 1);
    decision.verdict = verdict;
    decision.reason = verdict == VERDICT_CONFIRMED ? REASON_NOT_WORSE : REASON_DRIFT;
    cr_assert(eq(int, gate_end_trial(gated->gate, gated->learner, &decision, &lost), ST_OK));
    return lost;
}

/* 0: there is no trial. */
static uint32_t stable_version(struct gated *gated)
{
    uint32_t version;
    return gate_stable(gated->gate, &version) ? version : 0;
}

static uint32_t champion_version(struct gated *gated)
{
    uint32_t version;
    gate_champion(gated->gate, &version);
    return version;
}

/* What it says of some rows. */
struct says {
    float scores[LOOKED_AT];
};

static struct says says(const struct model *model)
{
    struct says ret;
    struct help_rows rows = help_rows(LOOKED_AT, 99);
    model->ops->score(model, rows.vectors, LOOKED_AT, ret.scores);
    help_rows_done(&rows);
    return ret;
}

static bool is_same(const struct model *model, const struct says *before)
{
    struct says now = says(model);
    return memcmp(&now, before, sizeof now) == 0;
}

Test(gate_trial, the_first_version_has_nothing_to_fall_back_to)
{
    struct gated gated = begin();
    live(&gated, 1);
    cr_expect(eq(u32, stable_version(&gated), 0));
    live(&gated, 2);
    cr_expect(eq(u32, stable_version(&gated), 1));
    gated_end(&gated);
}

Test(gate_trial, what_is_not_to_be_tried_is_not)
{
    struct gated gated = begin();
    gated.tries = false;
    for (uint64_t i = 1; i < 4; i++) {
        live(&gated, i);
        cr_expect(eq(u32, stable_version(&gated), 0));
    }
    gated_end(&gated);
}

Test(gate_trial, the_stable_version_is_what_was_promoted_before)
{
    struct gated gated = begin();
    uint32_t version;
    live(&gated, 1);
    struct says first = says(gated_serving(&gated));
    live(&gated, 2);
    struct says second = says(gated_serving(&gated));
    cr_expect(is_same(gate_stable(gated.gate, &version), &first));
    cr_expect(not(is_same(gate_stable(gated.gate, &version), &second)));
    gated_end(&gated);
}

Test(gate_trial, confirmed_the_version_goes_on)
{
    struct gated gated = begin();
    live(&gated, 1);
    live(&gated, 2);
    struct says second = says(gated.learner);
    cr_expect(eq(ulong, end_trial(&gated, 2, VERDICT_CONFIRMED), UINT64_MAX));
    cr_expect(eq(u32, stable_version(&gated), 0));
    cr_expect(eq(u32, champion_version(&gated), 2));
    cr_expect(is_same(gated.learner, &second));
    cr_expect(is_same(gated_serving(&gated), &second));
    live(&gated, 3);
    cr_expect(eq(u32, stable_version(&gated), 2));
    gated_end(&gated);
}

Test(gate_trial, rolled_back_all_is_the_stable_version_again)
{
    struct gated gated = begin();
    live(&gated, 1);
    struct says first = says(gated.learner);
    live(&gated, 2);
    struct help_rows rows = help_rows(ROWS, 3);
    gate_learn(gated.gate, gated.learner, rows.examples, ROWS);
    cr_expect(eq(ulong, end_trial(&gated, 2, VERDICT_ROLLED_BACK), 1), "what version 1 knew");
    cr_expect(eq(u32, champion_version(&gated), 1));
    cr_expect(eq(u32, stable_version(&gated), 0));
    cr_expect(is_same(gated.learner, &first));
    cr_expect(is_same(gated_serving(&gated), &first));
    const struct decision *last = gate_decision(gated.gate, gate_decisions(gated.gate) - 1);
    cr_expect(eq(int, (int)last->verdict, VERDICT_ROLLED_BACK));
    help_rows_done(&rows);
    gated_end(&gated);
}

/* It goes on as one that never learnt what the trial had. */
Test(gate_trial, rolled_back_it_learns_on_as_if_nothing_had_been)
{
    struct gated gated = begin(), other = begin();
    live(&gated, 1);
    live(&other, 1);
    live(&gated, 2);
    end_trial(&gated, 2, VERDICT_ROLLED_BACK);
    struct help_rows rows = help_rows(ROWS, 4);
    gate_learn(gated.gate, gated.learner, rows.examples, ROWS);
    gate_learn(other.gate, other.learner, rows.examples, ROWS);
    struct says there = says(other.learner);
    cr_expect(is_same(gated.learner, &there));
    help_rows_done(&rows);
    gated_end(&gated);
    gated_end(&other);
}

Test(gate_trial, the_end_of_another_versions_trial_is_none)
{
    struct gated gated = begin();
    live(&gated, 1);
    live(&gated, 2);
    size_t decisions = gate_decisions(gated.gate);
    end_trial(&gated, 1, VERDICT_ROLLED_BACK);
    end_trial(&gated, 3, VERDICT_ROLLED_BACK);
    cr_expect(eq(u32, stable_version(&gated), 1));
    cr_expect(eq(sz, gate_decisions(gated.gate), decisions));
    gated_end(&gated);
}

Test(gate_trial, what_a_person_promotes_is_not_tried)
{
    struct gated gated = begin();
    struct decision decision;
    live(&gated, 1);
    live(&gated, 2);
    struct gate_moment moment = {3, 5, 3, true};
    cr_assert(eq(int, gate_promote(gated.gate, gated.learner, &moment, &decision), ST_OK));
    cr_expect(eq(u32, stable_version(&gated), 0));
    cr_expect(eq(u32, champion_version(&gated), 3));
    gated_end(&gated);
}

/* ---- stored in the middle of it */

static struct gated reload(struct gated *gated, bool tries)
{
    struct gated loaded = begin();
    loaded.tries = tries;
    struct tensors *tensors = tensors_create();
    cr_assert(eq(int, gated->learner->ops->save(gated->learner, tensors), ST_OK));
    cr_assert(eq(int, gate_save(gated->gate, tensors), ST_OK));
    cr_assert(eq(int, loaded.learner->ops->load(loaded.learner, tensors), ST_OK));
    cr_assert(eq(int, gate_load(loaded.gate, loaded.learner, gated->version, tensors), ST_OK));
    loaded.version = gated->version;
    tensors_free(tensors);
    return loaded;
}

Test(gate_trial, stored_and_loaded_it_ends_the_same)
{
    for (int verdict = VERDICT_CONFIRMED; verdict <= VERDICT_ROLLED_BACK; verdict++) {
        struct gated gated = begin();
        live(&gated, 1);
        live(&gated, 2);
        struct gated loaded = reload(&gated, true);
        cr_expect(eq(u32, stable_version(&loaded), 1));
        cr_expect(eq(dbl, gate_limits(loaded.gate).psi_max, gate_limits(gated.gate).psi_max));
        uint64_t lost = end_trial(&gated, 2, (enum verdict)verdict);
        cr_expect(eq(ulong, end_trial(&loaded, 2, (enum verdict)verdict), lost));
        struct says learner = says(gated.learner), champion = says(gated_serving(&gated));
        cr_expect(is_same(loaded.learner, &learner));
        cr_expect(is_same(gated_serving(&loaded), &champion));
        cr_expect(eq(u32, champion_version(&loaded), champion_version(&gated)));
        gated_end(&gated);
        gated_end(&loaded);
    }
}

/* Whatever the configuration says by then. */
Test(gate_trial, one_that_was_begun_is_ended)
{
    struct gated gated = begin();
    live(&gated, 1);
    struct says first = says(gated.learner);
    live(&gated, 2);
    struct gated loaded = reload(&gated, false);
    cr_expect(eq(u32, stable_version(&loaded), 1));
    end_trial(&loaded, 2, VERDICT_ROLLED_BACK);
    cr_expect(is_same(loaded.learner, &first));
    live(&loaded, 3);
    cr_expect(eq(u32, stable_version(&loaded), 0));
    gated_end(&gated);
    gated_end(&loaded);
}

/* The world has changed, and each version that follows it scores elsewhere. */
Test(gate_trial, after_enough_of_them_limits_are_off)
{
    struct gated gated = begin();
    unsigned patience = small_gate().patience;
    live(&gated, 1);
    for (unsigned i = 0; i < patience; i++) {
        live(&gated, 2 + i);
        cr_expect(lt(dbl, gate_limits(gated.gate).psi_max, 100), "%u", i);
        end_trial(&gated, gated.version, VERDICT_ROLLED_BACK);
    }
    live(&gated, 99);
    cr_expect(eq(dbl, gate_limits(gated.gate).psi_max, INFINITY));
    end_trial(&gated, gated.version, VERDICT_CONFIRMED);
    live(&gated, 100);
    cr_expect(lt(dbl, gate_limits(gated.gate).psi_max, 100));
    gated_end(&gated);
}
