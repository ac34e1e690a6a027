/*
 * Tests of {window: ...}: what series.h's windows become as columns.
 *
 * What is known without running it: each column of a handful of events worked out by hand; that an
 * event is in its own window, and that a request for it leaves no trace; when a label is seen, and
 * that it can be corrected; that rules and pairs keep events apart. Long streams and late events
 * are test_series.c's.
 */
#include "features/plan.h"
#include "tests/plan_fixture.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Four payments of card a, at hours 0, 1, 30 and 30, and one of card b: the columns of the last. */

struct take_case {
    char item[160];
    double expected;
};

ParameterizedTestParameters(window, takes)
{
    /* Amounts 1, 3, 8 and 4; shops s, t, s, u; countries DE, DE, FR, DE. */
    static struct take_case cases[] = {
        {"window: AMOUNT, by: CARD, over: 1d, take: count", 2},
        {"window: AMOUNT, by: CARD, over: 7d, take: count", 4},
        {"window: AMOUNT, by: CARD, over: 7d, take: sum", 16},
        {"window: AMOUNT, by: CARD, over: 7d, take: mean", 4},
        {"window: AMOUNT, by: CARD, over: 7d, take: min", 1},
        {"window: AMOUNT, by: CARD, over: 7d, take: max", 8},
        {"window: AMOUNT, by: CARD, over: 7d, take: std", 2.5495097567963922},
        {"window: AMOUNT, by: CARD, over: 7d, take: ratio", 1},
        {"window: AMOUNT, by: CARD, over: 1d, take: ratio", 4.0 / 6},
        {"window: AMOUNT, by: CARD, over: 7d, take: gap", 36000},
        {"window: SHOP, by: CARD, over: 1d, take: gap", 0},
        {"window: AMOUNT, by: SHOP, over: 1d, take: gap", NAN},
        {"window: events, by: CARD, over: 7d, take: gap, delay: 2h", 3600},
        {"window: AMOUNT, by: CARD, over: 7d, take: burst", 0.14680245394116498},
        {"window: AMOUNT, by: CARD, over: 1d, take: burst", NAN},
        {"window: AMOUNT, by: CARD, over: [1d, 7d], take: velocity", 3.5},
        {"window: SHOP, by: CARD, over: [7d, 1d], take: velocity", 3.5},
        {"window: AMOUNT, by: CARD, over: [1d, 7d], take: velocity_sum", 5.25},
        {"window: AMOUNT, by: CARD, over: [1d, 7d], take: velocity, delay: 99d", NAN},
        {"window: AMOUNT, by: CARD, take: since", 0},
        {"window: AMOUNT, by: SHOP, take: since", NAN},
        {"window: AMOUNT, by: CARD, over: 7d, take: distinct", 4},
        {"window: AMOUNT, by: CARD, over: 7d, take: distinct, of: COUNTRY", 2},
        {"window: SHOP, by: CARD, over: 7d, take: distinct", 3},
        {"window: SHOP, by: CARD, over: 1d, take: distinct", 2},
        {"window: SHOP, by: CARD, over: 7d, take: count", 4},
        {"window: COUNTRY, by: CARD, over: 7d, take: distinct", 2},
        {"window: events, by: CARD, over: 7d, take: count", 4},
        {"window: events, by: SHOP, over: 7d, take: count", 1},
        {"window: events, by: [CARD, SHOP], over: 7d, take: count", 1},
        {"window: AMOUNT, by: CARD, over: 7d, take: count, delay: 1d", 2},
        {"window: AMOUNT, by: CARD, over: 7d, take: sum, delay: 29h", 4},
        {"window: AMOUNT, by: CARD, over: 7d, take: mean, delay: 2d", 0},
        {"window: AMOUNT, by: CARD, over: 7d, take: ratio, delay: 2d", NAN},
        {"window: AMOUNT, by: CARD, over: 7d, take: std, delay: 2d", NAN},
        {"window: AMOUNT, by: CARD, over: 7d, take: min, delay: 2d", NAN},
        {"window: AMOUNT, by: CARD, over: 1d, take: sum, kind: tumbling", 12},
        {"window: AMOUNT, by: CARD, over: 31h, take: sum, kind: tumbling", 16},
        {"window: AMOUNT, by: CARD, over: 30h, take: sum, kind: tumbling", 12},
        {"window: AMOUNT, by: CARD, over: 7d, take: sum, kind: tiled", 16},
        {"window: AMOUNT, by: CARD, over: 7d, take: sum, where: AMOUNT > 2, as: x", 15},
        {"window: AMOUNT, by: CARD, over: 7d, take: sum, where: AMOUNT > 5, as: x", 8},
        {"window: AMOUNT, by: CARD, over: 7d, take: sum, where: COUNTRY == 'DE', as: x", 8},
        {"window: AMOUNT, by: CARD, over: 7d, take: sum, where: hour == 0, as: x", 1},
        {"window: AMOUNT, by: CARD, over: 7d, take: count, where: hour == 2, zone: Asia/Dubai, "
         "as: x",
         0},
        {"window: AMOUNT, by: CARD, over: 7d, take: count, where: hour == 4, zone: Asia/Dubai, "
         "as: x",
         1},
    };
    return cr_make_param_array(struct take_case, cases, LEN(cases));
}

