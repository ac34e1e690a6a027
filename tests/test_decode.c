/*
 * Tests of ingest/decode.h: what is an event.
 *
 * What is known without running the code: what RFC 4180 and RFC 8259 say of quoting and of values;
 * that one event written as a CSV row and as a JSON object is the same event; that hashes are those
 * of base/hash.h.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>

#include "ingest/decode.h"
#include "tests/decode_fixture.h"

/* Whole events, known exactly. Every row is one event in some dress. */

struct dress {
    char name[40];
    bool is_csv;
    char text[TEXT];
};

ParameterizedTestParameters(decode, reads_one_event_in_any_dress)
{
    static struct dress dresses[] = {
        {"json", false,
         "{\"id\":7,\"t\":100,\"user\":596,\"amount\":57.16,\"device\":\"tv\",\"note\":\"a, "
         "\\\"b\\\"\","
         "\"deep\":{\"site\":\"x\"},\"is_fraud\":1}"},
        {"json, other order and blanks", false,
         " { \"is_fraud\" : true , \"deep\" : { \"more\":[1,{}], \"site\" : \"x\" }\t, \"amount\" "
         ": "
         "5.716e1 , \"user\" : \"596\" ,\"t\" : \"100\" , \"note\" : \"a, \\u0022b\\\"\" , "
         "\"device\":\"tv\", \"id\":\"7\" } "},
        {"json, keys nobody asked for", false,
         "{\"x\":null,\"id\":7,\"y\":[[1],{\"id\":8}],\"t\":100,\"t2\":{\"t\":5},\"user\":\"596\","
         "\"deep\":{\"user\":{\"site\":1},\"site\":\"x\",\"id\":2},\"amount\":57.16,\"i\":3,"
         "\"device\":\"tv\",\"devices\":\"hi\",\"note\":\"a, \\\"b\\\"\",\"is_fraud\":\"1.0\"}"},
        {"json, escaped key", false,
         "{\"\\u0069d\":\"7\",\"t\":100,\"us\\u0065r\":596,\"amount\":\"57.16\",\"device\":\"tv\","
         "\"note\":\"a, \\\"b\\\"\",\"deep\":{\"site\":\"x\"},\"is_fraud\":\"true\"}"},
        {"csv", true, "7,100,596,57.16,tv,\"a, \"\"b\"\"\",x,1"},
        {"csv, all quoted", true,
         "\"7\",\"100\",\"596\",\"57.16\",\"tv\",\"a, \"\"b\"\"\",\"x\",\"true\""},
    };
    return cr_make_param_array(struct dress, dresses, LEN(dresses));
}

ParameterizedTest(struct dress *c, decode, reads_one_event_in_any_dress)
{
    struct decoder *decoder = c->is_csv ? make_csv() : make_json();
    char *copy;
    struct event event = decode(decoder, c->text, &copy);
    cr_assert(eq(int, event.kind, EVENT_DATA), "%s: %s", c->name, event.reason);
    cr_expect(eq(int, event.stream, 3));
    cr_expect(eq(i64, event.time, 100 * SECOND_US));
    cr_expect(eq(i64, event.broker_time, TIME_NONE));
    cr_expect(slice_eq(event.id, slice_of("7")), "%s", c->name);
    cr_expect(key_eq(event.id_key, hash_event_id(slice_of("7"))), "%s", c->name);
    cr_expect(is_entity(&event, USER, "person", "596"), "%s: user", c->name);
    cr_expect(eq(dbl, event.values[AMOUNT].number, 57.16), "%s", c->name);
    cr_expect(eq(u64, event.values[DEVICE].category, hash_category(slice_of("tv"))), "%s", c->name);
    cr_expect(slice_eq(event.values[NOTE].text, slice_of("a, \"b\"")), "%s: %.*s", c->name,
              (int)event.values[NOTE].text.len, event.values[NOTE].text.data);
    cr_expect(is_entity(&event, SITE, "site", "x"), "%s: site", c->name);
    cr_expect(eq(dbl, event.label, 1), "%s", c->name);
    cr_expect(eq(ptr, (void *)(uintptr_t)event.raw.data, copy));
    decoder_free(decoder);
    free(copy);
}

/* Missing values are told apart from broken ones. */

struct missing {
    char name[24];
    bool is_csv;
    char text[TEXT];
};

ParameterizedTestParameters(decode, missing_values_are_nan_none_and_0)
{
    static struct missing rows[] = {
        {"null", false,
         "{\"id\":\"7\",\"t\":100,\"user\":null,\"amount\":null,\"device\":null,\"note\":null,"
         "\"deep\":{\"site\":null},\"is_fraud\":null}"},
        {"absent", false, "{\"id\":\"7\",\"t\":100}"},
        {"nothing deep", false, "{\"id\":\"7\",\"t\":100,\"deep\":null}"},
        {"no object there", false, "{\"id\":\"7\",\"t\":100,\"deep\":[1]}"},
        {"empty", false,
         "{\"id\":\"7\",\"t\":100,\"user\":\"\",\"amount\":\"\",\"device\":\"\",\"note\":\"\","
         "\"deep\":{\"site\":\"\"},\"is_fraud\":\"\"}"},
        {"empty cells", true, "7,100,,,,,,"},
        {"empty quoted cells", true, "7,100,\"\",\"\",\"\",\"\",\"\",\"\""},
    };
    return cr_make_param_array(struct missing, rows, LEN(rows));
}

