/*
 * Tests of {outlier: ...} and features/outlier.h.
 *
 * What is known without running it: the scores of trees of one question, whatever is drawn; the
 * same as a model of half-space trees gives that learns the same rows; NaN until two windows are
 * full and where nothing is known of an event; what is far out scores higher than what lies amid
 * the rest, and lies in (0, 1]; the forest of one entity knows nothing of another's; requests,
 * events that are not scored and those of other streams leave no trace; what is told of changes to
 * the state is all that changed.
 */
#include "features/plan.h"
#include "tests/plan_fixture.h"

#include "base/rng.h"
#include "features/outlier.h"
#include "models/half_space.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Trees of one question, in the middle of AMOUNT's work range: between the least and the greatest,
 * so 1 and 9. Of the second window three are 1 and one is 9. */
Test(outlier, one_question_by_hand)
{
    static const double amounts[] = {1, 9, 5, 5, 1, 1, 9, 1};
    struct fixture f =
        begin("- {value: AMOUNT}\n- {outlier: AMOUNT, trees: 7, depth: 1, events: 4}\n");
    for (size_t i = 0; i < LEN(amounts); i++)
        cr_expect(isnan(pay(&f, (double)i, "a", "s", amounts[i])[1]), "%zu", i);
    cr_expect(eq(dbl, ask(&f, 8, "b", "t", 1)[1], 1 / (1 + 2 * 3 / 4.)));
    cr_expect(eq(dbl, ask(&f, 8, NULL, NULL, 9)[1], 1 / (1 + 2 * 1 / 4.)));
    for (size_t i = 0; i < 4; i++)
        cr_expect(eq(dbl, pay(&f, 8, "a", "s", 1)[1], 1 / (1 + 2 * 3 / 4.)), "in that window");
    cr_expect(eq(dbl, ask(&f, 9, "a", "s", 1)[1], 1 / 3.), "all came there");
    cr_expect(eq(dbl, ask(&f, 9, "a", "s", 9)[1], 1.), "none did");
    end(&f);
}

/* Of two columns, wide counts and narrow ones, with what is missing or infinite. */
struct shape_case {
    unsigned trees, depth, window;
};

ParameterizedTestParameters(outlier, equals_the_model)
{
    static struct shape_case cases[] = {{5, 3, 8},    {20, 6, 64}, {10, 8, 255}, {10, 8, 256},
                                        {10, 8, 600}, {1, 1, 2},   {100, 12, 40}};
    return cr_make_param_array(struct shape_case, cases, LEN(cases));
}

static void draw_row(struct rng *rng, unsigned i, float *ret)
{
    static const float odd[] = {NAN, 3.4028234e38f, -3.4028234e38f, 0, 7, 1e-44f};
    for (size_t c = 0; c < 2; c++)
        ret[c] = rng_below(rng, 12) == 0 ? odd[rng_below(rng, LEN(odd))]
                                         : (float)rng_normal(rng, i / 300., 1);
}

ParameterizedTest(struct shape_case *c, outlier, equals_the_model)
{
    struct half_space_options options = {c->trees, c->depth, c->window, 3};
    struct outlier outlier = {
        .n_columns = 2, .trees = c->trees, .depth = c->depth, .window = c->window};
    struct half_space *model = NULL;
    struct state *state = NULL;
    struct rng rng = rng_of(1);
    const struct key128 id = {1, 2};
    float row[2], scratch[8];
    cr_assert(half_space_create(&options, 2, &model) == ST_OK && state_create(&state) == ST_OK);
    cr_assert(state_family(state, "outlier", 1, &outlier.family) == ST_OK);
    cr_assert(outlier_ready(&outlier, 3) == ST_OK);
    for (unsigned i = 0; i < 5 * c->window + 7; i++) {
        draw_row(&rng, i, row);
        double got = outlier_read(&outlier, state_find(state, outlier.family, id), row);
        if (i < 2 * c->window)
            cr_assert(isnan(got));
        else
            cr_assert(fabs(got - (double)half_space_score(model, row, scratch)) < 1e-7, "%u", i);
        outlier_observe(&outlier, state, id, row);
        half_space_learn(model, row, 1);
    }
    outlier_done(&outlier);
    half_space_free(model);
    state_free(state);
}

Test(outlier, names_its_columns)
{
    struct fixture f = begin("- {value: AMOUNT}\n"
                             "- {outlier: AMOUNT}\n"
                             "- {outlier: AMOUNT, by: CARD}\n"
                             "- {outlier: [AMOUNT, outlier], by: [CARD, SHOP]}\n"
                             "- {outlier: AMOUNT, by: CARD, as: odd}\n");
    static const char *const names[] = {"AMOUNT", "outlier", "outlier.by.CARD",
                                        "outlier.by.CARD+SHOP", "odd"};
    const struct vector_schema *schema = plan_vector_schema(f.plan);
    cr_assert(eq(sz, schema->n_dense, LEN(names)));
    for (size_t i = 0; i < LEN(names); i++)
        cr_assert(eq(str, (char *)schema->dense[i], (char *)names[i]));
    end(&f);
}

