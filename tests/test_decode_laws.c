/*
 * Tests of ingest/decode.h: laws.
 *
 * What is known without running the code: no beginning of an event is one, no change of a byte is a
 * crash, and neither length nor depth matters.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "ingest/decode.h"
#include "tests/decode_fixture.h"

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
