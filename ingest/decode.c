#include "ingest/decode.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/number.h"
#include "ingest/decode_csv.h"
#include "ingest/decode_json.h"

enum { EXCERPT_MAX = 40 };

/* The years 1 to 9999, as in timefmt.h: durations may be added to any time without a thought. */
#define TIME_FIRST (INT64_C(-62135596800) * SECOND_US)
#define TIME_LAST  (INT64_C(253402300800) * SECOND_US - 1)

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

/* What is wrong with a value, in the reader's own words. */

static void quote_excerpt(struct buf *out, const struct scalar *scalar)
{
    size_t len = scalar->len < EXCERPT_MAX ? scalar->len : EXCERPT_MAX;
    buf_byte(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)scalar->data[i];
        if (c < ' ' || c == 0x7f)
            buf_printf(out, "\\x%02x", c);
        else
            buf_byte(out, c);
    }
    buf_text(out, len < scalar->len ? "...\"" : "\"");
}

/* `field NAME: "abc" is no number`; always false. */
static bool refuse(struct decoder *decoder, const struct target *target, const char *what)
{
    const struct scalar *scalar = &decoder->scalars[target->scalar];
    struct buf *out = &decoder->reason;
    buf_reset(out);
    buf_printf(out, "field %s", decoder->names[target->scalar]);
    if (scalar->kind == SCALAR_NESTED)
        buf_text(out, ": an array or an object");
    else if (scalar->kind != SCALAR_NONE) {
        buf_text(out, ": ");
        quote_excerpt(out, scalar);
    }
    buf_printf(out, " %s", what);
    buf_byte(out, '\0');
    return false;
}

static bool refuse_time(struct decoder *decoder, const struct target *target)
{
    static const char *const forms[] = {
        [TIMEFMT_S] = "is no time in seconds since 1970",
        [TIMEFMT_MS] = "is no time in milliseconds since 1970",
        [TIMEFMT_US] = "is no time in microseconds since 1970",
        [TIMEFMT_RFC3339] = "is no RFC 3339 time",
    };
    const struct timefmt *format = &decoder->time_format;
    if (format->kind != TIMEFMT_STRPTIME)
        return refuse(decoder, target, forms[format->kind]);
    char text[sizeof format->pattern + 32];
    snprintf(text, sizeof text, "does not match %s", format->pattern);
    return refuse(decoder, target, text);
}

/* One setter a kind: from a value that is there into the event. */

static struct slice text_of(const struct scalar *scalar)
{
    return (struct slice){scalar->data, scalar->len};
}

