/*
 * tests/generator_fixture.h -- what the tests of made-up events begin with.
 */
#ifndef TESTS_GENERATOR_FIXTURE_H
#define TESTS_GENERATOR_FIXTURE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "ingest/event.h"
#include "ingest/generator.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define SEC    SECOND_US

static inline struct generator *make(const struct generator_options *options)
{
    struct generator *generator = NULL;
    cr_assert(eq(int, generator_create(options, &generator), ST_OK));
    return generator;
}

#endif
