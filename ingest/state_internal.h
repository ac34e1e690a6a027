/*
 * ingest/state_internal.h -- what state.c (records in memory) and state_pages.c (their redo values
 * and pages) share. Nobody else includes it.
 */
#ifndef INGEST_STATE_INTERNAL_H
#define INGEST_STATE_INTERNAL_H

#include "ingest/state.h"

enum { RECORD_IN_SWEEP = 1 }; /* record.flags: `stale` indexes the sweep's list */

struct slot {
    uint64_t hash;
    struct record *rec;
};

struct record_list {
    size_t n, cap;
    struct record **items; /* NULL where a record was dropped since */
};

struct state {
    struct slot *slots; /* open addressing, linear probing, at most 3/4 full */
    size_t n_slots, count, bytes;
    struct record_list changes; /* changed since the last seal */
    struct record_list stale;   /* have dirty pages, not in the running sweep */
    struct record_list sweep;   /* have dirty pages that the running sweep will write */
    size_t swept;               /* how far in `sweep` */
    size_t n_drops;
    struct buf drops;         /* (family, id) dropped since the last seal */
    struct buf dropped_pages; /* keys of pages that are no more, until state_take_drops() */
};

uint64_t state_slot_hash(uint16_t family, struct key128 id);
void record_list_add(struct record_list *list, struct record *rec, uint32_t *ret_index);
void state_note_drop(struct state *state, const struct record *rec);
/* Before rec becomes `size` bytes long: pages past its new end go. */
void state_note_shrunk(struct state *state, const struct record *rec, size_t size);

static inline struct record_list *list_of(struct state *state, const struct record *rec)
{
    return rec->flags & RECORD_IN_SWEEP ? &state->sweep : &state->stale;
}

#endif
