/*
 * Tests of online/rows.h.
 *
 * What is known without running it: the bytes. Each row of the tables is one, written out by the
 * rules of JSON (RFC 8259) and CSV (RFC 4180).
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdio.h>

#include "online/rows.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const char *const columns[] = {"TX_AMOUNT", "a \"quoted\", one", "t\xc3\xa9"};
static const struct vector_schema schema = {.n_dense = 3, .dense = columns};
static const double values[] = {57.16, NAN, 1.0 / 3};

/* All rows of one event: "scores: bytes" and "features: bytes", each with its key and ordinal. */
static const char *written(const struct rows_options *options, const struct row_score *row)
{
    static char text[1024];
    struct rows rows;
    struct buf outbox = {0};
    rows_init(&rows, options, &schema);
    unsigned n = rows_put_score(&rows, &outbox, 3, row);
    struct reader in = reader_of(buf_slice(&outbox));
    struct outbox_row out;
    text[0] = '\0';
    for (unsigned i = 0; i < n; i++) {
        cr_assert(eq(int, outbox_next(&in, &out), ST_OK));
        cr_assert(eq(u32, out.lane, 3));
        cr_assert(eq(i64, out.row.offset, 42));
        cr_assert(eq(sz, out.row.reason.len, 0));
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "%s%u %.*s>%.*s",
                 out.row.channel == CHANNEL_SCORES ? "scores" : "features", out.row.ordinal,
                 (int)out.row.key.len, out.row.key.data ? out.row.key.data : "",
                 (int)out.row.payload.len, out.row.payload.data);
    }
    cr_assert(eq(int, outbox_next(&in, &out), ST_EEND));
    rows_done(&rows);
    buf_done(&outbox);
    return text;
}

struct row_case {
    char id[16], expected[300];
    int format;
    bool scores, features, repeated;
    float score;
    double label;
    int64_t time;
};

#define AT INT64_C(1522541276000000) /* 2018-04-01T00:07:56Z */

ParameterizedTestParameters(rows, are_these_bytes)
{
    static struct row_case cases[] = {
        {"7",
         "scores0 7>{\"id\":\"7\",\"time\":\"2018-04-01T00:07:56Z\",\"score\":0.0123,"
         "\"model\":\"fra\\\"ud\",\"version\":12}",
         ROWS_JSON, true, false, false, 0.0123f, NAN, AT},
        {"7",
         "scores0 7>{\"id\":\"7\",\"time\":\"2018-04-01T00:07:56.005Z\",\"score\":1e-07,"
         "\"model\":\"fra\\\"ud\",\"version\":12,\"features\":{\"TX_AMOUNT\":57.16,"
         "\"a \\\"quoted\\\", one\":null,\"t\xc3\xa9\":0.3333333333333333}}",
         ROWS_JSON, true, true, false, 1e-7f, NAN, AT + 5000},
        {"7",
         "scores0 7>{\"id\":\"7\",\"time\":\"2018-04-01T00:07:56Z\",\"score\":1,"
         "\"model\":\"fra\\\"ud\",\"version\":12}",
         ROWS_JSON, true, true, true, 1.0f, NAN, AT},
        {"a\\b\"\n\x01",
         "scores0 a\\b\"\n\x01>{\"id\":\"a\\\\b\\\"\\u000a\\u0001\",\"time\":\"1969-12-31T23:59:59"
         "Z\",\"score\":null,\"model\":\"fra\\\"ud\",\"version\":12}",
         ROWS_JSON, true, false, false, NAN, NAN, -1000000},
        {"",
         "scores0 >{\"id\":\"\",\"time\":\"2018-04-01T00:07:56Z\",\"score\":0.5,"
         "\"model\":\"fra\\\"ud\",\"version\":12}",
         ROWS_JSON, true, false, false, 0.5f, NAN, AT},
        {"7", "", ROWS_JSON, false, true, false, 0.5f, NAN, AT},
        {"7", "scores0 >7,0.0123,2018-04-01T00:07:56Z,1,12\n", ROWS_CSV, true, false, false,
         0.0123f, 1, AT},
        {"7", "scores0 >7,,2018-04-01T00:07:56Z,,12\n", ROWS_CSV, true, false, false, NAN, NAN, AT},
        {"a,b", "scores0 >\"a,b\",0.5,2018-04-01T00:07:56Z,0.25,12\n", ROWS_CSV, true, false, false,
         0.5f, 0.25, AT},
        {"a\"b", "scores0 >\"a\"\"b\",0.5,2018-04-01T00:07:56Z,0,12\n", ROWS_CSV, true, false,
         false, 0.5f, 0, AT},
        {"a\nb", "scores0 >\"a\nb\",0.5,2018-04-01T00:07:56Z,0,12\n", ROWS_CSV, true, false, false,
         0.5f, 0, AT},
        {"7", "features0 >7,57.159999999999997,,0.33333333333333331\n", ROWS_CSV, false, true,
         false, 0.5f, 0, AT},
        {"7",
         "scores0 >7,0.5,2018-04-01T00:07:56Z,0,12\n"
         "features1 >7,57.159999999999997,,0.33333333333333331\n",
         ROWS_CSV, true, true, false, 0.5f, 0, AT},
        {"7", "scores0 >7,0.5,2018-04-01T00:07:56Z,0,12\n", ROWS_CSV, true, true, true, 0.5f, 0,
         AT},
    };
    return cr_make_param_array(struct row_case, cases, LEN(cases));
}

