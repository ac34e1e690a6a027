/*
 * Tests of features/plan.h: from a config to columns.
 *
 * What is known without running it: the names that a config's items give, in their order; what each
 * kind writes for an event written down by hand; that what an event lacks is NaN or absent, never
 * an error; which configs are refused, at which line and with what advice.
 */
#include "features/plan.h"
#include "tests/plan_fixture.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Names. */

struct name_case {
    char yaml[320];
    char names[400]; /* dense, then sparse after a bar */
};

ParameterizedTestParameters(plan, names)
{
    static struct name_case cases[] = {
        {"- {value: AMOUNT}\n- {value: AMOUNT, as: eur}\n- {value: odd name}",
         "AMOUNT eur odd name|"},
        {"- {calendar: weekend}\n- {calendar: hour}\n- {calendar: hour, between: [0, 6]}\n"
         "- {calendar: hour, between: [0, 6], as: late}",
         "weekend hour hour.0-6 late|"},
        {"- {window: AMOUNT, by: CARD, over: [1d, 7d], take: [count, mean]}",
         "AMOUNT.by.CARD.1d.count AMOUNT.by.CARD.1d.mean AMOUNT.by.CARD.7d.count "
         "AMOUNT.by.CARD.7d.mean|"},
        {"- {window: AMOUNT, by: CARD, over: 24h, take: [since, std]}",
         "AMOUNT.by.CARD.24h.std AMOUNT.by.CARD.since|"},
        {"- {window: AMOUNT, by: CARD, take: since}", "AMOUNT.by.CARD.since|"},
        {"- {window: label, by: SHOP, over: 30d, take: mean}", "label.by.SHOP.30d.mean|"},
        {"- {window: events, by: [CARD, SHOP], over: 1h, take: count}",
         "events.by.CARD+SHOP.1h.count|"},
        {"- {window: SHOP, by: CARD, over: 1h, take: [count, distinct]}",
         "SHOP.by.CARD.1h.count SHOP.by.CARD.1h.distinct|"},
        {"- {window: AMOUNT, by: CARD, over: 1h, take: [distinct, mean], of: SHOP}",
         "SHOP.by.CARD.1h.distinct AMOUNT.by.CARD.1h.mean|"},
        {"- {window: AMOUNT, by: CARD, over: 1h, take: mean, as: lately}", "lately.1h.mean|"},
        {"- {window: AMOUNT, by: CARD, over: 1h, take: mean, where: night, as: dark}",
         "AMOUNT.by.CARD.where.dark.1h.mean|"},
        {"- {rule: AMOUNT > 5, as: big}\n- {category: COUNTRY}\n- {category: SHOP, as: shop}\n"
         "- {text: NOTE}",
         "big|COUNTRY shop NOTE"},
        {"[]", "AMOUNT odd name RISK|"},
    };
    return cr_make_param_array(struct name_case, cases, LEN(cases));
}

ParameterizedTest(struct name_case *c, plan, names)
{
    struct fixture f = begin(c->yaml);
    const struct vector_schema *schema = plan_vector_schema(f.plan);
    struct buf names = {0};
    for (size_t i = 0; i < schema->n_dense; i++)
        buf_printf(&names, "%s%s", i ? " " : "", schema->dense[i]);
    buf_text(&names, "|");
    for (size_t i = 0; i < schema->n_sparse; i++)
        buf_printf(&names, "%s%s", i ? " " : "", schema->sparse[i]);
    buf_byte(&names, 0);
    cr_expect(eq(str, names.data, c->names));
    buf_done(&names);
    end(&f);
}

Test(plan, the_schema_id_is_the_names)
{
    struct fixture a = begin("- {value: AMOUNT}\n- {calendar: hour}");
    struct fixture b = begin("- {value: AMOUNT}\n- {calendar: hour, zone: Europe/Berlin}");
    struct fixture c = begin("- {calendar: hour}\n- {value: AMOUNT}");
    uint64_t id = plan_vector_schema(a.plan)->id;
    cr_expect(eq(u64, id, plan_vector_schema(b.plan)->id));
    cr_expect(ne(u64, id, plan_vector_schema(c.plan)->id));
    end(&a);
    end(&b);
    end(&c);
}

/* Refusals. */

struct refusal {
    char yaml[320];
    char says[200]; /* part of the complaint */
};

