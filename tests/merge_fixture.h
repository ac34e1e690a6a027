/*
 * tests/merge_fixture.h -- a merge over one source in memory, fed by hand, and all that came out of
 * it as text.
 */
#ifndef TESTS_MERGE_FIXTURE_H
#define TESTS_MERGE_FIXTURE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>

#include "ingest/merge.h"
#include "ingest/source_memory.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define SEC    SECOND_US

static const struct field fields[] = {{"n", FIELD_NUMBER, NULL}, {"note", FIELD_TEXT, NULL}};

static const struct stream streams[] = {
    {.name = "s",
     .topic = "s",
     .format = "json",
     .id_field = "id",
     .time_field = "t",
     .time_format = {.kind = TIMEFMT_S},
     .n_fields = LEN(fields),
     .fields = fields},
    {.name = "anonymous",
     .topic = "anonymous",
     .format = "json",
     .time_field = "t",
     .time_format = {.kind = TIMEFMT_S}},
};

static inline struct schema schema_with(int64_t delay)
{
    return (struct schema){.n_streams = LEN(streams),
                           .streams = streams,
                           .labels = {.present = true,
                                      .topic = "l",
                                      .id_field = "id",
                                      .value_field = "y",
                                      .time_field = "t",
                                      .time_format = {.kind = TIMEFMT_S},
                                      .delay = delay}};
}

static inline struct merge_options usual(void)
{
    return (struct merge_options){
        .idle_max = 10 * SEC, .ahead_max = 3600 * SEC, .until = INT64_MAX};
}

/* A merge over one source, and all it has given so far as text: "lane:offset@seconds" each, behind
 * it L for a label, T for a tick, X for a dead record. */
struct rig {
    struct schema schema;
    struct source *source;
    struct merge *merge;
    struct batch *batch;
    struct conf_errors errors;
    struct buf got;
};

static inline void rig_init(struct rig *rig, bool grows, int64_t delay)
{
    *rig = (struct rig){.schema = schema_with(delay), .source = source_memory_create(grows)};
}

static inline void rig_start(struct rig *rig, struct merge_options options, size_t batch_cap)
{
    options.errors = &rig->errors;
    cr_assert(eq(int, merge_create(&options, &rig->schema, &rig->source, 1, &rig->merge), ST_OK),
              "%.*s", (int)rig->errors.text.len, rig->errors.text.data);
    cr_assert(eq(int, batch_create(batch_cap, &rig->batch), ST_OK));
}

static inline void rig_stop(struct rig *rig)
{
    merge_free(rig->merge);
    batch_free(rig->batch);
    rig->merge = NULL;
    rig->batch = NULL;
    buf_reset(&rig->got);
}

static inline void rig_done(struct rig *rig)
{
    rig_stop(rig);
    rig->source->ops->free(rig->source);
    conf_errors_done(&rig->errors);
    buf_done(&rig->got);
}

static inline void write_event(struct buf *out, const struct event *event)
{
    static const char marks[][2] = {
        [EVENT_DATA] = "", [EVENT_LABEL] = "L", [EVENT_TICK] = "T", [EVENT_DEAD] = "X"};
    if (event->kind == EVENT_TICK)
        buf_printf(out, "%g", (double)event->time / SEC);
    else
        buf_printf(out, "%u:%d@%g", event->origin.lane, (int)event->origin.offset,
                   (double)event->time / SEC);
    buf_printf(out, "%s ", marks[event->kind]);
}

/* One fill at a time of the clock; adds what came to got. */
static inline enum status fill(struct rig *rig, int64_t now)
{
    batch_reset(rig->batch);
    enum status st = merge_fill(rig->merge, rig->batch, now);
    for (size_t i = 0; i < rig->batch->n; i++)
        write_event(&rig->got, &rig->batch->events[i]);
    return st;
}

static inline enum status fill_all(struct rig *rig)
{
    enum status st;
    while ((st = fill(rig, 0)) == ST_OK)
        ;
    return st;
}

#define expect_got(rig, text)                                                                      \
    do {                                                                                           \
        cr_expect(slice_eq(buf_slice(&(rig)->got), slice_of(text)),                                \
                  "got      %.*s\n  expected %s", (int)(rig)->got.len, (rig)->got.data, text);     \
        buf_reset(&(rig)->got);                                                                    \
    } while (0)

static inline size_t add_lane(struct rig *rig, uint16_t stream, const char *topic,
                              int32_t partition)
{
    return source_memory_lane(
        rig->source, &(struct lane_info){.stream = stream, .topic = topic, .partition = partition});
}

static inline size_t add_file(struct rig *rig)
{
    return source_memory_lane(
        rig->source, &(struct lane_info){
                         .stream = 0, .topic = "events.jsonl", .format = "json", .is_file = true});
}

/* An event or a label of that second; y < 0: without one. */
static inline void add(struct rig *rig, size_t lane, int64_t t, int y)
{
    char text[100], label[16] = "null";
    if (y >= 0)
        snprintf(label, sizeof label, "%d", y);
    int len = snprintf(text, sizeof text, "{\"id\":\"%zu-%d\",\"t\":%d,\"y\":%s,\"n\":%d}", lane,
                       (int)t, (int)t, label, (int)t);
    source_memory_add(rig->source, lane, (struct slice){text, (size_t)len}, t * SEC);
}

static inline void add_text(struct rig *rig, size_t lane, const char *text, int64_t broker_time)
{
    source_memory_add(rig->source, lane, slice_of(text), broker_time);
}

/* The same pseudo-random numbers everywhere. */
static inline unsigned next_random(uint64_t *seed, unsigned below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*seed >> 33) % below;
}

#endif
