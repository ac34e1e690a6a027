/*
 * ingest/merge_lane.h -- one lane of a merge: records fetched in runs, the foremost one decoded.
 *
 * Internal to the merge. A lane keeps the payloads of its last fetch and fetches again only when
 * all of them are taken, because a source may reuse their memory then.
 */
#ifndef INGEST_MERGE_LANE_H
#define INGEST_MERGE_LANE_H

#include "ingest/decode.h"
#include "ingest/merge.h"

enum lane_state {
    LANE_READY,  /* has a head */
    LANE_SILENT, /* nothing at hand, more may come at any moment */
    LANE_END,    /* read to the end as it is now */
};

struct lane {
    struct source *source;
    size_t index;    /* within the source */
    uint32_t number; /* within the merge */
    struct lane_info info;
    struct decoder *decoder;
    size_t n_values;       /* of an event */
    const uint32_t *texts; /* which of them are texts */
    size_t n_texts;

    enum lane_state state;
    int64_t silent_since; /* LANE_SILENT */
    int64_t skip;         /* records before the first later than this are passed over; TIME_NONE */
    bool stopped;         /* the head is past `until`: LANE_END for good */
    struct event head;    /* LANE_READY: borrows from records and decoder */

    struct record_in *records; /* of the last fetch; at is the head's */
    size_t at, n, depth;
    int64_t fetched_at; /* monotonic */
    int64_t time;       /* of the record before the head; TIME_NONE: there was none */
    struct buf id;      /* of an event that is known by its origin: a fixed prefix and a number */
    size_t id_prefix;
};

/* What all lanes of a merge share. */
struct lane_rules {
    int64_t ahead_max;
    int64_t until;
    const int64_t *merged; /* the merged time so far */
};

/* The lane's source, index, number and info are set. */
STATUS_CHECKED enum status lane_init(struct lane *lane, const struct schema *schema,
                                     const struct merge_options *options);
void lane_done(struct lane *lane);

/* Looks for a head where there is none: state afterwards says what came of it. */
STATUS_CHECKED enum status lane_poll(struct lane *lane, const struct lane_rules *rules,
                                     int64_t now);
/* Drops the head and looks for the next one. */
STATUS_CHECKED enum status lane_advance(struct lane *lane, const struct lane_rules *rules,
                                        int64_t now);
/* Adds the head to the batch, with all that it borrows; returns the bytes of that. */
size_t lane_copy_head(const struct lane *lane, struct batch *batch);

#endif
