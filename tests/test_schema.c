/*
 * Tests of ingest/schema.h and schema_read.h.
 *
 * What is known without running the code: what each key of the two tables means, what is taken for
 * granted where it is missing, and the mistakes that must be told with line and nearest right name.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>

#include "ingest/schema_read.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define SEC    SECOND_US

/* A schema and the config that it borrows from. */
struct rig {
    struct conf *conf;
    struct conf_errors errors;
    struct schema schema;
    enum status st;
};

static void rig_init(struct rig *rig, const char *text)
{
    *rig = (struct rig){0};
    cr_assert(eq(int, conf_parse("c.yaml", slice_of(text), &rig->errors, &rig->conf), ST_OK),
              "%.*s", (int)rig->errors.text.len, rig->errors.text.data);
    const struct conf_node *root = conf_root(rig->conf);
    rig->st = schema_read(conf_get(root, "streams"), conf_get(root, "labels"), &rig->errors,
                          &rig->schema);
}

static void rig_done(struct rig *rig)
{
    schema_done(&rig->schema);
    conf_errors_done(&rig->errors);
    conf_free(rig->conf);
}

#define expect_ok(rig)                                                                             \
    cr_assert(eq(int, (rig)->st, ST_OK), "%.*s", (int)(rig)->errors.text.len,                      \
              (rig)->errors.text.data)

static int64_t parse_time(const struct timefmt *format, const char *text)
{
    int64_t time = -1;
    cr_assert(eq(int, timefmt_parse(format, slice_of(text), &time), ST_OK), "%s", text);
    return time;
}

Test(schema, reads_all_that_a_config_says)
{
    struct rig rig;
    rig_init(&rig,
             "streams:\n"
             "  - name: transactions\n"
             "    topic: tx\n"
             "    format: csv\n"
             "    id: TRANSACTION_ID\n"
             "    time: {field: TX_DATETIME, format: \"%Y-%m-%d %H:%M\", zone: Europe/Berlin}\n"
             "    fields:\n"
             "      SRC: {entity: account}\n"
             "      DST: {type: entity, entity: account}\n"
             "      CARD: entity\n"
             "      TX_AMOUNT: number\n"
             "      shop.country: category\n"
             "      NOTE: {type: text}\n"
             "    score: false\n"
             "labels: {topic: frauds, id: TX, value: TX_FRAUD, time: {field: t, format: "
             "epoch_ms},\n"
             "         delay: 7d, horizon: 90d, absent: {is: 0.5, after: 1h}, keep_negatives: "
             "0.1}\n");
    expect_ok(&rig);
    cr_assert(eq(sz, rig.schema.n_streams, 1));
    const struct stream *stream = &rig.schema.streams[0];
    cr_expect(eq(str, (char *)(uintptr_t)stream->name, "transactions"));
    cr_expect(eq(str, (char *)(uintptr_t)stream->topic, "tx"));
    cr_expect(eq(str, (char *)(uintptr_t)stream->format, "csv"));
    cr_expect(eq(str, (char *)(uintptr_t)stream->id_field, "TRANSACTION_ID"));
    cr_expect(eq(str, (char *)(uintptr_t)stream->time_field, "TX_DATETIME"));
    cr_expect(eq(int, stream->score, 0));
    /* Berlin is an hour ahead in winter */
    cr_expect(eq(i64, parse_time(&stream->time_format, "1970-01-02 01:00"), DAY_US));

    static const struct field expected[] = {
        {"SRC", FIELD_ENTITY, "account"},       {"DST", FIELD_ENTITY, "account"},
        {"CARD", FIELD_ENTITY, "CARD"},         {"TX_AMOUNT", FIELD_NUMBER, NULL},
        {"shop.country", FIELD_CATEGORY, NULL}, {"NOTE", FIELD_TEXT, NULL}};
    cr_assert(eq(sz, stream->n_fields, LEN(expected)));
    for (size_t i = 0; i < LEN(expected); i++) {
        const struct field *field = &stream->fields[i];
        cr_expect(eq(str, (char *)(uintptr_t)field->name, (char *)(uintptr_t)expected[i].name));
        cr_expect(eq(int, field->type, expected[i].type), "%s", field->name);
        if (expected[i].entity_kind)
            cr_expect(eq(str, (char *)(uintptr_t)field->entity_kind,
                         (char *)(uintptr_t)expected[i].entity_kind));
        cr_expect(eq(int, stream_find_field(stream, expected[i].name), (int)i));
    }
    cr_expect(eq(int, stream_find_field(stream, "card"), -1));
    cr_expect(eq(int, schema_find_stream(&rig.schema, "transactions"), 0));
    cr_expect(eq(int, schema_find_stream(&rig.schema, "tx"), -1));

    const struct label_schema *labels = &rig.schema.labels;
    cr_expect(labels->present);
    cr_expect(eq(str, (char *)(uintptr_t)labels->topic, "frauds"));
    cr_expect(eq(str, (char *)(uintptr_t)labels->id_field, "TX"));
    cr_expect(eq(str, (char *)(uintptr_t)labels->value_field, "TX_FRAUD"));
    cr_expect(eq(str, (char *)(uintptr_t)labels->time_field, "t"));
    cr_expect(eq(i64, parse_time(&labels->time_format, "5000"), 5 * SEC));
    cr_expect(eq(i64, labels->delay, 7 * DAY_US));
    cr_expect(eq(i64, labels->horizon, 90 * DAY_US));
    cr_expect(eq(dbl, labels->absent.is, 0.5));
    cr_expect(eq(i64, labels->absent.after, 3600 * SEC));
    cr_expect(eq(dbl, labels->keep_negatives, 0.1));
    rig_done(&rig);
}

