#include "online/requests.h"

#include <stdlib.h>

#include "ingest/fetch.h"

enum { FETCHES = 32 };

/* A request that waits for records. */
struct parked {
    struct request *request; /* NULL: free */
    size_t lane;
    uint32_t turn; /* of the state, when what it needs was last named */
    struct fetch fetch;
};

struct lane {
    struct ring *asked, *answered;
    bool woken; /* has answers that its asker was not told of */
};

struct requests {
    struct requests_options options;
    size_t n_dense;
    struct lane *lanes;
    struct fetcher *fetcher;
    size_t n_parked;
    struct parked parked[FETCHES];
    struct requests_figures figures;
    _Atomic bool closed;  /* nothing more is asked */
    _Atomic bool drained; /* the state thread has gone */
};

static enum status make_lanes(struct requests *requests)
{
    const struct requests_options *options = &requests->options;
    requests->lanes = calloc(options->lanes, sizeof *requests->lanes);
    if (!requests->lanes)
        return ST_ENOMEM;
    for (size_t i = 0; i < options->lanes; i++) {
        TRY(ring_create(options->depth, options->bell, NULL, &requests->lanes[i].asked));
        TRY(ring_create(options->depth, NULL, NULL, &requests->lanes[i].answered));
    }
    return ST_OK;
}

enum status requests_create(const struct requests_options *options, struct requests **ret)
{
    struct requests *requests = calloc(1, sizeof *requests);
    if (!requests)
        return ST_ENOMEM;
    requests->options = *options;
    requests->n_dense = plan_vector_schema(options->plan)->n_dense;
    enum status st = make_lanes(requests);
    if (st == ST_OK && options->store)
        st = fetcher_create(options->store, options->bell, FETCHES, &requests->fetcher);
    if (st == ST_OK && options->store)
        st = fetcher_start(requests->fetcher);
    if (st < 0) {
        requests_free(requests);
        return st;
    }
    *ret = requests;
    return ST_OK;
}

void requests_free(struct requests *requests)
{
    if (!requests)
        return;
    fetcher_free(requests->fetcher);
    for (size_t i = 0; i < FETCHES; i++)
        fetch_done(&requests->parked[i].fetch);
    for (size_t i = 0; requests->lanes && i < requests->options.lanes; i++) {
        ring_free(requests->lanes[i].asked);
        ring_free(requests->lanes[i].answered);
    }
    free(requests->lanes);
    free(requests);
}

/* The asker keeps no more than `depth` on their way, so that an answer always finds room. */
bool requests_ask(struct requests *requests, size_t lane, struct request *request)
{
    return !requests->closed && ring_push(requests->lanes[lane].asked, request);
}

struct request *requests_answered(struct requests *requests, size_t lane)
{
    struct request *request = ring_pop(requests->lanes[lane].answered);
    if (!request && requests->drained && (request = ring_pop(requests->lanes[lane].asked)))
        request->status = ST_ESTOPPED; /* asked while the state thread went */
    return request;
}

static void answer(struct requests *requests, size_t lane, struct request *request, enum status st)
{
    requests->figures.answered += st == ST_OK;
    requests->figures.late += st == ST_EAGAIN;
    request->status = st;
    ring_push(requests->lanes[lane].answered, request);
    requests->lanes[lane].woken = true;
}

static void extract(struct requests *requests, size_t lane, struct request *request)
{
    for (size_t i = 0; i < request->n; i++)
        plan_extract(requests->options.plan, requests->options.state, &request->events[i],
                     request->values + i * requests->n_dense,
                     request->sparse + i * VECTOR_SPARSE_MAX, &request->n_sparse[i]);
    answer(requests, lane, request, ST_OK);
}