static double buy(struct fixture *f, double hour, const char *card, const char *shop, double amount,
                  const char *country)
{
    return score(
        f, &(struct event_parts){
               .hour = hour, .card = card, .shop = shop, .amount = amount, .country = country})[0];
}

ParameterizedTest(struct take_case *c, window, takes)
{
    char yaml[256];
    snprintf(yaml, sizeof yaml, "- {%s}", c->item);
    struct fixture f = begin(yaml);
    buy(&f, 0, "a", "s", 1, "DE");
    buy(&f, 1, "a", "t", 3, "DE");
    buy(&f, 2, "b", "t", 100, "DE");
    buy(&f, 30, "a", "s", 8, "FR");
    double got = buy(&f, 30, "a", "u", 4, "DE");
    cr_expect(same(got, c->expected), "%s: %.17g, not %.17g", c->item, got, c->expected);
    end(&f);
}

Test(window, since_is_in_seconds_and_remembers_for_good)
{
    struct fixture f = begin("- {window: events, by: CARD, take: since}\n"
                             "- {window: AMOUNT, by: CARD, over: 1h, take: [count, since]}\n");
    double *dense = pay(&f, 0, "a", "s", 1);
    cr_expect(isnan(dense[0]) && isnan(dense[2]));
    dense = pay(&f, 1.5, "a", "s", 1);
    cr_expect(same(dense[0], 5400) && same(dense[2], 5400));
    for (int i = 0; i < 100; i++)
        pay(&f, 2 + i / 1e3, "a", "s", 1);
    dense = pay(&f, 24 * 1000, "a", "s", 1);
    cr_expect(same(dense[0], (24 * 1000 - 2.099) * 3600), "%g", dense[0]);
    cr_expect(same(dense[1], 1));
    end(&f);
}

/* A ratio to a mean of 0 is none. */
Test(window, a_mean_of_nothing_has_no_ratio)
{
    struct fixture f = begin("- {window: AMOUNT, by: CARD, over: 1h, take: [mean, ratio]}\n");
    double *dense = pay(&f, 0, "a", "s", 0);
    cr_expect(same(dense[0], 0) && isnan(dense[1]));
    end(&f);
}

