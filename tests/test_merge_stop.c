/*
 * Tests of ingest/merge.h: where reading ends, fails and goes on.
 *
 * What is known without running the code: what follows a stop is what would have followed without
 * it, for each place where a run may have stopped. Ends and failures are small exact stories.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include <math.h>

#include "ingest/merge.h"
#include "tests/merge_fixture.h"

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
