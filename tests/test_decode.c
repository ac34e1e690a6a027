/*
 * Tests of ingest/decode.h, decode_csv.h and decode_json.h.
 *
 * What is known without running the code: what RFC 4180 and RFC 8259 say of quoting and of values;
 * that one event written as a CSV row and as a JSON object is the same event; that hashes are those
 * of base/hash.h; and a long list of inputs that are no event, each with the reason it must give.
 * None of them may cost a later good record anything.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdlib.h>

#include "ingest/decode.h"
#include "ingest/decode_csv.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define TEXT   400

/* The stream of most tests: t seconds, an id, and one field of each type; "deep.site" reaches into
 * an object. */
static const struct field fields[] = {
    {"user", FIELD_ENTITY, "person"},    {"amount", FIELD_NUMBER, NULL},
    {"device", FIELD_CATEGORY, NULL},    {"note", FIELD_TEXT, NULL},
    {"deep.site", FIELD_ENTITY, "site"},
};
enum { USER, AMOUNT, DEVICE, NOTE, SITE };

static const struct stream stream = {
    .name = "s",
    .topic = "s",
    .format = "json",
    .id_field = "id",
    .time_field = "t",
    .time_format = {.kind = TIMEFMT_S},
    .n_fields = LEN(fields),
    .fields = fields,
    .score = true,
};

static const struct label_schema labels = {
    .present = true,
    .topic = "l",
    .id_field = "id",
    .value_field = "value",
    .time_field = "t",
    .time_format = {.kind = TIMEFMT_S},
};

static const char header[] = "id,t,user,amount,device,note,deep.site,is_fraud";

static struct decoder *make(const struct decoder_options *options)
{
    struct conf_errors errors = {0};
    struct decoder *decoder = NULL;
    cr_assert(eq(int, decoder_create(options, &errors, &decoder), ST_OK), "%.*s",
              (int)errors.text.len, errors.text.data);
    return decoder;
}

static struct decoder *make_json(void)
{
    return make(&(struct decoder_options){.format = "json",
                                          .stream = &stream,
                                          .index = 3,
                                          .label_column = "is_fraud",
                                          .name = "s.jsonl"});
}

static struct decoder *make_csv(void)
{
    return make(&(struct decoder_options){.format = "csv",
                                          .stream = &stream,
                                          .index = 3,
                                          .label_column = "is_fraud",
                                          .name = "s.csv",
                                          .header = slice_of(header)});
}

static struct decoder *make_labels(void)
{
    return make(&(struct decoder_options){
        .format = "json", .labels = &labels, .index = LABEL_STREAM, .name = "l"});
}

/* Decodes a copy that ends where its memory does, so that reading past it is found out. */
static struct event decode(struct decoder *decoder, const char *text, char **ret_copy)
{
    size_t len = strlen(text);
    char *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    struct event event = {0};
    decoder_decode(decoder, (struct slice){copy, len}, TIME_NONE, &event);
    *ret_copy = copy;
    return event;
}

static bool is_entity(const struct event *event, size_t i, const char *kind, const char *id)
{
    return key_eq(event->values[i].entity, hash_entity(slice_of(kind), slice_of(id)));
}

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

/* Refusals: what was wrong, in words. The long tables are loops: a process for each row, as
 * parameterised tests have it, would take longer than all the rest. */

struct refusal {
    char text[TEXT];
    char reason[120]; /* how the reason begins */
};

static void expect_refusal(struct decoder *decoder, const char *good, const struct refusal *c)
{
    char *copy, *after;
    struct event event = decode(decoder, c->text, &copy);
    cr_assert(eq(int, event.kind, EVENT_DEAD), "%s: was taken", c->text);
    cr_expect(eq(int, strncmp(event.reason, c->reason, strlen(c->reason)), 0),
              "%s:\n  gave     %s\n  expected %s", c->text, event.reason, c->reason);
    cr_expect(eq(ptr, (void *)(uintptr_t)event.raw.data, copy), "%s", c->text);
    cr_expect(key_is_none(event.id_key), "%s", c->text);
    event = decode(decoder, good, &after);
    cr_expect(ne(int, event.kind, EVENT_DEAD), "%s spoilt the next: %s", c->text, event.reason);
    decoder_free(decoder);
    free(copy);
    free(after);
}

