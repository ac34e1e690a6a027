/* What holds of any record that a decoder was given. */
#ifndef TESTS_DECODE_LAWS_H
#define TESTS_DECODE_LAWS_H

#include <math.h>

#include "ingest/decode.h"
#include "tests/fuzz/fuzz.h"

#define YEAR_1_US     (INT64_C(-62135596800) * SECOND_US)
#define YEAR_10000_US (INT64_C(253402300800) * SECOND_US)

static struct decoder *make_decoder(const char *format, const char *header, bool labels)
{
    const struct schema *schema = fuzz_schema();
    struct conf_errors errors = {0};
    struct decoder *decoder = NULL;
    struct decoder_options options = {.format = format,
                                      .stream = labels ? NULL : &schema->streams[0],
                                      .labels = &schema->labels,
                                      .index = labels ? LABEL_STREAM : 0,
                                      .name = "fuzz",
                                      .header = slice_of(header)};
    FUZZ_LAW(decoder_create(&options, &errors, &decoder) == ST_OK, "the decoder is made");
    return decoder;
}

static void check_dead(const struct event *event, struct slice payload)
{
    FUZZ_LAW(event->reason && event->reason[0], "what is refused has a reason");
    FUZZ_LAW(!strchr(event->reason, '\n'), "the reason is one line");
    FUZZ_LAW(slice_eq(event->raw, payload), "what is refused is kept as it came");
}

static void check_values(const struct event *event)
{
    const struct stream *stream = &fuzz_schema()->streams[0];
    for (size_t i = 0; event->kind == EVENT_DATA && i < stream->n_fields; i++)
        if (stream->fields[i].type == FIELD_NUMBER)
            FUZZ_LAW(!isinf(event->values[i].number), "no number is infinite");
}

/* A record of any bytes, and after it one that is good and must not have suffered. */
static void check_decoder(struct decoder *decoder, struct slice payload, const char *good)
{
    struct event event, again;
    decoder_decode(decoder, payload, 1000, &event);
    if (event.kind == EVENT_DEAD) {
        check_dead(&event, payload);
    } else {
        FUZZ_LAW(event.time >= YEAR_1_US && event.time < YEAR_10000_US, "its time has a date");
        FUZZ_LAW(!key_is_none(event.id_key) && event.id.len > 0, "it has an id");
        FUZZ_LAW(event.kind == EVENT_DATA || isfinite(event.label), "a label is a number");
        check_values(&event);
        struct key128 id = event.id_key;
        decoder_decode(decoder, payload, 1000, &again);
        FUZZ_LAW(again.kind == event.kind && again.time == event.time && key_eq(again.id_key, id),
                 "the same record is the same event");
    }
    decoder_decode(decoder, slice_of(good), 1000, &event);
    FUZZ_LAW(event.kind != EVENT_DEAD, "a good record after a bad one is good");
}

#endif
