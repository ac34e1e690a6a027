/*
 * ingest/decode.h -- the bytes of one record into one event, or the reason why not.
 *
 * A decoder serves one lane: a stream of the schema, or its labels, in one format. It looks at the
 * fields that the schema names and passes over all others.
 *
 *     struct decoder_options options = {.format = "csv", .stream = &schema->streams[0],
 *                                       .name = "events.csv", .header = first_row};
 *     TRY(decoder_create(&options, &errors, &decoder));
 *     decoder_decode(decoder, payload, TIME_NONE, &event);
 *     if (event.kind == EVENT_DEAD)
 *         puts(event.reason);          // field TX_AMOUNT: "abc" is no number
 *
 * null, an absent key and an empty cell all mean "missing": NaN for a number, none for an entity, 0
 * for a category. An event must have its id and its time. An entity or an id is a string or an
 * integer; the JSON integer 596 and the CSV cell 596 are the same one. Numbers may come as strings;
 * what is not finite is refused. Cost: 0.2 to 0.5 us an event; nothing is allocated once the
 * longest record has been seen.
 */
#ifndef INGEST_DECODE_H
#define INGEST_DECODE_H

#include "base/conf.h"
#include "ingest/event.h"
#include "ingest/scalar.h"
#include "ingest/schema.h"

struct decoder_options {
    const char *format;                /* "json" or "csv" */
    const struct stream *stream;       /* NULL: the lane carries labels */
    const struct label_schema *labels; /* of a lane with labels */
    uint16_t index;                    /* event.stream; LABEL_STREAM for labels */
    const char *label_column;          /* of events that carry their own label; NULL: none */
    const char *name;                  /* file or topic, for complaints */
    struct slice header;               /* csv: the first row, copied */
};

struct decoder;

/* Schema and names are borrowed. Returns ST_EINVAL where a CSV header lacks a named column or names
 * it twice, a CSV lane has no header, or the format is not known; errors says which. */
STATUS_CHECKED enum status decoder_create(const struct decoder_options *options,
                                          struct conf_errors *errors, struct decoder **ret);
void decoder_free(struct decoder *decoder);

/* Sets kind (EVENT_DATA, EVENT_LABEL or EVENT_DEAD), stream, time, broker_time, id, id_key, label,
 * values, raw and reason; origin and arrived are the caller's. id and id_key stay empty and none
 * where the stream has no `id:`. What ret points to is valid until the next call, or as long as the
 * payload if that is shorter. broker_time stands in where the schema names no time field. */
void decoder_decode(struct decoder *decoder, struct slice payload, int64_t broker_time,
                    struct event *ret);

/* The same of values that are apart already: one a name of decoder_names(), each as it would stand
 * in a record; they take the payload's place. */
void decoder_decode_values(struct decoder *decoder, const struct scalar *values,
                           int64_t broker_time, struct event *ret);
/* What a decoder looks for in a record, each once. */
const char *const *decoder_names(const struct decoder *decoder, size_t *ret_n);

/* Makes ret an EVENT_DEAD of this payload for a reason that the decoder cannot know; text is copied
 * and valid until the next call. */
void decoder_refuse(struct decoder *decoder, struct slice payload, int64_t broker_time,
                    const char *text, struct event *ret);

/* Indexes of the stream's text fields: those whose values are borrowed too. */
const uint32_t *decoder_texts(const struct decoder *decoder, size_t *ret_n);

#endif
