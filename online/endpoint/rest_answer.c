/* Answers: heads are put together by hand, because there is one a request. */
#include "base/number.h"
#include "online/endpoint/rest.h"
#include "online/rows.h"

static void put_number(struct buf *out, const char *name, size_t v)
{
    buf_text(out, name);
    buf_int(out, (int64_t)v);
    buf_append(out, "\r\n", 2);
}

static void put_content(struct buf *out, const struct rest_content *content)
{
    buf_text(out, "\r\nContent-Type: ");
    buf_text(out, content->type);
    put_number(out, "\r\nContent-Length: ", content->length);
    if (content->infer_length > 0)
        put_number(out, "Inference-Header-Content-Length: ", content->infer_length);
    if (content->coding == CODING_NONE)
        return;
    buf_text(out, "Content-Encoding: ");
    buf_text(out, coding_name(content->coding));
    buf_append(out, "\r\n", 2);
}

void rest_answer_head(struct rest *rest, int status, const char *reason,
                      const struct rest_content *content)
{
    struct buf *out = link_out(&rest->link);
    buf_text(out, "HTTP/1.1 ");
    buf_int(out, status);
    buf_byte(out, ' ');
    buf_text(out, reason);
    put_content(out, content);
    if (status == 503)
        buf_text(out, "Retry-After: 1\r\n");
    if (status == 405)
        buf_text(out, "Allow: GET, HEAD, POST\r\n");
    if (status == 401)
        buf_text(out, "WWW-Authenticate: Bearer\r\n");
    if (!rest->keep_alive)
        buf_text(out, "Connection: close\r\n");
    buf_append(out, "\r\n", 2);
}

void rest_answer(struct rest *rest, int status, const char *reason, struct slice body)
{
    rest_answer_head(rest, status, reason,
                     &(struct rest_content){"application/json", body.len, 0, CODING_NONE});
    if (!rest->no_body && body.len > 0)
        buf_append(link_out(&rest->link), body.data, body.len);
}

void rest_refuse(struct rest *rest, enum refusal refusal, const char *why)
{
    struct buf body = {0};
    buf_text(&body, "{\"error\":");
    rows_json_text(&body, slice_of(why));
    buf_text(&body, "}\n");
    rest_answer(rest, refusal_codes[refusal].http, refusal_codes[refusal].reason, buf_slice(&body));
    buf_done(&body);
}
