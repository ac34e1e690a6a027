/*
 * Tests of {stl: ...}: what buckets of events become as columns.
 *
 * What is known without running it: days that are all alike have a trend of a day's worth, no
 * season and no remainder, and an open day has what it has less its share of that; before four
 * periods have been collected nothing is known; the order in which events of the open buckets come
 * does not matter, and a request leaves no trace. What is written in a config and cannot be is
 * refused.
 */
#include "features/plan.h"
#include "tests/plan_fixture.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define DAYS   (24.0)

#define ITEM "- {stl: AMOUNT, by: CARD, bucket: 1d, period: 3d"

enum { TREND, SEASONAL, REMAINDER, Z, STRENGTH, OPEN, COLUMNS };

/* Two payments a day, of 4 and of 6. */
static void pay_days(struct fixture *f, int from, int to)
{
    for (int day = from; day < to; day++) {
        pay(f, day * DAYS + 6, "a", "s", 4);
        pay(f, day * DAYS + 18, "a", "s", 6);
    }
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

Test(stl_feature, names_its_columns)
{
    struct fixture f = begin(ITEM "}\n- {stl: events, by: [CARD, SHOP], bucket: 1h, period: 1d, "
                                  "fold: count, take: [open, z]}\n"
                                  "- {stl: AMOUNT, by: SHOP, bucket: 1d, period: 7d, as: shop, "
                                  "take: trend}\n");
    static const char *const names[] = {"AMOUNT.by.CARD.stl.1d.sum.trend",
                                        "AMOUNT.by.CARD.stl.1d.sum.seasonal",
                                        "AMOUNT.by.CARD.stl.1d.sum.remainder",
                                        "AMOUNT.by.CARD.stl.1d.sum.z",
                                        "AMOUNT.by.CARD.stl.1d.sum.strength",
                                        "AMOUNT.by.CARD.stl.1d.sum.open",
                                        "events.by.CARD+SHOP.stl.1h.count.z",
                                        "events.by.CARD+SHOP.stl.1h.count.open",
                                        "shop.trend"};
    const struct vector_schema *schema = plan_vector_schema(f.plan);
    cr_assert(eq(sz, schema->n_dense, LEN(names)));
    for (size_t i = 0; i < LEN(names); i++)
        cr_assert(eq(str, (char *)schema->dense[i], (char *)names[i]));
    end(&f);
}

Test(stl_feature, nothing_is_known_before_it_has_begun)
{
    struct fixture f = begin(ITEM "}\n");
    pay_days(&f, 0, 12);
    for (int c = TREND; c < COLUMNS; c++)
        cr_assert(isnan(f.dense[c]));
    pay_days(&f, 12, 24);
    for (int c = TREND; c < COLUMNS; c++)
        cr_assert(not(isnan(f.dense[c])));
    double *other = ask(&f, 24 * DAYS, "b", "s", 1);
    cr_assert(isnan(other[TREND]));
    other = ask(&f, 24 * DAYS, NULL, "s", 1);
    cr_assert(isnan(other[TREND]));
    end(&f);
}

struct fold_row {
    char options[32];
    double day;        /* what a day comes to */
    double at_6, at_9; /* of a day on which a payment of 7 comes at 6 and one of 1 is asked at 9 */
};

ParameterizedTestParameters(stl_feature, days_alike)
{
    static struct fold_row rows[] = {
        {"fold: sum", 10, 7 - 10 * .25, 8 - 10 * .375},
        {"fold: count", 2, 1 - 2 * .25, 2 - 2 * .375},
        {"fold: mean", 5, 7 - 5, 4 - 5},
    };
    return cr_make_param_array(struct fold_row, rows, LEN(rows));
}

ParameterizedTest(struct fold_row *row, stl_feature, days_alike)
{
    char yaml[160];
    snprintf(yaml, sizeof yaml, ITEM ", %s}\n", row->options);
    struct fixture f = begin(yaml);
    pay_days(&f, 0, 30);
    double *dense = pay(&f, 30 * DAYS + 6, "a", "s", 7);
    cr_assert(near(dense[TREND], row->day));
    cr_assert(near(dense[SEASONAL], 0) && near(dense[REMAINDER], 0) && near(dense[Z], 0));
    cr_assert(near(dense[OPEN], row->at_6));
    dense = ask(&f, 30 * DAYS + 9, "a", "s", 1);
    cr_assert(near(dense[OPEN], row->at_9));
    end(&f);
}

/* A login of the card is no payment, but its vector has what is known of the card. */
Test(stl_feature, an_event_without_a_value_sees_the_open_bucket)
{
    struct fixture f = begin(ITEM "}\n");
    pay_days(&f, 0, 30);
    struct event_parts login = {.hour = 30 * DAYS + 12, .card = "a", .login = true};
    cr_assert(near(score(&f, &login)[OPEN], -5));
    pay(&f, 30 * DAYS + 12, "a", "s", 7);
    cr_assert(near(extract(&f, &login)[OPEN], 2));
    end(&f);
}

Test(stl_feature, empty_buckets_are_zeros_or_gaps)
{
    struct fixture f = begin(ITEM ", as: zero}\n" ITEM ", empty: gap, as: gap}\n");
    pay_days(&f, 0, 40);
    double *dense = ask(&f, 42 * DAYS, "a", "s", 1);
    cr_assert(dense[REMAINDER] < -5 && dense[Z] < -3);
    cr_assert(isnan(dense[COLUMNS + REMAINDER]) && isnan(dense[COLUMNS + Z]));
    cr_assert(near(dense[COLUMNS + TREND], 10));
    end(&f);
}

Test(stl_feature, after_a_long_silence_an_entity_is_new)
{
    struct fixture f = begin(ITEM "}\n");
    pay_days(&f, 0, 30);
    cr_assert(not(isnan(ask(&f, (29 + 64) * DAYS, "a", "s", 1)[TREND])));
    cr_assert(isnan(ask(&f, (30 + 64) * DAYS, "a", "s", 1)[TREND]));
    pay_days(&f, 200, 203);
    cr_assert(isnan(f.dense[TREND]));
    pay_days(&f, 203, 230);
    cr_assert(near(f.dense[TREND], 10));
    end(&f);
}

/* Lateness is a day in the fixture: two days are open. */
Test(stl_feature, late_events_count_as_if_they_had_come_in_order)
{
    struct fixture f = begin(ITEM "}\n"), g = begin(ITEM "}\n");
    double at[3];
    for (int day = 0; day < 60; day++) {
        for (int i = 0; i < 3; i++)
            at[i] = day * DAYS + 2 + 7 * i;
        for (int i = 0; i < 3; i++) {
            pay(&f, at[i], "a", "s", day % 5 + i);
            pay(&g, at[(i + 2) % 3], "a", "s", day % 5 + (i + 2) % 3);
        }
        ask(&f, day * DAYS + 20, "a", "s", 0);
        ask(&g, day * DAYS + 20, "a", "s", 0);
        for (int c = TREND; c < COLUMNS; c++)
            cr_assert(same(f.dense[c], g.dense[c]));
    }
    cr_assert(not(isnan(f.dense[TREND])));
    end(&f);
    end(&g);
}

Test(stl_feature, a_request_leaves_no_trace)
{
    struct fixture f = begin(ITEM "}\n");
    for (int day = 0; day < 60; day++) {
        pay(&f, day * DAYS + 1, "a", "s", day * day % 17 + (day == 40) * 100);
        struct key128 before = state_digest(f.state);
        ask(&f, day * DAYS + 9 + 24 * (day % 9), "a", "s", 5);
        cr_assert(key_eq(before, state_digest(f.state)));
    }
    end(&f);
}

struct refusal_row {
    char item[160];
    char why[80];
};

ParameterizedTestParameters(stl_feature, refuses)
{
    static struct refusal_row rows[] = {
        {"{stl: AMOUNT, by: CARD, bucket: 1d}", "period"},
        {"{stl: AMOUNT, by: CARD, bucket: 1d, period: 1d}", "expected 2 to"},
        {"{stl: AMOUNT, by: CARD, bucket: 2d, period: 7d}", "without a rest"},
        {"{stl: AMOUNT, by: CARD, bucket: 10m, period: 1d}", "of time.lateness"},
        {"{stl: AMOUNT, by: AMOUNT, bucket: 1d, period: 7d}", "entity"},
        {"{stl: AMONT, by: CARD, bucket: 1d, period: 7d}", "did you mean \"AMOUNT\""},
        {"{stl: events, by: CARD, bucket: 1d, period: 7d}", "fold: count"},
        {"{stl: COUNTRY, by: CARD, bucket: 1d, period: 7d, fold: mean}", "fold: count"},
        {"{stl: label, by: CARD, bucket: 1d, period: 7d}", "labels come too late"},
        {"{stl: NOTE, by: CARD, bucket: 1d, period: 7d}", "is a text"},
        {"{stl: AMOUNT, by: CARD, bucket: 1d, period: 7d, take: [trends]}", "nothing to take"},
        {"{stl: AMOUNT, by: CARD, bucket: 1d, period: 7d, init: 1}", "init"},
        {"{stl: AMOUNT, by: CARD, bucket: 1d, period: 7d, where: AMOUNT > 1}", "needs a name"},
    };
    return cr_make_param_array(struct refusal_row, rows, LEN(rows));
}

ParameterizedTest(struct refusal_row *row, stl_feature, refuses)
{
    char yaml[200];
    snprintf(yaml, sizeof yaml, "- %s\n", row->item);
    struct fixture f = begin_with(&test_schema, yaml, DAY_US);
    buf_byte(&f.errors.text, 0);
    cr_assert(eq(int, f.status, ST_EINVAL));
    cr_assert(strstr(f.errors.text.data, row->why) != NULL, "%s", f.errors.text.data);
    end(&f);
}