ParameterizedTestParameters(plan, refusals)
{
    static struct refusal cases[] = {
        {"- {value: AMOUNTS}", "test.yaml:1: "},
        {"- {value: AMOUNTS}", "no stream has a field \"AMOUNTS\"; did you mean \"AMOUNT\"?"},
        {"- {value: CARD}", "\"CARD\" is of type entity, not number"},
        {"- {value: NOTE}", "see {text: ...}"},
        {"- {category: AMOUNT}", "\"AMOUNT\" is of type number"},
        {"- {text: COUNTRY}", "\"COUNTRY\" is of type category, not text"},
        {"- {value: AMOUNT}\n- {value: AMOUNT}", "test.yaml:2: "},
        {"- {value: AMOUNT}\n- {value: AMOUNT}", "there is a column \"AMOUNT\" already"},
        {"- {valu: AMOUNT}", "did you mean \"value\"?"},
        {"- {quantile: AMOUNT}", "expected one of the keys `value`"},
        {"- AMOUNT", "expected one of the keys"},
        {"value: AMOUNT", "expected a list of features"},
        {"- {value: AMOUNT, ass: x}", "did you mean \"as\"?"},
        {"- {calendar: hours}", "hour"},
        {"- {calendar: hour, between: 3}", "expected two bounds"},
        {"- {calendar: hour, zone: Europe/Berlinn}", "\"Europe/Berlinn\" is no time zone"},
        {"- {calendar: holiday}", "`country` or `days` say which"},
        {"- {calendar: holiday, days: [2018-02-30]}", "\"2018-02-30\" is no date"},
        {"- {window: AMOUNT, by: CARD, over: 1d}", "take"},
        {"- {window: AMOUNT, by: CARD, take: mean}", "expected `over:`"},
        {"- {window: AMOUNT, over: 1d, take: mean}", "by"},
        {"- {window: AMOUNT, by: COUNTRY, over: 1d, take: mean}",
         "\"COUNTRY\" is of type category; windows are kept by entities"},
        {"- {window: AMOUNT, by: [CARD, SHOP, CARD], over: 1d, take: mean}",
         "expected one entity or two, not 3"},
        {"- {window: AMOUNT, by: CARDS, over: 1d, take: mean}", "did you mean \"CARD\"?"},
        {"- {window: NOTE, by: CARD, over: 1d, take: count}", "\"NOTE\" is a text"},
        {"- {window: AMOUNT, by: CARD, over: 1d, take: means}",
         "\"means\" is nothing to take; did you mean \"mean\"?"},
        {"- {window: COUNTRY, by: CARD, over: 1d, take: mean}", "it holds no numbers"},
        {"- {window: events, by: CARD, over: 1d, take: sum}", "it holds no numbers"},
        {"- {window: label, by: CARD, over: 1d, take: ratio}", "an event has no label yet"},
        {"- {window: events, by: CARD, over: 1d, take: distinct}", "needs `of:`"},
        {"- {window: AMOUNT, by: CARD, over: 1d, take: mean, of: SHOP}", "which is not taken"},
        {"- {window: label, by: CARD, over: 1d, take: mean, delay: 1d}",
         "labels are known only after labels.delay"},
        {"- {window: AMOUNT, by: CARD, over: 1d, take: mean, where: night}", "add `as:`"},
        {"- {window: AMOUNT, by: CARD, over: 1d, take: mean, where: AMOUNT >, as: x}",
         "`where`: column 9: expected a field"},
        {"- {window: AMOUNT, by: CARD, over: 1d, take: mean, kind: sliding window}", "sliding"},
        {"- {window: SHOP, by: CARD, over: 1d, take: distinct, kind: tiled}", "cannot be tiled"},
        {"- {window: RISK, by: SHOP, over: 1d, take: mean}",
         "no stream has all the fields of this window"},
        {"- {rule: AMOUNT > 5}", "as"},
        {"- {rule: 'AMOUNT > 5 AND night', as: x}", "column 12"},
    };
    return cr_make_param_array(struct refusal, cases, LEN(cases));
}

ParameterizedTest(struct refusal *c, plan, refusals)
{
    struct fixture f = begin_with(&test_schema, c->yaml, 0);
    cr_expect(eq(int, f.status, ST_EINVAL), "%s", c->yaml);
    buf_byte(&f.errors.text, 0);
    cr_expect(strstr(f.errors.text.data, c->says) != NULL, "%s\nsays %s\nnot %s", c->yaml,
              f.errors.text.data, c->says);
    end(&f);
}

Test(plan, labels_must_be_declared_for_windows_over_them)
{
    struct schema schema = test_schema;
    schema.labels.present = false;
    struct fixture f = begin_with(&schema, "- {window: label, by: CARD, over: 1d, take: mean}", 0);
    cr_expect(eq(int, f.status, ST_EINVAL));
    end(&f);
}

