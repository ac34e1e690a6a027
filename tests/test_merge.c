/*
 * Tests of ingest/merge.h.
 *
 * What is known without running the code: lanes that are sorted merge into what a sort of all their
 * records gives; lanes that are not merge into what one gets by taking the least head again and
 * again; neither depends on how many records come at once, on batch sizes, or on where the reading
 * stopped and went on. Waiting, ticks, dead records and the labels of files are small exact
 * stories.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include <math.h>
#include <stdlib.h>

#include "ingest/merge.h"
#include "ingest/source_memory.h"

#define LEN(a)    (sizeof(a) / sizeof((a)[0]))
#define LANES_MAX 20
#define SEC       SECOND_US

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

static struct schema schema_with(int64_t delay)
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

static struct merge_options usual(void)
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

static void rig_init(struct rig *rig, bool grows, int64_t delay)
{
    *rig = (struct rig){.schema = schema_with(delay), .source = source_memory_create(grows)};
}

static void rig_start(struct rig *rig, struct merge_options options, size_t batch_cap)
{
    options.errors = &rig->errors;
    cr_assert(eq(int, merge_create(&options, &rig->schema, &rig->source, 1, &rig->merge), ST_OK),
              "%.*s", (int)rig->errors.text.len, rig->errors.text.data);
    cr_assert(eq(int, batch_create(batch_cap, &rig->batch), ST_OK));
}

static void rig_stop(struct rig *rig)
{
    merge_free(rig->merge);
    batch_free(rig->batch);
    rig->merge = NULL;
    rig->batch = NULL;
    buf_reset(&rig->got);
}

static void rig_done(struct rig *rig)
{
    rig_stop(rig);
    rig->source->ops->free(rig->source);
    conf_errors_done(&rig->errors);
    buf_done(&rig->got);
}

static void write_event(struct buf *out, const struct event *event)
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
static enum status fill(struct rig *rig, int64_t now)
{
    batch_reset(rig->batch);
    enum status st = merge_fill(rig->merge, rig->batch, now);
    for (size_t i = 0; i < rig->batch->n; i++)
        write_event(&rig->got, &rig->batch->events[i]);
    return st;
}

static enum status fill_all(struct rig *rig)
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

static size_t add_lane(struct rig *rig, uint16_t stream, const char *topic, int32_t partition)
{
    return source_memory_lane(
        rig->source, &(struct lane_info){.stream = stream, .topic = topic, .partition = partition});
}

static size_t add_file(struct rig *rig)
{
    return source_memory_lane(
        rig->source, &(struct lane_info){
                         .stream = 0, .topic = "events.jsonl", .format = "json", .is_file = true});
}

/* An event or a label of that second; y < 0: without one. */
static void add(struct rig *rig, size_t lane, int64_t t, int y)
{
    char text[100], label[16] = "null";
    if (y >= 0)
        snprintf(label, sizeof label, "%d", y);
    int len = snprintf(text, sizeof text, "{\"id\":\"%zu-%d\",\"t\":%d,\"y\":%s,\"n\":%d}", lane,
                       (int)t, (int)t, label, (int)t);
    source_memory_add(rig->source, lane, (struct slice){text, (size_t)len}, t * SEC);
}

static void add_text(struct rig *rig, size_t lane, const char *text, int64_t broker_time)
{
    source_memory_add(rig->source, lane, slice_of(text), broker_time);
}

/* The same pseudo-random numbers everywhere. */
static unsigned next_random(uint64_t *seed, unsigned below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*seed >> 33) % below;
}

/* Order: against a naive merge. */

struct naive_lane {
    int n, at;
    int64_t times[80];
    bool is_label;
};

/* Takes the least head by (time, labels first, lane), as long as there is one. */
static void merge_naively(struct naive_lane *lanes, size_t n_lanes, struct buf *ret)
{
    for (;;) {
        struct naive_lane *least = NULL;
        for (size_t i = 0; i < n_lanes; i++) {
            struct naive_lane *lane = &lanes[i];
            if (lane->at == lane->n)
                continue;
            int64_t time = lane->times[lane->at], best = least ? least->times[least->at] : 0;
            if (!least || time < best || (time == best && lane->is_label && !least->is_label))
                least = lane;
        }
        if (!least)
            return;
        buf_printf(ret, "%d:%d@%d%s ", (int)(least - lanes), least->at,
                   (int)least->times[least->at], least->is_label ? "L" : "");
        least->at++;
    }
}

