/*
 * Tests of base/arena.h.
 *
 * Known without running it: pieces do not overlap and are aligned, and a batch that asks for the
 * same again after a reset finds all of it in the blocks that are already there.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include "base/arena.h"

enum { PIECES = 2000 };

static size_t size_of(size_t i, size_t largest)
{
    return 1 + (i * 2654435761u >> 7) % largest;
}

/* Takes pieces of many sizes and fills each with its own number: any overlap shows. */
static void take_all(struct arena *arena, size_t largest, unsigned char **pieces)
{
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = arena_take(arena, size_of(i, largest));
        memset(pieces[i], (int)(i % 251), size_of(i, largest));
    }
}

static void check_all(size_t largest, unsigned char **pieces)
{
    for (size_t i = 0; i < PIECES; i++) {
        cr_assert(eq(sz, (uintptr_t)pieces[i] % 16, 0));
        for (size_t k = 0; k < size_of(i, largest); k++)
            cr_assert(eq(uint, pieces[i][k], i % 251));
    }
}

TheoryDataPoints(arena, pieces_stay_apart) = {
    DataPoints(size_t, 1, 16, 100, 5000), /* largest piece */
    DataPoints(size_t, 64, 1024, 65536),  /* block */
};

Theory((size_t largest, size_t block), arena, pieces_stay_apart)
{
    static unsigned char *pieces[PIECES];
    struct arena arena;
    arena_init(&arena, block);
    cr_assert(eq(sz, arena_held(&arena), 0), "nothing before it is needed");
    take_all(&arena, largest, pieces);
    check_all(largest, pieces);
    size_t held = arena_held(&arena);
    for (int round = 0; round < 3; round++) {
        arena_reset(&arena);
        take_all(&arena, largest, pieces);
        check_all(largest, pieces);
        cr_assert(eq(sz, arena_held(&arena), held), "a warm arena allocates nothing");
    }
    arena_done(&arena);
    cr_assert(eq(sz, arena_held(&arena), 0));
}

Test(arena, a_large_piece_gets_a_block_of_its_own)
{
    struct arena arena;
    arena_init(&arena, 128);
    char *small = arena_take(&arena, 10);
    char *large = arena_take(&arena, 100000);
    memset(large, 1, 100000);
    memset(small, 2, 10);
    cr_expect(eq(sz, arena_held(&arena), 128 + 100000));
    arena_done(&arena);
}

Test(arena, copies_are_their_own)
{
    struct arena arena;
    char text[] = "text";
    arena_init(&arena, 128);
    struct slice copy = arena_copy(&arena, text, 4);
    text[0] = 'x';
    cr_expect(slice_eq(copy, slice_of("text")));
    cr_expect(eq(sz, arena_copy(&arena, NULL, 0).len, 0));
    arena_done(&arena);
    arena_done(&arena);
}