Test(schema, takes_the_rest_for_granted)
{
    struct rig rig;
    rig_init(&rig, "streams: [{name: a, id: key}, {name: b}, {name: c, score: true}]\n"
                   "labels: {value: y}\n");
    expect_ok(&rig);
    const struct stream *stream = &rig.schema.streams[0];
    cr_expect(eq(str, (char *)(uintptr_t)stream->topic, "a"));
    cr_expect(eq(str, (char *)(uintptr_t)stream->format, "json"));
    cr_expect(eq(ptr, (void *)(uintptr_t)stream->time_field, NULL));
    cr_expect(eq(int, stream->time_format.kind, TIMEFMT_RFC3339));
    cr_expect(eq(sz, stream->n_fields, 0));
    cr_expect(stream->score, "the first stream is scored");
    cr_expect(eq(int, rig.schema.streams[1].score, 0), "others only where they say so");
    cr_expect(rig.schema.streams[2].score);
    cr_expect(eq(ptr, (void *)(uintptr_t)rig.schema.streams[1].id_field, NULL));
    const struct label_schema *labels = &rig.schema.labels;
    cr_expect(eq(str, (char *)(uintptr_t)labels->id_field, "key"), "called as in the first stream");
    cr_expect(eq(ptr, (void *)(uintptr_t)labels->topic, NULL));
    cr_expect(eq(i64, labels->delay, 0));
    cr_expect(eq(i64, labels->horizon, 60 * DAY_US));
    cr_expect(eq(dbl, labels->absent.is, 0));
    cr_expect(eq(i64, labels->absent.after, 0));
    cr_expect(eq(dbl, labels->keep_negatives, 1));
    rig_done(&rig);
}

/* What depends on the delay. */

struct delay_case {
    char labels[100];
    int64_t delay_days, horizon_days, after_days;
    bool never; /* absent ones are not learnt from */
};

