/*
 * Tests of ingest/generator.h: streams of any kind.
 *
 * What is known without running the code: events come in order, each with one label; that what is
 * written reads back as what was made; what makes no sense. The digests pin every byte for a seed.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "ingest/generator.h"
#include "tests/generator_fixture.h"

/* The first lines of a stream, events with their labels. */
static void write_lines(const struct generator_options *options, int n, struct buf *ret)
{
    struct generator *generator = make(options);
    struct generated made;
    while (n-- > 0 && generator_next(generator, &made)) {
        generator_write_json(&made, true, ret);
        buf_byte(ret, '\n');
        generator_write_csv(&made, ret);
    }
    generator_free(generator);
}

/* The same bytes. */

struct digest_case {
    enum generator_kind kind;
    uint64_t seed;
    uint64_t digest;
};

ParameterizedTestParameters(generator, gives_the_same_bytes_for_a_seed)
{
    static struct digest_case cases[] = {
        {GENERATOR_PAYMENTS, 0, 12722076033615484556u},
        {GENERATOR_PAYMENTS, 1, 4461478687072480758u},
        {GENERATOR_IMPRESSIONS, 0, 15792730880037291595u},
        {GENERATOR_IMPRESSIONS, 1, 5448698821625081894u},
    };
    return cr_make_param_array(struct digest_case, cases, LEN(cases));
}

ParameterizedTest(struct digest_case *c, generator, gives_the_same_bytes_for_a_seed)
{
    struct generator_options options = generator_defaults(c->kind);
    options.seed = c->seed;
    options.label_delay = 3600 * SEC;
    options.customers = 200; /* so that the lines reach over months */
    options.terminals = 2000;
    options.radius = 10;
    struct buf lines = {0};
    write_lines(&options, 20000, &lines);
    cr_expect(eq(u64, hash_category(buf_slice(&lines)), c->digest), "%d, seed %d", c->kind,
              (int)c->seed);
    buf_done(&lines);
}

Test(generator, writes_json_and_csv)
{
    struct buf text = {0};
    struct generated payment = {.kind = GENERATOR_PAYMENTS,
                                .time = INT64_C(1522540831) * SEC,
                                .id = 17,
                                .label = 1,
                                .payment = {596, 3156, 5706, 3}};
    struct generated shown = {.kind = GENERATOR_IMPRESSIONS,
                              .time = INT64_C(1522540831) * SEC + 250000,
                              .id = 18,
                              .impression = {5, 6, 7, 3, 23, 2}};
    struct generated fraud = {.kind = GENERATOR_PAYMENTS,
                              .is_label = true,
                              .time = INT64_C(1523145631) * SEC,
                              .id = 17,
                              .label = 1};
    struct generated click = {
        .kind = GENERATOR_IMPRESSIONS, .is_label = true, .time = SEC, .id = 18, .label = 1};
    const struct generated *all[] = {&payment, &shown, &fraud, &click};
    for (size_t i = 0; i < LEN(all); i++) {
        generator_write_json(all[i], false, &text);
        buf_byte(&text, '\n');
        generator_write_csv(all[i], &text);
    }
    generator_write_json(&payment, true, &text);
    buf_byte(&text, '\n');
    generator_write_json(&shown, true, &text);
    buf_byte(&text, '\n');
    generator_write_csv_header(GENERATOR_PAYMENTS, &text);
    generator_write_csv_header(GENERATOR_IMPRESSIONS, &text);
    buf_byte(&text, '\0');
    cr_expect(
        eq(str, text.data,
           "{\"TRANSACTION_ID\":17,\"TX_DATETIME\":\"2018-04-01 00:00:31\",\"CUSTOMER_ID\":596,"
           "\"TERMINAL_ID\":3156,\"TX_AMOUNT\":57.06}\n"
           "17,2018-04-01 00:00:31,596,3156,57.06,1,3\n"
           "{\"id\":18,\"time\":\"2018-04-01T00:00:31.250Z\",\"user\":\"u5\",\"ad\":\"a6\","
           "\"site\":\"s7\",\"device\":\"tv\",\"hour\":23,\"position\":2}\n"
           "18,2018-04-01T00:00:31.250Z,u5,a6,s7,tv,23,2,0\n"
           "{\"TRANSACTION_ID\":17,\"TX_FRAUD\":1,\"time\":\"2018-04-08 00:00:31\"}\n"
           "{\"id\":18,\"clicked\":1,\"time\":\"1970-01-01T00:00:01Z\"}\n"
           "{\"TRANSACTION_ID\":17,\"TX_DATETIME\":\"2018-04-01 00:00:31\",\"CUSTOMER_ID\":596,"
           "\"TERMINAL_ID\":3156,\"TX_AMOUNT\":57.06,\"TX_FRAUD\":1,\"TX_FRAUD_SCENARIO\":3}\n"
           "{\"id\":18,\"time\":\"2018-04-01T00:00:31.250Z\",\"user\":\"u5\",\"ad\":\"a6\","
           "\"site\":\"s7\",\"device\":\"tv\",\"hour\":23,\"position\":2,\"clicked\":0}\n"
           "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD,"
           "TX_FRAUD_SCENARIO\n"
           "id,time,user,ad,site,device,hour,position,clicked\n"));
    buf_done(&text);
}

