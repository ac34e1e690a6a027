/*
 * features/ledger.h -- what the state knows of each family of windows: what its records mean, and
 * since when it has seen all that they should hold.
 *
 * A config may change between two starts. A family that is new has seen nothing before it was
 * added: its windows are unknown (NaN) until they lie behind that moment. One that gets a longer
 * window has seen as much as it kept. One that is gone is retired, and its records are dropped by
 * and by. One whose records would mean something else is refused.
 *
 *     struct ledger *ledger = NULL;
 *     TRY(ledger_open(state, now, &ledger));                   // now: the stream's time;
 * INT64_MIN:
 *                                                              // the state is new
 *     TRY(ledger_claim(ledger, "window/AMOUNT.by.CARD", shape, &series, &claim));
 *     ledger_close(ledger);                                    // what was not claimed is retired
 */
#ifndef FEATURES_LEDGER_H
#define FEATURES_LEDGER_H

#include "features/series.h"

struct ledger;

/* The family of its records: in memory when it is opened. */
#define LEDGER_FAMILY "features"

/* Returns ST_EVERSION (a newer freshet wrote it), ST_ECORRUPT. */
STATUS_CHECKED enum status ledger_open(struct state *state, int64_t now, struct ledger **ret);

struct ledger_claim {
    uint16_t family;
    bool is_new;                      /* the family, or one of its windows */
    int64_t warm[SERIES_WINDOWS_MAX]; /* of each `over`: events from then on know it; INT64_MIN:
                                         all do */
    /* ST_EVERSION: the first line of shape that differs, as the state has it. */
    char stored[64];
};

/* *ret is written even on failure. shape: lines "NAME VALUE" of all that gives the records their
 * meaning, except the windows. series is ready. Returns ST_EVERSION: the state holds it with
 * another shape; ST_EINVAL: there are too many families. */
STATUS_CHECKED enum status ledger_claim(struct ledger *ledger, const char *name, const char *shape,
                                        const struct series *series, struct ledger_claim *ret);

/* Retires all families that were not claimed, tells fn their names, and frees the ledger. */
void ledger_close(struct ledger *ledger, void (*fn)(void *arg, struct slice name), void *arg);
/* Frees it and changes nothing more. NULL is allowed. */
void ledger_free(struct ledger *ledger);

#endif
