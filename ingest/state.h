/*
 * ingest/state.h -- the decoded working set: every record the state thread may read or change.
 *
 * A record is a flat run of bytes (no pointers inside: what is in memory is what is stored) named by
 * family and 128-bit id. It may grow; on disk it is split into pages of STATE_PAGE bytes keyed
 * (shard, family, id, page), so that a change costs its pages and not its record. Changed byte ranges
 * are noted with state_touch() and are copied out when an epoch is sealed (see epoch.h).
 *
 *     uint16_t family = ...;                                  // from state_family() at start
 *     struct record *rec = state_obtain(state, family, id, sizeof(struct head));
 *     struct head *head = record_data(rec);
 *     head->count++;
 *     state_touch(state, rec, offsetof(struct head, count), sizeof head->count);
 *
 * One thread owns a state. A record's data moves when that same record is resized, never otherwise.
 */
#ifndef INGEST_STATE_H
#define INGEST_STATE_H

#include "base/hash.h"
#include "base/status.h"

#define STATE_PAGE 1024

struct state;

/* The part that stays in memory; data follows it. */
struct record {
    struct key128 id;
    uint16_t family;
    uint16_t flags;       /* state.c's own */
    uint32_t size;        /* bytes of data in use */
    uint32_t cap;         /* bytes of data there is room for */
    uint32_t change;      /* state.c's own: index into this epoch's changes + 1; 0: unchanged */
    uint32_t dirty_from;  /* byte range changed since the last seal */
    uint32_t dirty_to;
    uint64_t dirty_pages; /* pages changed since they last went to disk; bit 63: all from there on */
    char data[];
};

static inline void *record_data(struct record *rec)
{
    return rec->data;
}

STATUS_CHECKED enum status state_create(struct state **ret);
void state_free(struct state *state);

/* The number of a family by name, given once and kept in the store. fingerprint: hash of all that
 * shapes its bytes; ST_EVERSION if the store has the family with another one. */
STATUS_CHECKED enum status state_family(struct state *state, const char *name, uint64_t fingerprint,
                                        uint16_t *ret);

/* NULL if there is none. */
struct record *state_find(struct state *state, uint16_t family, struct key128 id);
/* Finds it, or makes one of `size` zero bytes (all touched). */
struct record *state_obtain(struct state *state, uint16_t family, struct key128 id, size_t size);
/* Changes its size, keeping what fits; new bytes are zero and touched. Returns where it is now;
 * the old pointer is dead. */
struct record *state_resize(struct state *state, struct record *rec, size_t size);
/* Says that bytes [from, from + len) of its data changed, or are about to within this call chain. */
void state_touch(struct state *state, struct record *rec, size_t from, size_t len);
/* Removes it; the pointer is dead. */
void state_drop(struct state *state, struct record *rec);

/* Hints that id will soon be looked up: starts loading its slot. */
void state_prefetch(const struct state *state, uint16_t family, struct key128 id);

/* Records in memory and the bytes they take, all told. */
size_t state_count(const struct state *state);
size_t state_bytes(const struct state *state);

#endif