/* A plan can be checked without a state. */
Test(plan, needs_no_state_to_be_checked)
{
    struct fixture f = begin("- {value: AMOUNT}");
    struct plan *plan = NULL;
    cr_assert(
        eq(int, plan_create(&test_schema, conf_root(f.conf), 0, NULL, &f.errors, &plan), ST_OK));
    plan_free(plan);
    end(&f);
}

/* A state that outlives its config. Windows lie behind the moment at which they were added before
 * they are known. */

struct told {
    char text[256];
};

static void tell_added(void *arg, const char *name, int64_t warm)
{
    char *text = ((struct told *)arg)->text;
    sprintf(text + strlen(text), "+%s %g;", name, (double)warm / HOUR_US);
}

static void tell_removed(void *arg, const char *name)
{
    char *text = ((struct told *)arg)->text;
    sprintf(text + strlen(text), "-%s;", name);
}

/* From now on with another config; hour: the stream's time. What has changed is told. */
static struct told change(struct fixture *f, const char *yaml, double hour)
{
    struct told told = {""};
    const struct plan_watch watch = {tell_added, tell_removed, &told};
    plan_free(f->plan);
    conf_free(f->conf);
    f->plan = NULL;
    conf_errors_done(&f->errors);
    cr_assert(eq(int, conf_parse("c.yaml", slice_of(yaml), &f->errors, &f->conf), ST_OK));
    f->status = plan_create_at(&test_schema, conf_root(f->conf), DAY_US, f->state,
                               (int64_t)(hour * (double)HOUR_US), &watch, &f->errors, &f->plan);
    return told;
}

static double column_at(struct fixture *f, size_t column, double hour)
{
    return ask(f, hour, "a", "s", 3)[column];
}

Test(plan, a_feature_that_is_added_is_unknown_until_it_is_warm)
{
    struct fixture f = begin("- {window: AMOUNT, by: CARD, over: 2h, take: count}");
    pay(&f, 1, "a", "s", 3);
    struct told told = change(&f,
                              "- {window: AMOUNT, by: SHOP, over: [2h, 5h], take: [count, since]}\n"
                              "- {window: AMOUNT, by: CARD, over: 2h, take: count}",
                              1);
    cr_assert(eq(int, f.status, ST_OK));
    cr_expect(eq(str, told.text, (char *)"+AMOUNT.by.SHOP 6;"));
    pay(&f, 2, "a", "s", 3);
    cr_expect(isnan(column_at(&f, 0, 2.9)) && isnan(column_at(&f, 1, 2.9)));
    cr_expect(same(column_at(&f, 2, 2.9), 3600 * 0.9), "what is known of the last one is right");
    cr_expect(same(column_at(&f, 3, 2.9), 3), "the old feature lacks nothing");
    cr_expect(same(column_at(&f, 0, 3), 2) && isnan(column_at(&f, 1, 3)), "2h are over");
    cr_expect(same(column_at(&f, 1, 6), 2), "5h are over: the entries at 2 and at 6");
    end(&f);
}

Test(plan, nothing_is_told_of_a_new_state_and_of_the_same_config)
{
    const char *yaml = "- {window: AMOUNT, by: CARD, over: 2h, take: count}";
    struct fixture f = begin(yaml);
    pay(&f, 1, "a", "s", 3);
    struct key128 digest = state_digest(f.state);
    cr_expect(eq(str, change(&f, yaml, 1).text, (char *)""));
    cr_expect(key_eq(state_digest(f.state), digest), "nothing is written either");
    end(&f);
}

/* What was kept for the longest window serves a new one: 2h, and the lateness of a day. */
Test(plan, a_longer_window_looks_at_what_was_kept)
{
    struct fixture f = begin("- {window: AMOUNT, by: CARD, over: 2h, take: count}");
    for (int hour = 1; hour <= 30; hour++)
        pay(&f, hour, "a", "s", 3);
    struct told told =
        change(&f, "- {window: AMOUNT, by: CARD, over: [2h, 20h, 30h], take: count}", 30);
    cr_expect(eq(str, told.text, (char *)"+AMOUNT.by.CARD 34;"));
    cr_expect(same(column_at(&f, 1, 30.5), 21), "20h: as if it had always been there");
    cr_expect(isnan(column_at(&f, 2, 33.5)));
    cr_expect(same(column_at(&f, 2, 34), 27), "30h: (4, 34]");
    end(&f);
}

