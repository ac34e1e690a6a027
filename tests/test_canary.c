/*
 * Tests of online/canary.h and online/canary_share.h.
 *
 * What is known without running it: a share of the entities is that share of many, other ones for
 * each version, and a larger one holds the smaller; two versions that score alike are no harm
 * whatever is counted; one that scores otherwise is, for the reason that was planted; a trial that
 * is stored and read again is the same.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include <math.h>
#include <stdio.h>

#include "base/rng.h"
#include "online/canary_share.h"

static struct key128 card(uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return hash_entity(slice_of("CARD"), slice_of(text));
}

/* ---- shares */

enum { CARDS = 20000 };

static size_t count_in(uint32_t version, double share)
{
    size_t n = 0;
    for (uint64_t i = 0; i < CARDS; i++)
        n += canary_has(card(i), version, share);
    return n;
}

TheoryDataPoints(canary, a_share_of_many_is_that_share) = {
    DataPoints(double, 0.01, 0.1, 0.5, 0.9),
    DataPoints(uint32_t, 1, 2, 77),
};

Theory((double share, uint32_t version), canary, a_share_of_many_is_that_share)
{
    double wanted = share * CARDS, deviation = sqrt(CARDS * share * (1 - share));
    cr_expect(lt(dbl, fabs((double)count_in(version, share) - wanted), 4 * deviation));
}

Test(canary, no_share_is_nobodys_and_nobody_is_in_none)
{
    cr_expect(eq(sz, count_in(3, 0), 0));
    cr_expect(not(canary_has((struct key128){0, 0}, 3, 0.9)));
}

Test(canary, a_larger_share_holds_the_smaller_one)
{
    for (uint64_t i = 0; i < CARDS; i++)
        if (canary_has(card(i), 5, 0.1))
            cr_assert(canary_has(card(i), 5, 0.2));
}

Test(canary, each_version_has_entities_of_its_own)
{
    size_t both = 0;
    for (uint64_t i = 0; i < CARDS; i++)
        both += canary_has(card(i), 8, 0.1) && canary_has(card(i), 9, 0.1);
    cr_expect(lt(dbl, fabs((double)both - 0.01 * CARDS), 4 * sqrt(0.01 * CARDS)), "%zu", both);
}

Test(canary, events_are_told_by_the_first_entity_of_the_kind)
{
    const struct field fields[] = {{"AMOUNT", FIELD_NUMBER, NULL},
                                   {"FROM", FIELD_ENTITY, "ACCOUNT"},
                                   {"TO", FIELD_ENTITY, "ACCOUNT"}};
    const struct stream streams[] = {{.name = "notes", .n_fields = 1, .fields = fields},
                                     {.name = "payments", .n_fields = 3, .fields = fields}};
    const struct schema schema = {.n_streams = 2, .streams = streams};
    struct canary_share share =
        canary_share_of(&schema, "ACCOUNT", 0.5, &(struct canary_options){0});
    for (uint64_t i = 0; i < 100; i++) {
        const union value values[] = {{.number = 1}, {.entity = card(i)}, {.entity = card(i + 1)}};
        struct event event = {.stream = 1, .values = values};
        cr_expect(eq(int, canary_share_has(&share, &event, 4), canary_has(card(i), 4, 0.5)));
        event.stream = 0;
        cr_expect(not(canary_share_has(&share, &event, 4)));
    }
}

/* ---- verdicts */

enum { HOUR = 3600 };

static struct canary tried(uint32_t rows_min)
{
    struct canary canary;
    canary_expect(&canary, 0, &(struct canary_options){.lasts = HOUR, .rows_min = rows_min});
    canary_begin(&canary, 7, 6, &(struct canary_limits){0.005, 0.5, 4});
    return canary;
}

static struct decision verdict_of(const struct canary *canary)
{
    struct decision decision = {.version = 7, .time = HOUR};
    canary_judge(canary, &decision);
    cr_expect(decision_is_sound(&decision));
    cr_expect(eq(dbl, decision.champion, 6));
    return decision;
}

static void expect_harm(const struct canary *canary, enum decision_reason reason)
{
    struct decision decision = verdict_of(canary);
    cr_expect(eq(int, (int)decision.verdict, VERDICT_ROLLED_BACK));
    cr_expect(eq(int, (int)decision.reason, reason), "%s",
              decision_reason_text((enum decision_reason)decision.reason));
}

static void expect_none(const struct canary *canary, enum decision_reason reason)
{
    struct decision decision = verdict_of(canary);
    cr_expect(eq(int, (int)decision.verdict, VERDICT_CONFIRMED), "%s",
              decision_reason_text((enum decision_reason)decision.reason));
    cr_expect(eq(int, (int)decision.reason, reason));
}

