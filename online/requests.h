/*
 * online/requests.h -- questions to the state thread: what would the features of this event be now?
 *
 * Endpoint threads ask through a bounded ring each; the state thread looks at them between events,
 * extracts and answers. It never observes: a request leaves no trace. Where records are not in
 * memory they are read from the store by a thread of its own, as for events, while the state thread
 * goes on.
 *
 *     request->events = events; ...                       // the asker's until it is answered
 *     if (!requests_ask(requests, lane, request))         // full: refuse at once, do not queue
 *     ...                                                 // woken by requests_options.wake
 *     while ((request = requests_answered(requests, lane)))
 *
 * One thread asks in a lane. Only the state thread calls requests_serve().
 */
#ifndef ONLINE_REQUESTS_H
#define ONLINE_REQUESTS_H

#include "base/ring.h"
#include "features/plan.h"
#include "ingest/store.h"

struct request {
    const struct event *events;
    size_t n;
    int64_t deadline; /* monotonic us; INT64_MAX: none */
    /* answered: n * n_dense; and n rows of VECTOR_SPARSE_MAX, n_sparse[i] of them in use. The
     * asker's arrays. */
    double *values;
    struct sparse *sparse;
    size_t *n_sparse;
    /* ST_OK; ST_EAGAIN: the deadline had passed; ST_ESTOPPED: nobody extracts any more; or why the
     * store could not be read. */
    enum status status;
    void *owner; /* the asker's */
};

struct requests_options {
    struct plan *plan;
    struct state *state;
    struct store *store; /* NULL: all of the state is in memory */
    struct bell *bell;   /* the state thread's */
    size_t depth;        /* requests of a lane that may be on their way; a power of two */
    size_t lanes;
    /* There are answers in a lane. Called by the state thread. */
    void (*wake)(void *arg, size_t lane);
    void *wake_arg;
};

struct requests;

STATUS_CHECKED enum status requests_create(const struct requests_options *options,
                                           struct requests **ret);
/* After requests_close(). */
void requests_free(struct requests *requests);

/* False: as many as may be are on their way, or nobody extracts any more. */
bool requests_ask(struct requests *requests, size_t lane, struct request *request);
/* NULL: none yet. Also asked now and then without being woken: a question may meet the end. */
struct request *requests_answered(struct requests *requests, size_t lane);

/* Answers what can be answered without waiting. now: monotonic us. Costs a few loads where nothing
 * was asked. Called at least once a turn of the state (state_turn()). */
void requests_serve(struct requests *requests, int64_t now);
/* The state thread's last act: everything that was asked or will be is answered with ST_ESTOPPED.
 */
void requests_close(struct requests *requests);

struct requests_figures {
    uint64_t answered, late, fetched;
};
struct requests_figures requests_figures(const struct requests *requests);

#endif
