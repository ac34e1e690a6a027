/*
 * Tests of ingest/merge.h: the labels that a file's rows carry.
 *
 * What is known without running the code: a row's label comes `delay` after its event, in a lane of
 * its own, in order of time and then of rows; the positions follow from the rows.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "ingest/merge.h"
#include "tests/merge_fixture.h"

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