/* Names what the request reads; returns whether some of it has to be fetched. */
static bool ask_store(struct requests *requests, struct parked *parked)
{
    struct state *state = requests->options.state;
    size_t n, before = parked->fetch.n;
    for (size_t i = 0; i < parked->request->n; i++)
        plan_prefetch(requests->options.plan, state, &parked->request->events[i], PLAN_NEEDS);
    const struct state_missing *missing = state_missing(state, &n);
    for (size_t i = 0; i < n; i++)
        fetch_want(&parked->fetch, missing[i].family, missing[i].id);
    state_forget_missing(state);
    if (parked->fetch.n == before)
        return false;
    parked->turn = state_turns(state);
    requests->figures.fetched += parked->fetch.n - before;
    fetcher_ask(requests->fetcher, &parked->fetch);
    return true;
}

static void park(struct requests *requests, size_t lane, struct request *request)
{
    struct parked *parked = requests->parked;
    while (parked->request)
        parked++;
    parked->request = request;
    parked->lane = lane;
    fetch_begin(&parked->fetch);
    if (ask_store(requests, parked)) {
        requests->n_parked++;
        return;
    }
    parked->request = NULL;
    extract(requests, lane, request);
}

/* While a request waits, what it needs must not be evicted: then what was here still is, and what
 * comes is not older than what went. */
static void keep(struct requests *requests, struct parked *parked)
{
    struct state *state = requests->options.state;
    if (parked->turn == state_turns(state))
        return;
    parked->turn = state_turns(state);
    for (size_t i = 0; i < parked->request->n; i++)
        plan_prefetch(requests->options.plan, state, &parked->request->events[i], PLAN_NEEDS);
    state_forget_missing(state);
}

static void unpark(struct requests *requests, struct parked *parked)
{
    struct request *request = parked->request;
    enum status st = fetch_install(&parked->fetch, requests->options.state);
    parked->request = NULL;
    requests->n_parked--;
    if (st == ST_OK)
        extract(requests, parked->lane, request);
    else
        answer(requests, parked->lane, request, st);
}

static void serve_parked(struct requests *requests)
{
    for (size_t i = 0; i < FETCHES; i++) {
        struct parked *parked = &requests->parked[i];
        if (parked->request && fetch_arrived(&parked->fetch))
            unpark(requests, parked);
        else if (parked->request)
            keep(requests, parked);
    }
}

static void serve_lane(struct requests *requests, size_t lane, int64_t now)
{
    struct request *request;
    bool complete = !requests->fetcher || state_complete(requests->options.state);
    while (requests->n_parked < FETCHES && (request = ring_pop(requests->lanes[lane].asked))) {
        if (request->deadline < now)
            answer(requests, lane, request, ST_EAGAIN);
        else if (complete)
            extract(requests, lane, request);
        else
            park(requests, lane, request);
    }
}

static void wake_askers(struct requests *requests)
{
    for (size_t i = 0; i < requests->options.lanes; i++) {
        if (requests->lanes[i].woken)
            requests->options.wake(requests->options.wake_arg, i);
        requests->lanes[i].woken = false;
    }
}

void requests_serve(struct requests *requests, int64_t now)
{
    if (requests->n_parked > 0)
        serve_parked(requests);
    for (size_t i = 0; i < requests->options.lanes; i++)
        if (ring_depth(requests->lanes[i].asked) > 0)
            serve_lane(requests, i, now);
    wake_askers(requests);
}

void requests_close(struct requests *requests)
{
    struct request *request;
    requests->closed = true;
    for (size_t i = 0; i < FETCHES; i++)
        if (requests->parked[i].request)
            answer(requests, requests->parked[i].lane, requests->parked[i].request, ST_ESTOPPED);
    for (size_t lane = 0; lane < requests->options.lanes; lane++)
        while ((request = ring_pop(requests->lanes[lane].asked)))
            answer(requests, lane, request, ST_ESTOPPED);
    requests->drained = true;
    wake_askers(requests);
}

struct requests_figures requests_figures(const struct requests *requests)
{
    return requests->figures;
}
