/*
 * Tests of {sketch: ...} and features/panes.h.
 *
 * What is known without running it: each column of a handful of events, where sketches are exact; a
 * window moves on by panes; late events go to their own; what is read of a window does not depend
 * on the order of events in HyperLogLog, SpaceSaving within its size and count-min; a request
 * leaves no trace; memory stays within what the header says.
 */
#include "features/plan.h"
#include "tests/plan_fixture.h"

#include "features/panes.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Payments of card a, one an hour: amounts 1, 3, 8 and 4; shops s, t, s, s. The columns of the last
 * and of what a request would see. */
struct take_case {
    char take[32];
    double expected;
};

ParameterizedTestParameters(sketch_feature, takes)
{
    static struct take_case cases[] = {
        {"AMOUNT p0", 1},        {"AMOUNT p50", 3},      {"AMOUNT p75", 4},
        {"AMOUNT p99.9", 8},     {"AMOUNT p100", 8},     {"AMOUNT rank", 3 / 4.},
        {"SHOP distinct", 2},    {"AMOUNT distinct", 4}, {"SHOP top", 3 / 4.},
        {"SHOP share", 3 / 4.},  {"SHOP times", 3},      {"AMOUNT share", 1 / 4.},
        {"COUNTRY distinct", 0}, {"COUNTRY top", NAN},   {"COUNTRY times", NAN},
    };
    return cr_make_param_array(struct take_case, cases, LEN(cases));
}

ParameterizedTest(struct take_case *c, sketch_feature, takes)
{
    static const double amounts[] = {1, 3, 8, 4};
    static const char *const shops[] = {"s", "t", "s", "s"};
    char yaml[160], field[16], take[16];
    cr_assert(eq(int, sscanf(c->take, "%15s %15s", field, take), 2));
    snprintf(yaml, sizeof yaml, "- {sketch: %s, by: CARD, over: 8h, take: %s}\n", field, take);
    struct fixture f = begin(yaml);
    double *dense = NULL;
    for (size_t i = 0; i < LEN(amounts); i++)
        dense = pay(&f, (double)i, "a", shops[i], amounts[i]);
    cr_expect(same(dense[0], c->expected), "%s: %g", c->take, dense[0]);
    cr_expect(isnan(ask(&f, 3, NULL, "s", 4)[0]));
    end(&f);
}

Test(sketch_feature, names_its_columns)
{
    struct fixture f =
        begin("- {sketch: AMOUNT, by: [CARD, SHOP], over: 7d, panes: 7, take: [top, p50, rank]}\n"
              "- {sketch: SHOP, by: CARD, over: 1d, take: distinct, as: shops}\n");
    static const char *const names[] = {"AMOUNT.by.CARD+SHOP.sketch.7d.p50",
                                        "AMOUNT.by.CARD+SHOP.sketch.7d.rank",
                                        "AMOUNT.by.CARD+SHOP.sketch.7d.top", "shops.distinct"};
    const struct vector_schema *schema = plan_vector_schema(f.plan);
    cr_assert(eq(sz, schema->n_dense, LEN(names)));
    for (size_t i = 0; i < LEN(names); i++)
        cr_assert(eq(str, (char *)schema->dense[i], (char *)names[i]));
    end(&f);
}

/* Four panes of six hours: at hour 18 those from 0 on are seen, at 24 those from 6 on. */
static void expect_to_move_on(double from)
{
    struct fixture f = begin("- {sketch: SHOP, by: CARD, over: 1d, panes: 4, take: distinct}\n");
    pay(&f, from, "a", "s", 1);
    pay(&f, from + 5.9, "a", "t", 1);
    pay(&f, from + 6, "a", "u", 1);
    cr_expect(eq(dbl, ask(&f, from + 23.9, "a", "v", 1)[0], 4));
    cr_expect(eq(dbl, ask(&f, from + 24, "a", "v", 1)[0], 2));
    cr_expect(eq(dbl, ask(&f, from + 29.9, "a", "v", 1)[0], 2));
    cr_expect(eq(dbl, ask(&f, from + 30, "a", "v", 1)[0], 1));
    cr_expect(eq(dbl, ask(&f, from + 5, "a", "s", 1)[0], 2)); /* as it was then, to within a pane */
    end(&f);
}

Test(sketch_feature, moves_on_by_panes)
{
    expect_to_move_on(0);
    expect_to_move_on(-24. * 365 * 100); /* long before 1970 */
}

Test(sketch_feature, late_events_go_to_their_own_pane)
{
    struct fixture f = begin("- {sketch: SHOP, by: CARD, over: 1d, panes: 4, take: distinct}\n");
    pay(&f, 26, "a", "s", 1);
    pay(&f, 7, "a", "t", 1);
    pay(&f, 1, "a", "u", 1); /* its pane was left behind */
    cr_expect(eq(dbl, ask(&f, 26, "a", "s", 1)[0], 2));
    cr_expect(eq(dbl, ask(&f, 30, "a", "s", 1)[0], 1));
    pay(&f, 32, "a", "v", 1); /* lets go of hour 7's */
    cr_expect(eq(dbl, ask(&f, 11, "a", "w", 1)[0], 1));
    end(&f);
}

