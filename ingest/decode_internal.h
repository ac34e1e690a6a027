/*
 * ingest/decode_internal.h -- what the files of the decoder share: decode.c turns a record into an
 * event, decode_complain.c says what is wrong with a value, decode_make.c makes a decoder.
 */
#ifndef INGEST_DECODE_INTERNAL_H
#define INGEST_DECODE_INTERNAL_H

#include "ingest/decode.h"
#include "ingest/decode_csv.h"
#include "ingest/decode_json.h"

enum target_kind {
    TARGET_ID,
    TARGET_TIME,
    TARGET_LABEL,
    TARGET_NUMBER,
    TARGET_ENTITY,
    TARGET_CATEGORY,
    TARGET_TEXT
};

/* Where one named value of the record goes. Several may read the same one: an event's id may also
 * be an entity. */
struct target {
    enum target_kind kind;
    uint32_t scalar; /* which of the names */
    uint32_t value;  /* index into event.values, of fields */
    uint64_t entity; /* hash_entity_kind(), of entities */
    bool required;
};

struct decoder {
    uint16_t index;
    bool labels;
    struct timefmt time_format;
    struct csv_reader *csv;
    struct json_reader *json; /* one of the two */
    size_t n_names;
    const char **names; /* what is asked of the reader, each once */
    struct scalar *scalars;
    size_t n_targets;
    struct target *targets;
    size_t n_values;
    union value *values;
    size_t n_texts;
    uint32_t *texts;
    struct buf reason;
};

/* `field NAME: "abc" is no number`, into decoder->reason; always false. */
bool decoder_complain(struct decoder *decoder, const struct target *target, const char *what);
/* The same of a value that is no time in the stream's form. */
bool decoder_complain_of_time(struct decoder *decoder, const struct target *target);

#endif
