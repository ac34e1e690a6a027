/*
 * features/aggregate.h -- count, sum, spread and extremes of a set of numbers, which can be merged.
 *
 * Windows merge many of these and never take one out of another, so that nothing drifts. The spread
 * is kept as the sum of squared deviations from the set's own mean and merged after Chan, Golub &
 * LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances" (1979).
 */
#ifndef FEATURES_AGGREGATE_H
#define FEATURES_AGGREGATE_H

#include <math.h>
#include <stdbool.h>

struct aggregate {
    double count;
    double sum;
    double m2; /* sum of squared deviations from the mean */
    double min, max;
};

static inline struct aggregate aggregate_none(void)
{
    return (struct aggregate){0, 0, 0, INFINITY, -INFINITY};
}

static inline struct aggregate aggregate_one(double v)
{
    return (struct aggregate){1, v, 0, v, v};
}

/* What each number of `into` and `x` together have. spread: whether m2 is wanted; it costs three
 * divisions. */
static inline void aggregate_merge(struct aggregate *into, const struct aggregate *x, bool spread)
{
    if (x->count == 0)
        return;
    double count = into->count + x->count;
    if (spread && into->count > 0) {
        double apart = x->sum / x->count - into->sum / into->count;
        into->m2 += x->m2 + apart * apart * (into->count * x->count / count);
    } else {
        into->m2 += x->m2;
    }
    into->count = count;
    into->sum += x->sum;
    into->min = x->min < into->min ? x->min : into->min;
    into->max = x->max > into->max ? x->max : into->max;
}

/* One of the numbers is not `was` but `now`. The extremes cannot forget: they only widen. */
static inline void aggregate_replace(struct aggregate *into, double was, double now)
{
    double mean_before = into->sum / into->count;
    into->sum += now - was;
    double mean_after = into->sum / into->count;
    double m2 = into->m2 + (now - was) * (now - mean_after + was - mean_before);
    into->m2 = m2 > 0 ? m2 : 0;
    into->min = now < into->min ? now : into->min;
    into->max = now > into->max ? now : into->max;
}

static inline double aggregate_mean(const struct aggregate *x)
{
    return x->count > 0 ? x->sum / x->count : 0;
}

/* Of the whole set, not an estimate for a larger one: one number alone has 0, none has NaN. */
static inline double aggregate_std(const struct aggregate *x)
{
    return x->count > 0 ? sqrt(x->m2 / x->count) : NAN;
}

#endif