static void make_lanes(struct rig *rig, struct naive_lane *lanes, size_t n_lanes, unsigned late)
{
    uint64_t seed = n_lanes * 31 + late;
    for (size_t i = 0; i < n_lanes; i++) {
        lanes[i] = (struct naive_lane){.n = (int)next_random(&seed, 80), .is_label = i % 3 == 2};
        add_lane(rig, lanes[i].is_label ? LABEL_STREAM : 0, "s", (int32_t)i);
        int64_t time = 100;
        for (int j = 0; j < lanes[i].n; j++) {
            time += next_random(&seed, 3);
            lanes[i].times[j] = time - (late ? next_random(&seed, late) : 0);
            add(rig, i, lanes[i].times[j], 1);
        }
    }
}

TheoryDataPoints(merge, takes_the_least_head) = {
    DataPoints(size_t, 1, 2, 3, 8, 20), /* lanes */
    DataPoints(unsigned, 0, 20),        /* seconds that a record may be late */
    DataPoints(size_t, 0, 1, 7),        /* records a fetch */
    DataPoints(size_t, 1, 5, 1000),     /* batch */
    DataPoints(size_t, 0, 1, 3),        /* lane depth */
};

Theory((size_t n_lanes, unsigned late, size_t chunk, size_t cap, size_t depth), merge,
       takes_the_least_head)
{
    struct rig rig;
    static struct naive_lane lanes[LANES_MAX];
    struct buf expected = {0};
    rig_init(&rig, false, 0);
    make_lanes(&rig, lanes, n_lanes, late);
    merge_naively(lanes, n_lanes, &expected);
    source_memory_set_chunk(rig.source, chunk);
    struct merge_options options = usual();
    options.lane_depth = depth;
    rig_start(&rig, options, cap);
    cr_assert(eq(int, fill_all(&rig), ST_EEND));
    cr_assert(slice_eq(buf_slice(&rig.got), buf_slice(&expected)), "%zu lanes", n_lanes);
    buf_done(&expected);
    rig_done(&rig);
}

Test(merge, ties_go_to_labels_then_topic_partition_offset)
{
    struct rig rig;
    rig_init(&rig, false, 0);
    add_lane(&rig, 0, "b", 1);            /* lane 0 */
    add_lane(&rig, 0, "b", 0);            /* 1 */
    add_lane(&rig, 0, "a", 7);            /* 2 */
    add_lane(&rig, LABEL_STREAM, "z", 1); /* 3 */
    add_lane(&rig, LABEL_STREAM, "z", 0); /* 4 */
    for (size_t lane = 0; lane < 5; lane++)
        for (int i = 0; i < 2; i++)
            add(&rig, lane, 5, 0);
    rig_start(&rig, usual(), 100);
    cr_expect(eq(int, fill_all(&rig), ST_EEND));
    expect_got(&rig, "4:0@5L 4:1@5L 3:0@5L 3:1@5L 2:0@5 2:1@5 1:0@5 1:1@5 0:0@5 0:1@5 ");
    rig_done(&rig);
}

/* Waiting. */

Test(merge, waits_for_a_silent_lane_no_longer_than_idle_max)
{
    struct rig rig;
    rig_init(&rig, true, 0);
    size_t a = add_lane(&rig, 0, "a", 0), b = add_lane(&rig, 0, "b", 0);
    for (int t = 1; t <= 6; t++)
        add(&rig, a, t, -1);
    add(&rig, b, 2, -1);
    source_memory_pause(rig.source, b, -1);
    rig_start(&rig, usual(), 100);
    cr_expect(eq(int, fill(&rig, 100 * SEC), ST_OK));
    expect_got(&rig, "0:0@1 0:1@2 1:0@2 "); /* then b may still bring a 3 */
    cr_expect(eq(int, fill(&rig, 105 * SEC), ST_EAGAIN));
    cr_expect(eq(int, fill(&rig, 110 * SEC - 1), ST_EAGAIN));
    merge_wait(rig.merge, 1000);
    cr_expect(eq(sz, source_memory_waits(rig.source), 1));
    cr_expect(eq(int, fill(&rig, 110 * SEC), ST_OK));
    expect_got(&rig, "0:2@3 0:3@4 0:4@5 0:5@6 ");
    rig_done(&rig);
}

