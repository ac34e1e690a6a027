/* Requests over HTTP/1: in one piece or in two, they are answered the same. */
#include "tests/fuzz/endpoint.h"

/* What is answered goes to ret. */
static void ask(struct slice data, size_t cut, struct buf *ret)
{
    struct link *link = fuzz_dial(rest_accept);
    ssize_t taken = 0;
    if (cut > 0)
        taken = fuzz_say(link, (struct slice){data.data, cut});
    FUZZ_LAW(taken >= 0, "HTTP/1 refuses in words");
    if (!link->ending)
        fuzz_say(link, (struct slice){data.data + taken, data.len - (size_t)taken});
    buf_reset(ret);
    buf_append(ret, link_out(link)->data, link_out(link)->len);
    FUZZ_LAW(ret->len == 0 || memcmp(ret->data, "HTTP/1.1 ", 9) == 0, "an answer is one of HTTP");
    fuzz_hang_up(link);
}

static bool says_go_on(const struct buf *answer)
{
    return answer->len > 0 && memmem(answer->data, answer->len, "100 Continue", 12);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buf whole, pieces;
    struct slice text = fuzz_slice(data, size);
    if (size == 0)
        return 0;
    ask(text, 0, &whole);
    ask(text, size / 2, &pieces);
    /* Who waits to be told to go on is told so, where the body was not there yet. */
    if (!says_go_on(&whole) && !says_go_on(&pieces))
        FUZZ_LAW(slice_eq(buf_slice(&whole), buf_slice(&pieces)), "pieces are answered as a whole");
    return 0;
}
