/*
 * Tests of online/contest.h and online/contender.h: who takes over from whom.
 *
 * Known without running it: the verdict on scores that are right, wrong, the same, no numbers, or
 * elsewhere; that figures are those of DeLong's test on the rows that both have, and on no others;
 * that it makes no difference which of the two comes first, how the log is cut into batches, or
 * whether a trainer's memory is that of a file; and that the newest contest is always decided.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdlib.h>

#include "models/delong.h"
#include "online/contest.h"

enum { ROWS = 600, OLD = 0, NEW = 1 };

static double noise(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*seed >> 40) / (double)(1 << 24);
}

/* A model that says what a column says; learning nothing. */

struct column_model {
    struct model head;
    size_t column;
};

static void column_score(const struct model *model, const struct vector *rows, size_t n, float *ret)
{
    const struct column_model *own = (const struct column_model *)(const void *)model;
    for (size_t i = 0; i < n; i++)
        ret[i] = rows[i].dense[own->column];
}

static struct column_model column(size_t i)
{
    static const struct model_ops ops = {.name = "column", .score = column_score};
    return (struct column_model){{&ops}, i};
}

/* A log: a fifth are positives; of each row what a fair model says, a good one, and others. */
enum { FAIR, GOOD, BROKEN, MOVED, COLUMNS };

struct log {
    float dense[ROWS][COLUMNS];
    struct example rows[ROWS];
};

static void fill(struct log *log, uint64_t first)
{
    uint64_t seed = first * 2 + 1;
    for (size_t i = 0; i < ROWS; i++) {
        bool one = i % 5 == 2;
        float *dense = log->dense[i];
        dense[FAIR] = (float)((one ? 0.05 : 0) + 0.85 * noise(&seed));
        dense[GOOD] = (float)((one ? 0.2 : 0) + 0.7 * noise(&seed));
        dense[BROKEN] = i == 377 ? NAN : dense[GOOD];
        dense[MOVED] = 0.9f + dense[GOOD] / 20;
        log->rows[i] = (struct example){.vector = {dense, NULL, 0},
                                        .label = one,
                                        .weight = 1,
                                        .time = (int64_t)i,
                                        .item = first + i};
    }
}

/* Two models and where they meet. */
struct duel {
    struct contest *contest;
    struct contender *contenders[2];
};

static struct contest_options limits(void)
{
    struct contest_options options = contest_defaults();
    options.positives_max = 100;
    options.positives_min = 50;
    return options;
}

static struct duel begin(void)
{
    struct duel duel = {0};
    struct contest_options options = limits();
    cr_assert(eq(int, contest_create(NULL, NULL, &duel.contest), ST_OK));
    for (uint32_t i = 0; i < 2; i++) {
        contest_add_model(duel.contest, i, i == OLD ? "old" : "new", &options);
        cr_assert(eq(int, contender_create(duel.contest, i, 100, &duel.contenders[i]), ST_OK));
    }
    return duel;
}

static void end(struct duel *duel)
{
    contender_free(duel->contenders[OLD]);
    contender_free(duel->contenders[NEW]);
    contest_free(duel->contest);
}

static void see(struct duel *duel, uint32_t who, size_t says, const struct log *log, size_t batch)
{
    struct column_model model = column(says);
    for (size_t at = 0; at < ROWS; at += batch)
        contender_see(duel->contenders[who], &model.head, log->rows + at,
                      ROWS - at < batch ? ROWS - at : batch);
}

static void meet(struct duel *duel, uint32_t who, uint32_t version)
{
    struct act act = {ACT_CONTEST, NEW, version, OLD};
    cr_assert(eq(int, contender_meet(duel->contenders[who], &act, 40 + who, 7), ST_OK));
}

static struct contest_decision newest(struct duel *duel)
{
    struct buf all = {0};
    struct contest_decision made = {.decision = {.verdict = -1}};
    contest_decisions(duel->contest, NEW, &all);
    if (all.len > 0)
        memcpy(&made, all.data + all.len - sizeof made, sizeof made);
    buf_done(&all);
    return made;
}

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

