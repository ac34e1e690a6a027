#include "online/catch_up.h"

#include <stdlib.h>

#include "ingest/fetch.h"

/* Few, because the state thread takes them in between two batches of events. */
enum { AT_ONCE = 256 };

struct catch_up {
    struct state *state;
    struct fetcher *fetcher;
    struct fetch fetch;
    size_t at; /* see state_held_next() */
    bool asked;
};

enum status catch_up_create(struct store *store, struct state *state, struct bell *bell,
                            struct catch_up **ret)
{
    struct catch_up *catch_up = calloc(1, sizeof *catch_up);
    if (!catch_up)
        return ST_ENOMEM;
    catch_up->state = state;
    enum status st = fetcher_create(store, bell, 1, &catch_up->fetcher);
    if (st < 0) {
        free(catch_up);
        return st;
    }
    *ret = catch_up;
    return ST_OK;
}

void catch_up_free(struct catch_up *catch_up)
{
    if (!catch_up)
        return;
    fetcher_free(catch_up->fetcher);
    fetch_done(&catch_up->fetch);
    free(catch_up);
}

enum status catch_up_start(struct catch_up *catch_up)
{
    return state_held(catch_up->state) > 0 ? fetcher_start(catch_up->fetcher) : ST_OK;
}

enum status catch_up_step(struct catch_up *catch_up)
{
    return fetcher_step(catch_up->fetcher);
}

static void ask(struct catch_up *catch_up)
{
    struct state_missing records[AT_ONCE];
    size_t n = state_held_next(catch_up->state, &catch_up->at, records, AT_ONCE);
    if (n == 0)
        return;
    fetch_begin(&catch_up->fetch);
    catch_up->fetch.held_only = true;
    for (size_t i = 0; i < n; i++)
        fetch_want(&catch_up->fetch, records[i].family, records[i].id);
    fetcher_ask(catch_up->fetcher, &catch_up->fetch);
    catch_up->asked = true;
}

enum status catch_up_serve(struct catch_up *catch_up)
{
    if (catch_up->asked && !fetch_arrived(&catch_up->fetch))
        return ST_OK;
    if (catch_up->asked)
        TRY(fetch_install(&catch_up->fetch, catch_up->state));
    catch_up->asked = false;
    if (state_held(catch_up->state) > 0)
        ask(catch_up);
    return ST_OK;
}
