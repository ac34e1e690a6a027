/*
 * ingest/join.h -- the label life cycle: scored events wait here for what they turned out to be.
 *
 * An event's vector, as it was at scoring time, waits until `horizon` in blocks of its id's shard,
 * packed (see pack.h). A label may come before its event (it waits in the same place), once, twice,
 * or be corrected: the one with the highest offset wins. Examples are released when the event is
 * `delay` old, labelled or, if no label came by `absent.after`, as absent; a label or a correction
 * that comes later releases the event once more.
 *
 *     TRY(join_create(&options, state, &join));
 *     join_recover(join);                                       // once the state is loaded
 *     join_release(join, now, true, on_example, arg);           // before each event
 *     struct pending_ref ref;
 *     join_add(join, &event_parts, &ref);                       // after extract and observe
 *     join_set_score(join, ref, score, version);
 *     outcome = join_label(join, &label, &labelled);            // then plan_label(labelled.keys)
 *
 * Deterministic: what is released when depends on the order of calls alone. Memory: about 100 bytes
 * of state and 12 of index a pending event of 15 columns; pending_bytes() tells.
 */
#ifndef INGEST_JOIN_H
#define INGEST_JOIN_H

#include "ingest/layouts.h"
#include "ingest/schema.h"
#include "ingest/state.h"

struct join;

/* The family of its records; all of them are in memory when join_recover() is called. */
#define JOIN_FAMILY "pending"

struct join_options {
    struct label_schema labels; /* present false: entries only tell repeated ids */
    size_t n_dense;
    size_t n_keys; /* label windows */
    const struct layouts
        *layouts; /* what is stored may be laid out otherwise than today; NULL: not */
};

/* state: the blocks are records of family "pending". ST_EVERSION if the stored entries have another
 * shape (without layouts: n_keys); ST_EINVAL if an event may fall due past the horizon. */
STATUS_CHECKED enum status join_create(const struct join_options *options, struct state *state,
                                       struct join **ret);
void join_free(struct join *join);
/* Rebuilds index and timers from the state. ST_ECORRUPT. */
STATUS_CHECKED enum status join_recover(struct join *join);

/* Where an entry is; good until join_release() or join_add() is called for a time past its horizon.
 */
struct pending_ref {
    uint32_t block;
    uint32_t at;
};

struct pending_parts {
    struct key128 id;
    int64_t time;
    bool scored;               /* has a vector and will get a score */
    const struct key128 *keys; /* n_keys, or NULL if the event was not observed */
    const float *dense;        /* n_dense; NULL if not scored */
    const struct sparse *sparse;
    size_t n_sparse;
};

/* What is known of a waiting event. */
struct pending {
    int64_t time;
    bool scored;
    float score;
    uint32_t version;
};

/* False if no event of that id waits (a waiting label alone is none), or it is past its horizon. */
bool join_find(struct join *join, struct key128 id, int64_t now, struct pending *ret,
               struct pending_ref *ret_ref);
/* Starts loading what join_find() will read. */
void join_prefetch(const struct join *join, struct key128 id);
/* The same, and what join_add() will write. */
void join_prefetch_add(const struct join *join, struct key128 id);
/* Some time after that: starts loading the entry itself. */
void join_prefetch_entry(const struct join *join, struct key128 id);
/* Some time after that: the keys that a label of this id is probably for, or NULL. */
const struct key128 *join_guess_keys(const struct join *join, struct key128 id);
/* As join_find, by reference. */
struct pending join_get(const struct join *join, struct pending_ref ref);

/* Adds an event that join_find() does not find. If its label is already here, *ret_label is that
 * and true is returned: the caller passes it to plan_label(). */
bool join_add(struct join *join, const struct pending_parts *parts, int64_t now,
              struct pending_ref *ret, double *ret_label);
void join_set_score(struct join *join, struct pending_ref ref, float score, uint32_t version);

enum label_outcome {
    LABEL_EARLY,     /* no such event yet: it waits */
    LABEL_APPLIED,   /* the first one */
    LABEL_CORRECTED, /* another value than before */
    LABEL_REPEATED,  /* the same value again, or an older offset */
    LABEL_OUTCOMES
};

struct label {
    struct key128 id;
    double value;
    int64_t now;    /* the stream's time when it is taken, never less than when it became known */
    int64_t offset; /* of its record: the highest wins */
};

/* What the label belongs to, for plan_label(). keys is NULL where the event was not observed. */
struct labelled {
    int64_t time;
    const struct key128 *keys;
};

/* Example as it leaves: the vector is packed (see pack.h) and borrowed until the callback returns.
 */
struct released {
    struct key128 id;
    int64_t time;        /* of the event */
    int64_t released_at; /* event time + delay, or when the label came if that was later */
    float label;
    float weight;
    bool correction; /* the event was released before, with another label */
    bool absent;     /* nobody labelled it */
    bool kept;       /* false: a negative that is thinned out: not learnt, but judged */
    float score;
    uint32_t version;
    struct slice packed;
};

typedef void (*join_release_fn)(void *arg, const struct released *example);

/* ret is set for LABEL_APPLIED and LABEL_CORRECTED. A label after its event's delay is released to
 * fn at once; an early, repeated or timely one releases nothing. */
enum label_outcome join_label(struct join *join, const struct label *label, join_release_fn fn,
                              void *arg, struct labelled *ret);

/* Releases all due before now (inclusive: and at now), in the order of their due times, ties in
 * order of arrival. */
void join_release(struct join *join, int64_t now, bool inclusive, join_release_fn fn, void *arg);
/* Nothing is released before this; INT64_MAX if none waits. */
int64_t join_next_due(const struct join *join);

/* What the verbs will read, named to state_need() ahead of them (see state.h): of an event or a
 * label of that id taken at time now, and of all that is due by then. */
void join_need(struct join *join, struct key128 id, int64_t now);
void join_need_due(struct join *join, int64_t now);
/* The keys that a label of that id is for; NULL if there is no such entry, or it is not in memory.
 */
const struct key128 *join_peek_keys(struct join *join, struct key128 id);

struct join_figures {
    uint64_t waiting;     /* events within their horizon */
    uint64_t early;       /* labels without an event */
    uint64_t unreleased;  /* events whose delay has not passed */
    uint64_t entry_bytes; /* of waiting events' and labels' entries */
    uint64_t index_bytes; /* of index and timers, by what is in use */
};
struct join_figures join_figures(const struct join *join);

#endif