ParameterizedTestParameters(schema, horizon_and_absence_follow_the_delay)
{
    static struct delay_case cases[] = {
        {"{value: y, delay: 7d}", 7, 60, 7, false},
        {"{value: y, delay: 30d}", 30, 60, 30, false},
        {"{value: y, delay: 40d}", 40, 80, 40, false},
        {"{value: y, delay: 40d, horizon: 40d}", 40, 40, 40, false},
        {"{value: y, delay: 7d, absent: {is: 1}}", 7, 60, 7, false},
        {"{value: y, delay: 7d, absent: {after: 9d}}", 7, 60, 9, false},
        {"{value: y, delay: 7d, absent: none}", 7, 60, 7, true},
    };
    return cr_make_param_array(struct delay_case, cases, LEN(cases));
}

ParameterizedTest(struct delay_case *c, schema, horizon_and_absence_follow_the_delay)
{
    struct rig rig;
    char text[200];
    snprintf(text, sizeof text, "streams: [{name: a, id: key}]\nlabels: %s\n", c->labels);
    rig_init(&rig, text);
    expect_ok(&rig);
    const struct label_schema *labels = &rig.schema.labels;
    cr_expect(eq(i64, labels->delay, c->delay_days * DAY_US), "%s", c->labels);
    cr_expect(eq(i64, labels->horizon, c->horizon_days * DAY_US), "%s", c->labels);
    cr_expect(eq(i64, labels->absent.after, c->after_days * DAY_US), "%s", c->labels);
    cr_expect(eq(int, isnan(labels->absent.is), c->never), "%s", c->labels);
    rig_done(&rig);
}

Test(schema, a_pipeline_may_have_no_labels)
{
    struct rig rig;
    rig_init(&rig, "streams: [{name: a}]\n");
    expect_ok(&rig);
    cr_expect(eq(int, rig.schema.labels.present, 0));
    cr_expect(eq(i64, rig.schema.labels.horizon, 60 * DAY_US));
    cr_expect(eq(dbl, rig.schema.labels.keep_negatives, 1));
    rig_done(&rig);
}

/* Refusals: where and why. */

struct refusal {
    char text[240];
    char complaint[120]; /* a part of it */
    char place[16];
};

static void expect_refusal(const struct refusal *c)
{
    struct rig rig;
    rig_init(&rig, c->text);
    buf_byte(&rig.errors.text, '\0');
    cr_expect(eq(int, rig.st, ST_EINVAL), "%s", c->text);
    cr_expect(eq(sz, rig.errors.n, 1), "%s: %s", c->text, rig.errors.text.data);
    cr_expect(ne(ptr, strstr(rig.errors.text.data, c->complaint), NULL), "%s: %s", c->text,
              rig.errors.text.data);
    cr_expect(ne(ptr, strstr(rig.errors.text.data, c->place), NULL), "%s: %s", c->text,
              rig.errors.text.data);
    rig_done(&rig);
}