Test(merge, what_comes_in_time_keeps_its_place)
{
    struct rig rig;
    rig_init(&rig, true, 0);
    size_t a = add_lane(&rig, 0, "a", 0), b = add_lane(&rig, 0, "b", 0);
    for (int t = 1; t <= 3; t++)
        add(&rig, a, t, -1);
    source_memory_pause(rig.source, b, 2);
    add(&rig, b, 2, -1);
    rig_start(&rig, usual(), 100);
    cr_expect(eq(int, fill(&rig, 0), ST_EAGAIN));
    cr_expect(eq(int, fill(&rig, 5 * SEC), ST_EAGAIN));
    cr_expect(eq(int, fill(&rig, 6 * SEC), ST_OK));
    expect_got(&rig, "0:0@1 0:1@2 1:0@2 0:2@3 ");
    cr_expect(eq(int, fill(&rig, 7 * SEC), ST_EAGAIN), "nothing is left");
    add(&rig, b, 1, -1); /* and a lane that has grown, though late, goes on */
    add(&rig, a, 9, -1);
    cr_expect(eq(int, fill(&rig, 8 * SEC), ST_OK));
    expect_got(&rig, "1:1@1 0:3@9 ");
    rig_done(&rig);
}

Test(merge, idle_max_0_waits_for_nobody)
{
    struct rig rig;
    rig_init(&rig, true, 0);
    size_t a = add_lane(&rig, 0, "a", 0), b = add_lane(&rig, 0, "b", 0);
    add(&rig, a, 1, -1);
    source_memory_pause(rig.source, a, -1);
    add(&rig, b, 2, -1);
    struct merge_options options = usual();
    options.idle_max = 0;
    rig_start(&rig, options, 100);
    cr_expect(eq(int, fill(&rig, 0), ST_OK));
    expect_got(&rig, "0:0@1 1:0@2 ");
    rig_done(&rig);
}

/* What is dead. */

Test(merge, a_dead_record_stands_where_it_came)
{
    struct rig rig;
    rig_init(&rig, false, 0);
    size_t a = add_lane(&rig, 0, "a", 0), b = add_lane(&rig, 0, "b", 0);
    add_text(&rig, a, "{", 0);
    add_text(&rig, a, "7", 0);
    add(&rig, a, 5, -1);
    add_text(&rig, a, "nonsense", 77 * SEC);
    add(&rig, a, 7, -1);
    add(&rig, b, 4, -1);
    add(&rig, b, 6, -1);
    rig_start(&rig, usual(), 100);
    cr_expect(eq(int, fill(&rig, 0), ST_OK));
    const struct event *dead = &rig.batch->events[1], *last = &rig.batch->events[4];
    cr_expect(slice_eq(dead->raw, slice_of("{")));
    cr_expect(eq(int, strncmp(dead->reason, "not valid JSON", 14), 0));
    cr_expect(slice_eq(last->raw, slice_of("nonsense")));
    cr_expect(eq(str, (char *)(uintptr_t)last->reason, "not a JSON object"));
    cr_expect(eq(i64, last->broker_time, 77 * SEC));
    expect_got(&rig, "1:0@4 0:0@5X 0:1@5X 0:2@5 0:3@5X 1:1@6 0:4@7 ");
    rig_done(&rig);
}

Test(merge, a_lane_of_dead_records_alone_takes_the_merged_time)
{
    struct rig rig;
    rig_init(&rig, true, 0);
    size_t a = add_lane(&rig, 0, "a", 0);
    add_text(&rig, a, "x", 0);
    add_text(&rig, a, "y", 0);
    rig_start(&rig, usual(), 100);
    fill(&rig, 0);
    expect_got(&rig, "0:0@0X 0:1@0X ");
    rig_stop(&rig);
    cr_assert(eq(int, rig.source->ops->seek(rig.source, 0, 0), ST_OK));
    rig_start(&rig, usual(), 100);
    merge_set_time(rig.merge, 50 * SEC);
    fill(&rig, 0);
    expect_got(&rig, "0:0@50X 0:1@50X ");
    rig_done(&rig);
}

