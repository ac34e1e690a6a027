/*
 * online/endpoint/rest.h -- the protocol over HTTP/1.1.
 *
 *     GET  /v2                                        the server
 *     GET  /v2/health/live  /v2/health/ready          200, or 503
 *     GET  /v2/models/NAME[/versions/V]               the model's inputs and outputs
 *     GET  /v2/models/NAME[/versions/V]/ready         200, or 404
 *     POST /v2/models/NAME[/versions/V]/infer         scores
 *     POST /v2/repository/index                       all models
 *
 * Errors are {"error": TEXT} with the status of refusal_codes. One request of a connection is
 * answered at a time, in order; what is pipelined waits.
 */
#ifndef ONLINE_ENDPOINT_REST_H
#define ONLINE_ENDPOINT_REST_H

#include "online/endpoint/call.h"
#include "online/endpoint/http1.h"
#include "online/endpoint/http1_chunks.h"
#include "online/endpoint/link.h"

struct rest {
    struct link link;
    struct call *call;          /* on its way; NULL: none */
    struct http1_chunks chunks; /* of the request that is coming */
    enum coding accepts;        /* for the answer that is due */
    bool keep_alive;            /* after the answer that is due */
    bool no_body;               /* HEAD */
    bool continued;             /* 100 Continue was sent for what comes */
    bool choked;                /* requests are left unread because too much is unsent */
};

/* A connection that was accepted. */
void rest_accept(struct worker *worker, int fd);

/* rest_answer.c: whole answers into link_out(). */
void rest_answer(struct rest *rest, int status, const char *reason, struct slice body);
void rest_refuse(struct rest *rest, enum refusal refusal, const char *why);
struct rest_content {
    const char *type;
    size_t length;
    size_t infer_length; /* of the JSON before binary tensors, not compressed; 0: none follow */
    enum coding coding;
};
void rest_answer_head(struct rest *rest, int status, const char *reason,
                      const struct rest_content *content);

/* rest_infer.c: reads a request to infer into the call; false: refused. And writes the answer. */
bool rest_read_infer(struct call *call, const struct http1_head *head, struct slice body);
void rest_answer_infer(struct rest *rest, const struct call *call);

/* rest_routes.c: answers everything, or starts rest->call. */
void rest_route(struct rest *rest, const struct http1_head *head, struct slice body);

#endif
