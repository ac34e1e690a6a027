#include "online/endpoint/rest.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/metrics.h"
#include "online/endpoint/worker.h"

/* A refusal after which nothing can be read any more: where the next request begins is not known.
 */
static ssize_t refuse_for_good(struct rest *rest, int status)
{
    static const struct {
        int status;
        const char *reason, *why;
    } texts[] = {{400, "Bad Request", "this is no HTTP request"},
                 {411, "Length Required", "a body needs a Content-Length"},
                 {413, "Content Too Large", "the request is larger than is allowed"},
                 {415, "Unsupported Media Type", "compressed bodies are not read"},
                 {431, "Request Header Fields Too Large", "the request has too large a head"},
                 {501, "Not Implemented", "this transfer coding is not understood"},
                 {505, "HTTP Version Not Supported", "only HTTP/1.1 and 1.0 are spoken here"}};
    size_t i = 0;
    while (i + 1 < sizeof texts / sizeof *texts && texts[i].status != status)
        i++;
    struct buf *body = &(struct buf){0};
    buf_printf(body, "{\"error\":\"%s\"}\n", texts[i].why);
    rest->keep_alive = false;
    rest_answer(rest, texts[i].status, texts[i].reason, buf_slice(body));
    buf_done(body);
    metric_add(rest->link.worker->shared->metrics.refused, 1);
    link_end_early(&rest->link);
    return 0;
}

static int refuses_body(const struct rest *rest, const struct http1_head *head)
{
    if (head->chunked)
        return 411;
    if (head->encoded && head->length > 0)
        return 415;
    return head->length > rest->link.worker->options->body_max ? 413 : 0;
}

/* Body is still to come: some clients want to be told that it may. */
static void wait_for_body(struct rest *rest, const struct http1_head *head, size_t whole)
{
    rest->link.need = whole;
    if (!head->expects || rest->continued)
        return;
    rest->continued = true;
    buf_text(link_out(&rest->link), "HTTP/1.1 100 Continue\r\n\r\n");
}

static void answer_one(struct rest *rest, const struct http1_head *head, struct slice body)
{
    const struct worker *worker = rest->link.worker;
    rest->keep_alive = head->keep_alive && !worker->shared->draining;
    rest->no_body = slice_eq(head->method, slice_of("HEAD"));
    rest->continued = false;
    metric_add(worker->shared->metrics.requests[0], 1);
    rest_route(rest, head, body);
    if (!rest->call && !rest->keep_alive)
        link_end(&rest->link);
}

/* One request after the other, until one has to wait. */
static ssize_t take(struct link *link, const char *data, size_t len)
{
    struct rest *rest = (struct rest *)link;
    size_t at = 0;
    rest->choked = false;
    while (at < len && !rest->call && !link->ending && link_unsent(link) < LINK_OUT_MAX) {
        struct http1_head head;
        ssize_t head_len = http1_parse(data + at, len - at, &head);
        if (head_len == 0)
            break;
        int status = head_len < 0 ? (int)-head_len : refuses_body(rest, &head);
        if (status > 0)
            return refuse_for_good(rest, status) + (ssize_t)len;
        size_t whole = (size_t)head_len + head.length;
        if (len - at < whole) {
            wait_for_body(rest, &head, whole);
            break;
        }
        answer_one(rest, &head, (struct slice){data + at + head_len, head.length});
        at += whole;
    }
    rest->choked = at < len && link_unsent(link) >= LINK_OUT_MAX;
    if (rest->call)
        link_pause(link);
    link->busy = rest->call != NULL;
    return (ssize_t)(link->ending ? len : at);
}

/* Room again for what was left unread. Only for that: a request that is not all there would be
 * looked at for ever, and nothing else. */
static void drained(struct link *link)
{
    struct rest *rest = (struct rest *)link;
    if (!rest->choked || link->taking || link->paused)
        return;
    rest->choked = false;
    link->again = true;
    event_active(link->readable, EV_READ, 0);
}

static void goodbye(struct link *link)
{
    struct rest *rest = (struct rest *)link;
    rest->keep_alive = false;
    if (!rest->call && link->in.len == 0)
        link_end(link);
    link_flush(link);
}

static void closed(struct link *link)
{
    struct rest *rest = (struct rest *)link;
    if (rest->call)
        rest->call->owner = NULL;
    free(rest);
}

static const struct link_ops ops = {take, drained, goodbye, closed, "http/1.1"};

void rest_accept(struct worker *worker, int fd)
{
    struct rest *rest = calloc(1, sizeof *rest);
    if (rest && link_open(&rest->link, &ops, worker, fd) == ST_OK)
        return;
    free(rest);
    close(fd);
}