/* One event dated 2099 must not take the others with it. */
Test(merge, what_is_dated_ahead_is_dead)
{
    struct rig rig;
    rig_init(&rig, false, 0);
    size_t a = add_lane(&rig, 0, "a", 0), l = add_lane(&rig, LABEL_STREAM, "l", 0);
    add_text(&rig, a, "{\"id\":1,\"t\":100}", 100 * SEC);
    add_text(&rig, a, "{\"id\":2,\"t\":4070908800}", 101 * SEC);
    add_text(&rig, a, "{\"id\":3,\"t\":3702}", 102 * SEC);       /* just not */
    add_text(&rig, a, "{\"id\":4,\"t\":3703.5}", 103 * SEC);     /* just so */
    add_text(&rig, a, "{\"id\":5,\"t\":4070908800}", TIME_NONE); /* nobody knows */
    add_text(&rig, l, "{\"id\":2,\"t\":4070908800,\"y\":1}", 101 * SEC);
    rig_start(&rig, usual(), 100);
    cr_expect(eq(int, fill(&rig, 0), ST_OK));
    const struct event *dead = &rig.batch->events[2];
    cr_expect(ne(ptr, strstr(dead->reason, "2099-01-01"), NULL), "%s", dead->reason);
    cr_expect(slice_eq(dead->raw, slice_of("{\"id\":2,\"t\":4070908800}")));
    expect_got(&rig, "1:0@0X 0:0@100 0:1@100X 0:2@3702 0:3@3702X 0:4@4.07091e+09 ");
    rig_done(&rig);
}

/* A flood of long records that cannot be read does not fill the memory: a batch ends early. */
Test(merge, a_batch_is_bounded_in_bytes)
{
    enum { LONG = 1024 * 1024, N = 40 };
    static char text[LONG];
    memset(text, 'x', sizeof text);
    struct rig rig;
    rig_init(&rig, false, 0);
    size_t a = add_lane(&rig, 0, "a", 0);
    for (int i = 0; i < N; i++)
        source_memory_add(rig.source, a, (struct slice){text, sizeof text}, 0);
    rig_start(&rig, usual(), 1000);
    size_t n = 0, most = 0;
    while (fill(&rig, 0) == ST_OK) {
        n += rig.batch->n;
        most = arena_held(&rig.batch->arena) > most ? arena_held(&rig.batch->arena) : most;
    }
    cr_expect(eq(sz, n, N));
    cr_expect(lt(sz, most, 20 * LONG));
    rig_done(&rig);
}

/* What an event brings along. */

Test(merge, an_event_owns_what_it_carries)
{
    struct rig rig;
    rig_init(&rig, false, 0);
    size_t a = add_lane(&rig, 0, "a", 0), b = add_lane(&rig, 0, "b", 0);
    for (int t = 0; t < 100; t++) {
        char text[100];
        snprintf(text, sizeof text,
                 "{\"note\":\"\\u0074his is %d\",\"id\":\"no %d\",\"t\":%d,\"n\":%d}", t, t, t, t);
        add_text(&rig, t % 3 ? a : b, text, t * SEC);
    }
    struct merge_options options = usual();
    options.lane_depth = 2;
    rig_start(&rig, options, 100);
    cr_expect(eq(int, merge_fill(rig.merge, rig.batch, 1234), ST_OK));
    cr_assert(eq(sz, rig.batch->n, 100));
    for (int t = 0; t < 100; t++) {
        const struct event *event = &rig.batch->events[t];
        char id[20], note[20];
        snprintf(id, sizeof id, "no %d", t);
        snprintf(note, sizeof note, "this is %d", t);
        cr_expect(eq(i64, event->time, t * SEC));
        cr_expect(slice_eq(event->id, slice_of(id)));
        cr_expect(key_eq(event->id_key, hash_event_id(slice_of(id))));
        cr_expect(eq(dbl, event->values[0].number, t));
        cr_expect(slice_eq(event->values[1].text, slice_of(note)));
        cr_expect(eq(i64, event->arrived, 1234));
        cr_expect(eq(sz, event->raw.len, 0));
    }
    cr_expect(rig.batch->end);
    rig_done(&rig);
}