Test(plan, a_window_over_labels_is_warm_after_its_delay)
{
    struct fixture f = begin("- {value: AMOUNT}");
    struct told told =
        change(&f, "- {window: label, by: SHOP, over: 1d, delay: 7d, take: count}", 24);
    cr_expect(eq(str, told.text, (char *)"+label.by.SHOP delay 7d 216;"), "1d after 24h, and 7d");
    pay(&f, 25, "a", "s", 3);
    cr_expect(isnan(column_at(&f, 0, 215.9)) && same(column_at(&f, 0, 216), 1));
    end(&f);
}

static size_t records_left(struct fixture *f)
{
    while (state_expire_some(f->state, 16))
        continue;
    return state_count(f->state);
}

Test(plan, what_is_removed_goes_and_begins_anew)
{
    const char *with = "- {window: AMOUNT, by: CARD, over: 2h, take: count}\n- {value: AMOUNT}";
    struct fixture f = begin("- {value: AMOUNT}");
    cr_expect(eq(str, change(&f, with, 1).text, (char *)"+AMOUNT.by.CARD 3;"));
    size_t before = state_count(f.state);
    for (int i = 0; i < 1000; i++) {
        char card[16];
        snprintf(card, sizeof card, "%d", i);
        pay(&f, 2, card, "s", 1);
    }
    pay(&f, 2, "a", "s", 3);
    cr_expect(eq(sz, state_count(f.state), before + 1001));
    cr_expect(eq(str, change(&f, "- {value: AMOUNT}", 2).text, (char *)"-AMOUNT.by.CARD;"));
    cr_expect(gt(sz, state_count(f.state), 900), "not all at once");
    cr_expect(eq(str, change(&f, with, 2.5).text, (char *)"+AMOUNT.by.CARD 4.5;"),
              "added again at once");
    cr_expect(isnan(column_at(&f, 0, 4)) && same(column_at(&f, 0, 4.5), 1), "it begins anew");
    pay(&f, 5, "a", "s", 3);
    cr_expect(eq(sz, records_left(&f), before + 1), "only what is new is left");
    cr_expect(same(column_at(&f, 0, 6), 2));
    end(&f);
}

struct changed_case {
    char yaml[160], named[64];
};