/* Log-odds about -4, as of rare fraud. */
static float rare(struct rng *rng)
{
    double z = 0;
    for (int i = 0; i < 12; i++)
        z += rng_uniform(rng);
    return (float)(1 / (1 + exp(4 - (z - 6) * 1.2)));
}

static float shifted(float score, double by)
{
    return (float)(1 / (1 + exp(-(log((double)score / (1 - (double)score)) + by))));
}

Test(canary, what_scores_alike_is_confirmed_however_little_came)
{
    struct rng rng = rng_of(1);
    struct canary canary = tried(200);
    expect_none(&canary, REASON_FEW_ROWS);
    for (size_t i = 0; i < 3000; i++) {
        float score = rare(&rng);
        canary_count(&canary, score, score);
        expect_none(&canary, i < 199 ? REASON_FEW_ROWS : REASON_NOT_WORSE);
    }
}

Test(canary, a_little_noise_is_no_harm)
{
    struct rng rng = rng_of(2);
    struct canary canary = tried(200);
    for (size_t i = 0; i < 5000; i++) {
        float score = rare(&rng);
        canary_count(&canary, score, shifted(score, rng_uniform(&rng) - 0.5));
    }
    expect_none(&canary, REASON_NOT_WORSE);
}

Test(canary, a_score_that_is_no_number_is_harm_at_once)
{
    struct canary canary = tried(200);
    canary_count(&canary, 0.1f, NAN);
    expect_harm(&canary, REASON_NOT_A_NUMBER);
}

Test(canary, where_neither_knows_a_number_it_is_not_the_trials_fault)
{
    struct canary canary = tried(1);
    canary_count(&canary, NAN, NAN);
    canary_count(&canary, 0.1f, 0.1f);
    expect_none(&canary, REASON_NOT_WORSE);
}

Test(canary, scores_that_lie_elsewhere_are_harm)
{
    struct rng rng = rng_of(3);
    struct canary canary = tried(200);
    for (size_t i = 0; i < 400; i++) {
        float score = rare(&rng);
        canary_count(&canary, score, shifted(score, 2));
    }
    expect_harm(&canary, REASON_DRIFT);
}

Test(canary, unless_the_gate_allowed_them_to)
{
    struct rng rng = rng_of(3);
    struct canary canary = tried(200);
    canary.limits.psi_max = canary.limits.alerts_ratio_max = INFINITY;
    for (size_t i = 0; i < 400; i++) {
        float score = rare(&rng);
        canary_count(&canary, score, shifted(score, 2));
    }
    expect_none(&canary, REASON_NOT_WORSE);
}

/* One in twenty of the quiet ones becomes an alert: PSI alone would let that pass. */
Test(canary, alerts_many_times_as_often_are_harm)
{
    struct rng rng = rng_of(4);
    struct canary canary = tried(200);
    canary.limits.psi_max = INFINITY;
    for (size_t i = 0; i < 4000; i++) {
        float score = rare(&rng);
        canary_count(&canary, score, i % 10 == 0 ? 0.9f : score);
    }
    expect_harm(&canary, REASON_ALERTS);
}

static void count_labels(struct canary *canary, double stable_worth, double trial_worth)
{
    struct rng rng = rng_of(5);
    for (size_t i = 0; i < 4000; i++) {
        bool trial = i % 2, positive = rng_below(&rng, 10) == 0;
        double worth = trial ? trial_worth : stable_worth;
        float score = shifted(rare(&rng), positive ? worth : 0);
        canary_count_label(canary, 1 + (int64_t)i, trial ? 7 : 6, score, positive);
    }
}

Test(canary, ranks_that_are_worse_beyond_chance_are_harm)
{
    struct canary canary = tried(200);
    count_labels(&canary, 2, 0.2);
    expect_harm(&canary, REASON_WORSE);
    struct decision decision = verdict_of(&canary);
    cr_expect(gt(dbl, decision.champion_auc, decision.candidate_auc + 0.1));
    cr_expect(lt(dbl, decision.upper, 0));
}

Test(canary, ranks_that_are_as_good_are_not)
{
    struct canary canary = tried(200);
    count_labels(&canary, 1, 1);
    struct decision decision = verdict_of(&canary);
    cr_expect(eq(int, (int)decision.verdict, VERDICT_CONFIRMED));
    cr_expect(lt(dbl, fabs(decision.difference), 0.1));
    cr_expect(lt(dbl, decision.lower, 0));
    cr_expect(gt(dbl, decision.upper, 0));
}

