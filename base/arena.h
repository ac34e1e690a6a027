/*
 * base/arena.h -- memory that is all given back at once.
 *
 * Grows by blocks while it warms up, keeps them over resets, and so allocates nothing per batch
 * after that. Aborts when the system has no memory: its users bound what they ask for.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/bytes.h"

struct arena_block;

struct arena {
    struct arena_block *first;
    struct arena_block *now;
    char *at;
    char *end;
    size_t block_size;
};

void arena_init(struct arena *arena, size_t block_size);
void arena_done(struct arena *arena);
/* All that was given out is dead; the blocks stay. */
void arena_reset(struct arena *arena);
/* Bytes of blocks held. */
size_t arena_held(const struct arena *arena);

void *arena_take_slow(struct arena *arena, size_t size);

/* Uninitialised, 16-byte aligned. For size 0 it may be NULL. */
static inline void *arena_take(struct arena *arena, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (size == 0)
        return arena->at;
    if ((size_t)(arena->end - arena->at) < size)
        return arena_take_slow(arena, size);
    void *at = arena->at;
    arena->at += size;
    return at;
}

/* A copy of len bytes. */
static inline struct slice arena_copy(struct arena *arena, const char *data, size_t len)
{
    char *at = arena_take(arena, len);
    if (len > 0)
        memcpy(at, data, len);
    return (struct slice){at, len};
}

#endif
