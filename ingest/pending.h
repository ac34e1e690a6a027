/*
 * ingest/pending.h -- entries of the label join in their blocks: where an event waits.
 *
 * Each of the 256 shards has a chain of blocks of PENDING_BLOCK bytes, which are records of the
 * state. Entries are appended, never moved, and go with their block once its newest is past the
 * horizon. A block is its entries and nothing else, so that adding one changes nothing but its own
 * bytes. An index by event id is kept in memory only.
 */
#ifndef INGEST_PENDING_H
#define INGEST_PENDING_H

#include "ingest/join.h"

/* With its record's own part, a block fills a page of memory. */
enum { PENDING_BLOCK = 4096 - sizeof(struct record), PENDING_SHARDS = 256 };

enum pending_flags {
    PENDING_EVENT = 1,    /* else a label that waits for its event */
    PENDING_SCORED = 2,   /* has a vector */
    PENDING_OBSERVED = 4, /* has entity keys */
    PENDING_LABELLED = 8,
    PENDING_RELEASED = 16,
    PENDING_DUE = 32,         /* its delay has passed without a label */
    PENDING_LAYOUT_SHIFT = 8, /* from there on: the number of the layout of keys and vector */
};

/* The fixed part of an entry; keys (if observed), then the packed vector (if scored) follow. */
struct pending_entry {
    struct key128 id;
    int64_t time;         /* of the event; of a waiting label: when it became known */
    int64_t label_offset; /* valid if labelled */
    uint64_t seq : 48;    /* order of arrival */
    uint64_t flags : 16;
    float label;
    float score;
    uint32_t version;
    uint16_t n_keys;
    uint16_t len; /* of the packed vector */
};
_Static_assert(sizeof(struct pending_entry) == 56, "part of the state's format");

struct pending_store;

STATUS_CHECKED enum status pending_create(struct state *state, uint16_t family, int64_t horizon,
                                          struct pending_store **ret);
void pending_free(struct pending_store *store);

/* Reads all blocks of the state again; fn sees each entry. ST_ECORRUPT. */
typedef void (*pending_fn)(void *arg, struct pending_ref ref, const struct pending_entry *entry);
STATUS_CHECKED enum status pending_recover(struct pending_store *store, pending_fn fn, void *arg);

/* Appends an entry (seq is given here) with its keys and packed vector. Blocks of that shard that
 * are past the horizon at entry->time go first. */
struct pending_ref pending_append(struct pending_store *store, const struct pending_entry *entry,
                                  const struct key128 *keys, struct slice packed);
/* The newest unexpired entry of that id, at time now; false if there is none. */
bool pending_find(struct pending_store *store, struct key128 id, int64_t now,
                  struct pending_ref *ret);

const struct pending_entry *pending_get(struct pending_store *store, struct pending_ref ref);
/* What of an entry changes once it is there. */
enum pending_part {
    PENDING_LABEL, /* label, its offset, flags */
    PENDING_SCORE, /* score, version */
};
/* For changing that part: its bytes are touched, and no others are logged. */
struct pending_entry *pending_change(struct pending_store *store, struct pending_ref ref,
                                     enum pending_part part);
const struct key128 *pending_keys(const struct pending_entry *entry);
struct slice pending_packed(const struct pending_entry *entry);
/* Starts loading what a find of that id will read. */
void pending_prefetch(const struct pending_store *store, struct key128 id);
/* Where the entry of that id probably is, for prefetching; false: no guess. */
bool pending_guess(const struct pending_store *store, struct key128 id, struct pending_ref *ret);
/* Starts loading where an entry of that id would be appended. */
void pending_prefetch_append(const struct pending_store *store, struct key128 id);
/* Starts loading an entry. */
void pending_prefetch_entry(const struct pending_store *store, struct pending_ref ref);

/* Blocks may be in the store alone (see state.h); the index never is. What the verbs above will
 * read is named to state_need() before: by pending_find() and pending_append() of an id at a time,
 * and of an entry that one has a reference to. */
void pending_need_find(struct pending_store *store, struct key128 id);
void pending_need_append(struct pending_store *store, struct key128 id, int64_t now);
void pending_need_block(struct pending_store *store, uint32_t block);
/* The entry of that id, expired or not, if it is in memory; else NULL. */
const struct pending_entry *pending_peek(struct pending_store *store, struct key128 id);

/* Ids in the index, in blocks that have not gone; of these, labels that wait for their event. */
size_t pending_count(const struct pending_store *store);
size_t pending_labels(const struct pending_store *store);
size_t pending_entry_bytes(const struct pending_store *store);
size_t pending_index_bytes(const struct pending_store *store);

#endif