ParameterizedTest(struct row_case *c, rows, are_these_bytes)
{
    struct rows_options options = {(enum rows_format)c->format, "fra\"ud", c->scores, c->features,
                                   0};
    struct event event = {.id = slice_of(c->id), .origin = {0, 42}, .label = c->label};
    struct row_score row = {.event = &event,
                            .time = c->time,
                            .score = c->score,
                            .version = 12,
                            .values = c->repeated ? NULL : values};
    cr_expect(eq(str, (char *)written(&options, &row), c->expected));
}

Test(rows, headers_name_the_columns)
{
    struct buf buf = {0};
    rows_score_header(0, &buf);
    rows_feature_header(&schema, &buf);
    cr_expect(
        slice_eq(buf_slice(&buf), slice_of("id,score,time,label,version\n"
                                           "id,TX_AMOUNT,\"a \"\"quoted\"\", one\",t\xc3\xa9\n")));
    buf_done(&buf);
}

Test(rows, reasons_are_named)
{
    struct rows_options json = {ROWS_JSON, "m", true, false, 2},
                        csv = {ROWS_CSV, "m", true, false, 2};
    struct event event = {.id = slice_of("7"), .origin = {0, 42}, .label = NAN};
    const struct reason reasons[] = {{"a \"quoted\", one", 1.5}, {"b", -0.1}};
    struct row_score row = {&event, 0, 0.5f, 1, values, NULL, reasons, 2};
    cr_expect(eq(str, (char *)written(&json, &row),
                 "scores0 7>{\"id\":\"7\",\"time\":\"1970-01-01T00:00:00Z\",\"score\":0.5,"
                 "\"model\":\"m\",\"version\":1,\"reasons\":[{\"name\":\"a \\\"quoted\\\", one\","
                 "\"log_odds\":1.5},{\"name\":\"b\",\"log_odds\":-0.1}]}"));
    cr_expect(eq(str, (char *)written(&csv, &row),
                 "scores0 >7,0.5,1970-01-01T00:00:00Z,,1,\"a \"\"quoted\"\", one\",1.5,b,-0.1\n"));
    row.n_reasons = 1;
    row.reasons = reasons + 1;
    cr_expect(
        eq(str, (char *)written(&csv, &row), "scores0 >7,0.5,1970-01-01T00:00:00Z,,1,b,-0.1,,\n"));
    row.values = NULL; /* a repeated one has none */
    row.n_reasons = 0;
    cr_expect(eq(str, (char *)written(&json, &row),
                 "scores0 7>{\"id\":\"7\",\"time\":\"1970-01-01T00:00:00Z\",\"score\":0.5,"
                 "\"model\":\"m\",\"version\":1}"));
    struct buf header = {0};
    rows_score_header(2, &header);
    cr_expect(slice_eq(buf_slice(&header),
                       slice_of("id,score,time,label,version,reason_1,log_odds_1,reason_2,"
                                "log_odds_2\n")));
    buf_done(&header);
}

/* The same rows object serves event after event: nothing of one stays for the next. */
Test(rows, one_after_another)
{
    struct rows_options options = {ROWS_JSON, "m", true, false, 0};
    struct rows rows;
    struct buf outbox = {0};
    rows_init(&rows, &options, &schema);
    struct event long_id = {.id = slice_of("a long identifier")}, short_id = {.id = slice_of("b")};
    struct row_score first = {.event = &long_id, .score = 0.25f},
                     second = {.event = &short_id, .score = 0.5f};
    cr_expect(eq(uint, rows_put_score(&rows, &outbox, 0, &first), 1));
    cr_expect(eq(uint, rows_put_score(&rows, &outbox, 0, &second), 1));
    struct reader in = reader_of(buf_slice(&outbox));
    struct outbox_row out;
    cr_assert(eq(int, outbox_next(&in, &out), ST_OK));
    cr_assert(eq(int, outbox_next(&in, &out), ST_OK));
    cr_expect(slice_eq(out.row.payload,
                       slice_of("{\"id\":\"b\",\"time\":\"1970-01-01T00:00:00Z\",\"score\":0.5,"
                                "\"model\":\"m\",\"version\":0}")));
    rows_done(&rows);
    buf_done(&outbox);
}