Test(decode, refuses_json)
{
    static const struct refusal rows[] = {
        {"", "empty"},
        {" ", "empty"},
        {"7", "not a JSON object"},
        {"\"x\"", "not a JSON object"},
        {"[{\"id\":7,\"t\":1}]", "not a JSON object"},
        {"null", "not a JSON object"},
        {"nonsense", "not a JSON object"},
        {"{\"id\":7,\"t\":1", "not valid JSON"},
        {"{\"id\":7,\"t\":1,", "not valid JSON"},
        {"{\"id\":7,\"t\":1,}", "not valid JSON"},
        {"{\"id\":7,\"t\":", "not valid JSON"},
        {"{\"id\":7,\"t\"", "not valid JSON"},
        {"{\"id\":7,\"t", "not valid JSON"},
        {"{", "not valid JSON"},
        {"}", "not"},
        {"{\"id\":7 \"t\":1}", "not valid JSON"},
        {"{\"id\" 7,\"t\":1}", "not valid JSON"},
        {"{id:7,\"t\":1}", "not valid JSON"},
        {"{'id':7,'t':1}", "not valid JSON"},
        {"{\"id\":7,\"t\":1}}", "not valid JSON"},
        {"{\"id\":7,\"t\":1} {\"id\":8,\"t\":1}", "not valid JSON"},
        {"{\"id\":7,\"t\":1}x", "not valid JSON"},
        {"{\"id\":\"\xff\xfe\",\"t\":1}", "not valid JSON"},
        {"{\"id\":\"7\",\"t\":1,\"other\":\"\xc3\"}", "not valid JSON"},
        {"{\"id\":\"\\ud800\",\"t\":1}", "not valid JSON"},
        {"{\"id\":\"\\x\",\"t\":1}", "not valid JSON"},
        {"{\"id\":\"a\nb\",\"t\":1}", "not valid JSON"},
        {"{\"id\":7,\"t\":1,\"amount\":tru}", "not valid JSON: the value of amount"},
        {"{\"id\":7,\"t\":1,\"amount\":01}", "not valid JSON: the value of amount"},
        {"{\"id\":7,\"t\":1,\"amount\":1.}", "not valid JSON: the value of amount"},
        {"{\"id\":7,\"t\":1,\"amount\":.5}", "not valid JSON: the value of amount"},
        {"{\"id\":7,\"t\":1,\"amount\":+1}", "not valid JSON: the value of amount"},
        {"{\"id\":7,\"t\":1,\"amount\":-}", "not valid JSON: the value of amount"},
        {"{\"id\":7,\"t\":1,\"amount\":1e}", "not valid JSON: the value of amount"},
        {"{\"id\":7,\"t\":1,\"amount\":NaN}", "not valid JSON: the value of amount"},
        {"{\"id\":7,\"t\":1,\"amount\":Infinity}", "not valid JSON: the value of amount"},
        {"{\"id\":7,\"t\":1,\"amount\":1 2}", "not valid JSON"},
        {"{\"id\":7,\"t\":1,\"id\":8}", "the key id occurs twice"},
        {"{\"id\":7,\"t\":1,\"\\u0069d\":8}", "the key id occurs twice"},
        {"{\"id\":7,\"t\":1,\"deep\":{\"site\":1,\"site\":1}}", "the key site occurs twice"},
        {"{\"id\":7,\"t\":1,\"deep\":{},\"deep\":{\"site\":1}}", "the key deep occurs twice"},
        {"{\"t\":1}", "field id is missing"},
        {"{\"id\":null,\"t\":1}", "field id is missing"},
        {"{\"id\":\"\",\"t\":1}", "field id is missing"},
        {"{\"id\":7}", "field t is missing"},
        {"{\"id\":1.5,\"t\":1}", "field id: \"1.5\" is no string or integer"},
        {"{\"id\":1e3,\"t\":1}", "field id: \"1e3\" is no string or integer"},
        {"{\"id\":true,\"t\":1}", "field id: \"true\" is no string or integer"},
        {"{\"id\":[7],\"t\":1}", "field id: an array or an object is no string or integer"},
        {"{\"id\":{\"id\":7},\"t\":1}", "field id: an array or an object is no string or integer"},
        {"{\"id\":7,\"t\":\"now\"}", "field t: \"now\" is no time in seconds since 1970"},
        {"{\"id\":7,\"t\":true}", "field t: \"true\" is no time"},
        {"{\"id\":7,\"t\":{}}", "field t: an array or an object is no time"},
        {"{\"id\":7,\"t\":1,\"amount\":\"abc\"}", "field amount: \"abc\" is no number"},
        {"{\"id\":7,\"t\":1,\"amount\":\"nan\"}", "field amount: \"nan\" is no number"},
        {"{\"id\":7,\"t\":1,\"amount\":\"-inf\"}", "field amount: \"-inf\" is no number"},
        {"{\"id\":7,\"t\":1,\"amount\":\"1,5\"}", "field amount: \"1,5\" is no number"},
        {"{\"id\":7,\"t\":1,\"amount\":\"0x10\"}", "field amount: \"0x10\" is no number"},
        {"{\"id\":7,\"t\":1,\"amount\":1e999}", "field amount: \"1e999\" is no number"},
        {"{\"id\":7,\"t\":1,\"amount\":true}", "field amount: \"true\" is no number"},
        {"{\"id\":7,\"t\":1,\"amount\":[1]}", "field amount: an array or an object is no number"},
        {"{\"id\":7,\"t\":1,\"user\":1.0}", "field user: \"1.0\" is no string or integer"},
        {"{\"id\":7,\"t\":1,\"user\":false}", "field user: \"false\" is no string or integer"},
        {"{\"id\":7,\"t\":1,\"device\":{}}", "field device: an array or an object is no category"},
        {"{\"id\":7,\"t\":1,\"note\":[]}", "field note: an array or an object is no text"},
        {"{\"id\":7,\"t\":1,\"is_fraud\":\"yes\"}", "field is_fraud: \"yes\" is no label"},
        {"{\"id\":7,\"t\":1,\"is_fraud\":\"nan\"}", "field is_fraud: \"nan\" is no label"},
        {"{\"id\":7,\"t\":1,\"amount\":\"a\\u0001b\\n\"}", "field amount: \"a\\x01b\\x0a\" is no"},
        {"{\"id\":7,\"t\":1,\"amount\":"
         "\"0123456789012345678901234567890123456789x123456789\"}",
         "field amount: \"0123456789012345678901234567890123456789...\" is no number"},
    };
    for (size_t i = 0; i < LEN(rows); i++)
        expect_refusal(make_json(), "{\"id\":7,\"t\":1}", &rows[i]);
}

