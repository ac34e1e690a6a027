/*
 * Tests of ingest/merge.h: the order.
 *
 * What is known without running the code: lanes that are sorted merge into what a sort of all their
 * records gives; lanes that are not merge into what one gets by taking the least head again and
 * again; neither depends on how many records come at once, on batch sizes or on lane depths.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include "ingest/merge.h"
#include "tests/merge_fixture.h"

#define LANES_MAX 20

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

Test(merge, free_accepts_null)
{
    merge_free(NULL);
}