Test(merge, an_event_without_an_id_is_known_by_where_it_came_from)
{
    struct rig rig;
    rig_init(&rig, false, 0);
    add_lane(&rig, 1, "pay.ments", 12);
    source_memory_lane(
        rig.source,
        &(struct lane_info){.stream = 1, .topic = "z.jsonl", .format = "json", .is_file = true});
    for (size_t lane = 0; lane < 2; lane++)
        for (int t = 0; t < 11; t++)
            add(&rig, lane, t, -1);
    rig_start(&rig, usual(), 100);
    cr_expect(eq(int, merge_fill(rig.merge, rig.batch, 0), ST_OK));
    const struct event *from_topic = &rig.batch->events[20], *from_file = &rig.batch->events[21];
    cr_expect(slice_eq(from_topic->id, slice_of("pay.ments-12-10")));
    cr_expect(key_eq(from_topic->id_key, hash_event_id(slice_of("pay.ments-12-10"))));
    cr_expect(slice_eq(from_file->id, slice_of("10")));
    cr_expect(key_eq(from_file->id_key, hash_event_id(slice_of("10"))));
    rig_done(&rig);
}

/* Ticks. */

Test(merge, ticks_while_nothing_comes)
{
    struct rig rig;
    rig_init(&rig, true, 0);
    size_t a = add_lane(&rig, 0, "a", 0), b = add_lane(&rig, 0, "b", 0);
    struct merge_options options = usual();
    options.tick_every = 2 * SEC;
    rig_start(&rig, options, 100);
    cr_expect(eq(int, fill(&rig, 90 * SEC), ST_EAGAIN), "no time to go on from");
    cr_expect(eq(int, fill(&rig, 95 * SEC), ST_EAGAIN));
    add(&rig, a, 1000, -1);
    cr_expect(eq(int, fill(&rig, 100 * SEC), ST_OK));
    cr_expect(eq(int, fill(&rig, 101 * SEC), ST_EAGAIN));
    cr_expect(eq(int, fill(&rig, 102 * SEC), ST_OK));
    cr_expect(eq(int, fill(&rig, 103 * SEC), ST_EAGAIN));
    cr_expect(eq(int, fill(&rig, 107 * SEC), ST_OK));
    expect_got(&rig, "0:0@1000 1002T 1007T ");
    add(&rig, b, 1004, -1); /* late, but it does not turn time back */
    cr_expect(eq(int, fill(&rig, 108 * SEC), ST_OK));
    cr_expect(eq(int, fill(&rig, 109 * SEC), ST_OK));
    expect_got(&rig, "1:0@1004 1009T ");
    source_memory_pause(rig.source, a, 2); /* something is on its way: no tick */
    cr_expect(eq(int, fill(&rig, 111 * SEC), ST_EAGAIN));
    cr_expect(eq(int, fill(&rig, 113 * SEC), ST_EAGAIN));
    cr_expect(eq(int, fill(&rig, 115 * SEC), ST_OK));
    expect_got(&rig, "1015T ");
    rig_done(&rig);
}

Test(merge, ticks_go_on_from_a_stored_time)
{
    struct rig rig;
    rig_init(&rig, true, 0);
    size_t a = add_lane(&rig, 0, "a", 0);
    struct merge_options options = usual();
    options.tick_every = 2 * SEC;
    rig_start(&rig, options, 100);
    merge_set_time(rig.merge, 1000 * SEC);
    cr_expect(eq(int, fill(&rig, 5000 * SEC), ST_EAGAIN));
    cr_expect(eq(int, fill(&rig, 5003 * SEC), ST_OK));
    add(&rig, a, 1001, -1);
    cr_expect(eq(int, fill(&rig, 5004 * SEC), ST_OK));
    cr_expect(eq(int, fill(&rig, 5006 * SEC), ST_OK));
    expect_got(&rig, "1003T 0:0@1001 1006T ");
    rig_done(&rig);
}

Test(merge, files_do_not_tick)
{
    struct rig rig;
    rig_init(&rig, false, 0);
    size_t a = add_lane(&rig, 0, "a", 0);
    add(&rig, a, 1, -1);
    struct merge_options options = usual();
    options.tick_every = SEC;
    rig_start(&rig, options, 100);
    cr_expect(eq(int, fill(&rig, 0), ST_OK));
    cr_expect(rig.batch->end);
    cr_expect(eq(int, fill(&rig, 10 * SEC), ST_EEND));
    cr_expect(rig.batch->end);
    expect_got(&rig, "0:0@1 ");
    rig_done(&rig);
}

/* Labels that a file's rows carry. */