static bool is_integer(struct slice text)
{
    size_t i = text.len > 1 && text.data[0] == '-';
    for (; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return true;
}

/* Ids and entities: any string, or an integer as it is written. */
static bool is_identity(const struct scalar *scalar)
{
    return scalar->kind == SCALAR_TEXT ||
           (scalar->kind == SCALAR_NUMBER && is_integer(text_of(scalar)));
}

static bool set_id(struct decoder *decoder, const struct target *target, struct event *ret)
{
    const struct scalar *scalar = &decoder->scalars[target->scalar];
    if (!is_identity(scalar))
        return refuse(decoder, target, "is no string or integer");
    ret->id = text_of(scalar);
    ret->id_key = hash_event_id(ret->id);
    return true;
}

static bool set_time(struct decoder *decoder, const struct target *target, struct event *ret)
{
    const struct scalar *scalar = &decoder->scalars[target->scalar];
    bool is_text = scalar->kind == SCALAR_TEXT || scalar->kind == SCALAR_NUMBER;
    if (!is_text || timefmt_parse(&decoder->time_format, text_of(scalar), &ret->time) < 0)
        return refuse_time(decoder, target);
    return true;
}

static bool is_finite_number(const struct scalar *scalar, double *ret)
{
    if (scalar->kind != SCALAR_NUMBER && scalar->kind != SCALAR_TEXT)
        return false;
    return number_to_double(text_of(scalar), ret) == ST_OK && isfinite(*ret);
}

static bool set_label(struct decoder *decoder, const struct target *target, struct event *ret)
{
    const struct scalar *scalar = &decoder->scalars[target->scalar];
    struct slice text = text_of(scalar);
    if (scalar->kind == SCALAR_NESTED)
        return refuse(decoder, target, "is no label");
    if (slice_eq(text, slice_of("true")) || slice_eq(text, slice_of("True")))
        ret->label = 1;
    else if (slice_eq(text, slice_of("false")) || slice_eq(text, slice_of("False")))
        ret->label = 0;
    else if (!is_finite_number(scalar, &ret->label))
        return refuse(decoder, target, "is no label: expected a number, true or false");
    return true;
}

static bool set_number(struct decoder *decoder, const struct target *target)
{
    const struct scalar *scalar = &decoder->scalars[target->scalar];
    if (!is_finite_number(scalar, &decoder->values[target->value].number))
        return refuse(decoder, target, "is no number");
    return true;
}

static bool set_entity(struct decoder *decoder, const struct target *target)
{
    const struct scalar *scalar = &decoder->scalars[target->scalar];
    if (!is_identity(scalar))
        return refuse(decoder, target, "is no string or integer");
    decoder->values[target->value].entity = hash_entity_of(target->entity, text_of(scalar));
    return true;
}

static bool set_category(struct decoder *decoder, const struct target *target)
{
    const struct scalar *scalar = &decoder->scalars[target->scalar];
    if (scalar->kind == SCALAR_NESTED)
        return refuse(decoder, target, "is no category");
    decoder->values[target->value].category = hash_category(text_of(scalar));
    return true;
}

static bool set_text(struct decoder *decoder, const struct target *target)
{
    const struct scalar *scalar = &decoder->scalars[target->scalar];
    if (scalar->kind == SCALAR_NESTED)
        return refuse(decoder, target, "is no text");
    decoder->values[target->value].text = text_of(scalar);
    return true;
}

static bool set_missing(struct decoder *decoder, const struct target *target, struct event *ret)
{
    union value *value = &decoder->values[target->value];
    if (target->required)
        return refuse(decoder, target, "is missing");
    if (target->kind == TARGET_LABEL)
        ret->label = NAN;
    else if (target->kind == TARGET_NUMBER)
        value->number = NAN;
    else
        *value = (union value){.text = {0}};
    return true;
}

static bool set(struct decoder *decoder, const struct target *target, struct event *ret)
{
    if (decoder->scalars[target->scalar].kind == SCALAR_NONE)
        return set_missing(decoder, target, ret);
    switch (target->kind) {
    case TARGET_ID:
        return set_id(decoder, target, ret);
    case TARGET_TIME:
        return set_time(decoder, target, ret);
    case TARGET_LABEL:
        return set_label(decoder, target, ret);
    case TARGET_NUMBER:
        return set_number(decoder, target);
    case TARGET_ENTITY:
        return set_entity(decoder, target);
    case TARGET_CATEGORY:
        return set_category(decoder, target);
    case TARGET_TEXT:
        return set_text(decoder, target);
    }
    return false;
}

static void make_dead(struct decoder *decoder, struct slice payload, int64_t broker_time,
                      const char *reason, struct event *ret)
{
    *ret = (struct event){.kind = EVENT_DEAD,
                          .stream = decoder->index,
                          .time = TIME_NONE,
                          .broker_time = broker_time,
                          .label = NAN,
                          .raw = payload,
                          .reason = reason};
}

void decoder_refuse(struct decoder *decoder, struct slice payload, int64_t broker_time,
                    const char *text, struct event *ret)
{
    buf_reset(&decoder->reason);
    buf_text(&decoder->reason, text);
    buf_byte(&decoder->reason, '\0');
    make_dead(decoder, payload, broker_time, decoder->reason.data, ret);
}

static const char *read_scalars(struct decoder *decoder, struct slice payload)
{
    return decoder->csv
               ? csv_reader_read(decoder->csv, payload, decoder->scalars)
               : json_reader_read(decoder->json, payload.data, payload.len, decoder->scalars);
}

void decoder_decode(struct decoder *decoder, struct slice payload, int64_t broker_time,
                    struct event *ret)
{
    const char *reason = read_scalars(decoder, payload);
    if (reason) {
        make_dead(decoder, payload, broker_time, reason, ret);
        return;
    }
    *ret = (struct event){.kind = decoder->labels ? EVENT_LABEL : EVENT_DATA,
                          .stream = decoder->index,
                          .time = broker_time,
                          .broker_time = broker_time,
                          .label = NAN,
                          .values = decoder->labels ? NULL : decoder->values,
                          .raw = payload};
    for (size_t i = 0; i < decoder->n_targets; i++) {
        if (!set(decoder, &decoder->targets[i], ret)) {
            make_dead(decoder, payload, broker_time, decoder->reason.data, ret);
            return;
        }
    }
    if (ret->time == TIME_NONE)
        make_dead(decoder, payload, broker_time, "the record has no timestamp", ret);
    else if (ret->time < TIME_FIRST || ret->time > TIME_LAST)
        make_dead(decoder, payload, broker_time, "the record's timestamp is no date", ret);
}

const uint32_t *decoder_texts(const struct decoder *decoder, size_t *ret_n)
{
    *ret_n = decoder->n_texts;
    return decoder->texts;
}

/* Making one: the list of targets, and the list of names behind it. */

static uint32_t name_index(struct decoder *decoder, const char *name)
{
    size_t i = 0;
    while (i < decoder->n_names && strcmp(decoder->names[i], name) != 0)
        i++;
    if (i == decoder->n_names)
        decoder->names[decoder->n_names++] = name;
    return (uint32_t)i;
}

static struct target *add_target(struct decoder *decoder, enum target_kind kind, const char *name,
                                 bool required)
{
    struct target *target = &decoder->targets[decoder->n_targets++];
    *target = (struct target){.kind = kind, .scalar = name_index(decoder, name)};
    target->required = required;
    return target;
}

static void add_field(struct decoder *decoder, const struct field *field, uint32_t value)
{
    static const enum target_kind kinds[] = {[FIELD_NUMBER] = TARGET_NUMBER,
                                             [FIELD_ENTITY] = TARGET_ENTITY,
                                             [FIELD_CATEGORY] = TARGET_CATEGORY,
                                             [FIELD_TEXT] = TARGET_TEXT};
    struct target *target = add_target(decoder, kinds[field->type], field->name, false);
    target->value = value;
    if (field->type == FIELD_ENTITY)
        target->entity = hash_entity_kind(slice_of(field->entity_kind));
    if (field->type == FIELD_TEXT)
        decoder->texts[decoder->n_texts++] = value;
}

static void add_time(struct decoder *decoder, const char *name, const struct timefmt *format)
{
    if (!name)
        return;
    add_target(decoder, TARGET_TIME, name, true);
    decoder->time_format = *format;
}

static void add_stream(struct decoder *decoder, const struct stream *stream,
                       const char *label_column)
{
    if (stream->id_field)
        add_target(decoder, TARGET_ID, stream->id_field, true);
    add_time(decoder, stream->time_field, &stream->time_format);
    for (size_t i = 0; i < stream->n_fields; i++)
        add_field(decoder, &stream->fields[i], (uint32_t)i);
    if (label_column)
        add_target(decoder, TARGET_LABEL, label_column, false);
}

static void add_labels(struct decoder *decoder, const struct label_schema *labels)
{
    add_target(decoder, TARGET_ID, labels->id_field, true);
    add_target(decoder, TARGET_LABEL, labels->value_field, true);
    add_time(decoder, labels->time_field, &labels->time_format);
}

static enum status make_reader(struct decoder *decoder, const struct decoder_options *options,
                               struct conf_errors *errors)
{
    bool is_csv = strcmp(options->format, "csv") == 0;
    if (is_csv && !options->header.data) {
        conf_complain(errors, NULL, "%s: a topic has no header row that csv could go by; use json",
                      options->name);
        return ST_EINVAL;
    }
    if (is_csv)
        return csv_reader_create(options->header, decoder->names, decoder->n_names, options->name,
                                 errors, &decoder->csv);
    if (strcmp(options->format, "json") != 0) {
        conf_complain(errors, NULL, "%s: unknown format %s", options->name, options->format);
        return ST_EINVAL;
    }
    decoder->json = json_reader_create(decoder->names, decoder->n_names);
    return decoder->json ? ST_OK : ST_ENOMEM;
}

enum status decoder_create(const struct decoder_options *options, struct conf_errors *errors,
                           struct decoder **ret)
{
    size_t n_fields = options->stream ? options->stream->n_fields : 0, most = n_fields + 3;
    enum status st = ST_ENOMEM;
    struct decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder)
        return ST_ENOMEM;
    decoder->index = options->index;
    decoder->labels = !options->stream;
    decoder->n_values = n_fields;
    decoder->names = calloc(most, sizeof *decoder->names);
    decoder->scalars = calloc(most, sizeof *decoder->scalars);
    decoder->targets = calloc(most, sizeof *decoder->targets);
    decoder->values = calloc(most, sizeof *decoder->values);
    decoder->texts = calloc(most, sizeof *decoder->texts);
    if (!decoder->names || !decoder->scalars || !decoder->targets || !decoder->values ||
        !decoder->texts)
        goto fail;
    if (options->stream)
        add_stream(decoder, options->stream, options->label_column);
    else
        add_labels(decoder, options->labels);
    st = make_reader(decoder, options, errors);
    if (st < 0)
        goto fail;
    *ret = decoder;
    return ST_OK;
fail:
    decoder_free(decoder);
    return st;
}

void decoder_free(struct decoder *decoder)
{
    if (!decoder)
        return;
    csv_reader_free(decoder->csv);
    json_reader_free(decoder->json);
    free(decoder->names);
    free(decoder->scalars);
    free(decoder->targets);
    free(decoder->values);
    free(decoder->texts);
    buf_done(&decoder->reason);
    free(decoder);
}
