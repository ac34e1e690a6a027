/*
 * online/catch_up.h -- fetches, behind the work, the records whose redo values a start held.
 *
 * A start does not wait for them (see state.h, "a start that does not load all"): an event that
 * needs one fetches it as it does any other. The rest are brought in here, some at a time, because
 * the redo values must be kept, and read again by a next start, for as long as any is missing.
 */
#ifndef ONLINE_CATCH_UP_H
#define ONLINE_CATCH_UP_H

#include "base/ring.h"
#include "ingest/state.h"
#include "ingest/store.h"

struct catch_up;

/* bell: rung when some have come. */
STATUS_CHECKED enum status catch_up_create(struct store *store, struct state *state,
                                           struct bell *bell, struct catch_up **ret);
void catch_up_free(struct catch_up *catch_up);
/* Reads in a thread of its own from now on, if there is anything to read; before that, and without
 * it, in catch_up_step(). */
STATUS_CHECKED enum status catch_up_start(struct catch_up *catch_up);
/* Reads some, in the caller's thread. ST_EAGAIN: none were asked for. */
STATUS_CHECKED enum status catch_up_step(struct catch_up *catch_up);
/* In the state's thread, between events: takes in what has come, and asks for more. ST_ECORRUPT; or
 * why the store could not be read. */
STATUS_CHECKED enum status catch_up_serve(struct catch_up *catch_up);

#endif
