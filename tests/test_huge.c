/*
 * Tests of base/huge.h.
 *
 * What is known without running it: it is calloc(), realloc() and free(), so blocks are zeroed,
 * keep what was written over any change of size, and do not overlap.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <string.h>

#include "base/huge.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static bool is_all(const unsigned char *block, size_t size, unsigned char byte)
{
    for (size_t i = 0; i < size; i++)
        if (block[i] != byte)
            return false;
    return true;
}

ParameterizedTestParameters(huge, zeroed_after_use)
{
    static size_t sizes[] = {1, 64, 4168, 2 << 20, (5 << 20) + 3};
    return cr_make_param_array(size_t, sizes, LEN(sizes));
}

ParameterizedTest(size_t *size, huge, zeroed_after_use)
{
    for (int i = 0; i < 3; i++) {
        unsigned char *block = huge_calloc(*size);
        cr_assert(is_all(block, *size, 0));
        memset(block, 0xff, *size);
        huge_free(block);
    }
}

Test(huge, content_outlives_moves)
{
    unsigned char *block = huge_realloc(NULL, 100);
    memset(block, 7, 100);
    static const size_t sizes[] = {200, 4000, 3 << 20, 5000, 100};
    for (size_t i = 0; i < LEN(sizes); i++) {
        block = huge_realloc(block, sizes[i]);
        cr_assert(is_all(block, 100, 7));
    }
    huge_free(block);
}

Test(huge, blocks_are_apart)
{
    unsigned char *blocks[1000];
    for (size_t i = 0; i < LEN(blocks); i++)
        memset(blocks[i] = huge_calloc(1 + i * 7), (int)(i & 0xff), 1 + i * 7);
    for (size_t i = 0; i < LEN(blocks); i++) {
        cr_assert(is_all(blocks[i], 1 + i * 7, (unsigned char)(i & 0xff)));
        huge_free(blocks[i]);
    }
}
