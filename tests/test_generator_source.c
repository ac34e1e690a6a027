/*
 * Tests of ingest/source_generator.h.
 *
 * What is known without running the code: what comes of its two lanes is what the generator makes,
 * in its order, at once and after a seek.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>

#include "ingest/decode.h"
#include "ingest/generator.h"
#include "ingest/merge.h"
#include "ingest/source_generator.h"
#include "tests/generator_fixture.h"

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
