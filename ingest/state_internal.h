/*
 * ingest/state_internal.h -- what state.c (records in memory), state_changes.c and state_redo.c
 * (what changed of them, and as redo values), state_held.c (redo values of records elsewhere) and
 * state_pages.c (their pages) share. Nobody else includes it.
 */
#ifndef INGEST_STATE_INTERNAL_H
#define INGEST_STATE_INTERNAL_H

#include "ingest/state.h"

/* record.flags: `stale` indexes the sweep's list; the evicting hand has not passed since its last
 * use */
enum { RECORD_IN_SWEEP = 1, RECORD_USED = 2 };

enum { FAMILIES_MAX = 256 };

struct slot {
    uint64_t hash;
    struct record *rec;
};

struct record_list {
    size_t n, cap;
    struct record **items; /* NULL where a record was dropped since */
};

/* Bytes [from, to) of a record's data. */
struct byte_range {
    uint32_t from, to;
};

/* A record's ranges that changed since the last seal, apart from each other. Most records have one
 * or two: an event goes to one end while its label, days later, changes the middle. A block of
 * waiting events has one for each label. */
struct change {
    struct record *rec; /* NULL: dropped since */
    struct byte_range first[2];
    uint32_t more; /* index of the newest of the others in change_list.more + 1; 0: none */
    uint32_t n_more;
};

struct more_range {
    struct byte_range range;
    uint32_t before; /* as change.more */
};

struct change_list {
    size_t n, cap, n_more, cap_more;
    struct change *items;
    struct more_range *more;
};

struct state {
    struct slot *slots; /* open addressing, linear probing, at most 3/4 full */
    size_t n_slots, count, bytes;
    struct change_list changes; /* since the last seal */
    struct record_list stale;   /* have dirty pages, not in the running sweep */
    struct record_list sweep;   /* have dirty pages that the running sweep will write */
    size_t swept;               /* how far in `sweep` */
    size_t n_drops;
    struct buf drops;         /* (family, id) dropped since the last seal */
    struct buf dropped_pages; /* keys of pages that are no more, until state_take_drops() */

    /* state_cold.c */
    bool incomplete;
    uint32_t turn, durable; /* now; what was swept in an earlier turn than this is in the store */
    size_t hand;            /* slot that eviction looks at next */
    struct state_missing *missing;
    size_t n_missing, cap_missing;
    struct evict_hook {
        bool (*fn)(void *arg, struct record *rec);
        void *arg;
    } on_evict[FAMILIES_MAX];
    uint64_t whole[FAMILIES_MAX / 64]; /* families loaded with all that the store has of them */
    struct held *held;                 /* state_held.c; NULL: nothing is */
    /* state_families.c: dropping the records of retired families, slot by slot */
    bool expiring, expire_met; /* a pass is under way; it has found some */
    size_t expire_at;          /* next slot */
    uint64_t retired[FAMILIES_MAX / 64];
};

/* What a redo value says of a record; its ranges follow. */
struct patch {
    uint16_t family;
    struct key128 id;
    uint64_t size, n; /* of the record; ranges */
    bool whole;       /* a range tells all of it: what was before does not matter */
};

uint64_t state_slot_hash(uint16_t family, struct key128 id);
/* Where it is, or the empty slot where it would be. */
size_t state_slot(const struct state *state, uint16_t family, struct key128 id, uint64_t hash);
/* Makes a record that is not there, of zero bytes, touched nowhere. */
struct record *state_insert(struct state *state, uint16_t family, struct key128 id, size_t size);
/* Takes the record out of its slot; it is the caller's then. */
void state_take_out(struct state *state, size_t slot);
/* state_changes.c: rec is elsewhere now, or nowhere (NULL); it has become shorter; a seal. */
void changes_move(struct state *state, uint32_t change, struct record *rec);
void changes_cut(struct state *state, const struct record *rec);
void changes_forget(struct state *state);
/* state_redo.c: rec goes; a patch is applied to what is here. in: at its ranges, which are good. */
void changes_drop(struct state *state, const struct record *rec);
void redo_patch(struct state *state, const struct patch *patch, struct reader *in);
/* state_held.c: keeps a patch of a record elsewhere; what was kept does not matter any more; no
 * more patches come; frees all; what it takes; whether a record of the family has patches. */
void held_put(struct state *state, const struct patch *patch, struct slice ranges);
void held_forget(struct state *state, uint16_t family, struct key128 id);
void held_recovered(struct state *state);
void held_free(struct state *state);
size_t held_bytes(const struct state *state);
bool held_any(const struct state *state, uint16_t family);
void record_list_add(struct record_list *list, struct record *rec, uint32_t *ret_index);
void state_note_drop(struct state *state, const struct record *rec);
/* Before rec becomes `size` bytes long: pages past its new end go. */
void state_note_shrunk(struct state *state, const struct record *rec, size_t size);

static inline struct record_list *list_of(struct state *state, const struct record *rec)
{
    return rec->flags & RECORD_IN_SWEEP ? &state->sweep : &state->stale;
}

#endif