/* Laws of any stream. */

struct order_case {
    char name[24];
    struct generator_options options;
};

ParameterizedTestParameters(generator, comes_in_order_with_a_label_each)
{
    static struct order_case cases[6];
    for (int i = 0; i < 6; i++) {
        struct generator_options *options = &cases[i].options;
        *options = generator_defaults(i < 4 ? GENERATOR_PAYMENTS : GENERATOR_IMPRESSIONS);
        options->days = i < 4 ? 20 : 1;
        options->seed = (uint64_t)i;
        snprintf(cases[i].name, sizeof cases[i].name, "case %d", i);
    }
    cases[1].options.label_all = true;
    cases[2].options.label_delay = 0;
    cases[2].options.label_all = true;
    cases[3].options.radius = 50;
    cases[3].options.terminals = 10;
    cases[5].options.label_delay = 0;
    return cr_make_param_array(struct order_case, cases, LEN(cases));
}

ParameterizedTest(struct order_case *c, generator, comes_in_order_with_a_label_each)
{
    enum { MOST = 2000000 };
    bool is_payments = c->options.kind == GENERATOR_PAYMENTS;
    int64_t *times = calloc(MOST, sizeof *times), last = INT64_MIN;
    bool *waits = calloc(MOST, sizeof *waits);
    uint64_t n = 0;
    size_t unordered = 0, misnumbered = 0, unasked = 0, mistimed = 0, waiting = 0;
    struct generator *generator = make(&c->options);
    struct generated made;
    while (generator_next(generator, &made)) {
        unordered += made.time < last;
        last = made.time;
        if (made.is_label) {
            unasked += made.id >= n || !waits[made.id];
            mistimed += is_payments ? made.time != times[made.id] + c->options.label_delay
                                    : made.time < times[made.id];
            waits[made.id] = false;
            waiting--;
            continue;
        }
        cr_assert(n < MOST);
        misnumbered += made.id != n;
        times[n] = made.time;
        waits[n] = made.label == 1 || (is_payments && c->options.label_all);
        waiting += waits[n++];
    }
    cr_expect(gt(u64, n, 100000), "%s: only %d", c->name, (int)n);
    cr_expect(eq(sz, unordered, 0), "%s", c->name);
    cr_expect(eq(sz, misnumbered, 0), "%s", c->name);
    cr_expect(eq(sz, unasked, 0), "%s", c->name);
    cr_expect(eq(sz, mistimed, 0), "%s", c->name);
    cr_expect(eq(sz, waiting, 0), "%s: labels that never came", c->name);
    generator_free(generator);
    free(times);
    free(waits);
}

Test(generator, goes_on_without_end)
{
    for (int kind = 0; kind < 2; kind++) {
        struct generator_options options = generator_defaults((enum generator_kind)kind);
        options.days = 0;
        options.customers = 50;
        struct generator *generator = make(&options);
        struct generated made = {0};
        for (int i = 0; i < 300000; i++)
            if (!generator_next(generator, &made))
                cr_fatal("ended after %d", i);
        generator_free(generator);
    }
}

/* Where nobody lives near a terminal there are no payments, and that is an end too. */
Test(generator, may_have_nothing_to_tell)
{
    struct generator_options options = generator_defaults(GENERATOR_PAYMENTS);
    options.days = 0;
    options.customers = 1;
    options.terminals = 1;
    options.radius = 0;
    struct generator *generator = make(&options);
    struct generated made;
    cr_expect(eq(int, generator_next(generator, &made), 0));
    generator_free(generator);
}

/* Refusals. */

Test(generator, refuses_what_makes_no_sense)
{
    struct generator_options good[2] = {generator_defaults(GENERATOR_PAYMENTS),
                                        generator_defaults(GENERATOR_IMPRESSIONS)};
    struct generator_options bad[13];
    for (size_t i = 0; i < LEN(bad); i++)
        bad[i] = good[i >= 7];
    bad[0].customers = 0;
    bad[1].terminals = 0;
    bad[2].terminals = UINT32_MAX;
    bad[3].radius = -1;
    bad[4].radius = NAN;
    bad[5].days = -1;
    bad[6].label_delay = -1;
    bad[7].users = 0;
    bad[8].ads = 0;
    bad[9].sites = 0;
    bad[10].rate = 0;
    bad[11].rate = INFINITY;
    bad[12].skew = -0.1;
    for (size_t i = 0; i < LEN(bad); i++) {
        struct generator *generator = NULL;
        cr_expect(eq(int, generator_create(&bad[i], &generator), ST_EINVAL), "%zu", i);
        cr_expect(eq(ptr, generator, NULL));
    }
    generator_free(NULL);
}
