/*
 * Tests of ingest/generator.h and source_generator.h.
 *
 * What is known without running the code: the handbook's own figures for its simulator (1,754,155
 * payments of 5,000 customers in 183 days, 14,681 of them fraud: 978, 9,099 and 4,604 of the three
 * kinds; another seed differs by some per cent); laws of each kind of fraud; and that what is
 * written reads back as what was made. The digests pin every byte for a seed.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdlib.h>

#include "ingest/decode.h"
#include "ingest/generator.h"
#include "ingest/merge.h"
#include "ingest/source_generator.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define SEC    SECOND_US

static struct generator *make(const struct generator_options *options)
{
    struct generator *generator = NULL;
    cr_assert(eq(int, generator_create(options, &generator), ST_OK));
    return generator;
}

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

/* As a source. */

static const struct field fields[] = {{"CUSTOMER_ID", FIELD_ENTITY, "CUSTOMER_ID"},
                                      {"TX_AMOUNT", FIELD_NUMBER, NULL}};

static void make_schema(struct stream *stream, struct schema *schema)
{
    *stream = (struct stream){.name = "transactions",
                              .topic = "transactions",
                              .format = "json",
                              .id_field = "TRANSACTION_ID",
                              .time_field = "TX_DATETIME",
                              .n_fields = LEN(fields),
                              .fields = fields};
    *schema = (struct schema){.n_streams = 1,
                              .streams = stream,
                              .labels = {.present = true,
                                         .id_field = "TRANSACTION_ID",
                                         .value_field = "TX_FRAUD",
                                         .time_field = "time"}};
    struct slice pattern = slice_of("%Y-%m-%d %H:%M:%S");
    cr_assert(eq(int, timefmt_compile(pattern, NULL, &stream->time_format), ST_OK));
    cr_assert(eq(int, timefmt_compile(pattern, NULL, &schema->labels.time_format), ST_OK));
}

static struct source *make_source(int64_t days)
{
    struct source_generator_options options = {.generator = generator_defaults(GENERATOR_PAYMENTS),
                                               .topic = "transactions",
                                               .label_topic = "frauds"};
    options.generator.days = days;
    options.generator.customers = 200;
    options.generator.terminals = 2000;
    options.generator.label_delay = 2 * DAY_US;
    struct source *source = NULL;
    cr_assert(eq(int, source_generator_create(&options, &source), ST_OK));
    return source;
}

/* Two lanes, each made on its own, merge into the one stream that they were made as. */
Test(generator, as_a_source_gives_the_same_stream)
{
    struct stream stream;
    struct schema schema;
    make_schema(&stream, &schema);
    struct source *source = make_source(20);
    struct generator_options options = generator_defaults(GENERATOR_PAYMENTS);
    options.days = 20;
    options.customers = 200;
    options.terminals = 2000;
    options.label_delay = 2 * DAY_US;
    struct generator *generator = make(&options);
    struct merge *merge = NULL;
    struct batch *batch = NULL;
    struct merge_options how = {.until = INT64_MAX, .lane_depth = 100};
    cr_assert(eq(int, merge_create(&how, &schema, &source, 1, &merge), ST_OK));
    cr_assert(eq(int, batch_create(256, &batch), ST_OK));
    size_t n = 0, wrong = 0;
    struct generated made;
    while (merge_fill(merge, batch, 0) == ST_OK) {
        for (size_t i = 0; i < batch->n; i++, n++) {
            const struct event *event = &batch->events[i];
            char id[24];
            cr_assert(generator_next(generator, &made));
            snprintf(id, sizeof id, "%d", (int)made.id);
            wrong += event->kind != (made.is_label ? EVENT_LABEL : EVENT_DATA);
            wrong += event->time != made.time || event->broker_time != made.time;
            wrong += !slice_eq(event->id, slice_of(id));
            if (event->kind == EVENT_LABEL)
                wrong += event->label != made.label;
            else
                wrong += event->values[1].number != (double)made.payment.cents / 100;
        }
        batch_reset(batch);
    }
    cr_expect(eq(sz, wrong, 0));
    cr_expect(gt(sz, n, 5000));
    cr_expect(eq(int, generator_next(generator, &made), 0));
    batch_free(batch);
    merge_free(merge);
    generator_free(generator);
    source->ops->free(source);
}

Test(generator, what_is_sought_is_the_end_of_the_whole)
{
    struct source *whole = make_source(5), *rest = make_source(5);
    struct record_in a, b;
    size_t n;
    for (size_t lane = 0; lane < 2; lane++) {
        for (int i = 0; i < 10; i++)
            cr_assert(eq(int, whole->ops->fetch(whole, lane, &a, 1, &n), ST_OK));
        cr_assert(eq(int, rest->ops->seek(rest, lane, 500), lane ? ST_ENOTFOUND : ST_OK));
        cr_assert(eq(int, rest->ops->seek(rest, lane, 9), ST_OK), "back again");
        cr_assert(eq(int, rest->ops->fetch(rest, lane, &b, 1, &n), ST_OK));
        cr_expect(slice_eq(a.payload, b.payload));
        cr_expect(eq(i64, b.offset, 9));
        cr_expect(eq(int, rest->ops->lane(rest, lane).stream, lane ? LABEL_STREAM : 0));
    }
    whole->ops->free(whole);
    rest->ops->free(rest);
}