Test(window, a_request_leaves_no_trace)
{
    struct fixture f =
        begin("- {window: AMOUNT, by: [CARD, SHOP], over: 1d, take: [count, mean, distinct]}\n");
    pay(&f, 0, "a", "s", 1);
    struct key128 before = state_digest(f.state);
    for (int i = 0; i < 3; i++) {
        double *dense = ask(&f, 1, "a", "s", 5);
        cr_expect(same(dense[0], 2) && same(dense[1], 3) && same(dense[2], 2));
    }
    ask(&f, 1, "nobody", "s", 5);
    cr_expect(key_eq(before, state_digest(f.state)));
    end(&f);
}

/* What an event was told is what a request at the same instant is told once it is in the state: the
 * event counts once, whether as itself or as an entry. */
Test(window, an_event_is_in_its_window_before_and_after)
{
    struct fixture f = begin(
        "- {window: AMOUNT, by: CARD, over: [1h, 1d], take: [count, sum, mean, min, max, std]}\n"
        "- {window: SHOP, by: CARD, over: [1h, 1d], take: [count, distinct]}\n");
    const char *shops[] = {"s", "t", "u", "v", "w"};
    uint64_t seed = 12;
    for (int i = 0; i < 400; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        struct event_parts parts = {.hour = i * 0.1,
                                    .card = "a",
                                    .shop = shops[(seed >> 40) % 5],
                                    .amount = (double)(seed >> 50)};
        double told[64];
        memcpy(told, score(&f, &parts), sizeof told);
        double *after = ask(&f, i * 0.1, "a", NULL, NAN);
        for (size_t c = 0; c < plan_vector_schema(f.plan)->n_dense; c++)
            cr_assert(same(told[c], after[c]), "%s at %d: %.17g, %.17g",
                      plan_vector_schema(f.plan)->dense[c], i, told[c], after[c]);
    }
    end(&f);
}

Test(window, pairs_are_apart)
{
    struct fixture f = begin("- {window: events, by: [CARD, SHOP], over: 1d, take: count}\n"
                             "- {window: events, by: [SHOP, CARD], over: 1d, take: count}\n");
    pay(&f, 0, "a", "s", 1);
    pay(&f, 0, "a", "t", 1);
    double *dense = pay(&f, 0, "a", "s", 1);
    cr_expect(same(dense[0], 2) && same(dense[1], 2));
    dense = pay(&f, 0, "a", NULL, 1);
    cr_expect(isnan(dense[0]), "no pair without both");
    end(&f);
}

/* Labels. */

struct labelled {
    struct event_made made;
    struct key128 keys[4];
};

static void score_labelled(struct fixture *f, double hour, const char *shop, struct labelled *ret)
{
    make_event(f, &(struct event_parts){.hour = hour, .card = "a", .shop = shop, .amount = 1},
               &ret->made);
    ret->made.event.values = ret->made.values;
    plan_extract(f->plan, f->state, &ret->made.event, f->dense, f->sparse, &f->n_sparse);
    plan_observe(f->plan, f->state, &ret->made.event, f->dense);
    plan_label_keys(f->plan, &ret->made.event, ret->keys);
}

static void set_label(struct fixture *f, const struct labelled *event, double label)
{
    plan_label(f->plan, f->state, event->keys, event->made.event.time,
               (uint32_t)event->made.event.id_key.lo, label);
}

/* labels.delay is seven days: 168 hours. */
Test(window, labels_are_seen_after_their_delay)
{
    struct fixture f = begin("- {window: label, by: SHOP, over: [1d, 2d], take: [count, mean]}\n");
    struct labelled first, second;
    score_labelled(&f, 0, "s", &first);
    score_labelled(&f, 0, "s", &second);
    cr_expect(same(f.dense[0], 0) && same(f.dense[1], 0), "nothing is known yet");
    set_label(&f, &first, 1);
    double *dense = ask(&f, 167.99, "a", "s", 1);
    cr_expect(same(dense[0], 0));
    dense = ask(&f, 168, "a", "s", 1);
    cr_expect(same(dense[0], 2) && same(dense[1], 0.5), "the other has none and counts as 0");
    dense = ask(&f, 168 + 24, "a", "s", 1);
    cr_expect(same(dense[0], 0) && same(dense[2], 2), "out of the one window, in the other");
    set_label(&f, &second, 1);
    dense = ask(&f, 168, "a", "s", 1);
    cr_expect(same(dense[1], 1), "they are told apart by their ids");
    set_label(&f, &first, 0);
    dense = ask(&f, 168, "a", "s", 1);
    cr_expect(same(dense[1], 0.5), "a correction is followed");
    dense = ask(&f, 168, "a", "t", 1);
    cr_expect(same(dense[0], 0) && same(dense[1], 0));
    end(&f);
}

