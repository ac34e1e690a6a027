/*
 * Tests of explain of `ftrl`, and of models/reasons.h.
 *
 * Known without running it: all contributions and the bias add up to the logit (law), whatever the
 * row holds; a feature that the label does not depend on weighs little beside one that it does; a
 * list of k holds the k largest of the whole list, in order; and lists by hand.
 */
#include "models/model.h"
#include "tests/ftrl_help.h"

enum { ALL = 64 };

Test(reasons, the_strongest_come_first)
{
    struct reason items[2];
    struct reasons reasons = {items, 0, 2};
    reasons_offer(&reasons, "none", 0);
    cr_expect(eq(sz, reasons.n, 0));
    reasons_offer(&reasons, "weak", 0.1);
    reasons_offer(&reasons, "against", -3);
    cr_expect(eq(sz, reasons.n, 2));
    cr_expect(eq(str, (char *)items[0].name, "against"));
    reasons_offer(&reasons, "first of two", 2);
    reasons_offer(&reasons, "second of two", -2);
    cr_expect(eq(sz, reasons.n, 2));
    cr_expect(eq(str, (char *)items[0].name, "against"));
    cr_expect(eq(str, (char *)items[1].name, "first of two"));
    cr_expect(eq(dbl, items[1].log_odds, 2));
}

/* The sum of all contributions, and the bias. */
static double sum_of(const struct model *model, const struct vector *vector, struct reason *items,
                     size_t *ret_n)
{
    struct reasons reasons = {items, 0, ALL};
    double sum = model->ops->explain(model, vector, &reasons);
    for (size_t i = 0; i < reasons.n; i++)
        sum += items[i].log_odds;
    *ret_n = reasons.n;
    return sum;
}

static void expect_sum(const struct model *model, const struct vector *vector)
{
    struct reason items[ALL];
    size_t n;
    double sum = sum_of(model, vector, items, &n), logit = logit_of(model, vector);
    cr_expect(epsilon_eq(dbl, sum, logit, 2e-5 * (1 + fabs(logit))), "%g, not %g", sum, logit);
    for (size_t i = 1; i < n; i++)
        cr_expect(fabs(items[i].log_odds) <= fabs(items[i - 1].log_odds));
}

Test(ftrl, contributions_add_up_to_the_logit)
{
    const char *const configs[] = {
        "",
        "{bins: 1}",
        "{binning: supervised}",
        "{binning: woe, exclude: [user], crosses: [[amount, risk]]}",
        "{columns: [amount, site]}",
        "{exclude: [user], crosses: [[site, user]], admit: 1}",
        help_all_options,
    };
    for (size_t c = 0; c < sizeof configs / sizeof configs[0]; c++) {
        struct model *model = help_model(configs[c]);
        struct help_rows rows = help_rows(3000, 11);
        expect_sum(model, &rows.vectors[0]); /* nothing learnt: no contributions */
        model->ops->learn(model, rows.examples, rows.n);
        for (size_t i = 0; i < rows.n; i += 7)
            expect_sum(model, &rows.vectors[i]);
        help_rows_done(&rows);
        model->ops->free(model);
    }
}

/* Rows of no entries, of all numbers missing, and of several entries of a field, in any order. */
Test(ftrl, contributions_of_odd_rows_add_up)
{
    struct model *model = help_model(help_all_options);
    struct help_rows rows = help_rows(3000, 5);
    model->ops->learn(model, rows.examples, rows.n);
    float missing[HELP_DENSE] = {NAN, NAN, INFINITY};
    struct sparse many[] = {{3 * 77777, 0, 0.5f}, {99991, 1, 1}, {4 * 77777, 0, 2}, {7, 0, 1}};
    expect_sum(model, &(struct vector){missing, NULL, 0});
    expect_sum(model, &(struct vector){missing, many, 4});
    expect_sum(model, &(struct vector){rows.dense[0], many, 4});
    struct reason items[ALL];
    size_t n, sites = 0;
    sum_of(model, &(struct vector){rows.dense[0], many, 4}, items, &n);
    for (size_t i = 0; i < n; i++)
        sites += strcmp(items[i].name, "site") == 0;
    cr_expect(eq(sz, sites, 1), "a field is one contribution");
    help_rows_done(&rows);
    model->ops->free(model);
}

/* The labels' law has the amount, the risk and the sites in it, and hardly a user. */
Test(ftrl, reasons_name_what_matters)
{
    struct model *model = help_model("");
    struct help_rows rows = help_rows(20000, 3);
    model->ops->learn(model, rows.examples, rows.n);
    float dense[HELP_DENSE] = {400, 0, 5};
    struct sparse entries[] = {{2 * 77777, 0, 1}, {300 * 99991, 1, 1}};
    struct reason items[ALL], first;
    size_t n;
    sum_of(model, &(struct vector){dense, entries, 2}, items, &n);
    cr_expect(eq(str, (char *)items[0].name, "amount"));
    cr_expect(items[0].log_odds > 2, "%g", items[0].log_odds);
    struct reasons one = {&first, 0, 1};
    model->ops->explain(model, &(struct vector){dense, entries, 2}, &one);
    cr_expect(eq(str, (char *)first.name, "amount"));
    cr_expect(eq(dbl, first.log_odds, items[0].log_odds));
    help_rows_done(&rows);
    model->ops->free(model);
}
