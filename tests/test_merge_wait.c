/*
 * Tests of ingest/merge.h: waiting for silent lanes, and ticks while nothing comes.
 *
 * What is known without running the code: small exact stories, in which the clock is a parameter.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "ingest/merge.h"
#include "tests/merge_fixture.h"

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
