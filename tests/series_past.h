/*
 * tests/series_past.h -- everything that ever happened, and a series' answers found by a loop over
 * it.
 */
#ifndef TESTS_SERIES_PAST_H
#define TESTS_SERIES_PAST_H

#include "tests/series_fixture.h"

struct past {
    size_t n;
    struct slot slots[20000];
};

static inline struct past *past_create(void)
{
    struct past *past = malloc(sizeof *past);
    cr_assert(past != NULL);
    past->n = 0;
    return past;
}

static inline void past_add(struct past *past, const struct slot *slot)
{
    cr_assert(past->n < LEN(past->slots));
    past->slots[past->n++] = *slot;
}

static inline bool seen_before(const struct past *past, size_t i, uint64_t lower, uint64_t upper)
{
    for (size_t k = 0; k < i; k++)
        if (past->slots[k].at > lower && past->slots[k].at <= upper &&
            past->slots[k].hash == past->slots[i].hash)
            return true;
    return false;
}

static inline struct aggregate naive(const struct past *past, enum series_entry entry,
                                     int64_t lower, int64_t upper)
{
    struct aggregate a = aggregate_none();
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < past->n; i++) {
            const struct slot *s = &past->slots[i];
            double v = entry == SERIES_LABEL ? s->label : s->value;
            if (s->at <= instant_of(lower) || s->at > instant_of(upper))
                continue;
            if (entry == SERIES_HASH) {
                a.count += pass == 0 && !seen_before(past, i, instant_of(lower), instant_of(upper));
                continue;
            }
            if (isnan(v))
                continue;
            if (pass == 1) {
                a.m2 += (v - a.sum / a.count) * (v - a.sum / a.count);
                continue;
            }
            a.count++;
            a.sum += v;
            a.min = v < a.min ? v : a.min;
            a.max = v > a.max ? v : a.max;
        }
    return a;
}

static inline int64_t naive_previous(const struct past *past, int64_t upper)
{
    uint64_t best = 0;
    for (size_t i = 0; i < past->n; i++)
        if (past->slots[i].at <= instant_of(upper) && past->slots[i].at > best)
            best = past->slots[i].at;
    return best ? instant_time(best) : TIME_NONE;
}

enum asked { ASKED_COUNT, ASKED_SUM, ASKED_ALL };

static inline enum asked asked(const struct fixture *f)
{
    return f->series.entry == SERIES_HASH ? ASKED_COUNT : f->light ? ASKED_SUM : ASKED_ALL;
}

static inline void expect_same(const struct aggregate *got, const struct aggregate *want,
                               enum asked asked, const char *what, size_t step)
{
    cr_assert(eq(dbl, got->count, want->count), "%s count at %zu", what, step);
    if (asked == ASKED_COUNT)
        return;
    cr_assert(epsilon_eq(dbl, got->sum, want->sum, 1e-9), "%s sum at %zu", what, step);
    if (asked == ASKED_SUM)
        return;
    cr_assert(epsilon_eq(dbl, got->m2, want->m2, 1e-7 * (1 + want->m2)), "%s m2 at %zu", what,
              step);
    cr_assert(got->min == want->min && got->max == want->max, "%s extremes at %zu", what, step);
}

/* Labels entries at random, one in three of them NaN before, others twice. */
static inline void label_some(struct fixture *f, struct past *past, uint64_t *seed)
{
    if (f->series.entry != SERIES_LABEL)
        return;
    size_t back = (size_t)(noise(seed) * noise(seed) * 200);
    if (back >= past->n)
        return;
    struct slot *slot = &past->slots[past->n - 1 - back];
    slot->label = noise(seed) < 0.5;
    series_label(&f->series, f->state, card, instant_time(slot->at), slot->tag, slot->label);
}

#endif
