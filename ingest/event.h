/*
 * ingest/event.h -- one input record, decoded: the unit that all stages pass along.
 *
 * The schema of a stream says which fields an event has; `values` is an array in that order. Text
 * and the raw record live in the batch that carries the event (see batch.h) and are borrowed.
 */
#ifndef INGEST_EVENT_H
#define INGEST_EVENT_H

#include "base/bytes.h"
#include "base/hash.h"
#include "ingest/act.h"

enum field_type { FIELD_NUMBER, FIELD_ENTITY, FIELD_CATEGORY, FIELD_TEXT };

/* Which member holds is said by the field's type. Missing: NaN, none, 0 and {NULL, 0}. */
union value {
    double number;
    struct key128 entity; /* hash_entity(kind, text) */
    uint64_t category;    /* hash_category(text) */
    struct slice text;
};

enum event_kind {
    EVENT_DATA,  /* an event: extracted, scored if its stream says so, observed */
    EVENT_LABEL, /* what an event turned out to be */
    EVENT_TICK,  /* nothing but the time: idle streams advance by it */
    EVENT_DEAD,  /* could not be decoded; `reason` says why, `raw` is what came */
    EVENT_ACT,   /* of an order that was recorded: an act took place here (event_act()) */
};

/* Where a record came from: enough to read it again, and the identity of one without an id. */
struct origin {
    uint32_t lane;  /* index into the inputs: one topic partition, or one file */
    int64_t offset; /* Kafka's offset, or the row number of a file (0 is the first data row) */
};

/* Times are microseconds since 1970-01-01 UTC. */
struct event {
    enum event_kind kind;
    uint16_t stream; /* index into the schema's streams; labels: LABEL_STREAM */
    struct origin origin;
    int64_t time;         /* event time; of a label: when it became known */
    int64_t broker_time;  /* the record's own timestamp; INT64_MIN if the source has none */
    int64_t arrived;      /* monotonic time of the poll that brought it, for latency figures only */
    struct slice id;      /* as text; empty: identified by topic, partition and offset */
    struct key128 id_key; /* hash_event_id(id); never none except in ticks and dead letters */
    double
        label; /* EVENT_LABEL: the label; EVENT_DATA from a file with labels: the file's, or NaN */
    const union value *values; /* one a field of the stream, NULL for other kinds */
    struct slice raw;          /* the record as it came; for dead letters and recording */
    const char *reason;        /* EVENT_DEAD: why, one line */
};

/* An act lies in members that it has no other use for. */
static inline struct event event_of_act(const struct act *act)
{
    return (struct event){.kind = EVENT_ACT,
                          .stream = (uint16_t)act->kind,
                          .origin = {act->model, act->version},
                          .time = INT64_MIN,
                          .broker_time = act->source};
}

static inline struct act event_act(const struct event *event)
{
    return (struct act){(enum act_kind)event->stream, event->origin.lane,
                        (uint32_t)event->origin.offset, (uint32_t)event->broker_time};
}

#define LABEL_STREAM 0xffff
#define TIME_NONE    INT64_MIN

#define SECOND_US INT64_C(1000000)
#define DAY_US    (86400 * SECOND_US)

#endif
