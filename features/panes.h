/*
 * features/panes.h -- sketches of an entity over time: what {sketch: ...} keeps of each, one record
 * of state.
 *
 * Time is cut into panes of over / panes each, at their multiples since 1970, and each pane with
 * events has a sketch (base/sketch.h). A window at t is read from the sketches of the `panes`
 * newest panes up to t's own: it looks back between over (1 - 1/panes) and over. What left it is
 * let go of pane by pane, so nothing is ever subtracted. Late events go to their own pane; those
 * that come when the entity's newest event is `over` further are passed over.
 *
 *     struct panes panes = {.type = &sketch_hll, .size = 256, .panes = 8, .width = DAY_US};
 *     size_t n = panes_find(&panes, rec, time, found);          // rec may be NULL
 *     panes_observe(&panes, state, id, time, value);
 *
 * A record is 8 bytes and, for each pane, 16 and its sketch, as large as that has become. Panes
 * without events take no room, and room once taken is used again.
 */
#ifndef FEATURES_PANES_H
#define FEATURES_PANES_H

#include "base/sketch.h"
#include "ingest/event.h"
#include "ingest/state.h"

#define PANES_MAX 64

struct panes {
    const struct sketch_type *type;
    unsigned size;
    int64_t panes; /* 1 to PANES_MAX */
    int64_t width; /* us */
    uint16_t family;
};

struct pane {
    const void *data;
    size_t bytes;
};

/* The sketches that a window at `time` is read from; ret has room for PANES_MAX. For one before the
 * entity's newest event, those that are still kept. */
size_t panes_find(const struct panes *panes, struct record *rec, int64_t time, struct pane *ret);
void panes_observe(const struct panes *panes, struct state *state, struct key128 id, int64_t time,
                   union sketch_value value);
/* For people: the bounds of what the record holds. False: nothing, or it is spoilt. */
bool panes_describe(const struct panes *panes, struct record *rec, size_t *ret_n, int64_t *ret_from,
                    int64_t *ret_to);

#endif
