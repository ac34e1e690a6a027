/*
 * Tests of online/endpoint/http1.h.
 *
 * What is known without running it: RFC 9112's grammar. A head that is cut anywhere is "more to
 * come"; what is refused is refused with the status named here; slices are what stood there.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "online/endpoint/http1.h"

static const char infer[] = "POST /v2/models/a%20b/infer?x=1 HTTP/1.1\r\n"
                            "Host: here\r\n"
                            "content-LENGTH:  12 \r\n"
                            "Inference-Header-Content-Length: 7\r\n"
                            "Authorization: Bearer abc\r\n"
                            "Connection: foo, Close\r\n"
                            "Expect: 100-continue\r\n"
                            "\r\n"
                            "{\"inputs\":[]";

Test(http1, reads_all_that_matters)
{
    struct http1_head head;
    size_t whole = (size_t)(strstr(infer, "\r\n\r\n") + 4 - infer);
    cr_assert(eq(long, http1_parse(infer, sizeof infer - 1, &head), (long)whole));
    cr_expect(slice_eq(head.method, slice_of("POST")));
    cr_expect(slice_eq(head.path, slice_of("/v2/models/a%20b/infer")));
    cr_expect(slice_eq(head.query, slice_of("x=1")));
    cr_expect(slice_eq(head.authorization, slice_of("Bearer abc")));
    cr_expect(eq(ulong, head.length, 12));
    cr_expect(eq(long, head.infer_length, 7));
    cr_expect(head.expects && !head.keep_alive && head.has_length && !head.chunked);
}

Test(http1, a_head_cut_anywhere_is_not_all_there)
{
    struct http1_head head;
    size_t whole = (size_t)(strstr(infer, "\r\n\r\n") + 4 - infer);
    for (size_t len = 0; len < whole; len++)
        cr_expect(eq(long, http1_parse(infer, len, &head), 0), "cut at %zu", len);
}

struct head_case {
    char name[40];
    char text[160];
    long expected; /* 0: its length */
    bool keep_alive;
};

ParameterizedTestParameters(http1, heads)
{
    static struct head_case cases[] = {
        {"kept alive", "GET / HTTP/1.1\r\n\r\n", 0, true},
        {"1.0 is not", "GET / HTTP/1.0\r\n\r\n", 0, false},
        {"1.0 that asks", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 0, true},
        {"the same length twice",
         "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 0, true},
        {"two lengths", "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", -400,
         0},
        {"a list of lengths", "GET / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n", -400, 0},
        {"a length with a sign", "GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", -400, 0},
        {"a length without end", "GET / HTTP/1.1\r\nContent-Length: 9999999999999999\r\n\r\n", -400,
         0},
        {"length and coding",
         "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", -400, 0},
        {"an unknown coding", "GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", -501,
         0},
        {"a bare line feed", "GET / HTTP/1.1\nHost: a\r\n\r\n", -400, 0},
        {"a folded line", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", -400, 0},
        {"a blank before the colon", "GET / HTTP/1.1\r\nA : b\r\n\r\n", -400, 0},
        {"no colon", "GET / HTTP/1.1\r\nAb\r\n\r\n", -400, 0},
        {"a return inside a value", "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", -400, 0},
        {"two blanks", "GET  / HTTP/1.1\r\n\r\n", -400, 0},
        {"no version", "GET /\r\n\r\n", -400, 0},
        {"another version", "GET / HTTP/2.0\r\n\r\n", -505, 0},
        {"no path", "GET a HTTP/1.1\r\n\r\n", -400, 0},
        {"TLS", "\x16\x03\x01\x02\r\n\r\n", -400, 0},
    };
    return cr_make_param_array(struct head_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct head_case *c, http1, heads)
{
    struct http1_head head;
    long expected = c->expected ? c->expected : (long)strlen(c->text);
    cr_expect(eq(long, http1_parse(c->text, strlen(c->text), &head), expected), "%s", c->name);
    if (expected > 0)
        cr_expect(eq(int, head.keep_alive, c->keep_alive), "%s", c->name);
}

Test(http1, a_head_without_end_is_refused)
{
    static char text[HTTP1_HEAD_MAX + 1];
    struct http1_head head;
    memset(text, 'a', sizeof text);
    memcpy(text, "GET / HTTP/1.1\r\nA: ", 19);
    cr_expect(eq(long, http1_parse(text, HTTP1_HEAD_MAX - 1, &head), 0));
    cr_expect(eq(long, http1_parse(text, HTTP1_HEAD_MAX, &head), -431));
}
