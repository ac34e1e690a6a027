/*
 * tests/plan_fixture.h -- a plan over two made-up streams, and events for it, for the tests of
 * features/.
 *
 *     struct fixture f = begin("- {window: AMOUNT, by: CARD, over: 1d, take: mean}\n");
 *     struct event_parts e = {.hour = 3, .card = "a", .amount = 5};
 *     double *dense = score(&f, &e);                // extract, then observe
 *     end(&f);
 */
#ifndef TESTS_PLAN_FIXTURE_H
#define TESTS_PLAN_FIXTURE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdlib.h>

#include "features/plan.h"

#define HOUR_US (3600 * SECOND_US)

/* payments: scored. logins: know the card and its country alone. */
static const struct field payment_fields[] = {
    {"CARD", FIELD_ENTITY, "CARD"},
    {"SHOP", FIELD_ENTITY, "SHOP"},
    {"AMOUNT", FIELD_NUMBER, NULL},
    {"COUNTRY", FIELD_CATEGORY, NULL},
    {"NOTE", FIELD_TEXT, NULL},
    {"odd name", FIELD_NUMBER, NULL},
    {"meta.channel", FIELD_CATEGORY, NULL},
};
static const struct field login_fields[] = {
    {"CARD", FIELD_ENTITY, "CARD"},
    {"COUNTRY", FIELD_CATEGORY, NULL},
    {"RISK", FIELD_NUMBER, NULL},
};
static const struct stream test_streams[] = {
    {.name = "payments", .n_fields = 7, .fields = payment_fields, .score = true},
    {.name = "logins", .n_fields = 3, .fields = login_fields},
};
static const struct schema test_schema = {
    .n_streams = 2,
    .streams = test_streams,
    .labels = {.present = true, .delay = 7 * DAY_US, .absent = {.is = 0, .after = 7 * DAY_US}},
};

struct fixture {
    struct conf *conf;
    struct conf_errors errors;
    struct state *state;
    struct plan *plan;
    enum status status;
    double dense[64];
    struct sparse sparse[VECTOR_SPARSE_MAX];
    size_t n_sparse;
    uint64_t ids;
};

static inline struct fixture begin_with(const struct schema *schema, const char *yaml,
                                        int64_t lateness)
{
    struct fixture f = {0};
    cr_assert(state_create(&f.state) == ST_OK);
    if (conf_parse("test.yaml", slice_of(yaml), &f.errors, &f.conf) < 0)
        cr_assert(f.conf != NULL, "%.*s", (int)f.errors.text.len, f.errors.text.data);
    f.status = plan_create(schema, conf_root(f.conf), lateness, f.state, &f.errors, &f.plan);
    return f;
}

static inline struct fixture begin(const char *yaml)
{
    struct fixture f = begin_with(&test_schema, yaml, DAY_US);
    cr_assert(f.status == ST_OK, "%.*s", (int)f.errors.text.len, f.errors.text.data);
    return f;
}

static inline void end(struct fixture *f)
{
    plan_free(f->plan);
    state_free(f->state);
    conf_errors_done(&f->errors);
    conf_free(f->conf);
}

/* What is refused of a list of one item, and a part of what is said of it. */
struct refusal_case {
    char item[120];
    char why[64];
};

static inline void expect_refused(const struct refusal_case *c)
{
    char yaml[160];
    snprintf(yaml, sizeof yaml, "- {%s}\n", c->item);
    struct fixture f = begin_with(&test_schema, yaml, DAY_US);
    buf_byte(&f.errors.text, 0);
    cr_expect(f.status == ST_EINVAL, "%s: %s", c->item, status_text(f.status));
    cr_expect(strstr(f.errors.text.data, c->why) != NULL, "%s", f.errors.text.data);
    end(&f);
}

/* An event as one writes it down. A number that is missing is NAN (0 is 0), a text NULL. */
struct event_parts {
    double hour; /* since 1970-01-01 */
    const char *card, *shop;
    double amount;
    const char *country, *note, *channel;
    bool login;
};

struct event_made {
    struct event event;
    union value values[7];
};

static inline struct key128 entity_of(const char *kind, const char *id)
{
    return id ? hash_entity(slice_of(kind), slice_of(id)) : (struct key128){0};
}

static inline uint64_t category_of(const char *text)
{
    return text ? hash_category(slice_of(text)) : 0;
}

static inline void make_event(struct fixture *f, const struct event_parts *parts,
                              struct event_made *ret)
{
    *ret = (struct event_made){0};
    ret->event.time = (int64_t)(parts->hour * (double)HOUR_US);
    ret->event.id_key = (struct key128){++f->ids, 1};
    ret->event.values = ret->values;
    ret->values[0].entity = entity_of("CARD", parts->card);
    if (parts->login) {
        ret->event.stream = 1;
        ret->values[1].category = category_of(parts->country);
        ret->values[2].number = parts->amount;
        return;
    }
    ret->values[1].entity = entity_of("SHOP", parts->shop);
    ret->values[2].number = parts->amount;
    ret->values[3].category = category_of(parts->country);
    ret->values[4].text = slice_of(parts->note);
    ret->values[5].number = parts->amount / 2;
    ret->values[6].category = category_of(parts->channel);
}

static inline double *extract(struct fixture *f, const struct event_parts *parts)
{
    struct event_made made;
    make_event(f, parts, &made);
    plan_extract(f->plan, f->state, &made.event, f->dense, f->sparse, &f->n_sparse);
    return f->dense;
}

static inline double *score(struct fixture *f, const struct event_parts *parts)
{
    struct event_made made;
    make_event(f, parts, &made);
    for (enum plan_prefetch stage = PLAN_SLOTS; stage <= PLAN_ENTRIES; stage++)
        plan_prefetch(f->plan, f->state, &made.event, stage);
    plan_extract(f->plan, f->state, &made.event, f->dense, f->sparse, &f->n_sparse);
    plan_observe(f->plan, f->state, &made.event, f->dense);
    return f->dense;
}

/* A payment: scored, or asked about as a request does. */
static inline double *pay(struct fixture *f, double hour, const char *card, const char *shop,
                          double amount)
{
    return score(f,
                 &(struct event_parts){.hour = hour, .card = card, .shop = shop, .amount = amount});
}

static inline double *ask(struct fixture *f, double hour, const char *card, const char *shop,
                          double amount)
{
    return extract(
        f, &(struct event_parts){.hour = hour, .card = card, .shop = shop, .amount = amount});
}

/* NaN equals NaN. */
static inline bool same(double a, double b)
{
    return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-12 * (1 + fabs(b));
}

#endif