ParameterizedTest(struct missing *c, decode, missing_values_are_nan_none_and_0)
{
    struct decoder *decoder = c->is_csv ? make_csv() : make_json();
    char *before, *copy;
    /* what an event before it held must not shine through */
    decode(decoder, c->is_csv ? "1,1,1,1,1,1,1,1" : "{\"id\":1,\"t\":1,\"user\":1,\"amount\":1}",
           &before);
    struct event event = decode(decoder, c->text, &copy);
    cr_assert(eq(int, event.kind, EVENT_DATA), "%s: %s", c->name, event.reason);
    cr_expect(key_is_none(event.values[USER].entity), "%s", c->name);
    cr_expect(isnan(event.values[AMOUNT].number), "%s", c->name);
    cr_expect(eq(u64, event.values[DEVICE].category, 0), "%s", c->name);
    cr_expect(eq(sz, event.values[NOTE].text.len, 0), "%s", c->name);
    cr_expect(key_is_none(event.values[SITE].entity), "%s", c->name);
    cr_expect(isnan(event.label), "%s", c->name);
    decoder_free(decoder);
    free(before);
    free(copy);
}

/* What the decoder must know of a stream without an id or a time. */

Test(decode, a_stream_may_lack_id_and_time)
{
    struct stream bare = {.name = "b", .topic = "b", .format = "json"};
    struct decoder *decoder =
        make(&(struct decoder_options){.format = "json", .stream = &bare, .name = "b"});
    struct event event = {0};
    decoder_decode(decoder, slice_of("{}"), 55, &event);
    cr_expect(eq(int, event.kind, EVENT_DATA));
    cr_expect(eq(i64, event.time, 55));
    cr_expect(eq(ptr, (void *)(uintptr_t)event.id.data, NULL));
    cr_expect(key_is_none(event.id_key));
    decoder_decode(decoder, slice_of("{}"), TIME_NONE, &event);
    cr_expect(eq(int, event.kind, EVENT_DEAD));
    cr_expect(eq(str, (char *)(uintptr_t)event.reason, "the record has no timestamp"));
    /* A producer may write any number: nanoseconds, say. */
    decoder_decode(decoder, slice_of("{}"), INT64_MAX, &event);
    cr_expect(eq(int, event.kind, EVENT_DEAD));
    cr_expect(eq(str, (char *)(uintptr_t)event.reason, "the record's timestamp is no date"));
    decoder_decode(decoder, slice_of("{}"), INT64_C(-62135596800) * SECOND_US - 1, &event);
    cr_expect(eq(int, event.kind, EVENT_DEAD));
    decoder_free(decoder);
}

Test(decode, one_column_may_serve_twice)
{
    struct field field = {"id", FIELD_ENTITY, "order"};
    struct stream twice = {.name = "b",
                           .topic = "b",
                           .format = "json",
                           .id_field = "id",
                           .n_fields = 1,
                           .fields = &field};
    struct decoder *decoder =
        make(&(struct decoder_options){.format = "json", .stream = &twice, .name = "b"});
    struct event event = {0};
    decoder_decode(decoder, slice_of("{\"id\":\"a\"}"), 55, &event);
    cr_assert(eq(int, event.kind, EVENT_DATA));
    cr_expect(key_eq(event.id_key, hash_event_id(slice_of("a"))));
    cr_expect(is_entity(&event, 0, "order", "a"));
    decoder_free(decoder);
}

/* Labels. */

struct label_case {
    char text[TEXT];
    double label;
};

ParameterizedTestParameters(decode, reads_labels)
{
    static struct label_case rows[] = {
        {"{\"id\":7,\"value\":1,\"t\":100}", 1},
        {"{\"t\":100,\"value\":0,\"id\":\"7\"}", 0},
        {"{\"id\":7,\"value\":true,\"t\":\"100\"}", 1},
        {"{\"id\":7,\"value\":false,\"t\":100}", 0},
        {"{\"id\":7,\"value\":\"True\",\"t\":100}", 1},
        {"{\"id\":7,\"value\":\"1\",\"t\":100}", 1},
        {"{\"id\":7,\"value\":0.25,\"t\":100}", 0.25},
        {"{\"id\":7,\"value\":-3,\"t\":100,\"more\":[]}", -3},
    };
    return cr_make_param_array(struct label_case, rows, LEN(rows));
}

ParameterizedTest(struct label_case *c, decode, reads_labels)
{
    struct decoder *decoder = make_labels();
    char *copy;
    struct event event = decode(decoder, c->text, &copy);
    cr_assert(eq(int, event.kind, EVENT_LABEL), "%s: %s", c->text, event.reason);
    cr_expect(eq(dbl, event.label, c->label), "%s", c->text);
    cr_expect(eq(i64, event.time, 100 * SECOND_US));
    cr_expect(eq(int, event.stream, LABEL_STREAM));
    cr_expect(slice_eq(event.id, slice_of("7")));
    cr_expect(key_eq(event.id_key, hash_event_id(slice_of("7"))));
    cr_expect(eq(ptr, (void *)(uintptr_t)event.values, NULL));
    decoder_free(decoder);
    free(copy);
}

ParameterizedTestParameters(decode, refuses_labels)
{
    static struct refusal rows[] = {
        {"{\"value\":1,\"t\":100}", "field id is missing"},
        {"{\"id\":7,\"t\":100}", "field value is missing"},
        {"{\"id\":7,\"value\":null,\"t\":100}", "field value is missing"},
        {"{\"id\":7,\"value\":\"fraud\",\"t\":100}", "field value: \"fraud\" is no label"},
        {"{\"id\":7,\"value\":[1],\"t\":100}", "field value: an array or an object is no label"},
        {"{\"id\":7,\"value\":1}", "field t is missing"},
    };
    return cr_make_param_array(struct refusal, rows, LEN(rows));
}

ParameterizedTest(struct refusal *c, decode, refuses_labels)
{
    expect_refusal(make_labels(), "{\"id\":7,\"value\":1,\"t\":100}", c);
}