/* Many events, in order and with late ones: the same columns in the end, where order does not
 * count. */
Test(sketch_feature, order_within_a_pane_does_not_matter)
{
    static const char yaml[] =
        "- {sketch: SHOP, by: CARD, over: 2d, size: 64, take: [distinct, times]}\n"
        "- {sketch: SHOP, by: CARD, over: 2d, take: [top, share], size: 1024}\n";
    struct fixture f = begin(yaml), g = begin(yaml);
    uint64_t seed = 1;
    char shop[16];
    for (int i = 0; i < 3000; i++) {
        double hour = .1 * i;
        for (int k = 0; k < 2; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            snprintf(shop, sizeof shop, "s%u", (unsigned)(seed >> 33) % 400);
            pay(&f, hour + .01 * k, "a", shop, 1);
        }
    }
    seed = 1;
    for (int i = 0; i < 3000; i++) {
        char shops[2][16];
        for (int k = 0; k < 2; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            snprintf(shops[k], sizeof shops[k], "s%u", (unsigned)(seed >> 33) % 400);
        }
        pay(&g, .1 * i + .01, "a", shops[1], 1);
        pay(&g, .1 * i, "a", shops[0], 1);
    }
    ask(&f, 300, "a", "s7", 1);
    ask(&g, 300, "a", "s7", 1);
    for (int c = 0; c < 4; c++)
        cr_expect(same(f.dense[c], g.dense[c]), "%d: %g, %g", c, f.dense[c], g.dense[c]);
    cr_expect(f.dense[0] > 200 && f.dense[0] < 600);
    end(&f);
    end(&g);
}

Test(sketch_feature, a_request_leaves_no_trace)
{
    struct fixture f =
        begin("- {sketch: AMOUNT, by: CARD, over: 2d, take: [distinct, p50, top, times]}\n");
    for (int i = 0; i < 500; i++) {
        pay(&f, i, "a", "s", i * 7 % 31);
        struct key128 before = state_digest(f.state);
        ask(&f, i + i % 60, "a", "s", i);
        cr_assert(key_eq(before, state_digest(f.state)));
    }
    end(&f);
}

/* For ever: room that was taken is used again. */
Test(sketch_feature, memory_is_bounded)
{
    static const struct sketch_type *const types[] = {&sketch_hll, &sketch_kll,
                                                      &sketch_space_saving, &sketch_count_min};
    static const size_t most[] = {256, 64 + 4 * 252, 16 * 16, 1024};
    static const struct key128 card = {1, 2};
    for (size_t t = 0; t < LEN(types); t++) {
        struct panes panes = {types[t], types[t]->size_default, 8, HOUR_US, 0};
        struct state *state;
        cr_assert(state_create(&state) == ST_OK &&
                  state_family(state, "sketch", 1, &panes.family) == ST_OK);
        for (uint64_t i = 0; i < 60000; i++) {
            union sketch_value value = {.hash = i * UINT64_C(0x9e3779b97f4a7c15)};
            if (types[t]->numbers)
                value.number = (double)(i % 1009);
            panes_observe(&panes, state, card, (int64_t)i * 2 * SECOND_US, value);
        }
        struct record *rec = state_find(state, panes.family, card);
        cr_expect(rec->size <= 8 + 8 * (16 + most[t]), "%s: %u", types[t]->name, rec->size);
        state_free(state);
    }
}

ParameterizedTestParameters(sketch_feature, refuses)
{
    static struct refusal_case cases[] = {
        {"sketch: AMOUNT, by: CARD, take: p50", "over"},
        {"sketch: AMOUNT, by: CARD, over: 7d, take: p101", "nothing to take"},
        {"sketch: AMOUNT, by: CARD, over: 7d, take: median", "nothing to take"},
        {"sketch: SHOP, by: CARD, over: 7d, take: p50", "holds no numbers"},
        {"sketch: events, by: CARD, over: 7d, take: distinct", "name a field"},
        {"sketch: label, by: CARD, over: 7d, take: p50", "labels come too late"},
        {"sketch: NOTE, by: CARD, over: 7d, take: distinct", "is a text"},
        {"sketch: SHOP, by: CARD, over: 7d, take: distinct, size: 100", "a power of two from 32"},
        {"sketch: SHOP, by: CARD, over: 7d, take: distinct, size: 8192", "to 4096"},
        {"sketch: SHOP, by: CARD, over: 100us, take: distinct, panes: 7", "without a rest"},
        {"sketch: SHOP, by: CARD, over: 7d, take: distinct, panes: 65", "panes"},
        {"sketch: SHOP, by: CARD, over: 7d, take: top, where: AMOUNT > 1", "name of its own"},
    };
    return cr_make_param_array(struct refusal_case, cases, LEN(cases));
}

ParameterizedTest(struct refusal_case *c, sketch_feature, refuses)
{
    expect_refused(c);
}
