/*
 * The programme. A state is (number of bins k, last bin [i, j]); its value is the highest IV with
 * which pre-bins 0 to j can be cut into k bins of which the last is [i, j]. What may stand before
 * it is a bin [h, i - 1] whose rate is not above (or below) its own. So for each place i between
 * two pre-bins all bins that end there and all that begin there are sorted by rate once; then one
 * walk over both lists with a running best finds every state's predecessor.
 *
 * A trend with a turn has two phases: the states before the turn, and those behind it.
 */
#include "models/binning_internal.h"

#include <stdbool.h>

enum order { ANY, RISES, FALLS };
enum { PHASES = BINNING_PHASES, IN_PHASE_0 = 1 << 15 };

struct trend {
    size_t phases;
    enum order order[PHASES]; /* within a phase, and into it */
};

static const struct trend trends[] = {
    [BINNING_NONE] = {1, {ANY}},
    [BINNING_ASCENDING] = {1, {RISES}},
    [BINNING_DESCENDING] = {1, {FALLS}},
    [BINNING_PEAK] = {2, {RISES, FALLS}},
    [BINNING_VALLEY] = {2, {FALLS, RISES}},
};

/* By insertion: lists are short, and nearly in order as rates change little from end to end. */
static void sort_by(const double *rate, size_t stride, uint16_t *list, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint16_t one = list[i];
        size_t at = i;
        for (; at > 0 && rate[list[at - 1] * stride] > rate[one * stride]; at--)
            list[at] = list[at - 1];
        list[at] = one;
    }
}

/* At place i: first the bins [h, i - 1] by rate, by their h, then the bins [i, j], by their j. */
static void sort_bins(struct binning *binning)
{
    size_t n = binning->n;
    for (size_t i = 1; i < n; i++) {
        uint16_t *list = binning->by_rate + i * n;
        for (size_t j = 0; j < n; j++)
            list[j] = (uint16_t)j;
        sort_by(binning->rate + i - 1, n, list, i);
        sort_by(binning->rate + i * n, 1, list + i, n - i);
    }
}

/* The programme. */

/* All bins that end before place i, and those that begin there, in the order of a walk. */
struct place {
    size_t i, n;
    const uint16_t *ends, *begins;
    bool backwards;
};

static struct place place_of(const struct binning *binning, size_t i, enum order order)
{
    const uint16_t *list = binning->by_rate + i * binning->n;
    return (struct place){i, binning->n, list, list + i, order == FALLS};
}

static size_t end_at(const struct place *place, size_t at)
{
    return place->ends[place->backwards ? place->i - 1 - at : at];
}

static size_t begin_at(const struct place *place, size_t at)
{
    return place->begins[place->backwards ? place->n - place->i - 1 - at : at];
}

/* The states of one phase and number of bins, and those that they follow. */
struct step {
    const double *from[PHASES]; /* values; NULL: none */
    double *to;
    uint16_t *before;
    enum order order;
};

/* What is best of the states walked over. */
struct best {
    double value;
    uint16_t before;
};

/* Those whose last bin is [h, i - 1]. */
static void walk_over(const struct step *step, size_t h, size_t at, struct best *best)
{
    for (size_t phase = 0; phase < PHASES; phase++)
        if (step->from[phase] && step->from[phase][at] > best->value)
            *best =
                (struct best){step->from[phase][at], (uint16_t)(h | (phase == 0 ? IN_PHASE_0 : 0))};
}

static bool may_precede(enum order order, double its, double own)
{
    return order == ANY || (order == RISES ? its <= own : its >= own);
}

static void take_step_at(const struct binning *binning, const struct step *step, size_t i)
{
    size_t n = binning->n, reached = 0;
    struct place place = place_of(binning, i, step->order);
    const double *rate = binning->rate;
    struct best best = {-1, 0};
    for (size_t at = 0; at < n - i; at++) {
        size_t j = begin_at(&place, at);
        double own = rate[i * n + j];
        for (; reached < i; reached++) {
            size_t h = end_at(&place, reached);
            if (!may_precede(step->order, rate[h * n + i - 1], own))
                break;
            walk_over(step, h, h * n + i - 1, &best);
        }
        double gain = binning->gain[i * n + j];
        bool possible = gain >= 0 && best.value >= 0;
        step->to[i * n + j] = possible ? best.value + gain : -1;
        step->before[i * n + j] = best.before;
    }
}

/* States with k + 1 bins from those with k. */
static void take_step(struct binning *binning, const struct trend *trend, size_t k)
{
    size_t n = binning->n, squares = n * n;
    for (size_t phase = 0; phase < trend->phases; phase++) {
        struct step step = {.to = binning->value[phase][(k + 1) % 2],
                            .before = binning->before[phase] + k * squares,
                            .order = trend->order[phase]};
        for (size_t from = 0; from <= phase; from++)
            step.from[from] = binning->value[from][k % 2];
        for (size_t i = 0; i < squares; i++)
            step.to[i] = -1;
        for (size_t i = 1; i < n; i++)
            take_step_at(binning, &step, i);
    }
}

static void begin(struct binning *binning, const struct trend *trend)
{
    size_t n = binning->n;
    for (size_t phase = 0; phase < trend->phases; phase++)
        for (size_t i = 0; i < n * n; i++)
            binning->value[phase][1][i] = phase == 0 && i < n ? binning->gain[i] : -1;
}

struct answer {
    double value; /* -1: there is none */
    size_t phase, bins, first;
};

/* A bin more must be worth more than rounding. */
static void look_for_answer(const struct binning *binning, const struct trend *trend, size_t k,
                            struct answer *best)
{
    size_t n = binning->n;
    for (size_t phase = 0; phase < trend->phases; phase++)
        for (size_t i = 0; i < n; i++) {
            double value = binning->value[phase][k % 2][i * n + n - 1];
            if (value >= 0 && value > best->value + 1e-12)
                *best = (struct answer){value, phase, k, i};
        }
}

/* From its last bin to its first. */
static void trace_back(const struct binning *binning, const struct answer *answer, size_t *ret_last)
{
    size_t n = binning->n, last = n - 1, first = answer->first, phase = answer->phase;
    for (size_t k = answer->bins; k > 1; k--) {
        uint16_t before = binning->before[phase][(k - 1) * n * n + first * n + last];
        ret_last[k - 1] = last;
        last = first - 1;
        phase = before & IN_PHASE_0 ? 0 : phase;
        first = (size_t)(before & ~IN_PHASE_0);
    }
    ret_last[0] = last;
}

double binning_solve(struct binning *binning, enum binning_trend which, size_t bins_max,
                     size_t *ret_last, size_t *ret_bins)
{
    const struct trend *trend = &trends[which];
    struct answer best = {.value = -1};
    sort_bins(binning);
    begin(binning, trend);
    look_for_answer(binning, trend, 1, &best);
    for (size_t k = 1; k < bins_max && k < binning->n; k++) {
        take_step(binning, trend, k);
        look_for_answer(binning, trend, k + 1, &best);
    }
    *ret_bins = best.bins;
    if (best.bins > 0)
        trace_back(binning, &best, ret_last);
    return best.value;
}