Test(decode, refuses_csv)
{
    static const struct refusal rows[] = {
        {"", "column count 1, header has 8"},
        {"7,100,,,,,", "column count 7, header has 8"},
        {"7,100,,,,,,,", "column count 9, header has 8"},
        {"7,100,,,,\"a,b\",", "column count 7, header has 8"},
        {"7,100,,,,\"a,,", "a quote is not closed"},
        {"7,100,,,,\"a\"b,,", "a quote is not closed, or text follows"},
        {"7,100,,,,,,\"", "a quote is not closed"},
        {"7,100,,,,\xff,,", "not UTF-8"},
        {",100,,,,,,", "field id is missing"},
        {"7,,,,,,,", "field t is missing"},
        {"7,1x,,,,,,", "field t: \"1x\" is no time in seconds"},
        {"7,100,,abc,,,,", "field amount: \"abc\" is no number"},
        {"7,100,,NaN,,,,", "field amount: \"NaN\" is no number"},
        {"7,100,,inf,,,,", "field amount: \"inf\" is no number"},
        {"7,100,,1 ,,,,", "field amount: \"1 \" is no number"},
        {"7,100,,,,,,maybe", "field is_fraud: \"maybe\" is no label"},
    };
    for (size_t i = 0; i < LEN(rows); i++)
        expect_refusal(make_csv(), "7,100,,,,,,", &rows[i]);
}

