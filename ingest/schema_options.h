/*
 * ingest/schema_options.h -- the keys of `streams:` and `labels:`, as read from a config. For
 * schema_options.c, which tells their types, bounds and meanings, and schema_read.c, which makes
 * the schema of them.
 */
#ifndef INGEST_SCHEMA_OPTIONS_H
#define INGEST_SCHEMA_OPTIONS_H

#include "ingest/schema.h"

struct time_options {
    const char *field;
    const char *format;
    const char *zone;
};

struct stream_options {
    const char *name;
    const char *topic;
    int format;
    const char *id;
    struct time_options time;
    const struct conf_node *fields;
    bool score;
};

struct label_options {
    const char *topic;
    const char *id;
    const char *value;
    struct time_options time;
    int64_t delay;
    int64_t horizon;
    const struct conf_node *absent;
    double keep_negatives;
};

struct absent_options {
    double is;
    int64_t after;
};

struct field_options {
    int type;
    const char *entity;
};

extern const struct conf_table schema_stream_table, schema_label_table, schema_absent_table,
    schema_field_table;
/* Words of `format:`, and of a field's type in the order of enum field_type; end in NULL. */
extern const char *const schema_formats[], *const schema_field_types[];

#endif