Test(schema, refuses)
{
    static const struct refusal cases[] = {
        {"labels: {value: y, id: k}\n", "at least one stream", ""},
        {"streams: []\n", "at least one stream", "c.yaml:1"},
        {"streams: {name: a}\n", "at least one stream", "c.yaml:1"},
        {"streams:\n  - topic: a\n", "name", "c.yaml:2"},
        {"streams:\n  - name: a\n    fromat: json\n", "format", "c.yaml:3"},
        {"streams:\n  - name: a\n    format: jsno\n", "json", "c.yaml:3"},
        {"streams:\n  - name: a\n    score: maybe\n", "score", "c.yaml:3"},
        {"streams:\n  - name: a\n    fields: [x]\n", "a mapping of field names", "c.yaml:3"},
        {"streams:\n  - name: a\n    fields:\n      x: nubmer\n",
         "unknown type \"nubmer\": expected entity, number, category or text; did you mean number?",
         "c.yaml:4"},
        {"streams:\n  - name: a\n    fields:\n      x: [number]\n", "expected entity, number",
         "c.yaml:4"},
        {"streams:\n  - name: a\n    fields:\n      x: {kind: k}\n", "unknown key", "c.yaml:4"},
        {"streams:\n  - name: a\n    fields:\n      x: {}\n", "expected `type` or `entity`",
         "c.yaml:4"},
        {"streams:\n  - name: a\n    fields:\n      x: {type: number, entity: k}\n",
         "a field of a kind of entity is an entity", "c.yaml:4"},
        {"streams:\n  - name: a\n    time:\n      field: t\n      format: \"%Q\"\n",
         "\"%Q\" is no form of time", "c.yaml:5"},
        {"streams:\n  - name: a\n    time:\n      field: t\n      zone: Mars/Olympus\n",
         "no time zone \"Mars/Olympus\"", "c.yaml:5"},
        {"streams:\n  - name: a\n    time: {format: epoch_s}\n", "expected `field`", "c.yaml:3"},
        {"streams:\n  - name: a\n  - name: b\n  - name: a\n", "there is a stream a already",
         "c.yaml:4"},
        {"streams: [{name: a, id: k}]\nlabels: {topic: l}\n", "value", "c.yaml:2"},
        {"streams: [{name: a}]\nlabels: {value: y}\n", "expected `id`", "c.yaml:2"},
        {"streams: [{name: a, id: k}]\nlabels:\n  value: y\n  delay: 7\n", "delay", "c.yaml:4"},
        {"streams: [{name: a, id: k}]\nlabels:\n  value: y\n  delay: -7d\n", "delay", "c.yaml:4"},
        {"streams: [{name: a, id: k}]\nlabels:\n  value: y\n  keep_negatives: 0\n",
         "keep_negatives", "c.yaml:4"},
        {"streams: [{name: a, id: k}]\nlabels:\n  value: y\n  keep_negatives: 1.5\n",
         "keep_negatives", "c.yaml:4"},
        {"streams: [{name: a, id: k}]\nlabels:\n  value: y\n  delay: 7d\n  horizon: 6d\n",
         "the horizon must be at least 7d", "c.yaml:5"},
        {"streams: [{name: a, id: k}]\nlabels:\n  value: y\n  horizon: 6d\n  absent: {after: 9d}\n",
         "the horizon must be at least 9d", "c.yaml:4"},
        {"streams: [{name: a, id: k}]\nlabels:\n  value: y\n  absent: {after: 61d}\n",
         "the horizon must be at least 61d", "c.yaml:"},
        {"streams: [{name: a, id: k}]\nlabels:\n  value: y\n  absent: never\n",
         "expected {is: 0, after: 7d} or none", "c.yaml:4"},
        {"streams: [{name: a, id: k}]\nlabels:\n  value: y\n  absent: {ist: 0}\n", "is",
         "c.yaml:4"},
    };
    for (size_t i = 0; i < LEN(cases); i++)
        expect_refusal(&cases[i]);
}

/* A stream that is refused is no reason to be silent about the others. */
Test(schema, tells_all_mistakes_at_once)
{
    struct rig rig;
    rig_init(&rig, "streams:\n  - {name: a, fields: {x: entiyt, y: numbr}}\n  - {nme: b}\n"
                   "labels: {valeu: y}\n");
    cr_expect(eq(int, rig.st, ST_EINVAL));
    cr_expect(ge(sz, rig.errors.n, 5), "%.*s", (int)rig.errors.text.len, rig.errors.text.data);
    rig_done(&rig);
}

Test(schema, done_accepts_what_was_never_read)
{
    struct schema schema = {0};
    schema_done(&schema);
}

Test(schema, manual_names_every_key)
{
    static const char *const keys[] = {"name",   "topic", "format",  "id",     "time",
                                       "fields", "score", "horizon", "absent", "keep_negatives"};
    struct buf doc = {0};
    schema_write_doc(&doc);
    buf_byte(&doc, '\0');
    for (size_t i = 0; i < LEN(keys); i++)
        cr_expect(ne(ptr, strstr(doc.data, keys[i]), NULL), "%s", keys[i]);
    buf_done(&doc);
}
