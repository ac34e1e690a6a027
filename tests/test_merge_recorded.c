/*
 * Tests of the merge in a recorded order (merge_options.next_run).
 *
 * What is known without running it: whatever their times, records come out as the runs name them,
 * ticks with the times that were recorded; what no run names is left out; how many records come at
 * once and how large batches are does not matter. A record that has not come yet is waited for; one
 * that is not there, or a lane that is not, is refused by name, behind all that came before it.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include "ingest/epoch.h"
#include "ingest/merge.h"
#include "ingest/source_memory.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

enum { LANES = 2, RECORDS = 6 };

static const struct stream stream = {.name = "s",
                                     .topic = "s",
                                     .format = "json",
                                     .id_field = "id",
                                     .time_field = "t",
                                     .time_format = {.kind = TIMEFMT_S}};
static const struct schema schema = {.n_streams = 1, .streams = &stream};

struct rig {
    struct source *source;
    struct merge *merge;
    struct batch *batch;
    struct buf runs, got;
    struct reader in;
};

static enum status next_run(void *arg, struct run *ret)
{
    return runs_next(arg, ret);
}

/* Lane 0 has the times 100 to 105, lane 1 0 to 5: by time all of lane 1 would come first. */
static void rig_init(struct rig *rig, size_t chunk)
{
    *rig = (struct rig){.source = source_memory_create(true)};
    for (int lane = 0; lane < LANES; lane++) {
        source_memory_lane(rig->source, &(struct lane_info){.topic = "s", .partition = lane});
        for (int i = 0; i < RECORDS; i++) {
            char text[80];
            snprintf(text, sizeof text, "{\"id\":\"%d-%d\",\"t\":%d}", lane, i,
                     lane == 0 ? 100 + i : i);
            source_memory_add(rig->source, (size_t)lane, slice_of(text), TIME_NONE);
        }
    }
    source_memory_set_chunk(rig->source, chunk);
}

/* Words: LANE:OFFSET is taken, TIME is a tick. */
static void record(struct rig *rig, const char *words)
{
    struct runs runs = {0};
    for (const char *at = words; *at;) {
        unsigned lane, offset;
        int n = 0;
        if (sscanf(at, "%u:%u %n", &lane, &offset, &n) == 2)
            runs_take(&runs, &rig->runs, (struct origin){lane, offset});
        else if (sscanf(at, "%u %n", &offset, &n) == 1)
            runs_tick(&runs, &rig->runs, offset * SECOND_US);
        at += n;
    }
    runs_close(&runs, &rig->runs);
    rig->in = reader_of(buf_slice(&rig->runs));
}

static void start(struct rig *rig, size_t batch_cap)
{
    struct merge_options options = {
        .until = INT64_MAX, .ahead_max = 1, .next_run = next_run, .runs_arg = &rig->in};
    cr_assert(eq(int, merge_create(&options, &schema, &rig->source, 1, &rig->merge), ST_OK));
    cr_assert(eq(int, batch_create(batch_cap, &rig->batch), ST_OK));
}

static void rig_done(struct rig *rig)
{
    merge_free(rig->merge);
    batch_free(rig->batch);
    rig->source->ops->free(rig->source);
    buf_done(&rig->runs);
    buf_done(&rig->got);
}

static enum status fill(struct rig *rig)
{
    batch_reset(rig->batch);
    enum status st = merge_fill(rig->merge, rig->batch, 0);
    for (size_t i = 0; i < rig->batch->n; i++) {
        const struct event *event = &rig->batch->events[i];
        if (event->kind == EVENT_TICK)
            buf_printf(&rig->got, "%d ", (int)(event->time / SECOND_US));
        else
            buf_printf(&rig->got, "%u:%d ", event->origin.lane, (int)event->origin.offset);
    }
    return st;
}

static enum status fill_all(struct rig *rig)
{
    enum status st;
    while ((st = fill(rig)) == ST_OK)
        ;
    return st;
}

#define expect_got(rig, text)                                                                      \
    cr_expect(slice_eq(buf_slice(&(rig)->got), slice_of(text)), "got      %.*s\n  expected %s",    \
              (int)(rig)->got.len, (rig)->got.data, text)

static const char *const orders[] = {
    "0:0 1:0 1:1 0:1 0:2 1:2 ",
    "0:0 0:1 0:2 0:3 0:4 0:5 1:0 1:1 1:2 1:3 1:4 1:5 ",
    "7 0:0 200 201 1:0 202 ",
    "0:2 1:3 1:5 ", /* a gap was accepted */
    "5 4 ",
    "",
};

TheoryDataPoints(merge_recorded, comes_as_it_was_recorded) = {
    DataPoints(size_t, 0, 1, 2, 3, 4, 5),
    DataPoints(size_t, 0, 1, 4),
    DataPoints(size_t, 1, 3, 64),
};

Theory((size_t order, size_t chunk, size_t batch_cap), merge_recorded, comes_as_it_was_recorded)
{
    struct rig rig;
    rig_init(&rig, chunk);
    record(&rig, orders[order]);
    start(&rig, batch_cap);
    cr_expect(eq(int, fill_all(&rig), ST_EEND));
    expect_got(&rig, orders[order]);
    rig_done(&rig);
}

Test(merge_recorded, what_has_not_come_is_waited_for)
{
    struct rig rig;
    rig_init(&rig, 0);
    source_memory_pause(rig.source, 1, 2); /* behind what is there */
    source_memory_add(rig.source, 1, slice_of("{\"id\":\"x\",\"t\":1}"), TIME_NONE);
    record(&rig, "0:0 1:6 0:1 ");
    start(&rig, 8);
    cr_expect(eq(int, fill(&rig), ST_OK));
    expect_got(&rig, "0:0 ");
    cr_expect(eq(int, fill(&rig), ST_EAGAIN));
    cr_expect(eq(int, fill(&rig), ST_OK));
    expect_got(&rig, "0:0 1:6 0:1 ");
    rig_done(&rig);
}

Test(merge_recorded, begins_where_it_is_sought)
{
    struct rig rig;
    rig_init(&rig, 0);
    record(&rig, "1:4 0:0 1:5 ");
    start(&rig, 8);
    cr_assert(eq(int, merge_seek(rig.merge, 1, 4), ST_OK));
    cr_expect(eq(int, fill_all(&rig), ST_EEND));
    expect_got(&rig, "1:4 0:0 1:5 ");
    rig_done(&rig);
}

struct refusal {
    char order[40], got[40], error[60];
    int seek; /* lane 0 to here */
};

ParameterizedTestParameters(merge_recorded, refuses_what_is_not_there)
{
    static struct refusal refusals[] = {
        {"1:0 0:5 0:6 ", "1:0 0:5 ", "s [0]: the record at offset 6", 0},
        {"1:0 0:2 ", "1:0 ", "s [0]: the record at offset 2", 3},
        {"1:0 7:0 ", "1:0 ", "not configured", 0},
    };
    return cr_make_param_array(struct refusal, refusals, LEN(refusals));
}

ParameterizedTest(struct refusal *c, merge_recorded, refuses_what_is_not_there)
{
    struct rig rig;
    rig_init(&rig, 0);
    record(&rig, c->order);
    start(&rig, 8);
    cr_assert(eq(int, merge_seek(rig.merge, 0, c->seek), ST_OK));
    cr_expect(eq(int, fill_all(&rig), ST_ENOTFOUND), "%s", c->order);
    expect_got(&rig, c->got);
    cr_expect(strstr(merge_error(rig.merge), c->error) != NULL, "%s", merge_error(rig.merge));
    rig_done(&rig);
}
