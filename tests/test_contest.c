/*
 * Tests of online/contest.h: who takes over from whom.
 *
 * Known without running it: the verdict on scores that are right, wrong, the same, no numbers, or
 * elsewhere; that figures are those of DeLong's test on the rows that both have, and on no others;
 * and that few positives decide nothing.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "models/delong.h"
#include "online/contest.h"
#include "tests/contest_fixture.h"

/* Verdicts. */

struct verdict_case {
    char name[32];
    size_t champion, challenger;
    int verdict, reason;
};

ParameterizedTestParameters(contest, what_comes_of_scores)
{
    static struct verdict_case cases[] = {
        {"better", FAIR, GOOD, VERDICT_PROMOTED, REASON_BETTER},
        {"the same", FAIR, FAIR, VERDICT_HELD, REASON_NOT_BETTER},
        {"worse", GOOD, FAIR, VERDICT_HELD, REASON_NOT_BETTER},
        {"no number", FAIR, BROKEN, VERDICT_REFUSED, REASON_NOT_A_NUMBER},
        {"better, and elsewhere", FAIR, MOVED, VERDICT_REFUSED, REASON_DRIFT},
    };
    return cr_make_param_array(struct verdict_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct verdict_case *c, contest, what_comes_of_scores)
{
    static struct log log;
    struct duel duel = begin();
    fill(&log, 1000);
    see(&duel, OLD, c->champion, &log, ROWS);
    see(&duel, NEW, c->challenger, &log, ROWS);
    meet(&duel, OLD, 5);
    cr_expect(eq(u32, contest_newest(duel.contest, NEW).version, 0), "one alone decides nothing");
    meet(&duel, NEW, 5);
    struct contest_verdict verdict = contest_newest(duel.contest, NEW);
    struct contest_decision made = newest(&duel);
    cr_expect(eq(u32, verdict.version, 5));
    cr_expect(eq(u32, verdict.rival, OLD));
    cr_expect(eq(int, verdict.takes_over, c->verdict == VERDICT_PROMOTED), "%s", c->name);
    cr_expect(eq(int, (int)made.decision.verdict, c->verdict), "%s", c->name);
    cr_expect(eq(int, (int)made.decision.reason, c->reason), "%s: %s", c->name,
              decision_reason_text((enum decision_reason)made.decision.reason));
    cr_expect(eq(str, made.champion, "old"));
    cr_expect(eq(dbl, made.decision.champion, 40), "the version that served");
    cr_expect(eq(dbl, made.decision.version, 5));
    cr_expect(eq(dbl, made.decision.time, 7));
    end(&duel);
}

/* Known answer: the newest sixty positives that both have, and the negatives since the first of
 * them. */
Test(contest, figures_are_delongs_on_the_rows_that_both_have)
{
    static struct log log;
    static struct sighting rows[2][2][ROWS];
    static float scores[2][ROWS], labels[ROWS];
    struct contender_half halves[2] = {0};
    struct contest_options options = limits();
    options.positives_max = 60;
    size_t n = 0;
    fill(&log, 0);
    for (size_t i = 0; i < ROWS; i++) {
        bool one = log.rows[i].label > 0, common = i % 7 != 3 && i % 11 != 4;
        for (size_t who = 0; who < 2; who++) {
            struct contender_half *half = &halves[who];
            half->rows[one] = rows[who][one];
            if (who == 0 ? i % 7 == 3 : i % 11 == 4)
                continue; /* this one does not have it */
            half->rows[one][half->n[one]++] =
                (struct sighting){i, log.dense[i][who == 0 ? FAIR : GOOD], one, 1, one ? 1 : 4};
        }
        if (!common)
            continue;
        scores[0][n] = log.dense[i][FAIR];
        scores[1][n] = log.dense[i][GOOD];
        labels[n++] = one;
    }
    size_t positives = 0, from = n;
    while (from > 0 && positives < options.positives_max)
        positives += labels[--from] > 0;
    cr_assert(from > 0 && positives == options.positives_max);
    struct delong expected;
    struct decision decision = {.version = 1};
    cr_assert(eq(
        int, delong_compare(scores[0] + from, scores[1] + from, labels + from, n - from, &expected),
        ST_OK));
    cr_assert(eq(int, contest_judge(&halves[1], &halves[0], &options, &decision), ST_OK));
    cr_expect(eq(dbl, decision.positives, (double)positives));
    cr_expect(eq(dbl, decision.negatives, (double)(n - from - positives)));
    cr_expect(epsilon_eq(dbl, decision.champion_auc, expected.auc[0], 1e-12));
    cr_expect(epsilon_eq(dbl, decision.candidate_auc, expected.auc[1], 1e-12));
    cr_expect(epsilon_eq(dbl, decision.p, expected.p, 1e-12));
}

Test(contest, with_few_positives_nobody_takes_over)
{
    static struct log log;
    struct duel duel = begin();
    struct contest_options options = limits();
    options.positives_min = 100 + ROWS / 5;
    contest_add_model(duel.contest, NEW, "new", &options);
    fill(&log, 0);
    see(&duel, OLD, FAIR, &log, ROWS);
    see(&duel, NEW, GOOD, &log, ROWS);
    meet(&duel, NEW, 1);
    meet(&duel, OLD, 1);
    struct contest_decision made = newest(&duel);
    cr_expect(eq(int, (int)made.decision.verdict, VERDICT_HELD));
    cr_expect(eq(int, (int)made.decision.reason, REASON_FEW));
    cr_expect(isnan(made.decision.p));
    end(&duel);
}

/* Four times as many above the champion's one in a hundred, though in a better order. */
Test(contest, who_alerts_far_more_often_does_not_take_over)
{
    static struct log log;
    struct duel duel = begin();
    struct contest_options options = limits();
    options.psi_max = 1e9;
    contest_add_model(duel.contest, NEW, "new", &options);
    fill(&log, 0);
    see(&duel, OLD, FAIR, &log, ROWS);
    see(&duel, NEW, MOVED, &log, ROWS);
    meet(&duel, NEW, 1);
    meet(&duel, OLD, 1);
    struct contest_decision made = newest(&duel);
    cr_expect(eq(int, (int)made.decision.verdict, VERDICT_REFUSED));
    cr_expect(eq(int, (int)made.decision.reason, REASON_ALERTS));
    end(&duel);
}
