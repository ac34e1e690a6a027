/*
 * Tests of features/decay.h and of {decay: ...}.
 *
 * What is known without running it: after n half-lives an event weighs 2^-n; the sum over all
 * events of value times weight is the answer, in whatever order they came; reading tells what
 * observing will leave, and leaves no trace.
 */
#include "features/plan.h"
#include "tests/plan_fixture.h"

#include "base/rng.h"
#include "features/decay.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

Test(decay, halves_by_the_half_life)
{
    struct fixture f = begin("- {decay: AMOUNT, by: CARD, half_life: [1h, 2h], take: [count, sum, "
                             "mean]}\n");
    static const double expected[] = {1.25, 5, 4, 1.5, 6, 4};
    static const char *const names[] = {
        "AMOUNT.by.CARD.decay.1h.count", "AMOUNT.by.CARD.decay.1h.sum",
        "AMOUNT.by.CARD.decay.1h.mean",  "AMOUNT.by.CARD.decay.2h.count",
        "AMOUNT.by.CARD.decay.2h.sum",   "AMOUNT.by.CARD.decay.2h.mean"};
    const struct vector_schema *schema = plan_vector_schema(f.plan);
    pay(&f, 0, "a", "s", 4);
    double *dense = ask(&f, 2, "a", "s", 4);
    for (size_t i = 0; i < LEN(names); i++) {
        cr_expect(eq(str, (char *)schema->dense[i], (char *)names[i]));
        cr_expect(same(dense[i], expected[i]), "%s: %g", names[i], dense[i]);
    }
    dense = ask(&f, 2, NULL, "s", 4);
    cr_expect(isnan(dense[0]));
    dense = ask(&f, 2000, "b", "s", NAN);
    cr_expect(dense[0] == 0 && dense[1] == 0 && dense[2] == 0);
    end(&f);
}

enum { EVENTS = 400 };

struct history {
    int64_t times[EVENTS];
    double values[EVENTS];
};

static struct history make_history(uint64_t seed)
{
    struct rng rng = rng_of(seed);
    struct history ret;
    for (size_t i = 0; i < EVENTS; i++) {
        ret.times[i] = (int64_t)(rng_uniform(&rng) * 20.0 * (double)DAY_US) - 5 * DAY_US;
        ret.values[i] = rng_between(&rng, 0, 100);
    }
    return ret;
}

Test(decay, is_the_weighted_sum_of_all_events_in_any_order)
{
    static const struct key128 card = {1, 2};
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct history history = make_history(seed);
        struct decay decay = {.n = 2, .half_life = {HOUR_US, 5 * DAY_US}};
        struct state *state;
        cr_assert(state_create(&state) == ST_OK &&
                  state_family(state, "decay", 1, &decay.family) == ST_OK);
        struct decay_sum got[2], before[2];
        for (size_t i = 0; i < EVENTS; i++) {
            decay_read(&decay, state_find(state, decay.family, card), history.times[i],
                       &history.values[i], before);
            decay_observe(&decay, state, card, history.times[i], history.values[i]);
            decay_read(&decay, state_find(state, decay.family, card), INT64_MIN, NULL, got);
            cr_assert(memcmp(got, before, sizeof got) == 0);
        }
        int64_t at = 16 * DAY_US;
        decay_read(&decay, state_find(state, decay.family, card), at, NULL, got);
        for (size_t h = 0; h < 2; h++) {
            double count = 0, sum = 0;
            for (size_t i = 0; i < EVENTS; i++) {
                double age = (double)(at - history.times[i]) / (double)decay.half_life[h];
                count += exp2(-age);
                sum += history.values[i] * exp2(-age);
            }
            cr_assert(fabs(got[h].count / count - 1) < 1e-12);
            cr_assert(fabs(got[h].sum / sum - 1) < 1e-12);
        }
        state_free(state);
    }
}

Test(decay, a_request_leaves_no_trace)
{
    struct fixture f = begin("- {decay: events, by: [CARD, SHOP], half_life: 1d, take: count}\n");
    pay(&f, 0, "a", "s", 4);
    struct key128 before = state_digest(f.state);
    cr_expect(same(ask(&f, 24, "a", "s", 1)[0], 1.5));
    cr_expect(key_eq(before, state_digest(f.state)));
    end(&f);
}

ParameterizedTestParameters(decay, refuses)
{
    static struct refusal_case cases[] = {
        {"decay: AMOUNT, by: CARD, take: count", "half_life"},
        {"decay: AMOUNT, by: CARD, half_life: 0s, take: count", "half_life"},
        {"decay: AMOUNT, by: CARD, half_life: 1h, take: max", "nothing to take"},
        {"decay: COUNTRY, by: CARD, half_life: 1h, take: sum", "holds no numbers"},
        {"decay: label, by: CARD, half_life: 1h, take: sum", "labels come too late"},
        {"decay: AMOUNT, by: AMOUNT, half_life: 1h, take: sum", "entity"},
        {"decay: AMOUNT, by: CARD, half_life: 1h, take: sum, where: AMOUNT > 1", "name of its own"},
    };
    return cr_make_param_array(struct refusal_case, cases, LEN(cases));
}

ParameterizedTest(struct refusal_case *c, decay, refuses)
{
    expect_refused(c);
}
