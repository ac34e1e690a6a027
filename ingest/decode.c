#include "ingest/decode_internal.h"

#include <math.h>

#include "base/number.h"

/* The years 1 to 9999, as in timefmt.h: durations may be added to any time without a thought. */
#define TIME_FIRST (INT64_C(-62135596800) * SECOND_US)
#define TIME_LAST  (INT64_C(253402300800) * SECOND_US - 1)

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
        return decoder_complain(decoder, target, "is no string or integer");
    ret->id = text_of(scalar);
    ret->id_key = hash_event_id(ret->id);
    return true;
}

static bool set_time(struct decoder *decoder, const struct target *target, struct event *ret)
{
    const struct scalar *scalar = &decoder->scalars[target->scalar];
    bool is_text = scalar->kind == SCALAR_TEXT || scalar->kind == SCALAR_NUMBER;
    if (!is_text || timefmt_parse(&decoder->time_format, text_of(scalar), &ret->time) < 0)
        return decoder_complain_of_time(decoder, target);
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
        return decoder_complain(decoder, target, "is no label");
    if (slice_eq(text, slice_of("true")) || slice_eq(text, slice_of("True")))
        ret->label = 1;
    else if (slice_eq(text, slice_of("false")) || slice_eq(text, slice_of("False")))
        ret->label = 0;
    else if (!is_finite_number(scalar, &ret->label))
        return decoder_complain(decoder, target, "is no label: expected a number, true or false");
    return true;
}

static bool set_number(struct decoder *decoder, const struct target *target)
{
    const struct scalar *scalar = &decoder->scalars[target->scalar];
    if (!is_finite_number(scalar, &decoder->values[target->value].number))
        return decoder_complain(decoder, target, "is no number");
    return true;
}

static bool set_entity(struct decoder *decoder, const struct target *target)
{
    const struct scalar *scalar = &decoder->scalars[target->scalar];
    if (!is_identity(scalar))
        return decoder_complain(decoder, target, "is no string or integer");
    decoder->values[target->value].entity = hash_entity_of(target->entity, text_of(scalar));
    return true;
}

static bool set_category(struct decoder *decoder, const struct target *target)
{
    const struct scalar *scalar = &decoder->scalars[target->scalar];
    if (scalar->kind == SCALAR_NESTED)
        return decoder_complain(decoder, target, "is no category");
    decoder->values[target->value].category = hash_category(text_of(scalar));
    return true;
}

static bool set_text(struct decoder *decoder, const struct target *target)
{
    const struct scalar *scalar = &decoder->scalars[target->scalar];
    if (scalar->kind == SCALAR_NESTED)
        return decoder_complain(decoder, target, "is no text");
    decoder->values[target->value].text = text_of(scalar);
    return true;
}

static bool set_missing(struct decoder *decoder, const struct target *target, struct event *ret)
{
    union value *value = &decoder->values[target->value];
    if (target->required)
        return decoder_complain(decoder, target, "is missing");
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

/* From decoder->scalars. */
static void decode(struct decoder *decoder, struct slice payload, int64_t broker_time,
                   struct event *ret)
{
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

void decoder_decode(struct decoder *decoder, struct slice payload, int64_t broker_time,
                    struct event *ret)
{
    const char *reason = read_scalars(decoder, payload);
    if (reason)
        make_dead(decoder, payload, broker_time, reason, ret);
    else
        decode(decoder, payload, broker_time, ret);
}

void decoder_decode_values(struct decoder *decoder, const struct scalar *values,
                           int64_t broker_time, struct event *ret)
{
    memcpy(decoder->scalars, values, decoder->n_names * sizeof *values);
    decode(decoder, (struct slice){0}, broker_time, ret);
}

const char *const *decoder_names(const struct decoder *decoder, size_t *ret_n)
{
    *ret_n = decoder->n_names;
    return decoder->names;
}

const uint32_t *decoder_texts(const struct decoder *decoder, size_t *ret_n)
{
    *ret_n = decoder->n_texts;
    return decoder->texts;
}
