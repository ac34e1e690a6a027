/*
 * Tests of ingest/merge.h: what becomes of one record.
 *
 * What is known without running the code: where a record that cannot be read stands among the
 * others, and all that an event brings along, which follows from its text and its origin.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "ingest/merge.h"
#include "tests/merge_fixture.h"

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