ParameterizedTestParameters(plan, what_means_something_else_is_refused)
{
    static struct changed_case cases[] = {
        {"\n- {window: AMOUNT, by: CARD, over: 1d, take: mean, entries_max: 64}",
         "entries_max 4096"},
        {"\n- {window: AMOUNT, by: CARD, over: 1d, take: mean, tiles: 8}", "tiles 64"},
    };
    return cr_make_param_array(struct changed_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct changed_case *c, plan, what_means_something_else_is_refused)
{
    struct fixture f = begin("- {window: AMOUNT, by: CARD, over: 1d, take: mean}");
    change(&f, c->yaml, 1);
    cr_expect(eq(int, f.status, ST_EVERSION));
    buf_byte(&f.errors.text, '\0');
    const char *text = f.errors.text.data;
    cr_expect(strstr(text, c->named) && strstr(text, "c.yaml:2") &&
                  strstr(text, "AMOUNT.by.CARD") && strstr(text, "replay"),
              "%s", text);
    end(&f);
}

/* What is written. */

Test(plan, values_and_what_is_missing)
{
    struct fixture f = begin("- {value: AMOUNT}\n- {value: odd name}\n- {value: RISK}\n"
                             "- {window: AMOUNT, by: CARD, over: 1d, take: [count, sum]}");
    double *dense = score(&f, &(struct event_parts){.card = "a", .amount = 3});
    cr_expect(same(dense[0], 3) && same(dense[1], 1.5) && isnan(dense[2]));
    cr_expect(same(dense[3], 1) && same(dense[4], 3));
    dense = score(&f, &(struct event_parts){.card = "a", .amount = NAN});
    cr_expect(isnan(dense[0]));
    cr_expect(same(dense[3], 1), "an event without amount is no entry, but sees the others");
    dense = score(&f, &(struct event_parts){.card = NULL, .amount = 3});
    cr_expect(isnan(dense[3]) && isnan(dense[4]), "nobody's window");
    end(&f);
}

Test(plan, streams_share_what_both_have)
{
    struct fixture f = begin("- {value: AMOUNT}\n- {value: RISK}\n- {rule: RISK > 1, as: risky}\n"
                             "- {window: AMOUNT, by: CARD, over: 1d, take: count}\n"
                             "- {window: events, by: CARD, over: 1d, take: count}\n"
                             "- {window: events, by: SHOP, over: 1d, take: count}");
    score(&f, &(struct event_parts){.card = "a", .shop = "s", .amount = 3});
    double *dense = score(&f, &(struct event_parts){.card = "a", .amount = 2, .login = true});
    cr_expect(isnan(dense[0]) && same(dense[1], 2) && same(dense[2], 1));
    cr_expect(same(dense[3], 1), "a login enters no window over amounts, but reads it");
    cr_expect(same(dense[4], 2), "events are those of all streams that know the card");
    cr_expect(isnan(dense[5]), "a login has no shop");
    end(&f);
}

Test(plan, categories_and_words)
{
    struct fixture f = begin("- {text: NOTE, words: 4}\n- {category: COUNTRY}\n- {category: CARD}");
    score(&f, &(struct event_parts){.card = "a", .country = "DE", .note = "Blue, blue: SKY-9!"});
    struct sparse expected[] = {
        {category_of("blue"), 0, 0.5f}, {category_of("blue"), 0, 0.5f},
        {category_of("sky"), 0, 0.5f},  {category_of("9"), 0, 0.5f},
        {category_of("DE"), 1, 1},      {entity_of("CARD", "a").lo, 2, 1},
    };
    cr_assert(eq(sz, f.n_sparse, LEN(expected)));
    for (size_t i = 0; i < LEN(expected); i++) {
        cr_expect(eq(u64, f.sparse[i].hash, expected[i].hash), "%zu", i);
        cr_expect(eq(u32, f.sparse[i].field, expected[i].field), "%zu", i);
        cr_expect(eq(flt, f.sparse[i].weight, expected[i].weight), "%zu", i);
    }
    score(&f, &(struct event_parts){.note = "..."});
    cr_expect(eq(sz, f.n_sparse, 0));
    score(&f, &(struct event_parts){.note = "one two three four five six"});
    cr_expect(eq(sz, f.n_sparse, 4));
    end(&f);
}

Test(plan, a_vector_holds_only_so_many_words)
{
    struct fixture f = begin("- {text: NOTE, words: 200}\n- {text: NOTE, words: 200, as: again}");
    char note[2048] = "";
    for (int i = 0; i < 200; i++)
        strcat(note, "w ");
    score(&f, &(struct event_parts){.note = note});
    cr_expect(eq(sz, f.n_sparse, VECTOR_SPARSE_MAX));
    end(&f);
}

/* For people. */

Test(plan, describes_what_a_record_holds)
{
    struct fixture f = begin("- {window: AMOUNT, by: CARD, over: [1d, 7d], take: mean}");
    score(&f, &(struct event_parts){.hour = 0, .card = "a", .amount = 3});
    score(&f, &(struct event_parts){.hour = 30, .card = "a", .amount = 5});
    uint16_t family;
    struct buf text = {0};
    for (family = 1; !state_find(f.state, family, entity_of("CARD", "a")); family++)
        continue;
    struct record *rec = state_find(f.state, family, entity_of("CARD", "a"));
    cr_assert(eq(int, plan_describe(f.plan, rec, &text), ST_OK));
    buf_byte(&text, 0);
    cr_expect(eq(str, text.data,
                 "{\"family\":\"window/AMOUNT.by.CARD\",\"entries\":2,"
                 "\"from\":\"1970-01-01T00:00:00Z\",\"to\":\"1970-01-02T06:00:00Z\",\"windows\":["
                 "{\"over\":\"1d\",\"count\":1,\"sum\":5,\"mean\":5,\"std\":0,\"min\":5,\"max\":5},"
                 "{\"over\":\"7d\",\"count\":2,\"sum\":8,\"mean\":4,\"std\":1,\"min\":3,\"max\":5}"
                 "]}"));
    rec->family = 999;
    cr_expect(eq(int, plan_describe(f.plan, rec, &text), ST_ENOTFOUND));
    rec->family = family;
    buf_done(&text);
    end(&f);
}

Test(plan, the_manual_names_every_kind)
{
    struct buf doc = {0}, schema = {0};
    plan_write_doc(&doc);
    plan_write_schema(&schema);
    buf_byte(&doc, 0);
    buf_byte(&schema, 0);
    const char *keys[] = {"value", "category", "text", "calendar", "rule", "window"};
    for (size_t i = 0; i < LEN(keys); i++) {
        cr_expect(strstr(doc.data, keys[i]) != NULL, "%s", keys[i]);
        cr_expect(strstr(schema.data, keys[i]) != NULL, "%s", keys[i]);
    }
    buf_done(&doc);
    buf_done(&schema);
}
