/*
 * ingest/retention.h -- how long the order of input stays recorded.
 *
 * Runs (epoch.h) are kept for so much of the stream's time. What time it was at an epoch is known
 * by marks, a few over that time, stored beside the runs: they are dropped mark by mark, so up to a
 * sixteenth of the time more is kept.
 *
 *     TRY(retention_recover(&retention, keep, store));
 *     retention_seal(&retention, epoch, clock);         // each epoch: says which runs are needless
 */
#ifndef INGEST_RETENTION_H
#define INGEST_RETENTION_H

#include "ingest/epoch.h"
#include "ingest/store.h"

#define RETENTION_KEY "mruns"

enum { RETENTION_MARKS = 32 };

struct retention_mark {
    uint64_t epoch;
    int64_t clock; /* stream time after it */
};

struct retention {
    int64_t keep; /* us; 0: nothing is recorded */
    size_t n;
    struct retention_mark marks[RETENTION_MARKS]; /* oldest first */
    uint64_t needed;                              /* first epoch whose runs stay */
};

/* ST_ECORRUPT. */
STATUS_CHECKED enum status retention_recover(struct retention *ret, int64_t keep,
                                             struct store *store);
/* Sets the epoch's runs_needed, and its marks where they have changed; the epoch is complete
 * otherwise. clock: the stream's time after it. */
void retention_seal(struct retention *retention, struct epoch *epoch, int64_t clock);

#endif