Test(decode, a_time_that_does_not_match_says_what_it_should)
{
    struct stream dated = stream;
    cr_assert(eq(int, timefmt_compile(slice_of("%Y-%m-%d %H:%M:%S"), NULL, &dated.time_format), 0));
    struct decoder *decoder =
        make(&(struct decoder_options){.format = "json", .stream = &dated, .name = "s"});
    char *copy;
    struct event event = decode(decoder, "{\"id\":7,\"t\":\"2018-04-31 00:00:00\"}", &copy);
    cr_assert(eq(int, event.kind, EVENT_DEAD));
    cr_expect(eq(str, (char *)(uintptr_t)event.reason,
                 "field t: \"2018-04-31 00:00:00\" does not match %Y-%m-%d %H:%M:%S"));
    decoder_free(decoder);
    free(copy);
}

/* Laws. */

/* Every beginning of a good record is refused or, if it is all of it, taken; none is a crash. */
Test(decode, no_beginning_of_a_json_event_is_an_event)
{
    static const char whole[] =
        "{\"id\":\"7\",\"t\":100,\"deep\":{\"site\":[1,{\"a\":\"\\u00e4\"}]},"
        "\"amount\":-1.5e-3,\"note\":null,\"x\":true}";
    struct decoder *decoder = make_json();
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        char *copy, text[sizeof whole] = {0};
        memcpy(text, whole, len);
        struct event event = decode(decoder, text, &copy);
        cr_expect(eq(int, event.kind, EVENT_DEAD), "%s", text);
        free(copy);
    }
    decoder_free(decoder);
}

/* No change of one byte crashes it, and what is taken has an id and a time. */
Test(decode, no_changed_byte_crashes)
{
    static const char *const wholes[] = {
        "{\"id\":\"7\",\"t\":100,\"deep\":{\"site\":\"y\"},\"note\":\"\\u00e4\",\"amount\":1.5}",
        "7,100,596,57.16,tv,\"a, \"\"b\"\"\",x,1"};
    for (int is_csv = 0; is_csv < 2; is_csv++) {
        struct decoder *decoder = is_csv ? make_csv() : make_json();
        size_t len = strlen(wholes[is_csv]);
        for (size_t at = 0; at < len; at++) {
            for (int byte = 1; byte < 256; byte++) {
                char text[TEXT] = {0}, *copy;
                memcpy(text, wholes[is_csv], len);
                text[at] = (char)byte;
                struct event event = decode(decoder, text, &copy);
                if (event.kind == EVENT_DATA)
                    cr_assert(event.id.len > 0 && event.time != TIME_NONE, "%s", text);
                else
                    cr_assert(event.reason && event.reason[0], "%s", text);
                free(copy);
            }
        }
        decoder_free(decoder);
    }
}

