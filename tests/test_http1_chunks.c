/*
 * Tests of online/endpoint/http1_chunks.h.
 *
 * What is known without running it: RFC 9112's grammar (7.1). A body in chunks, given in pieces cut
 * anywhere, is the same as given at once; what is cut short is "more to come"; what is refused is
 * refused with the status named here.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "online/endpoint/http1_chunks.h"

static const char chunked[] = "5\r\nhello\r\n"
                              "1;name=value\r\n,\r\n"
                              "00A \r\n in chunks\r\n"
                              "0\r\nChecksum: none\r\n\r\n";
#define BEHIND "GET / HTTP/1.1\r\n"

static void expect_hello(const char *data, const struct http1_chunks *chunks)
{
    struct buf body = {0};
    cr_assert(chunks->ended);
    cr_expect(eq(sz, chunks->at, sizeof chunked - 1));
    cr_expect(eq(sz, chunks->length, 16));
    http1_chunks_join((struct slice){data, chunks->at}, &body);
    cr_expect(slice_eq(buf_slice(&body), slice_of("hello, in chunks")));
    buf_done(&body);
}

Test(http1_chunks, joins_what_came_and_leaves_what_is_behind)
{
    static const char data[] = "5\r\nhello\r\n1;name=value\r\n,\r\n00A \r\n in chunks\r\n"
                               "0\r\nChecksum: none\r\n\r\n" BEHIND;
    struct http1_chunks chunks = {0};
    cr_assert(eq(int, http1_chunks_read(&chunks, data, sizeof data - 1, 16), 0));
    expect_hello(data, &chunks);
}

Test(http1_chunks, pieces_are_as_good_as_the_whole)
{
    for (size_t cut = 0; cut < sizeof chunked - 1; cut++) {
        struct http1_chunks chunks = {0};
        cr_assert(eq(int, http1_chunks_read(&chunks, chunked, cut, 16), 0), "cut at %zu", cut);
        cr_assert(not(chunks.ended));
        cr_assert(eq(int, http1_chunks_read(&chunks, chunked, sizeof chunked - 1, 16), 0));
        expect_hello(chunked, &chunks);
    }
}

struct chunks_case {
    char name[40];
    char text[80];
    int expected;
};

ParameterizedTestParameters(http1_chunks, refusals)
{
    static struct chunks_case cases[] = {
        {"more than may be", "5\r\nhello\r\nc\r\n", 413},
        {"far more", "ffffffff\r\n", 413},
        {"a size of nine digits", "100000000\r\n", 400},
        {"no size", "\r\n", 400},
        {"a size that is none", "x\r\n", 400},
        {"a sign", "+5\r\n", 400},
        {"a prefix", "0x5\r\n", 400},
        {"another word", "5 6\r\n", 400},
        {"a bare line feed", "5\nhello\r\n", 400},
        {"a return in the line", "5\r;a\r\n", 400},
        {"no end of a chunk", "5\r\nhello0\r\n\r\n", 400},
        {"half an end of a chunk", "5\r\nhello\r0\r\n\r\n", 400},
        {"a trailer with a bare line feed", "0\r\nA: b\n\r\n", 400},
    };
    return cr_make_param_array(struct chunks_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct chunks_case *c, http1_chunks, refusals)
{
    struct http1_chunks chunks = {0};
    cr_expect(eq(int, http1_chunks_read(&chunks, c->text, strlen(c->text), 16), c->expected), "%s",
              c->name);
}

static int read_repeated(const char *head, const char *line, size_t n, size_t max)
{
    struct buf text = {0};
    struct http1_chunks chunks = {0};
    buf_text(&text, head);
    for (size_t i = 0; i < n; i++)
        buf_text(&text, line);
    int status = http1_chunks_read(&chunks, text.data, text.len, max);
    buf_done(&text);
    return status;
}

Test(http1_chunks, lines_without_end_are_refused)
{
    cr_expect(eq(int, read_repeated("1;", "a", HTTP1_CHUNK_LINE_MAX - 3, 16), 0));
    cr_expect(eq(int, read_repeated("1;", "a", HTTP1_CHUNK_LINE_MAX - 2, 16), 400));
    cr_expect(eq(int, read_repeated("0\r\n", "a: b\r\n", HTTP1_TRAILERS_MAX, 16), 0));
    cr_expect(eq(int, read_repeated("0\r\n", "a: b\r\n", HTTP1_TRAILERS_MAX + 1, 16), 431));
}

/* A byte a chunk takes six on the wire. */
Test(http1_chunks, wrapping_has_a_bound)
{
    cr_expect(eq(int, read_repeated("", "1\r\na\r\n", 3000, 10000), 0));
    cr_expect(eq(int, read_repeated("", "1\r\na\r\n", 9000, 10000), 413));
}
