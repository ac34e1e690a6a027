/*
 * ingest/fetch.h -- the thread that reads records from the store, so that the state thread never
 * does.
 *
 *     fetch_begin(&fetch);
 *     fetch_want(&fetch, family, id);               // repeats are asked for once
 *     fetcher_ask(fetcher, &fetch);                 // it is the fetcher's from here
 *     ...
 *     if (fetch_arrived(&fetch))
 *         TRY(fetch_install(&fetch, state));        // those that the state has by now stay as they
 * are
 *
 * The fetcher reads what is durable at that time. A record that the state lacks and that was wanted
 * after it was evicted is therefore read as it was evicted (see state.h).
 */
#ifndef INGEST_FETCH_H
#define INGEST_FETCH_H

#include <stdatomic.h>

#include "base/ring.h"
#include "ingest/state.h"
#include "ingest/store.h"

/* One request, used again and again. {0} is ready, fetch_done() frees it. */
struct fetch {
    size_t n, cap; /* wanted since fetch_begin() */
    size_t asked;  /* of these, how many are answered or under way */
    struct state_missing *wanted;
    uint32_t *table; /* hash table of wanted: index + 1 */
    size_t n_table;
    struct buf pages; /* what was found, in page format */
    enum status status;
    _Atomic bool waiting;
    /* Set by who asks for records of which something is held (state_holds()), and does not keep
     * them from being evicted meanwhile: those of which nothing is by then have been here, and what
     * was read of them may be older than what the store has now. */
    bool held_only;
};

void fetch_begin(struct fetch *fetch);
void fetch_done(struct fetch *fetch);
/* False if it was wanted before. */
bool fetch_want(struct fetch *fetch, uint16_t family, struct key128 id);
static inline bool fetch_arrived(const struct fetch *fetch)
{
    return !fetch->waiting;
}
/* Installs what was found, and releases what was held of all that was wanted. ST_ECORRUPT; or why
 * the store could not be read. */
STATUS_CHECKED enum status fetch_install(struct fetch *fetch, struct state *state);

struct fetcher;

/* bell: rung when a request is answered. depth: requests that may be under way. */
STATUS_CHECKED enum status fetcher_create(struct store *store, struct bell *bell, size_t depth,
                                          struct fetcher **ret);
void fetcher_free(struct fetcher *fetcher);
/* Makes the thread. */
STATUS_CHECKED enum status fetcher_start(struct fetcher *fetcher);
/* Answers one request: what the thread does all the time. ST_EAGAIN: there is none. */
STATUS_CHECKED enum status fetcher_step(struct fetcher *fetcher);
/* Asks for what was wanted and not asked yet. */
void fetcher_ask(struct fetcher *fetcher, struct fetch *fetch);

/* The same at once, in the caller's thread, for recovery. Shares of the records, which are best in
 * the order of their pages' keys, are read side by side. */
STATUS_CHECKED enum status fetch_records(struct store *store, struct state *state,
                                         const struct state_missing *records, size_t n);

#endif
