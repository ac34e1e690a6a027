/*
 * tests/contest_fixture.h -- two models, what they say of a log, and where they meet.
 */
#ifndef TESTS_CONTEST_FIXTURE_H
#define TESTS_CONTEST_FIXTURE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>

#include "online/contest.h"

enum { ROWS = 600, OLD = 0, NEW = 1 };

static inline double noise(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*seed >> 40) / (double)(1 << 24);
}

/* A model that says what a column says; learning nothing. */

struct column_model {
    struct model head;
    size_t column;
};

static inline void column_score(const struct model *model, const struct vector *rows, size_t n,
                                float *ret)
{
    const struct column_model *own = (const struct column_model *)(const void *)model;
    for (size_t i = 0; i < n; i++)
        ret[i] = rows[i].dense[own->column];
}

static inline struct column_model column(size_t i)
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

static inline void fill(struct log *log, uint64_t first)
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

static inline struct contest_options limits(void)
{
    struct contest_options options = contest_defaults();
    options.positives_max = 100;
    options.positives_min = 50;
    return options;
}

static inline struct duel begin(void)
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

static inline void end(struct duel *duel)
{
    contender_free(duel->contenders[OLD]);
    contender_free(duel->contenders[NEW]);
    contest_free(duel->contest);
}

static inline void see(struct duel *duel, uint32_t who, size_t says, const struct log *log,
                       size_t batch)
{
    struct column_model model = column(says);
    for (size_t at = 0; at < ROWS; at += batch)
        contender_see(duel->contenders[who], &model.head, log->rows + at,
                      ROWS - at < batch ? ROWS - at : batch);
}

static inline void meet(struct duel *duel, uint32_t who, uint32_t version)
{
    struct act act = {ACT_CONTEST, NEW, version, OLD};
    cr_assert(eq(int, contender_meet(duel->contenders[who], &act, 40 + who, 7), ST_OK));
}

static inline struct contest_decision newest(struct duel *duel)
{
    struct buf all = {0};
    struct contest_decision made = {.decision = {.verdict = -1}};
    contest_decisions(duel->contest, NEW, &all);
    if (all.len > 0)
        memcpy(&made, all.data + all.len - sizeof made, sizeof made);
    buf_done(&all);
    return made;
}

#endif