/* Far from all that came, in one column or in both; amid them. */
Test(outlier, what_is_far_out_scores_higher)
{
    struct fixture f = begin("- {value: AMOUNT}\n- {calendar: hour}\n"
                             "- {outlier: [AMOUNT, hour]}\n- {outlier: AMOUNT, by: CARD}\n");
    struct rng rng = rng_of(4);
    for (int i = 0; i < 1000; i++) {
        double *dense =
            pay(&f, 24 * i + 10 + (double)rng_below(&rng, 4), "a", "s", rng_normal(&rng, 50, 10));
        cr_assert(i < 128 ? isnan(dense[2]) : dense[2] > 0 && dense[2] <= 1, "%d: %g", i, dense[2]);
        cr_assert(i < 64 ? isnan(dense[3]) : dense[3] > 0 && dense[3] <= 1, "%d: %g", i, dense[3]);
    }
    double amid = ask(&f, 24000 + 11, "a", "s", 50)[2];
    cr_expect(gt(dbl, ask(&f, 24000 + 11, "a", "s", 500)[2], 2 * amid));
    cr_expect(gt(dbl, ask(&f, 24000 + 23, "a", "s", 50)[2], 2 * amid));
    cr_expect(gt(dbl, ask(&f, 24000 + 23, "a", "s", 500)[2], 0.9));
    cr_expect(gt(dbl, ask(&f, 24000 + 11, "a", "s", INFINITY)[3],
                 2 * ask(&f, 24000 + 11, "a", "s", 50)[3]));
    end(&f);
}

/* Of a kind that comes later in the list than the first of ours. */
Test(outlier, looks_at_columns_of_this_event)
{
    struct fixture f = begin("- {value: AMOUNT}\n- {outlier: AMOUNT}\n- {calendar: hour}\n"
                             "- {outlier: hour, events: 4, as: odd}\n");
    for (int i = 0; i < 8; i++)
        pay(&f, 24 * i + 10, "a", "s", 1);
    double amid = ask(&f, 240 + 10, "a", "s", 1)[3];
    cr_expect(lt(dbl, amid, 0.1));
    cr_expect(eq(dbl, ask(&f, 240 + 11, "a", "s", 1)[3], 1.), "all came at ten");
    cr_expect(eq(dbl, ask(&f, 240 + 10, "a", "s", 1)[3], amid));
    end(&f);
}

/* Card b spends what for a is out of the question. */
Test(outlier, entities_are_apart)
{
    struct fixture f = begin("- {value: AMOUNT}\n- {outlier: AMOUNT, by: CARD}\n");
    struct rng rng = rng_of(4);
    for (int i = 0; i < 200; i++) {
        pay(&f, i, "a", "s", rng_normal(&rng, 50, 10));
        pay(&f, i, "b", "s", rng_normal(&rng, 5000, 1000));
        pay(&f, i, NULL, "s", rng_normal(&rng, 50, 10));
    }
    cr_expect(gt(dbl, ask(&f, 200, "a", "s", 5000)[1], 2 * ask(&f, 200, "b", "s", 5000)[1]));
    cr_expect(gt(dbl, ask(&f, 200, "b", "s", 50)[1], 2 * ask(&f, 200, "a", "s", 50)[1]));
    cr_expect(isnan(ask(&f, 200, NULL, "s", 50)[1]), "nobody's");
    cr_expect(isnan(ask(&f, 200, "c", "s", 50)[1]), "nothing came before");
    end(&f);
}

/* Those are a login, a payment whose columns are all missing, one that nothing was extracted of,
 * and requests. */
Test(outlier, what_has_no_vector_leaves_no_trace)
{
    struct fixture f =
        begin("- {value: AMOUNT}\n- {outlier: AMOUNT, events: 4}\n- {outlier: AMOUNT, by: CARD}\n");
    for (int i = 0; i < 20; i++)
        pay(&f, i, "a", "s", i % 7);
    struct key128 before = state_digest(f.state);
    struct event_made made;
    make_event(&f, &(struct event_parts){.hour = 20, .card = "a", .amount = 3}, &made);
    plan_observe(f.plan, f.state, &made.event, NULL);
    score(&f, &(struct event_parts){.hour = 20, .card = "a", .amount = 3, .login = true});
    cr_expect(isnan(pay(&f, 20, "a", "s", NAN)[1]));
    cr_expect(not(isnan(ask(&f, 20, "a", "s", 3)[1])));
    cr_expect(key_eq(state_digest(f.state), before));
    end(&f);
}

/* The redo value is made of the ranges that were told of, so a state that takes these is the same.
 */
Test(outlier, all_that_changes_is_told_of)
{
    static const char yaml[] = "- {value: AMOUNT}\n- {outlier: AMOUNT, events: 30}\n"
                               "- {outlier: AMOUNT, by: CARD, events: 300, depth: 7}\n"
                               "- {outlier: AMOUNT, by: CARD, events: 4, as: short}\n";
    struct fixture f = begin(yaml);
    struct state *copy = NULL;
    struct buf redo = {0};
    struct rng rng = rng_of(2);
    cr_assert(state_create(&copy) == ST_OK);
    for (int i = 0; i < 1000; i++) {
        pay(&f, i, i % 3 ? "a" : "b", "s", rng_normal(&rng, 50, 10 + i % 50));
        buf_reset(&redo);
        state_seal(f.state, &redo);
        cr_assert(state_apply_redo(copy, buf_slice(&redo)) == ST_OK);
        cr_assert(key_eq(state_digest(f.state), state_digest(copy)), "%d", i);
    }
    buf_done(&redo);
    state_free(copy);
    end(&f);
}