/* Known answer: the newest hundred positives, and the negatives since the first of them. */
Test(contest, figures_are_delongs_on_the_rows_that_both_have)
{
    static struct log log;
    static struct sighting rows[2][2][ROWS];
    static float scores[2][ROWS], labels[ROWS];
    struct contender_half halves[2] = {0};
    struct contest_options options = limits();
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
    cr_assert(eq(sz, positives, from == 0 ? positives : options.positives_max));
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

/* What depends on what. */

static void expect_same(const struct contest_decision *a, const struct contest_decision *b)
{
    const double *x = (const double *)&a->decision, *y = (const double *)&b->decision;
    for (size_t i = 0; i < DECISION_FIGURES; i++)
        cr_expect(x[i] == y[i] || (isnan(x[i]) && isnan(y[i])), "%s: %g, %g", decision_names[i],
                  x[i], y[i]);
}

Test(contest, neither_who_comes_first_nor_batches_matter)
{
    static struct log log;
    struct duel whole = begin(), cut = begin();
    fill(&log, 5000);
    see(&whole, OLD, FAIR, &log, ROWS);
    see(&whole, NEW, GOOD, &log, ROWS);
    meet(&whole, OLD, 3);
    meet(&whole, NEW, 3);
    see(&cut, NEW, GOOD, &log, 7);
    meet(&cut, NEW, 3);
    see(&cut, OLD, FAIR, &log, 32);
    meet(&cut, OLD, 3);
    struct contest_decision a = newest(&whole), b = newest(&cut);
    cr_expect(eq(int, (int)a.decision.verdict, VERDICT_PROMOTED));
    expect_same(&a, &b);
    end(&whole);
    end(&cut);
}

/* They had been learnt before, with another label. */
Test(contest, corrections_are_no_evidence)
{
    static struct log log;
    struct duel duel = begin();
    fill(&log, 0);
    for (size_t i = 0; i < ROWS; i++)
        log.rows[i].correction = true;
    see(&duel, OLD, FAIR, &log, ROWS);
    see(&duel, NEW, GOOD, &log, ROWS);
    meet(&duel, NEW, 1);
    meet(&duel, OLD, 1);
    cr_expect(eq(dbl, newest(&duel).decision.positives, 0));
    end(&duel);
}

/* Of few positives fewer negatives are kept, and those that are weigh more. A model that came later
 * has seen other shares: what both have is what the sparser one has. */
Test(contest, negatives_are_picked_alike_by_models_of_different_age)
{
    static struct log log;
    struct duel duel = begin();
    for (uint64_t block = 0; block < 8; block++) {
        fill(&log, block * ROWS);
        for (size_t i = 0; i < ROWS; i++)
            log.rows[i].label = i % 50 == 2 || (block < 4 && i % 5 == 2);
        see(&duel, OLD, FAIR, &log, ROWS);
        if (block >= 4)
            see(&duel, NEW, GOOD, &log, ROWS);
    }
    meet(&duel, NEW, 1);
    meet(&duel, OLD, 1);
    struct contest_decision made = newest(&duel);
    cr_expect(eq(dbl, made.decision.positives, 48));
    cr_expect(made.decision.negatives >= 30 && made.decision.negatives <= 150, "%g",
              made.decision.negatives);
    end(&duel);
}

/* After a crash. */

/* Both trainers end, and begin again from their files. */
static struct duel again(struct duel *duel)
{
    struct duel next = begin();
    for (uint32_t i = 0; i < 2; i++) {
        struct tensors *file = tensors_create(), *back = NULL;
        struct buf bytes = {0};
        contender_save(duel->contenders[i], file);
        tensors_render(file, &bytes);
        cr_assert(eq(int, tensors_parse(buf_slice(&bytes), &back), ST_OK));
        cr_assert(eq(int, contender_load(next.contenders[i], back), ST_OK));
        tensors_free(file);
        tensors_free(back);
        buf_done(&bytes);
    }
    end(duel);
    return next;
}

Test(contest, what_was_handed_in_outlives_a_crash)
{
    static struct log log;
    struct duel whole = begin(), killed = begin();
    struct duel *both[] = {&whole, &killed};
    for (size_t i = 0; i < 2; i++) {
        struct duel *duel = both[i];
        fill(&log, 0);
        see(duel, OLD, FAIR, &log, ROWS);
        see(duel, NEW, GOOD, &log, ROWS);
        meet(duel, OLD,
             3); /* its file is written past the contest, which the other has not come to */
        if (i == 1)
            *duel = again(duel);
        meet(duel, NEW, 3);
        fill(&log, ROWS);
        see(duel, OLD, FAIR, &log, ROWS);
        see(duel, NEW, FAIR, &log, ROWS);
        if (i == 1)
            *duel = again(duel);
        cr_expect(contest_newest(duel->contest, NEW).takes_over);
        struct contest_verdict verdict;
        cr_assert(eq(int, contest_wait(duel->contest, NEW, 3, &verdict), ST_OK));
        meet(duel, NEW, 4);
        meet(duel, OLD, 4);
    }
    struct contest_decision a = newest(&whole), b = newest(&killed);
    cr_expect(eq(dbl, b.decision.version, 4));
    expect_same(&a, &b);
    struct buf all = {0};
    contest_decisions(killed.contest, NEW, &all);
    cr_expect(eq(sz, all.len, 2 * sizeof a), "each was noted once");
    buf_done(&all);
    end(&whole);
    end(&killed);
}

/* At a start one trainer after the other reads the log again. */
Test(contest, the_newest_is_decided_however_far_apart_they_are)
{
    static struct log log;
    struct duel duel = begin();
    fill(&log, 0);
    see(&duel, OLD, FAIR, &log, ROWS);
    see(&duel, NEW, GOOD, &log, ROWS);
    for (uint32_t version = 1; version <= 30; version++)
        meet(&duel, NEW, version);
    for (uint32_t version = 1; version <= 30; version++)
        meet(&duel, OLD, version);
    struct contest_verdict verdict;
    cr_assert(eq(int, contest_wait(duel.contest, NEW, 30, &verdict), ST_OK));
    cr_expect(eq(u32, verdict.version, 30));
    end(&duel);
}

static bool nothing_left(void *arg)
{
    ++*(int *)arg;
    return false;
}

Test(contest, nobody_waits_for_what_will_not_come)
{
    struct duel duel = begin();
    struct contest_verdict verdict;
    int asked = 0;
    contest_set_work(duel.contest, nothing_left, &asked);
    cr_expect(eq(int, contest_wait(duel.contest, NEW, 1, &verdict), ST_ESTOPPED));
    cr_expect(eq(int, asked, 1));
    contest_stop(duel.contest);
    cr_expect(eq(int, contest_wait(duel.contest, NEW, 1, &verdict), ST_ESTOPPED));
    end(&duel);
}

Test(contest, a_file_of_something_else_is_refused)
{
    struct duel duel = begin();
    struct tensors *file = tensors_create();
    const uint64_t counters[4] = {1, 0, 0, 3}; /* no stride is 3 */
    cr_expect(eq(int, contender_load(duel.contenders[NEW], file), ST_OK), "without: anew");
    tensors_put(file, "gate.contest.counters", TENSOR_U64, (size_t[]){4}, 1, counters);
    cr_expect(eq(int, contender_load(duel.contenders[NEW], file), ST_ECORRUPT));
    tensors_free(file);
    end(&duel);
}
