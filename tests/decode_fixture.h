/*
 * tests/decode_fixture.h -- one stream, its decoders, and what is expected of a record that is no
 * event.
 */
#ifndef TESTS_DECODE_FIXTURE_H
#define TESTS_DECODE_FIXTURE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>

#include "ingest/decode.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define TEXT   400

/* The stream of most tests: t seconds, an id, and one field of each type; "deep.site" reaches into
 * an object. */
static const struct field fields[] = {
    {"user", FIELD_ENTITY, "person"},    {"amount", FIELD_NUMBER, NULL},
    {"device", FIELD_CATEGORY, NULL},    {"note", FIELD_TEXT, NULL},
    {"deep.site", FIELD_ENTITY, "site"},
};
enum { USER, AMOUNT, DEVICE, NOTE, SITE };

static const struct stream stream = {
    .name = "s",
    .topic = "s",
    .format = "json",
    .id_field = "id",
    .time_field = "t",
    .time_format = {.kind = TIMEFMT_S},
    .n_fields = LEN(fields),
    .fields = fields,
    .score = true,
};

static const struct label_schema labels = {
    .present = true,
    .topic = "l",
    .id_field = "id",
    .value_field = "value",
    .time_field = "t",
    .time_format = {.kind = TIMEFMT_S},
};

static const char header[] = "id,t,user,amount,device,note,deep.site,is_fraud";

static inline struct decoder *make(const struct decoder_options *options)
{
    struct conf_errors errors = {0};
    struct decoder *decoder = NULL;
    cr_assert(eq(int, decoder_create(options, &errors, &decoder), ST_OK), "%.*s",
              (int)errors.text.len, errors.text.data);
    return decoder;
}

static inline struct decoder *make_json(void)
{
    return make(&(struct decoder_options){.format = "json",
                                          .stream = &stream,
                                          .index = 3,
                                          .label_column = "is_fraud",
                                          .name = "s.jsonl"});
}

static inline struct decoder *make_csv(void)
{
    return make(&(struct decoder_options){.format = "csv",
                                          .stream = &stream,
                                          .index = 3,
                                          .label_column = "is_fraud",
                                          .name = "s.csv",
                                          .header = slice_of(header)});
}

static inline struct decoder *make_labels(void)
{
    return make(&(struct decoder_options){
        .format = "json", .labels = &labels, .index = LABEL_STREAM, .name = "l"});
}

/* Decodes a copy that ends where its memory does, so that reading past it is found out. */
static inline struct event decode(struct decoder *decoder, const char *text, char **ret_copy)
{
    size_t len = strlen(text);
    char *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    struct event event = {0};
    decoder_decode(decoder, (struct slice){copy, len}, TIME_NONE, &event);
    *ret_copy = copy;
    return event;
}

static inline bool is_entity(const struct event *event, size_t i, const char *kind, const char *id)
{
    return key_eq(event->values[i].entity, hash_entity(slice_of(kind), slice_of(id)));
}

struct refusal {
    char text[TEXT];
    char reason[120]; /* how the reason begins */
};

static inline void expect_refusal(struct decoder *decoder, const char *good,
                                  const struct refusal *c)
{
    char *copy, *after;
    struct event event = decode(decoder, c->text, &copy);
    cr_assert(eq(int, event.kind, EVENT_DEAD), "%s: was taken", c->text);
    cr_expect(eq(int, strncmp(event.reason, c->reason, strlen(c->reason)), 0),
              "%s:\n  gave     %s\n  expected %s", c->text, event.reason, c->reason);
    cr_expect(eq(ptr, (void *)(uintptr_t)event.raw.data, copy), "%s", c->text);
    cr_expect(key_is_none(event.id_key), "%s", c->text);
    event = decode(decoder, good, &after);
    cr_expect(ne(int, event.kind, EVENT_DEAD), "%s spoilt the next: %s", c->text, event.reason);
    decoder_free(decoder);
    free(copy);
    free(after);
}

#endif
