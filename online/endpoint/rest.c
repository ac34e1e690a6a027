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
    } texts[] = {
        {400, "Bad Request", "this is no HTTP request"},
        {413, "Content Too Large", "the request is larger than is allowed"},
        {415, "Unsupported Media Type", "bodies are read as they are, or as gzip or deflate"},
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
    if (head->coding == CODING_UNKNOWN && (head->length > 0 || head->chunked))
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
    rest->accepts = head->accepts;
    rest->chunks = (struct http1_chunks){0};
    metric_add(worker->shared->metrics.requests[0], 1);
    rest_route(rest, head, body);
    if (!rest->call && !rest->keep_alive)
        link_end(&rest->link);
}

/* A body in chunks. Where it has not ended, what is left of the chunk and more is to come. */
static int take_chunks(struct rest *rest, struct slice data, struct slice *ret, size_t *ret_whole)
{
    struct worker *worker = rest->link.worker;
    struct http1_chunks *chunks = &rest->chunks;
    int status = http1_chunks_read(chunks, data.data, data.len, worker->options->body_max);
    if (status > 0)
        return status;
    *ret_whole = chunks->ended ? chunks->at : data.len + 1 + chunks->left;
    if (chunks->ended) {
        buf_reset(&worker->body);
        http1_chunks_join((struct slice){data.data, chunks->at}, &worker->body);
        *ret = buf_slice(&worker->body);
    }
    return 0;
}

/* The body, where all of it is among the data behind the head, and how long it is on the wire: with
 * less than that it is not all there. Returns 0 or a status. */
static int find_body(struct rest *rest, const struct http1_head *head, struct slice data,
                     struct slice *ret, size_t *ret_whole)
{
    int status = refuses_body(rest, head);
    if (status > 0 || head->chunked)
        return status > 0 ? status : take_chunks(rest, data, ret, ret_whole);
    *ret = (struct slice){data.data, head->length};
    *ret_whole = head->length;
    return 0;
}

/* Takes one request. Returns how long it was; 0: it is not all there; or minus a status. */
static ssize_t take_one(struct rest *rest, const char *data, size_t len)
{
    struct http1_head head;
    ssize_t head_len = http1_parse(data, len, &head);
    if (head_len <= 0)
        return head_len;
    struct slice behind = {data + head_len, len - (size_t)head_len}, body = {0};
    size_t whole;
    int status = find_body(rest, &head, behind, &body, &whole);
    if (status > 0)
        return -status;
    if (behind.len < whole) {
        wait_for_body(rest, &head, (size_t)head_len + whole);
        return 0;
    }
    answer_one(rest, &head, body);
    return head_len + (ssize_t)whole;
}

/* One request after the other, until one has to wait. */
static ssize_t take(struct link *link, const char *data, size_t len)
{
    struct rest *rest = (struct rest *)link;
    size_t at = 0;
    rest->choked = false;
    while (at < len && !rest->call && !link->ending && link_unsent(link) < LINK_OUT_MAX) {
        ssize_t n = take_one(rest, data + at, len - at);
        if (n == 0)
            break;
        if (n < 0)
            return refuse_for_good(rest, (int)-n) + (ssize_t)len;
        at += (size_t)n;
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
