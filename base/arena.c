#include "base/arena.h"

#include <stdlib.h>

struct arena_block {
    struct arena_block *next;
    size_t size;
    _Alignas(16) char data[];
};

void arena_init(struct arena *arena, size_t block_size)
{
    *arena = (struct arena){.block_size = block_size};
}

void arena_done(struct arena *arena)
{
    for (struct arena_block *block = arena->first, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    *arena = (struct arena){0};
}

static void enter(struct arena *arena, struct arena_block *block)
{
    arena->now = block;
    arena->at = block ? block->data : NULL;
    arena->end = block ? block->data + block->size : NULL;
}

void arena_reset(struct arena *arena)
{
    enter(arena, arena->first);
}

size_t arena_held(const struct arena *arena)
{
    size_t held = 0;
    for (const struct arena_block *block = arena->first; block; block = block->next)
        held += block->size;
    return held;
}

static struct arena_block *block_make(size_t size)
{
    struct arena_block *block = malloc(sizeof *block + size);
    if (!block)
        abort();
    block->next = NULL;
    block->size = size;
    return block;
}

/* The next block that is kept if it is large enough, else a new one in front of it. */
void *arena_take_slow(struct arena *arena, size_t size)
{
    struct arena_block *next = arena->now ? arena->now->next : arena->first;
    if (!next || next->size < size) {
        struct arena_block *block = block_make(size > arena->block_size ? size : arena->block_size);
        block->next = next;
        if (arena->now)
            arena->now->next = block;
        else
            arena->first = block;
        next = block;
    }
    enter(arena, next);
    void *at = arena->at;
    arena->at += size;
    return at;
}