Test(window, an_absent_label_may_count_as_nothing)
{
    struct schema schema = test_schema;
    schema.labels.absent.is = NAN;
    struct fixture f = begin_with(
        &schema, "- {window: label, by: SHOP, over: 1d, take: [count, mean], delay: 8d}\n", 0);
    struct labelled events[3];
    for (size_t i = 0; i < 3; i++)
        score_labelled(&f, (double)i, "s", &events[i]);
    set_label(&f, &events[1], 1);
    double *dense = ask(&f, 194, "a", "s", 1);
    cr_expect(same(dense[0], 1) && same(dense[1], 1), "%g", dense[0]);
    set_label(&f, &events[0], 0);
    dense = ask(&f, 194, "a", "s", 1);
    cr_expect(same(dense[0], 2) && same(dense[1], 0.5));
    end(&f);
}

Test(window, keys_of_events_that_entered)
{
    struct fixture f =
        begin("- {window: label, by: SHOP, over: [1d, 9d], take: mean}\n"
              "- {window: label, by: CARD, over: 1d, take: mean}\n"
              "- {window: label, by: CARD, over: 1d, take: mean, where: AMOUNT > 5, as: big}\n"
              "- {window: AMOUNT, by: CARD, over: 1d, take: mean}\n");
    cr_assert(eq(sz, plan_n_label_keys(f.plan), 3), "windows of different length share a series");
    struct labelled event;
    score_labelled(&f, 0, "s", &event);
    cr_expect(key_eq(event.keys[0], entity_of("SHOP", "s")));
    cr_expect(key_eq(event.keys[1], entity_of("CARD", "a")));
    cr_expect(key_is_none(event.keys[2]), "its amount is 1");
    score_labelled(&f, 0, NULL, &event);
    cr_expect(key_is_none(event.keys[0]));
    make_event(&f, &(struct event_parts){.card = "a", .login = true}, &event.made);
    plan_label_keys(f.plan, &event.made.event, event.keys);
    cr_expect(key_is_none(event.keys[1]), "logins are not scored and get no labels");
    set_label(&f, &event, 1);
    end(&f);
}

/* With no delay at all an event is in its own window, as absent. */
Test(window, labels_without_delay)
{
    struct schema schema = test_schema;
    schema.labels.delay = 0;
    struct fixture f =
        begin_with(&schema, "- {window: label, by: SHOP, over: 1d, take: [count, sum]}\n", 0);
    struct labelled event;
    score_labelled(&f, 0, "s", &event);
    cr_expect(same(f.dense[0], 1) && same(f.dense[1], 0));
    set_label(&f, &event, 1);
    score_labelled(&f, 1, "s", &event);
    cr_expect(same(f.dense[0], 2) && same(f.dense[1], 1));
    end(&f);
}

Test(window, a_label_that_comes_after_its_entry_is_gone)
{
    struct fixture f = begin("- {window: label, by: SHOP, over: 1h, take: [count, sum]}\n");
    struct labelled event, later;
    score_labelled(&f, 0, "s", &event);
    for (int i = 0; i < 400; i++)
        score_labelled(&f, 24 * 100 + i, "s", &later);
    struct key128 before = state_digest(f.state);
    set_label(&f, &event, 1);
    cr_expect(key_eq(before, state_digest(f.state)));
    end(&f);
}
