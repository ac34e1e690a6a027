/*
 * Tests of ingest/decode.h: what is no event.
 *
 * What is known without running the code: a long list of inputs that are no event by RFC 4180, RFC
 * 8259 or the stream's fields, each with the reason it must give. None of them may cost a later
 * good record anything.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "ingest/decode.h"
#include "tests/decode_fixture.h"

/* What was wrong, in words. The long tables are loops: a process for each row, as
 * parameterised tests have it, would take longer than all the rest. */

static const struct refusal json_refusals[] = {
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

Test(decode, refuses_json)
{
    for (size_t i = 0; i < LEN(json_refusals); i++)
        expect_refusal(make_json(), "{\"id\":7,\"t\":1}", &json_refusals[i]);
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
