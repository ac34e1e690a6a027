/*
 * online/canary_share.h -- which events a version on trial scores: those of a share of the entities
 * of one kind (canary.h).
 */
#ifndef ONLINE_CANARY_SHARE_H
#define ONLINE_CANARY_SHARE_H

#include "ingest/schema.h"
#include "online/canary.h"

enum { CANARY_STREAMS_MAX = 64 };

struct canary_share {
    double share; /* 0: versions are not tried */
    struct canary_options options;
    int fields[CANARY_STREAMS_MAX]; /* of each stream; -1: it has no such entity */
};

/* kind: of the entity; a stream's first field of it counts. */
struct canary_share canary_share_of(const struct schema *schema, const char *kind, double share,
                                    const struct canary_options *options);
/* Whether the version on trial scores the event. */
bool canary_share_has(const struct canary_share *share, const struct event *event,
                      uint32_t version);

#endif