Test(merge, a_files_labels_become_known_after_the_delay)
{
    struct rig rig;
    rig_init(&rig, false, 10 * SEC);
    size_t file = add_file(&rig);
    add(&rig, file, 1, 0);
    add(&rig, file, 2, -1); /* nobody knows */
    add(&rig, file, 5, 1);
    add(&rig, file, 11, 0); /* the label of the event at 1 comes before it */
    add(&rig, file, 12, 0);
    add(&rig, file, 3, 1); /* late: its label is known at 13, before that of 5 */
    add(&rig, file, 16, 0);
    struct merge_options options = usual();
    options.label_column = "y";
    rig_start(&rig, options, 4);
    cr_expect(eq(sz, merge_lanes(rig.merge), 2));
    cr_expect(eq(int, merge_lane(rig.merge, 1).stream, LABEL_STREAM));
    cr_expect(eq(int, fill_all(&rig), ST_EEND));
    expect_got(&rig, "0:0@1 0:1@2 0:2@5 1:0@11L 0:3@11 0:4@12 0:5@3 1:1@13L 1:2@15L 0:6@16 "
                     "1:3@21L 1:4@22L 1:5@26L ");
    rig_done(&rig);
}

Test(merge, a_label_names_its_event)
{
    struct rig rig;
    rig_init(&rig, false, 3 * SEC);
    size_t file = add_file(&rig);
    add(&rig, file, 1, 1);
    struct merge_options options = usual();
    options.label_column = "y";
    rig_start(&rig, options, 100);
    cr_assert(eq(int, merge_fill(rig.merge, rig.batch, 0), ST_OK));
    const struct event *event = &rig.batch->events[0], *label = &rig.batch->events[1];
    cr_expect(eq(dbl, event->label, 1));
    cr_expect(eq(int, label->kind, EVENT_LABEL));
    cr_expect(eq(int, label->stream, LABEL_STREAM));
    cr_expect(eq(i64, label->time, 4 * SEC));
    cr_expect(eq(dbl, label->label, 1));
    cr_expect(slice_eq(label->id, slice_of("0-1")));
    cr_expect(key_eq(label->id_key, event->id_key));
    rig_done(&rig);
}

/* Without a delay a label comes right behind its event, and before the next of that instant. */
Test(merge, a_label_without_delay_follows_its_event)
{
    struct rig rig;
    rig_init(&rig, false, 0);
    size_t file = add_file(&rig);
    for (int i = 0; i < 3; i++)
        add(&rig, file, 1, 1);
    struct merge_options options = usual();
    options.label_column = "y";
    rig_start(&rig, options, 100);
    cr_expect(eq(int, fill_all(&rig), ST_EEND));
    expect_got(&rig, "0:0@1 1:0@1L 0:1@1 1:1@1L 0:2@1 1:2@1L ");
    rig_done(&rig);
}

Test(merge, many_labels_wait_at_once)
{
    enum { N = 20000 };
    struct rig rig;
    rig_init(&rig, false, N * SEC);
    size_t file = add_file(&rig);
    for (int i = 0; i < 2 * N; i++)
        add(&rig, file, i - i % 7, i % 2);
    struct merge_options options = usual();
    options.label_column = "y";
    rig_start(&rig, options, 1000);
    int n[4] = {0};
    int64_t last = INT64_MIN;
    bool in_order = true;
    while (merge_fill(rig.merge, rig.batch, 0) == ST_OK) {
        for (size_t i = 0; i < rig.batch->n; i++) {
            const struct event *event = &rig.batch->events[i];
            in_order &= event->kind == EVENT_DATA || event->time >= last;
            in_order &= event->kind == EVENT_DATA || event->label == n[EVENT_LABEL] % 2;
            last = event->kind == EVENT_DATA ? last : event->time;
            n[event->kind]++;
        }
        batch_reset(rig.batch);
    }
    cr_expect(in_order);
    cr_expect(eq(int, n[EVENT_DATA], 2 * N));
    cr_expect(eq(int, n[EVENT_LABEL], 2 * N));
    rig_done(&rig);
}

/* A file that is sorted backwards keeps all labels waiting, and each goes in front of all others.
 */
