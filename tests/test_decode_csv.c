/*
 * Tests of ingest/decode_csv.h: headers, and where rows end.
 *
 * What is known without running the code: what RFC 4180 says of rows and quotes, and which columns
 * a header must name.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "ingest/decode.h"
#include "ingest/decode_csv.h"
#include "tests/decode_fixture.h"

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