/* Four pairs, three of them in order and one tie: 3.5 of 4. */
Test(canary, an_area_of_a_few_is_counted_by_hand)
{
    struct canary canary = tried(1);
    for (int arm = 6; arm <= 7; arm++) {
        canary_count_label(&canary, 1, (uint32_t)arm, 0.1f, 0);
        canary_count_label(&canary, 1, (uint32_t)arm, 0.5f, 0);
        canary_count_label(&canary, 1, (uint32_t)arm, 0.5f, 1);
        canary_count_label(&canary, 1, (uint32_t)arm, 0.9f, 1);
    }
    struct decision decision = verdict_of(&canary);
    cr_expect(epsilon_eq(dbl, decision.candidate_auc, 3.5 / 4, 1e-12));
    cr_expect(epsilon_eq(dbl, decision.champion_auc, 3.5 / 4, 1e-12));
}

Test(canary, labels_of_other_versions_and_of_before_are_not_counted)
{
    struct canary canary = tried(1);
    canary_count_label(&canary, 1, 5, 0.5f, 1);
    canary_count_label(&canary, 0, 7, 0.5f, 1);
    canary_count_label(&canary, -1, 6, 0.5f, 1);
    struct decision decision = verdict_of(&canary);
    cr_expect(eq(dbl, decision.positives, 0));
}

Test(canary, a_tighter_limit_than_the_gates_holds)
{
    struct canary canary;
    canary_expect(&canary, 0, &(struct canary_options){HOUR, 1, 0.1});
    canary_begin(&canary, 2, 1, &(struct canary_limits){0.005, 1.5, 4});
    cr_expect(eq(dbl, canary.limits.psi_max, 0.1));
    canary_begin(&canary, 2, 1, &(struct canary_limits){0.005, 0.05, 4});
    cr_expect(eq(dbl, canary.limits.psi_max, 0.05));
}

Test(canary, labels_of_another_models_scores_are_not_counted)
{
    struct canary canary = tried(200);
    count_labels(&canary, 2, 0.2);
    canary_forget_labels(&canary);
    count_labels(&canary, 2, 0.2);
    expect_none(&canary, REASON_FEW_ROWS);
}

Test(canary, one_that_nobody_saw_the_end_of_is_rolled_back)
{
    struct canary canary;
    canary_condemn(&canary, 7, 6);
    expect_harm(&canary, REASON_AWAY);
}

/* ---- storing */

static bool same(const struct canary *a, const struct canary *b)
{
    struct buf one = {0}, other = {0};
    canary_encode(a, &one);
    canary_encode(b, &other);
    bool same = slice_eq(buf_slice(&one), buf_slice(&other));
    buf_done(&one);
    buf_done(&other);
    return same;
}

Test(canary, what_is_stored_is_read_again)
{
    struct canary canary = tried(20), read;
    canary_count(&canary, 0.2f, 0.3f);
    count_labels(&canary, 1, 1);
    struct buf stored = {0};
    canary_encode(&canary, &stored);
    struct reader in = reader_of(buf_slice(&stored));
    canary_decode(&in, &read);
    cr_expect(reader_done(&in));
    cr_expect(same(&canary, &read));
    struct decision a = verdict_of(&canary), b = verdict_of(&read);
    cr_expect(eq(int, memcmp(&a, &b, sizeof a), 0));
    for (size_t cut = 0; cut < stored.len; cut++) {
        in = reader_of((struct slice){stored.data, cut});
        canary_decode(&in, &read);
        cr_assert(not(reader_done(&in)), "cut at %zu", cut);
    }
    buf_done(&stored);
}

static bool is_read(const struct canary *canary)
{
    struct canary read;
    struct buf stored = {0};
    canary_encode(canary, &stored);
    struct reader in = reader_of(buf_slice(&stored));
    canary_decode(&in, &read);
    bool is = reader_done(&in);
    buf_done(&stored);
    return is;
}

/* Looks would never come to an end. */
Test(canary, times_that_are_none_are_refused)
{
    struct canary canary = tried(20), bad = canary;
    cr_expect(is_read(&canary));
    bad.until = bad.from + CANARY_LOOKS - 1;
    cr_expect(not(is_read(&bad)));
    bad = canary;
    bad.look_next = bad.until + 1;
    cr_expect(not(is_read(&bad)));
    bad = canary;
    bad.until = INT64_MAX;
    cr_expect(not(is_read(&bad)));
    canary_condemn(&bad, 7, 6);
    cr_expect(is_read(&bad));
}

Test(canary, no_trial_is_one_byte)
{
    struct canary none = {0}, read;
    struct buf stored = {0};
    canary_encode(&none, &stored);
    cr_expect(eq(sz, stored.len, 1));
    struct reader in = reader_of(buf_slice(&stored));
    canary_decode(&in, &read);
    cr_expect(reader_done(&in));
    cr_expect(not(read.expected));
    buf_done(&stored);
}
