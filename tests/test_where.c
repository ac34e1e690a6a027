/*
 * Tests of features/where.h.
 *
 * What is known without running it: the value of each small rule for an event written down by hand,
 * from the grammar and from how `and`, `or` and `not` bind; that a rule is as true as the same rule
 * over random truth values evaluated the slow way; that each mistake is found, at its column.
 */
#include "features/plan.h"
#include "tests/plan_fixture.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The event: Saturday 1970-01-03, 02:00 UTC; card 596, shop s1, amount 250, country DE. */
static const struct event_parts sample = {.hour = 50,
                                          .card = "596",
                                          .shop = "s1",
                                          .amount = 250,
                                          .country = "DE",
                                          .note = "hi",
                                          .channel = "web"};

static bool holds(const char *rule, const struct event_parts *parts)
{
    struct buf yaml = {0};
    buf_printf(&yaml, "- rule: >-\n    %s\n  as: x\n", rule);
    buf_byte(&yaml, 0);
    struct fixture f = begin(yaml.data);
    bool held = extract(&f, parts)[0] == 1;
    end(&f);
    buf_done(&yaml);
    return held;
}

struct rule_case {
    char rule[96];
    int holds;
};

ParameterizedTestParameters(where, rules)
{
    static struct rule_case cases[] = {
        {"AMOUNT > 200", 1},
        {"AMOUNT > 250", 0},
        {"AMOUNT >= 250", 1},
        {"AMOUNT < 250.5", 1},
        {"AMOUNT <= 2.5e2", 1},
        {"AMOUNT == 250", 1},
        {"AMOUNT != 250", 0},
        {"200 < AMOUNT", 1},
        {"AMOUNT > -1", 1},
        {"AMOUNT > `odd name`", 1},
        {"`odd name` == 125", 1},
        {"AMOUNT", 1},
        {"weekend", 1},
        {"hour == 2 and night", 1},
        {"weekday == 5", 1},
        {"day == 3 and month == 1", 1},
        {"AMOUNT > 200 and (hour <= 6 or weekend)", 1},
        {"AMOUNT > 300 and hour <= 6 or weekend", 1},
        {"AMOUNT > 300 and (hour <= 6 or weekend)", 0},
        {"weekend or AMOUNT > 300 and hour > 6", 1},
        {"not weekend or AMOUNT > 300", 0},
        {"not (weekend and AMOUNT > 300)", 1},
        {"not not weekend", 1},
        {"not weekend and AMOUNT > 300", 0},
        {"COUNTRY == \"DE\"", 1},
        {"COUNTRY == 'FR'", 0},
        {"COUNTRY != 'FR'", 1},
        {"COUNTRY in ['FR', 'DE']", 1},
        {"COUNTRY not in ['FR', 'DE']", 0},
        {"CARD == 596", 1},
        {"CARD == '596'", 1},
        {"SHOP in ['s2', 's3']", 0},
        {"AMOUNT in [1, 250]", 1},
        {"AMOUNT not in [1, 2]", 1},
        {"hour in [1, 2, 3]", 1},
        {"NOTE == 'hi'", 1},
        {"meta.channel == 'web'", 1},
        {"1 < 2", 1},
        {"((((AMOUNT))))", 1},
    };
    return cr_make_param_array(struct rule_case, cases, LEN(cases));
}

ParameterizedTest(struct rule_case *c, where, rules)
{
    cr_expect(eq(int, holds(c->rule, &sample), c->holds), "%s", c->rule);
}

/* A test of something missing is false, whichever way round. */
struct missing_case {
    char rule[64];
    int holds;
};

ParameterizedTestParameters(where, missing)
{
    static struct missing_case cases[] = {
        {"AMOUNT > 5", 0},          {"AMOUNT != 5", 0},     {"AMOUNT == 5", 0},
        {"not (AMOUNT > 5)", 1},    {"AMOUNT", 0},          {"AMOUNT not in [1]", 0},
        {"COUNTRY == 'DE'", 0},     {"COUNTRY != 'DE'", 0}, {"CARD != 'x'", 0},
        {"CARD not in ['x']", 0},   {"NOTE != 'x'", 0},     {"AMOUNT > 5 or hour == 0", 1},
        {"AMOUNT < `odd name`", 0},
    };
    return cr_make_param_array(struct missing_case, cases, LEN(cases));
}

ParameterizedTest(struct missing_case *c, where, missing)
{
    cr_expect(eq(int, holds(c->rule, &(struct event_parts){.amount = NAN}), c->holds), "%s",
              c->rule);
}

Test(where, the_calendar_is_that_of_the_zone)
{
    struct fixture f = begin("- {rule: hour == 2, as: a}\n"
                             "- {rule: hour == 3, as: b, zone: Europe/Berlin}\n"
                             "- {rule: weekend, as: c, zone: America/New_York}\n");
    double *dense = extract(&f, &sample);
    cr_expect(dense[0] == 1 && dense[1] == 1);
    cr_expect(dense[2] == 0, "still Friday evening there");
    end(&f);
}