Test(decode, an_integer_is_the_same_entity_in_json_and_csv)
{
    static const char *const ids[] = {"0", "596", "-3", "18446744073709551616",
                                      "123456789012345678901234567890"};
    struct decoder *json = make_json(), *csv = make_csv();
    for (size_t i = 0; i < LEN(ids); i++) {
        char text[TEXT], *a, *b;
        snprintf(text, sizeof text, "{\"id\":%s,\"t\":1,\"user\":%s}", ids[i], ids[i]);
        struct event from_json = decode(json, text, &a);
        snprintf(text, sizeof text, "%s,1,%s,,,,,", ids[i], ids[i]);
        struct event from_csv = decode(csv, text, &b);
        cr_assert(eq(int, from_json.kind, EVENT_DATA), "%s", from_json.reason);
        cr_expect(key_eq(from_json.id_key, from_csv.id_key), "%s", ids[i]);
        cr_expect(key_eq(from_json.values[USER].entity, from_csv.values[USER].entity), "%s",
                  ids[i]);
        free(a);
        free(b);
    }
    decoder_free(json);
    decoder_free(csv);
}

/* A record is not too long for the decoder; the wide row has cells on both sides of each block that
 * is scanned at once. */
Test(decode, long_records_are_whole)
{
    enum { N = 200 };
    for (size_t wide = 0; wide < N; wide++) {
        char filler[N + 1] = {0}, text[2 * TEXT], *copy;
        memset(filler, 'x', wide);
        struct decoder *csv = make_csv(), *json = make_json();
        snprintf(text, sizeof text, "7,100,%s,2.5,,%s,s,0", filler, filler);
        struct event event = decode(csv, text, &copy);
        cr_assert(eq(int, event.kind, EVENT_DATA), "%zu: %s", wide, event.reason);
        cr_expect(eq(sz, event.values[NOTE].text.len, wide));
        cr_expect(eq(dbl, event.values[AMOUNT].number, 2.5));
        cr_expect(eq(dbl, event.label, 0));
        free(copy);
        snprintf(text, sizeof text, "{\"note\":\"%s\",\"id\":7,\"t\":1,\"%s\":1,\"amount\":2.5}",
                 filler, filler);
        event = decode(json, text, &copy);
        cr_assert(eq(int, event.kind, EVENT_DATA), "%zu: %s", wide, event.reason);
        cr_expect(eq(sz, event.values[NOTE].text.len, wide));
        cr_expect(eq(dbl, event.values[AMOUNT].number, 2.5));
        free(copy);
        decoder_free(csv);
        decoder_free(json);
    }
}

