/* Paths, and what answers them. */
#include "base/metrics.h"
#include "online/endpoint/describe.h"
#include "online/endpoint/rest.h"
#include "online/endpoint/worker.h"
#include "online/service.h"

/* The next part of a path, without its slashes. */
static struct slice next_part(struct slice *path)
{
    while (path->len > 0 && path->data[0] == '/') {
        path->data++;
        path->len--;
    }
    const char *slash = path->len > 0 ? memchr(path->data, '/', path->len) : NULL;
    struct slice part = {path->data, slash ? (size_t)(slash - path->data) : path->len};
    path->data += part.len;
    path->len -= part.len;
    return part;
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* %41 is A. What is no such thing stays as it is. */
static struct slice decode(struct arena *arena, struct slice text)
{
    char *to = arena_take(arena, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool coded = text.data[i] == '%' && i + 2 < text.len && hex(text.data[i + 1]) >= 0 &&
                     hex(text.data[i + 2]) >= 0;
        to[n++] = coded ? (char)(hex(text.data[i + 1]) * 16 + hex(text.data[i + 2])) : text.data[i];
        i += coded ? 2 : 0;
    }
    return (struct slice){to, n};
}

static bool is(struct slice part, const char *name)
{
    return slice_eq(part, slice_of(name));
}

static void answer_text(struct rest *rest, int status, struct buf *body)
{
    rest_answer(rest, status, status == 200 ? "OK" : "Service Unavailable", buf_slice(body));
}

/* Models. */

static void end_call(struct rest *rest, struct call *call)
{
    const struct worker_metrics *metrics = &call->worker->shared->metrics;
    if (call->refusal == REFUSED_NOT)
        rest_answer_infer(rest, call);
    else
        rest_refuse(rest, call->refusal, call->why);
    metric_add(metrics->refused, call->refusal != REFUSED_NOT);
    rest->call = NULL;
    call_give(call);
}

/* At once, while the request is read; or later, when the state thread has answered. */
static void call_done(struct call *call)
{
    struct rest *rest = call->owner;
    if (!rest) {
        call_give(call);
        return;
    }
    struct link *link = &rest->link;
    end_call(rest, call);
    if (link->taking)
        return;
    link->busy = false;
    if (!rest->keep_alive)
        link_end(link);
    link_resume(link);
}

/* Not before it is known who asks: a few bytes may cost much. */
static bool inflate(struct call *call, enum coding coding, struct slice *body)
{
    struct worker *worker = call->worker;
    if (coding == CODING_NONE)
        return true;
    enum refusal refusal =
        coder_inflate(worker->coder, coding, *body, worker->options->body_max, &worker->inflated);
    *body = buf_slice(&worker->inflated);
    return refusal == REFUSED_NOT || call_refuse(call, refusal, "%s", coding_refusal_text(refusal));
}

static void infer(struct rest *rest, struct call *call, const struct http1_head *head,
                  struct slice body)
{
    rest->call = call;
    call->owner = rest;
    call->done = call_done;
    if (inflate(call, head->coding, &body))
        rest_read_infer(call, head, body);
    call_start(call);
}

static void describe(struct rest *rest, struct call *call, bool ready)
{
    const struct served *served = catalog_find(call->worker->options->catalog, call->model);
    struct buf *body = &call->worker->text;
    buf_reset(body);
    if (!served || !served_has_version(served, call->version)) {
        call_refuse(call, REFUSED_NOT_FOUND, "there is no model \"%.*s\"%s",
                    (int)(call->model.len < 60 ? call->model.len : 60), call->model.data,
                    served ? " of that version" : "");
        rest_refuse(rest, call->refusal, call->why);
    } else if (!worker_serves(call->worker, served)) {
        rest_refuse(rest, REFUSED_UNLOADED, "the model is unloaded");
    } else {
        if (ready)
            buf_text(body, "{\"ready\":true}\n");
        else
            describe_model(served, body);
        answer_text(rest, 200, body);
    }
    call_give(call);
}

/* NAME[/versions/V][/ready|/infer] */
static void route_model(struct rest *rest, const struct http1_head *head, struct slice path,
                        struct slice body)
{
    bool posted = is(head->method, "POST");
    struct call *call = call_take(rest->link.worker);
    if (!call) {
        rest_refuse(rest, REFUSED_FULL, "too many requests are on their way");
        return;
    }
    call->model = decode(&call->arena, next_part(&path));
    struct slice verb = next_part(&path);
    if (is(verb, "versions")) {
        call->version = decode(&call->arena, next_part(&path));
        verb = next_part(&path);
    }
    bool at_end = path.len == 0;
    if (at_end && is(verb, "infer") && posted) {
        infer(rest, call, head, body);
    } else if (at_end && !posted && (verb.len == 0 || is(verb, "ready"))) {
        describe(rest, call, verb.len > 0);
    } else {
        bool known = at_end && (verb.len == 0 || is(verb, "ready") || is(verb, "infer"));
        rest_refuse(rest, known ? REFUSED_METHOD : REFUSED_NOT_FOUND,
                    known ? "this path is asked with another method" : "not found");
        call_give(call);
    }
}

/* All else. */

static void route_health(struct rest *rest, struct slice what)
{
    const struct endpoint_options *options = rest->link.worker->options;
    bool ok = true;
    const char *detail = "ok";
    if (is(what, "ready"))
        detail = options->health(options->health_arg, &ok);
    if (rest->link.worker->shared->draining && is(what, "ready")) {
        ok = false;
        detail = "ending";
    }
    if (!is(what, "ready") && !is(what, "live"))
        rest_refuse(rest, REFUSED_NOT_FOUND, "not found");
    else if (!ok)
        rest_refuse(rest, REFUSED_UNAVAILABLE, detail);
    else
        rest_answer(rest, 200, "OK",
                    slice_of(is(what, "ready") ? "{\"ready\":true}\n" : "{\"live\":true}\n"));
}

/* A body may say {"unload_dependents": ...}, of which there are none; a model is what its trainer
 * makes of it, and no config or file that comes with a request. */
static bool brings_model(struct slice body)
{
    return body.data && (memmem(body.data, body.len, "\"config\"", 8) ||
                         memmem(body.data, body.len, "\"file:", 6));
}

/* models/NAME/load, models/NAME/unload */
static void route_repository(struct rest *rest, struct slice path, struct slice body)
{
    struct worker *worker = rest->link.worker;
    struct call *call = call_take(worker);
    if (!call) {
        rest_refuse(rest, REFUSED_FULL, "too many requests are on their way");
        return;
    }
    const struct served *served =
        catalog_find(worker->options->catalog, decode(&call->arena, next_part(&path)));
    struct slice verb = next_part(&path);
    if (path.len > 0 || (!is(verb, "load") && !is(verb, "unload"))) {
        rest_refuse(rest, REFUSED_NOT_FOUND, "not found");
    } else if (!served) {
        rest_refuse(rest, REFUSED_NOT_FOUND, "there is no such model in the configuration");
    } else if (brings_model(body)) {
        rest_refuse(rest, REFUSED_INVALID, "models come from their trainers, not with a request");
    } else {
        worker_set_served(worker, served, is(verb, "load"));
        rest_answer(rest, 200, "OK", slice_of("{}\n"));
    }
    call_give(call);
}

static void route_others(struct rest *rest, struct slice part, struct slice path, bool posted)
{
    struct buf *body = &rest->link.worker->text;
    struct slice what = next_part(&path);
    buf_reset(body);
    if (part.len == 0 && !posted) {
        describe_server(rest->link.worker->options->name, body);
        answer_text(rest, 200, body);
    } else if (is(part, "health") && path.len == 0 && !posted) {
        route_health(rest, what);
    } else if (is(part, "repository") && is(what, "index") && path.len == 0) {
        describe_index(rest->link.worker, body);
        answer_text(rest, 200, body);
    } else {
        rest_refuse(rest, REFUSED_NOT_FOUND, "not found");
    }
}

static bool refuse_token(struct rest *rest, int scopes, int needed)
{
    rest_refuse(rest, scopes < 0 ? REFUSED_TOKEN : REFUSED_SCOPE,
                scopes == TOKEN_EXPIRED ? "this token has expired"
                : scopes < 0            ? "a bearer token is needed"
                : needed == SCOPE_ADMIN ? "this token is not for administration"
                                        : "this token is not for scoring");
    return false;
}

/* Health is told to anybody: probes have no tokens. What is served is nobody's to change where
 * there are no tokens. */
static bool may(struct rest *rest, const struct http1_head *head, struct slice part, int needed)
{
    struct tokens *tokens = rest->link.worker->shared->tokens;
    if (!tokens && needed == SCOPE_ADMIN)
        return refuse_token(rest, 0, needed);
    if (!tokens || is(part, "health"))
        return true;
    int scopes = tokens_scopes(tokens, head->authorization, worker_wall_clock());
    return (scopes >= 0 && (scopes & needed)) || refuse_token(rest, scopes, needed);
}

/* models/... of the repository: behind them stands who loads and unloads. */
static bool is_administration(struct slice part, struct slice *path)
{
    struct slice behind = *path;
    if (!is(part, "repository") || !is(next_part(&behind), "models"))
        return false;
    *path = behind;
    return true;
}

void rest_route(struct rest *rest, const struct http1_head *head, struct slice body)
{
    struct slice path = head->path, root = next_part(&path), part = next_part(&path);
    bool posted = is(head->method, "POST"), administers = is_administration(part, &path);
    if (!posted && (administers || (!is(head->method, "GET") && !rest->no_body)))
        rest_refuse(rest, REFUSED_METHOD, "only GET and POST are answered here");
    else if (!may(rest, head, part, administers ? SCOPE_ADMIN : SCOPE_SCORE))
        return;
    else if (is(root, "v2") && administers)
        route_repository(rest, path, body);
    else if (!is(root, "v2"))
        rest_refuse(rest, REFUSED_NOT_FOUND, "not found: paths begin with /v2");
    else if (is(part, "models") && path.len > 1)
        route_model(rest, head, path, body);
    else
        route_others(rest, part, path, posted);
}