Test(merge, labels_of_a_file_sorted_backwards)
{
    enum { N = 3000 };
    struct rig rig;
    rig_init(&rig, false, N * SEC);
    size_t file = add_file(&rig);
    for (int i = 0; i < N; i++)
        add(&rig, file, N - i, (N - i) % 3);
    struct merge_options options = usual();
    options.label_column = "y";
    rig_start(&rig, options, 2 * N);
    cr_assert(eq(int, merge_fill(rig.merge, rig.batch, 0), ST_OK));
    cr_assert(eq(sz, rig.batch->n, 2 * N));
    size_t wrong = 0;
    for (int i = 0; i < N; i++) {
        const struct event *label = &rig.batch->events[N + i];
        char id[20];
        snprintf(id, sizeof id, "0-%d", i + 1);
        wrong += label->kind != EVENT_LABEL || label->time != (N + i + 1) * SEC;
        wrong += label->label != (i + 1) % 3 || !slice_eq(label->id, slice_of(id));
    }
    cr_expect(eq(sz, wrong, 0));
    rig_done(&rig);
}

/* A pipe may be slow: what a later row would have had before it must not come first. */
Test(merge, labels_do_not_overtake_their_file)
{
    struct rig rig;
    rig_init(&rig, false, 10 * SEC);
    size_t file = add_file(&rig);
    add(&rig, file, 1, 1);
    source_memory_pause(rig.source, file, 3);
    add(&rig, file, 5, 1);
    add(&rig, file, 20, 1);
    struct merge_options options = usual();
    options.label_column = "y";
    rig_start(&rig, options, 100);
    cr_expect(eq(int, fill(&rig, 0), ST_OK));
    cr_expect(eq(int, fill(&rig, 50 * SEC), ST_EAGAIN));
    cr_expect(eq(int, fill(&rig, 90 * SEC), ST_EAGAIN));
    cr_expect(eq(int, fill_all(&rig), ST_EEND));
    expect_got(&rig, "0:0@1 0:1@5 1:0@11L 1:1@15L 0:2@20 1:2@30L ");
    rig_done(&rig);
}

/* until */

Test(merge, reads_no_event_after_until)
{
    struct rig rig;
    rig_init(&rig, false, 10 * SEC);
    size_t file = add_file(&rig), topic = add_lane(&rig, 0, "a", 0);
    for (int t = 1; t <= 30; t += 4)
        add(&rig, file, t, 1);
    add(&rig, topic, 5, -1);
    add(&rig, topic, 13, -1);
    add(&rig, topic, 6, -1);
    struct merge_options options = usual();
    options.label_column = "y";
    options.until = 12 * SEC;
    rig_start(&rig, options, 100);
    cr_expect(eq(int, fill_all(&rig), ST_EEND));
    expect_got(&rig, "0:0@1 1:0@5 0:1@5 0:2@9 2:0@11L ");
    rig_done(&rig);
}

/* Going on: for each place where a run may have stopped, what follows is what would have. */

static void make_late_files(struct rig *rig)
{
    uint64_t seed = 5;
    size_t a = add_file(rig), b = add_lane(rig, 0, "b", 0);
    for (int i = 0; i < 60; i++) {
        add(rig, a, 100 + i - (int)next_random(&seed, 12), i % 5 ? (int)next_random(&seed, 2) : -1);
        if (i % 9 == 4)
            add_text(rig, a, "dead", TIME_NONE);
        add(rig, b, 100 + i - (int)next_random(&seed, 3), -1);
    }
}

TheoryDataPoints(merge, goes_on_where_it_stopped) = {
    DataPoints(size_t, 0, 1, 2, 10, 57, 100, 140, 160, 170, 175), /* events before the stop */
    DataPoints(int, 0, 1, 7, 1000),                               /* delay of labels */
    DataPoints(size_t, 0, 3),                                     /* lane depth */
};

Theory((size_t stop, int delay, size_t depth), merge, goes_on_where_it_stopped)
{
    struct rig rig;
    struct buf whole = {0};
    int64_t next[3] = {0};
    struct merge_options options = usual();
    options.label_column = "y";
    rig_init(&rig, false, delay * SEC);
    make_late_files(&rig);
    rig_start(&rig, options, 1);
    for (size_t n = 0; fill(&rig, 0) == ST_OK; n++) {
        const struct event *event = &rig.batch->events[0];
        if (n < stop)
            next[event->origin.lane] = event->origin.offset + 1;
        if (n + 1 == stop)
            buf_reset(&rig.got);
    }
    buf_append(&whole, rig.got.data, rig.got.len);
    rig_stop(&rig);

    for (size_t lane = 0; lane < 2; lane++)
        cr_assert(eq(int, rig.source->ops->seek(rig.source, lane, 0), ST_OK));
    options.lane_depth = depth;
    rig_start(&rig, options, 16);
    for (size_t lane = 0; lane < 3; lane++)
        cr_assert(eq(int, merge_seek(rig.merge, lane, next[lane]), ST_OK));
    cr_assert(eq(int, fill_all(&rig), ST_EEND));
    cr_assert(slice_eq(buf_slice(&rig.got), buf_slice(&whole)),
              "after %zu, delay %d\n got      %.*s\n expected %.*s", stop, delay, (int)rig.got.len,
              rig.got.data, (int)whole.len, whole.data);
    buf_done(&whole);
    rig_done(&rig);
}

