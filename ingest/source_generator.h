/*
 * ingest/source_generator.h -- made-up events and labels as a source: two lanes of JSON records.
 *
 * Lane 0 holds the events, lane 1 their labels; each record's broker time is its own. Each lane has
 * a generator of its own, so that neither must be kept for the other: the stream is made twice.
 *
 *     struct source_generator_options options = {
 *         .generator = generator_defaults(GENERATOR_PAYMENTS),
 *         .topic = "transactions", .label_topic = "frauds"};
 *     TRY(source_generator_create(&options, &source));
 */
#ifndef INGEST_SOURCE_GENERATOR_H
#define INGEST_SOURCE_GENERATOR_H

#include "ingest/generator.h"
#include "ingest/source.h"

struct source_generator_options {
    struct generator_options generator;
    uint16_t stream;         /* of the schema's, that lane 0 is of */
    const char *topic;       /* what its lanes are called; borrowed */
    const char *label_topic; /* NULL: no lane of labels */
};

/* Returns what generator_create() does. */
STATUS_CHECKED enum status source_generator_create(const struct source_generator_options *options,
                                                   struct source **ret);

#endif
