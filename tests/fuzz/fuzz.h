/*
 * tests/fuzz/fuzz.h -- what the fuzzers share.
 *
 * A fuzzer is one function that takes any bytes and must come back. It feeds them to the product as
 * a stranger would and states laws of what comes out; the sanitizers state the rest.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "base/conf.h"
#include "ingest/schema.h"

/* libFuzzer's name for it. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A law, in words. */
#define FUZZ_LAW(holds, law)                                                                       \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, law);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static inline struct slice fuzz_slice(const uint8_t *data, size_t size)
{
    return (struct slice){(const char *)data, size};
}

/* The rest of what a reader has not read. */
static inline struct slice fuzz_rest(const struct reader *in)
{
    return (struct slice){in->at, in->bad ? 0 : reader_left(in)};
}

/* Takes the text up to the next line end, and that, off the front. */
struct slice fuzz_line(struct slice *text);

/* The schema of a pipeline of payments, with labels, made once: entities CARD and SHOP, the number
 * AMOUNT, the category COUNTRY, the text NOTE, the category meta.channel. */
const struct schema *fuzz_schema(void);
/* A config's text as a tree, that stays; it must be right. */
const struct conf_node *fuzz_conf(const char *yaml);

#endif
