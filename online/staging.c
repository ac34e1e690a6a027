#include "online/staging.h"

#include <assert.h>
#include <stdlib.h>

#include "ingest/fetch.h"

_Static_assert(STAGING_MAX * 2 <= STATE_TURNS_KEPT, "records must outlast the batches that wait");

struct staged {
    struct batch *batch;
    struct fetch fetch;
};

struct staging {
    struct state *state;
    struct pipeline *pipeline;
    struct fetcher *fetcher;
    size_t first, n;
    struct staged staged[STAGING_MAX];
    struct staging_figures figures;
};

enum status staging_create(struct store *store, struct state *state, struct pipeline *pipeline,
                           struct bell *bell, struct staging **ret)
{
    struct staging *staging = calloc(1, sizeof *staging);
    if (!staging)
        return ST_ENOMEM;
    staging->state = state;
    staging->pipeline = pipeline;
    enum status st = fetcher_create(store, bell, STAGING_MAX, &staging->fetcher);
    if (st < 0) {
        free(staging);
        return st;
    }
    *ret = staging;
    return ST_OK;
}

void staging_free(struct staging *staging)
{
    if (!staging)
        return;
    fetcher_free(staging->fetcher);
    for (size_t i = 0; i < STAGING_MAX; i++)
        fetch_done(&staging->staged[i].fetch);
    free(staging);
}

enum status staging_start(struct staging *staging)
{
    return fetcher_start(staging->fetcher);
}

enum status staging_step(struct staging *staging)
{
    return fetcher_step(staging->fetcher);
}

size_t staging_depth(const struct staging *staging)
{
    return staging->n;
}

bool staging_full(const struct staging *staging)
{
    return staging->n == STAGING_MAX;
}

/* Asks for what the batch needs and did not ask for yet. Returns whether there was anything. */
static bool ask(struct staging *staging, struct staged *staged)
{
    size_t n, before = staged->fetch.n;
    pipeline_need(staging->pipeline, staged->batch->events, staged->batch->n);
    const struct state_missing *missing = state_missing(staging->state, &n);
    for (size_t i = 0; i < n; i++)
        fetch_want(&staged->fetch, missing[i].family, missing[i].id);
    state_forget_missing(staging->state);
    if (staged->fetch.n == before)
        return false;
    staging->figures.fetched += staged->fetch.n - before;
    fetcher_ask(staging->fetcher, &staged->fetch);
    return true;
}

void staging_put(struct staging *staging, struct batch *batch)
{
    assert(!staging_full(staging));
    struct staged *staged = &staging->staged[(staging->first + staging->n++) % STAGING_MAX];
    staged->batch = batch;
    staging->figures.events += batch->n;
    fetch_begin(&staged->fetch);
    ask(staging, staged);
}

static struct batch *pop(struct staging *staging)
{
    struct batch *batch = staging->staged[staging->first].batch;
    staging->first = (staging->first + 1) % STAGING_MAX;
    staging->n--;
    return batch;
}

/* What came may name more: a label's entry says which windows the label is for. */
enum status staging_take(struct staging *staging, struct batch **ret)
{
    struct staged *first = &staging->staged[staging->first];
    *ret = NULL;
    if (staging->n == 0 || !fetch_arrived(&first->fetch))
        return ST_OK;
    TRY(fetch_install(&first->fetch, staging->state));
    if (first->fetch.n > 0 && ask(staging, first))
        return ST_OK;
    *ret = pop(staging);
    return ST_OK;
}

struct batch *staging_give_up(struct staging *staging)
{
    return staging->n > 0 ? pop(staging) : NULL;
}

struct staging_figures staging_figures(const struct staging *staging)
{
    return staging->figures;
}
