/*
 * base/hash.h -- the hashes that identify things in state, and a map keyed by them.
 *
 * Entities, event ids and categories are known by seeded xxh3 hashes of their text (128 bits where
 * two of them must never be confused, 64 where a model only needs a column). The functions here are
 * part of the state's format: their seeds never change.
 *
 *     struct key128 id = hash_entity(slice_of("CUSTOMER_ID"), slice_of("596"));
 *     unsigned shard = hash_shard(id);
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>

#include "base/bytes.h"

/* All zero means "none": a missing entity or id. No hash below ever returns it. */
struct key128 {
    uint64_t lo;
    uint64_t hi;
};

static inline bool key_is_none(struct key128 key)
{
    return (key.lo | key.hi) == 0;
}

static inline bool key_eq(struct key128 a, struct key128 b)
{
    return ((a.lo ^ b.lo) | (a.hi ^ b.hi)) == 0;
}

/* An entity: its kind and its id's text (integers in decimal). */
struct key128 hash_entity(struct slice kind, struct slice id);
/* The same in two steps, so that a kind is hashed once and not with each id:
 * hash_entity(kind, id) is hash_entity_of(hash_entity_kind(kind), id). */
uint64_t hash_entity_kind(struct slice kind);
struct key128 hash_entity_of(uint64_t kind, struct slice id);
/* Two entities taken together, in this order; none if any of them is none. Lives in a's shard. */
struct key128 hash_pair(struct key128 a, struct key128 b);
/* The identity of an event within the whole pipeline. */
struct key128 hash_event_id(struct slice id);
/* The value of a category or a word of text; never 0. */
uint64_t hash_category(struct slice text);
/* 0..255, fixed for the life of a state directory: the top byte of any of these keys. */
unsigned hash_shard(struct key128 entity);

#endif