/* Nesting is passed over without recursion. */
Test(decode, deep_nesting_is_harmless)
{
    enum { DEEP = 100000 };
    struct buf text = {0};
    struct decoder *decoder = make_json();
    struct event event = {0};
    buf_text(&text, "{\"id\":7,\"t\":100,\"other\":");
    for (int i = 0; i < DEEP; i++)
        buf_byte(&text, '[');
    decoder_decode(decoder, buf_slice(&text), TIME_NONE, &event);
    cr_expect(eq(int, event.kind, EVENT_DEAD), "never closed");
    for (int i = 0; i < DEEP; i++)
        buf_byte(&text, ']');
    buf_text(&text, ",\"amount\":2}");
    decoder_decode(decoder, buf_slice(&text), TIME_NONE, &event);
    cr_expect(eq(int, event.kind, EVENT_DATA), "%s", event.reason);
    cr_expect(eq(dbl, event.values[AMOUNT].number, 2));
    decoder_free(decoder);
    buf_done(&text);
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

/* CSV headers. */

struct header_case {
    char header[TEXT];
    char complaint[120]; /* a part of it; empty: it is taken */
};

ParameterizedTestParameters(decode, checks_the_header)
{
    static struct header_case rows[] = {
        {"id,t,user,amount,device,note,deep.site,is_fraud", ""},
        {"x,is_fraud,deep.site,note,device,,,amount,user,t,id", ""},
        {"\xef\xbb\xbfid,t,user,amount,device,note,deep.site,is_fraud", ""},
        {"\"id\",\"t\",\"user\",\"amount\",\"device\",\"note\",\"deep.site\",\"is_fraud\"", ""},
        {"id,t,user,amuont,device,note,deep.site,is_fraud",
         "s.csv: there is no column amount; the nearest is amuont"},
        {"id,t,user,device,note,deep.site,is_fraud", "s.csv: there is no column amount"},
        {"", "s.csv: there is no column id"},
        {"id,t,t,user,amount,device,note,deep.site,is_fraud",
         "s.csv: the header names the column t 2 times"},
        {"id,\"t,user", "s.csv: its first row is no header"},
    };
    return cr_make_param_array(struct header_case, rows, LEN(rows));
}

ParameterizedTest(struct header_case *c, decode, checks_the_header)
{
    struct conf_errors errors = {0};
    struct decoder *decoder = NULL;
    struct decoder_options options = {.format = "csv",
                                      .stream = &stream,
                                      .label_column = "is_fraud",
                                      .name = "s.csv",
                                      .header = slice_of(c->header)};
    enum status st = decoder_create(&options, &errors, &decoder);
    buf_byte(&errors.text, '\0');
    cr_expect(eq(int, st, c->complaint[0] ? ST_EINVAL : ST_OK), "%s", c->header);
    cr_expect(ne(ptr, strstr(errors.text.data, c->complaint), NULL), "%s: %s", c->header,
              errors.text.data);
    cr_expect(eq(int, decoder == NULL, c->complaint[0] != '\0'));
    decoder_free(decoder);
    conf_errors_done(&errors);
}

Test(decode, refuses_an_unknown_format)
{
    struct conf_errors errors = {0};
    struct decoder *decoder = NULL;
    struct decoder_options options = {.format = "xml", .stream = &stream, .name = "s"};
    cr_expect(eq(int, decoder_create(&options, &errors, &decoder), ST_EINVAL));
    cr_expect(eq(sz, errors.n, 1));
    options.format = "csv"; /* of a topic */
    cr_expect(eq(int, decoder_create(&options, &errors, &decoder), ST_EINVAL));
    cr_expect(eq(sz, errors.n, 2));
    conf_errors_done(&errors);
    decoder_free(NULL);
}

/* Where rows of a CSV file end. */

struct row_case {
    char text[TEXT];
    bool last;
    size_t length, cut;
};

static void expect_row(const struct row_case *c)
{
    size_t cut = 0, len = strlen(c->text);
    char *copy = malloc(len);
    memcpy(copy, c->text, len);
    cr_expect(eq(sz, csv_row_length(copy, len, c->last, &cut), c->length), "%s", c->text);
    cr_expect(eq(sz, cut, c->cut), "%s", c->text);
    free(copy);
}

Test(decode, finds_the_end_of_a_row)
{
    static const struct row_case rows[] = {
        {"a,b\nc", false, 4, 1},
        {"a,b\r\nc", false, 5, 2},
        {"a,b", false, 0, 0},
        {"a,b", true, 3, 0},
        {"a,b\r", true, 4, 0},
        {"\n", false, 1, 1},
        {"\r\n", false, 2, 2},
        {"a,\"b\nc\"\nd", false, 8, 1},
        {"a,\"b\nc\"\r\nd", false, 9, 2},
        {"a,\"b\nc\"", false, 0, 0},
        {"a,\"b\nc\"", true, 7, 0},
        {"a,\"b\"\"\nc\",\"\n\"\nd", false, 14, 1},
        {"a,\"b\"\"\n", false, 0, 0},
        {"a,\"b\n", false, 0, 0},
        {"a,\"b\"\r", false, 0, 0},
        {"a,\"\"\nb", false, 5, 1},
        {"\"a\"\n", false, 4, 1},
        {"5\" pipe,\"x\ny\"\nb", false, 14, 1}, /* a quote inside a bare cell is text */
        {"a\"\nb", false, 3, 1},
        {"a,\"b\"c\nd\"\n", false, 7, 1}, /* broken: one line is lost, not two */
        {"a,\"b\nc\nd", true, 5, 1},      /* never closed: likewise */
        {"a,\"b", true, 4, 0},
    };
    for (size_t i = 0; i < LEN(rows); i++)
        expect_row(&rows[i]);
}