Test(where, only_the_streams_that_have_its_fields)
{
    struct fixture f = begin("- {rule: AMOUNT > 1, as: a}\n- {rule: RISK > 1, as: b}\n"
                             "- {rule: night, as: c}\n");
    double *dense = extract(&f, &sample);
    cr_expect(dense[0] == 1 && isnan(dense[1]) && dense[2] == 1);
    dense = extract(&f, &(struct event_parts){.login = true, .amount = 2});
    cr_expect(isnan(dense[0]) && dense[1] == 1 && dense[2] == 1);
    end(&f);
}

/* Random rules of AMOUNT == i, whose truth is known, against their plain evaluation. */

static uint64_t next(uint64_t *seed, uint64_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (*seed >> 33) % below;
}

static bool random_rule(uint64_t *seed, int depth, struct buf *ret)
{
    uint64_t choice = depth == 0 ? 0 : next(seed, 5);
    if (choice < 2) {
        bool truth = next(seed, 2);
        buf_text(ret, truth ? "AMOUNT == 250" : "AMOUNT < 250");
        return truth;
    }
    if (choice == 2) {
        buf_text(ret, "not (");
        bool inner = random_rule(seed, depth - 1, ret);
        buf_text(ret, ")");
        return !inner;
    }
    bool and = choice == 3, value = and;
    for (uint64_t i = 0, n = 2 + next(seed, 3); i < n; i++) {
        buf_text(ret, i == 0 ? "(" : and? ") and (" : ") or (");
        bool inner = random_rule(seed, depth - 1, ret);
        value = and? value && inner : value || inner;
    }
    buf_text(ret, ")");
    return value;
}

Test(where, jumps_change_nothing)
{
    uint64_t seed = 4;
    for (int i = 0; i < 300; i++) {
        struct buf rule = {0};
        bool truth = random_rule(&seed, 4, &rule);
        buf_byte(&rule, 0);
        cr_assert(eq(int, holds(rule.data, &sample), truth), "%s", rule.data);
        buf_done(&rule);
    }
}

struct mistake {
    char rule[80];
    char says[120];
};

ParameterizedTestParameters(where, mistakes)
{
    static struct mistake cases[] = {
        {"AMOUNT >", "column 9: expected a field, a number"},
        {"AMONT > 5", "column 1: no field \"AMONT\"; did you mean \"AMOUNT\"?"},
        {"night and weeken", "column 11: no field \"weeken\"; did you mean \"weekend\"?"},
        {"AMOUNT = 5", "column 8: `=` is no comparison; did you mean `==`?"},
        {"AMOUNT > 5 weekend", "column 12: expected `and`, `or` or the end"},
        {"(AMOUNT > 5", "column 12: expected `)`"},
        {"AMOUNT > 5)", "column 11: expected `and`, `or` or the end"},
        {"COUNTRY > 'DE'", "column 11: only numbers have an order"},
        {"COUNTRY", "column 1: a field that is no number must be compared"},
        {"COUNTRY == SHOP", "column 12: expected a number or a text in quotes"},
        {"AMOUNT == CARD", "column 11: put the number or text on the right"},
        {"AMOUNT == 'x'", "column 11: this text is compared with a number"},
        {"'x' == COUNTRY", "column 1: a text can only stand right"},
        {"COUNTRY == 'DE", "column 12: this ' is never closed"},
        {"AMOUNT in 5", "column 11: expected a list"},
        {"AMOUNT in [5", "column 13: expected `,` or `]`"},
        {"AMOUNT in []", "column 12: expected a number or a text"},
        {"AMOUNT not 5", "column 12: expected `in` after `not`"},
        {"AMOUNT > 1.2.3", "column 10: \"1.2.3\" is no number"},
        {"AMOUNT > 5 & night", "column 12: `&` means nothing here"},
        {"holiday", "column 1: no field \"holiday\""},
        {"not", "column 4: expected a field"},
    };
    return cr_make_param_array(struct mistake, cases, LEN(cases));
}

ParameterizedTest(struct mistake *c, where, mistakes)
{
    struct buf yaml = {0};
    buf_printf(&yaml, "- as: x\n  rule: >-\n    %s\n", c->rule);
    buf_byte(&yaml, 0);
    struct fixture f = begin_with(&test_schema, yaml.data, 0);
    cr_expect(eq(int, f.status, ST_EINVAL), "%s", c->rule);
    buf_byte(&f.errors.text, 0);
    cr_expect(strstr(f.errors.text.data, c->says) != NULL, "%s\nsays %s\nnot %s", c->rule,
              f.errors.text.data, c->says);
    cr_expect(eq(sz, f.errors.n, 1), "once, not for each stream: %s", f.errors.text.data);
    end(&f);
    buf_done(&yaml);
}

Test(where, nesting_has_an_end)
{
    struct buf yaml = {0};
    buf_text(&yaml, "- {as: x, rule: '");
    for (int i = 0; i < 5000; i++)
        buf_text(&yaml, "(");
    buf_text(&yaml, "'}");
    buf_byte(&yaml, 0);
    struct fixture f = begin_with(&test_schema, yaml.data, 0);
    cr_expect(eq(int, f.status, ST_EINVAL));
    end(&f);
    buf_done(&yaml);
}
