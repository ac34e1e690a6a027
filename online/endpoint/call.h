/*
 * online/endpoint/call.h -- one request for scores on its way: what was asked, in whatever protocol
 * it came, and what is answered.
 *
 *     REST, gRPC ── fill in ──> call ── call_start() ──> scored, or refused ──> call->done()
 *
 * A call of a pipeline model goes to the
 * state thread and is done later; all others are done before call_start() returns. Either way done
 * is called once, on the worker's own thread.
 */
#ifndef ONLINE_ENDPOINT_CALL_H
#define ONLINE_ENDPOINT_CALL_H

#include "base/arena.h"
#include "base/vector.h"
#include "online/endpoint/catalog.h"
#include "online/endpoint/infer_tensor.h"
#include "online/endpoint/refusal.h"
#include "online/requests.h"

/* Outputs that a call may ask for. */
enum call_output { OUTPUT_SCORE, OUTPUT_FEATURES, OUTPUT_REASONS, CALL_OUTPUTS };
extern const char *const call_output_names[CALL_OUTPUTS];

struct worker;

struct call {
    struct worker *worker;
    struct arena arena; /* all that the call points to; reset when it is given back */

    /* asked */
    struct slice model, version, id;
    size_t n_inputs;
    struct infer_tensor *inputs;
    bool wanted[CALL_OUTPUTS]; /* none: the score */
    bool binary[CALL_OUTPUTS]; /* REST: behind the JSON */
    bool raw;                  /* gRPC: outputs as bytes */
    size_t unpack_left;        /* gRPC: bytes that the message may still ask for */
    size_t asked;              /* bytes of the arena, counted in worker->asked */
    int64_t deadline;          /* monotonic us; INT64_MAX: none */

    /* answered */
    enum refusal refusal;
    char why[240];
    const struct served *served;
    const struct served *scorer; /* what scored it: served itself, or the champion of its models */
    uint32_t answered_version;   /* of the scorer */
    size_t n_rows;
    const float *scores;    /* n_rows */
    const double *features; /* n_rows * columns, where wanted and served */
    struct slice reasons;   /* n_rows texts as a BYTES tensor, where wanted */

    void (*done)(struct call *call);
    void *owner; /* whoever waits for it; NULL: has gone */

    struct request request; /* to the state thread */
    struct call *next;      /* free ones */
};

/* Notes why the call is refused; the first reason stays. Always false. */
__attribute__((format(printf, 3, 4))) bool call_refuse(struct call *call, enum refusal refusal,
                                                       const char *format, ...);

/* A call of this worker, emptied; NULL: as many as may be are on their way. */
struct call *call_take(struct worker *worker);
void call_give(struct call *call);
void call_free(struct call *call);

/* Finds the model, checks the tensors against it and has them scored. */
void call_start(struct call *call);
/* The state thread has extracted: scores, and done. */
void call_extracted(struct call *call);

/* An input of n_dims and a shape, checked and counted. False: refused. */
bool call_check_shape(struct call *call, struct infer_tensor *tensor);

/* call_vectors.c, call_events.c: the two kinds of model. False: refused. */
bool call_read_vectors(struct call *call, struct vector **ret);
bool call_ask_events(struct call *call);
/* call_score.c: scores vectors with one version and writes what else is wanted. */
void call_score(struct call *call, const struct vector *vectors);

#endif