Test(outlier, is_described)
{
    struct fixture f = begin("- {value: AMOUNT}\n- {outlier: AMOUNT, by: CARD, events: 4}\n");
    struct buf text = {0};
    size_t len;
    for (int i = 0; i < 10; i++)
        pay(&f, i, "a", "s", i);
    for (uint16_t family = 1; state_family_name(f.state, family, &len); family++) {
        struct record *rec = state_find(f.state, family, entity_of("CARD", "a"));
        if (rec && plan_describe(f.plan, rec, &text) == ST_OK)
            break;
    }
    buf_byte(&text, 0);
    cr_expect(
        eq(str, text.data, "{\"family\":\"outlier/outlier.by.CARD\",\"windows\":2,\"rows\":2}"));
    buf_done(&text);
    end(&f);
}

ParameterizedTestParameters(outlier, refusals)
{
    static struct refusal_case cases[] = {
        {"outlier: AMUONT", "no item above makes a column"},
        {"outlier: []", "expected 1 to 64 columns"},
        {"outlier: AMOUNT, by: AMOUNT", "windows are kept by entities"},
        {"outlier: AMOUNT, by: [CARD, SHOP, CARD]", "one entity or two"},
        {"outlier: AMOUNT, events: 1", "at least 2"},
        {"outlier: AMOUNT, events: 65536", "65535"},
        {"outlier: AMOUNT, depth: 13", "12"},
        {"outlier: AMOUNT, trees: 101", "100"},
    };
    return cr_make_param_array(struct refusal_case, cases, LEN(cases));
}

ParameterizedTest(struct refusal_case *c, outlier, refusals)
{
    expect_refused(c);
}

static void expect_mistake(const char *yaml, const char *why)
{
    struct fixture f = begin_with(&test_schema, yaml, DAY_US);
    buf_byte(&f.errors.text, 0);
    cr_expect(f.status == ST_EINVAL);
    cr_expect(strstr(f.errors.text.data, why) != NULL, "%s", f.errors.text.data);
    end(&f);
}

/* Columns stand above, with other names than theirs; two of one name are refused. */
Test(outlier, columns_stand_above)
{
    expect_mistake("- {outlier: AMOUNT}\n- {value: AMOUNT}\n", "no item above");
    expect_mistake("- {value: AMOUNT}\n- {outlier: AMUONT}\n", "did you mean \"AMOUNT\"?");
    expect_mistake("- {value: AMOUNT}\n- {outlier: outlier}\n", "no item above");
    expect_mistake("- {value: AMOUNT}\n- {outlier: AMOUNT}\n- {outlier: AMOUNT}\n", "as:");
}

static enum status open_again(struct fixture *f, const char *yaml, struct conf_errors *errors)
{
    struct conf *conf = NULL;
    struct plan *plan = NULL;
    cr_assert(conf_parse("test.yaml", slice_of(yaml), errors, &conf) == ST_OK);
    enum status st = plan_create_at(&test_schema, conf_root(conf), DAY_US, f->state, 100 * HOUR_US,
                                    NULL, errors, &plan);
    plan_free(plan);
    conf_free(conf);
    return st;
}

/* Other trees, or other columns, would make of the counts what they are not. */
Test(outlier, what_gives_counts_their_meaning_may_not_change)
{
    static const char *const others[] = {"depth: 5", "trees: 9", "events: 50", "seed: 1",
                                         "by: CARD"};
    struct fixture f = begin("- {value: AMOUNT}\n- {outlier: AMOUNT, as: odd}\n");
    char yaml[128];
    for (size_t i = 0; i < LEN(others); i++) {
        struct conf_errors errors = {0};
        snprintf(yaml, sizeof yaml, "- {value: AMOUNT}\n- {outlier: AMOUNT, as: odd, %s}\n",
                 others[i]);
        cr_expect(open_again(&f, yaml, &errors) == ST_EVERSION, "%s", others[i]);
        conf_errors_done(&errors);
    }
    struct conf_errors errors = {0};
    cr_expect(open_again(&f, "- {value: AMOUNT}\n- {outlier: AMOUNT, as: odd, depth: 6}\n",
                         &errors) == ST_OK);
    end(&f);
    f = begin("- {value: AMOUNT}\n- {calendar: hour}\n- {outlier: [AMOUNT, hour], as: odd}\n");
    cr_expect(open_again(&f,
                         "- {value: AMOUNT}\n- {calendar: hour}\n"
                         "- {outlier: [hour, AMOUNT], as: odd}\n",
                         &errors) == ST_EVERSION);
    conf_errors_done(&errors);
    end(&f);
}
