/*
 * Tests of ingest/generator.h: the laws that its events follow.
 *
 * What is known without running the code: the handbook's own figures for its simulator (1,754,155
 * payments of 5,000 customers in 183 days, 14,681 of them fraud: 978, 9,099 and 4,604 of the three
 * kinds; another seed differs by some per cent); laws of each kind of fraud, and of clicks.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <stdlib.h>

#include "ingest/generator.h"
#include "tests/generator_fixture.h"

/* Payments, against the handbook. */

static bool is_about(double seen, double told, double share)
{
    return fabs(seen / told - 1) < share;
}

Test(generator, payments_are_the_handbooks)
{
    struct generator_options options = generator_defaults(GENERATOR_PAYMENTS);
    struct generator *generator = make(&options);
    struct generated made;
    double n = 0, of_scenario[4] = {0}, amount = 0, second = 0, square = 0;
    size_t cheap_frauds = 0, dear_ones = 0, out_of_reach = 0;
    while (generator_next(generator, &made)) {
        if (made.is_label)
            continue;
        const struct payment *payment = &made.payment;
        double at = (double)((made.time - options.start) % DAY_US) / SEC;
        n++;
        of_scenario[payment->scenario]++;
        amount += (double)payment->cents / 100;
        second += at;
        square += (at - 43200) * (at - 43200);
        cheap_frauds += payment->scenario == 1 && payment->cents <= 22000;
        dear_ones += payment->scenario == 0 && payment->cents > 22000;
        out_of_reach += payment->customer >= 5000 || payment->terminal >= 10000;
    }
    generator_free(generator);
    cr_expect(is_about(n, 1754155, 0.03), "%g payments", n);
    cr_expect(is_about(of_scenario[1], 978, 0.2), "kind 1: %g", of_scenario[1]);
    cr_expect(is_about(of_scenario[2], 9099, 0.1), "kind 2: %g", of_scenario[2]);
    cr_expect(is_about(of_scenario[3], 4604, 0.1), "kind 3: %g", of_scenario[3]);
    cr_expect(is_about(amount / n, 53.63, 0.03), "mean amount %g", amount / n);
    cr_expect(is_about(second / n, 43200, 0.01), "mean time %g", second / n);
    /* a normal cut at 2.16 deviations to both sides keeps 0.9097 of its deviation */
    cr_expect(is_about(sqrt(square / n), 0.9097 * 20000, 0.01), "deviation %g", sqrt(square / n));
    cr_expect(eq(sz, cheap_frauds, 0));
    cr_expect(eq(sz, dear_ones, 0));
    cr_expect(eq(sz, out_of_reach, 0));
}

/* On one day the payments at one terminal are all fraud or none is of kind 2; and of a customer
 * with a stolen number not all are of kind 3. Customers stay near home: few terminals see them. */
Test(generator, fraud_has_its_places)
{
    enum { DAYS = 60, TERMINALS = 1000, CUSTOMERS = 500 };
    static int broken[TERMINALS][DAYS], sound[TERMINALS][DAYS];
    static bool met[CUSTOMERS][TERMINALS];
    struct generator_options options = generator_defaults(GENERATOR_PAYMENTS);
    options.days = DAYS;
    options.terminals = TERMINALS;
    options.customers = CUSTOMERS;
    options.radius = 10;
    struct generator *generator = make(&options);
    struct generated made;
    while (generator_next(generator, &made)) {
        if (made.is_label)
            continue;
        int64_t day = (made.time - options.start) / DAY_US;
        broken[made.payment.terminal][day] += made.payment.scenario == 2;
        sound[made.payment.terminal][day] += made.payment.scenario < 2;
        met[made.payment.customer][made.payment.terminal] = true;
    }
    generator_free(generator);
    size_t mixed = 0, days_broken = 0, most_met = 0;
    for (int i = 0; i < TERMINALS; i++)
        for (int day = 0; day < DAYS; day++) {
            mixed += broken[i][day] > 0 && sound[i][day] > 0;
            days_broken += broken[i][day] > 0;
        }
    for (int i = 0; i < CUSTOMERS; i++) {
        size_t n = 0;
        for (int j = 0; j < TERMINALS; j++)
            n += met[i][j];
        most_met = n > most_met ? n : most_met;
    }
    cr_expect(eq(sz, mixed, 0));
    cr_expect(gt(sz, days_broken, 100));
    cr_expect(lt(sz, most_met, 70)); /* a circle of radius 10 holds 31 of the 1000 on average */
    cr_expect(gt(sz, most_met, 25));
}

/* Impressions. */

Test(generator, clicks_depend_on_the_ad_and_come_minutes_later)
{
    struct generator_options options = generator_defaults(GENERATOR_IMPRESSIONS);
    options.days = 2;
    struct generator *generator = make(&options);
    struct generated made;
    static double shown[1000], clicked[1000], users[100000];
    static int64_t times[4000000];
    double n = 0, clicks = 0, delay = 0;
    while (generator_next(generator, &made)) {
        if (made.is_label) {
            clicks++;
            delay += (double)(made.time - times[made.id]) / SEC;
            continue;
        }
        times[made.id] = made.time;
        n++;
        users[made.impression.user]++;
        shown[made.impression.ad]++;
        clicked[made.impression.ad] += made.label;
    }
    generator_free(generator);
    cr_expect(is_about(n, 2 * 86400 * 20, 0.01), "%g impressions", n);
    cr_expect(clicks / n > 0.01 && clicks / n < 0.05, "%g of them clicked", clicks / n);
    cr_expect(is_about(delay / clicks, 300, 0.02), "%g s later", delay / clicks);
    double least = 1, most = 0;
    for (int i = 0; i < 20; i++) { /* the 20 that are shown most, thousands of times each */
        least = fmin(least, clicked[i] / shown[i]);
        most = fmax(most, clicked[i] / shown[i]);
    }
    cr_expect(gt(dbl, most / least, 3), "from %g to %g", least, most);
    cr_expect(gt(dbl, users[0] / users[9], 8), "skew");
    cr_expect(lt(dbl, users[0] / users[9], 15), "skew");
}