Test(merge, a_file_that_shrank_is_refused)
{
    static const int64_t wrong[][2] = {{3, 0}, {2, 3}, {0, 1}};
    for (size_t i = 0; i < LEN(wrong); i++) {
        struct rig rig;
        rig_init(&rig, false, 0);
        size_t file = add_file(&rig);
        add(&rig, file, 1, 1);
        add(&rig, file, 2, 1);
        struct merge_options options = usual();
        options.label_column = "y";
        rig_start(&rig, options, 100);
        cr_assert(eq(int, merge_seek(rig.merge, 0, wrong[i][0]), ST_OK));
        cr_assert(eq(int, merge_seek(rig.merge, 1, wrong[i][1]), ST_OK));
        cr_expect(eq(int, fill(&rig, 0), ST_ENOTFOUND));
        cr_expect(ne(ptr, strstr(merge_error(rig.merge), "less than was read"), NULL));
        rig_done(&rig);
    }
}

Test(merge, a_position_that_is_gone_is_refused)
{
    struct rig rig;
    rig_init(&rig, true, 0);
    add_lane(&rig, 0, "a", 0);
    rig_start(&rig, usual(), 100);
    cr_expect(eq(int, merge_seek(rig.merge, 0, 5), ST_ENOTFOUND));
    cr_expect(eq(str, (char *)(uintptr_t)merge_error(rig.merge), "as the test said"));
    rig_done(&rig);
}

/* Failures and figures. */

Test(merge, tells_a_failure_after_the_events_before_it)
{
    struct rig rig;
    rig_init(&rig, true, 0);
    size_t a = add_lane(&rig, 0, "a", 0);
    add(&rig, a, 1, -1);
    add(&rig, a, 2, -1);
    source_memory_fail(rig.source, a, ST_EIO);
    add(&rig, a, 3, -1);
    rig_start(&rig, usual(), 100);
    cr_expect(eq(int, fill(&rig, 0), ST_OK));
    expect_got(&rig, "0:0@1 0:1@2 ");
    cr_expect(eq(int, fill(&rig, 0), ST_EIO));
    cr_expect(eq(int, fill(&rig, 0), ST_EIO), "and stays failed");
    cr_expect(eq(str, (char *)(uintptr_t)merge_error(rig.merge), "as the test said"));
    rig_done(&rig);
}

Test(merge, tells_what_is_left)
{
    struct rig rig;
    rig_init(&rig, true, 0);
    size_t a = add_lane(&rig, 0, "a", 0);
    for (int t = 0; t < 10; t++)
        add(&rig, a, t, -1);
    rig_start(&rig, usual(), 4);
    cr_expect(eq(i64, merge_lag(rig.merge, 0), 10));
    fill(&rig, 0);
    cr_expect(eq(i64, merge_lag(rig.merge, 0), 6));
    cr_expect(isnan(merge_progress(rig.merge)));
    rig_done(&rig);
}

Test(merge, refuses_a_file_that_the_schema_does_not_fit)
{
    struct rig rig;
    rig_init(&rig, false, 0);
    source_memory_lane(rig.source, &(struct lane_info){.stream = 0,
                                                       .topic = "a.csv",
                                                       .format = "csv",
                                                       .header = slice_of("id,t,n"),
                                                       .is_file = true});
    struct merge_options options = usual();
    options.errors = &rig.errors;
    cr_expect(eq(int, merge_create(&options, &rig.schema, &rig.source, 1, &rig.merge), ST_EINVAL));
    cr_expect(eq(ptr, rig.merge, NULL));
    buf_byte(&rig.errors.text, '\0');
    cr_expect(ne(ptr, strstr(rig.errors.text.data, "a.csv: there is no column note"), NULL));
    rig_done(&rig);
}

Test(merge, free_accepts_null)
{
    merge_free(NULL);
}
