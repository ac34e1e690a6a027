/*
 * Tests of online/contender.h, and of how two of them meet.
 *
 * Known without running it: it makes no difference which of the two comes first, how the log is cut
 * into batches, or whether a trainer's memory is that of a file; negatives are picked alike;
 * corrections are no evidence; and the newest contest is always decided.
 */
#include "online/contender.h"
#include "tests/contest_fixture.h"

static void expect_same(const struct contest_decision *a, const struct contest_decision *b)
{
    const double *x = (const double *)&a->decision, *y = (const double *)&b->decision;
    for (size_t i = 0; i < DECISION_FIGURES; i++)
        cr_expect(x[i] == y[i] || (isnan(x[i]) && isnan(y[i])), "%s: %g, %g", decision_names[i],
                  x[i], y[i]);
}

Test(contender, neither_who_comes_first_nor_batches_matter)
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
Test(contender, corrections_are_no_evidence)
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
Test(contender, negatives_are_picked_alike_by_models_of_different_age)
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

Test(contender, what_was_handed_in_outlives_a_crash)
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
Test(contender, the_newest_is_decided_however_far_apart_they_are)
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

Test(contender, nobody_waits_for_what_will_not_come)
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

Test(contender, a_file_of_something_else_is_refused)
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
