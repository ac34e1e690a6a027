/* HTTP/1.1 with keep-alive; more than one request on its way is sent behind the other. */
#include <string.h>

#include "tests/tools/load/load.h"

static void greet(struct load_link *link)
{
    (void)link;
}

static void ask(struct load_link *link, int64_t begun)
{
    struct slice request = link->bodies->items[link->asked % link->bodies->n];
    link->begun[link->asked++ % LOAD_STREAMS_MAX] = begun;
    buf_append(&link->out, request.data, request.len);
    link->in_flight++;
}

static size_t number_behind(const char *head, size_t len, const char *name)
{
    const char *at = memmem(head, len, name, strlen(name));
    return at ? strtoul(at + strlen(name), NULL, 10) : 0;
}

static size_t take(struct load_link *link, const char *data, size_t len)
{
    size_t at = 0;
    for (const char *end; (end = memmem(data + at, len - at, "\r\n\r\n", 4));) {
        const char *head = data + at;
        size_t head_len = (size_t)(end - head) + 4;
        size_t length = number_behind(head, head_len, "\r\nContent-Length: ");
        size_t json = number_behind(head, head_len, "\r\nInference-Header-Content-Length: ");
        if (len - at < head_len + length)
            break;
        size_t slot = (link->asked - link->in_flight) % LOAD_STREAMS_MAX;
        link->in_flight--;
        link->answered(link->arg, link->begun[slot], memcmp(head + 9, "200", 3) == 0,
                       (struct slice){head + head_len + json, length - json});
        at += head_len + length;
    }
    return at;
}

const struct load_protocol load_http = {greet, ask, take};
