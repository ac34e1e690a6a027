/*
 * ingest/schema.h -- the streams of a pipeline and the fields of their events, from the YAML file.
 *
 * schema.c owns the option tables of `streams:` and `labels:`; features and decoders look fields up
 * by name here. A schema is made once at start, never changes, and outlives everything made of it.
 */
#ifndef INGEST_SCHEMA_H
#define INGEST_SCHEMA_H

#include <stdbool.h>

#include "base/status.h"
#include "base/timefmt.h"
#include "ingest/event.h"

struct field {
    const char
        *name; /* as in the record: a JSON key ("a.b" reaches into objects) or a CSV column */
    enum field_type type;
    const char
        *entity_kind; /* FIELD_ENTITY: the field's name unless `entity: KIND` names another */
};

struct stream {
    const char *name;
    const char *topic;      /* the name, unless said otherwise */
    const char *format;     /* "json" or "csv" */
    const char *id_field;   /* NULL: identified by origin */
    const char *time_field; /* NULL: the broker's timestamp */
    struct timefmt time_format;
    size_t n_fields;
    const struct field *fields;
    bool score; /* its events are scored */
};

struct absent {
    double is;     /* the label of an event that got none; NaN: such events are never learnt from */
    int64_t after; /* us after the event */
};

struct label_schema {
    bool present; /* the config has `labels:` at all */
    const char *topic;
    const char *id_field;
    const char *value_field;
    const char *time_field; /* NULL: the broker's timestamp */
    struct timefmt time_format;
    int64_t delay;   /* us: examples are released at event time + delay, never earlier */
    int64_t horizon; /* us: vectors wait this long for a label or a correction, >= delay */
    struct absent absent;
    double keep_negatives; /* share of examples with label 0 that are learnt from, (0, 1];
                              each weighs 1/keep */
};

struct schema {
    size_t n_streams;
    const struct stream *streams;
    struct label_schema labels;
};

/* Index of a stream or a field, or -1. */
int schema_find_stream(const struct schema *schema, const char *name);
int stream_find_field(const struct stream *stream, const char *name);

#endif
