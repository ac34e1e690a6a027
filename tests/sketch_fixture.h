/*
 * tests/sketch_fixture.h -- a sketch in memory that is given room as it asks for it, and random
 * values (seeded).
 */
#ifndef TESTS_SKETCH_FIXTURE_H
#define TESTS_SKETCH_FIXTURE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/rng.h"
#include "base/sketch.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct made {
    const struct sketch_type *type;
    unsigned size;
    void *data;
    size_t bytes;
};

static inline struct made make_sketch(const struct sketch_type *type, unsigned size)
{
    struct made made = {type, size, NULL, type->bytes_first(size)};
    made.data = calloc(1, made.bytes);
    cr_assert(made.data != NULL);
    return made;
}

static inline void add_to(struct made *made, union sketch_value value)
{
    struct sketch_change change = {0};
    size_t need = made->type->bytes_next(made->size, made->data, made->bytes);
    cr_assert(need >= made->bytes && need % 8 == 0);
    if (need > made->bytes) {
        made->data = realloc(made->data, need);
        cr_assert(made->data != NULL);
        memset((char *)made->data + made->bytes, 0, need - made->bytes);
        if (made->type->grow)
            made->type->grow(made->size, made->data, made->bytes, need);
        made->bytes = need;
    }
    char *before = malloc(made->bytes);
    cr_assert(before != NULL);
    memcpy(before, made->data, made->bytes);
    made->type->add(made->size, made->data, made->bytes, value, &change);
    /* All that was written is told of. */
    cr_assert(change.n <= SKETCH_RANGES_MAX);
    for (size_t i = 0; i < change.n; i++) {
        cr_assert(change.ranges[i].at + change.ranges[i].len <= made->bytes);
        memcpy(before + change.ranges[i].at, (char *)made->data + change.ranges[i].at,
               change.ranges[i].len);
    }
    cr_assert(memcmp(before, made->data, made->bytes) == 0);
    free(before);
}

static inline void add_hash(struct made *made, uint64_t hash)
{
    add_to(made, (union sketch_value){.hash = hash});
}

static inline void add_number(struct made *made, double number)
{
    add_to(made, (union sketch_value){.number = number});
}

/* The hash of the n-th of some values. */
static inline uint64_t hash_of(uint64_t seed, uint64_t n)
{
    uint64_t text[2] = {seed, n};
    return hash_category((struct slice){(const char *)text, sizeof text});
}

#endif
