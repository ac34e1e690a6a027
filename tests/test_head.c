/*
 * Tests of online/head.h.
 *
 * What is known without running it: a head reads back as it was written, lanes keep their numbers,
 * the epoch stands first (the commit protocol reads it there), and bytes that were cut or are
 * another format's are refused.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include "online/head.h"

static struct head example(size_t n_lanes)
{
    struct head head;
    head_init(&head);
    head.epoch = 300;
    head.clock = 1522540831000000;
    head.boundary_next = -5;
    head.version = 7;
    head.examples_next = UINT64_MAX;
    head.examples_published = 12;
    head.events = 99;
    head.replayed = 1522540800000000;
    for (size_t i = 0; i < n_lanes; i++) {
        const char *topics[] = {"transactions", "a topic of \xc3\xa9", ""};
        uint32_t lane = head_lane(&head, topics[i % 3], (int32_t)(i / 3) * 1000);
        cr_assert(eq(u32, lane, (uint32_t)i));
        head.lanes[lane].next = (int64_t)i * 1000000007 - 1;
    }
    return head;
}

TheoryDataPoints(head, reads_back_as_it_was_written) = {
    DataPoints(size_t, 0, 1, 2, 100),
};

Theory((size_t n_lanes), head, reads_back_as_it_was_written)
{
    struct head head = example(n_lanes), back = example(2);
    struct buf buf = {0}, again = {0};
    head_encode(&head, &buf);
    cr_assert(eq(int, head_decode(buf_slice(&buf), &back), ST_OK));
    cr_assert(eq(u64, back.epoch, head.epoch));
    cr_assert(eq(i64, back.clock, head.clock));
    cr_assert(eq(i64, back.boundary_next, head.boundary_next));
    cr_assert(eq(u32, back.version, head.version));
    cr_assert(eq(u64, back.examples_next, head.examples_next));
    cr_assert(eq(u64, back.examples_published, head.examples_published));
    cr_assert(eq(u64, back.events, head.events));
    cr_assert(eq(i64, back.replayed, head.replayed));
    cr_assert(eq(sz, back.n_lanes, n_lanes));
    for (size_t i = 0; i < n_lanes; i++) {
        cr_assert(eq(str, back.lanes[i].topic, head.lanes[i].topic));
        cr_assert(eq(i32, back.lanes[i].partition, head.lanes[i].partition));
        cr_assert(eq(i64, back.lanes[i].next, head.lanes[i].next));
    }
    head_encode(&back, &again);
    cr_assert(slice_eq(buf_slice(&buf), buf_slice(&again)));
    struct reader in = reader_of(buf_slice(&buf));
    cr_assert(eq(u64, read_u64(&in), 300), "the epoch is first");
    head_done(&head);
    head_done(&back);
    buf_done(&buf);
    buf_done(&again);
}

Test(head, a_fresh_one_has_not_begun)
{
    struct head head;
    head_init(&head);
    cr_expect(eq(u64, head.epoch, 0));
    cr_expect(eq(i64, head.clock, INT64_MIN));
    cr_expect(eq(i64, head.boundary_next, INT64_MIN));
    cr_expect(eq(u32, head_lane(&head, "t", 0), 0));
    cr_expect(eq(i64, head.lanes[0].next, -1), "from the beginning");
    head_done(&head);
}

Test(head, a_lane_is_found_again_by_topic_and_partition)
{
    struct head head;
    head_init(&head);
    cr_expect(eq(u32, head_lane(&head, "t", 0), 0));
    cr_expect(eq(u32, head_lane(&head, "t", 1), 1));
    cr_expect(eq(u32, head_lane(&head, "tt", 0), 2));
    cr_expect(eq(u32, head_lane(&head, "t", 1), 1));
    cr_expect(eq(sz, head.n_lanes, 3));
    head_done(&head);
}

Test(head, refuses_what_is_not_whole)
{
    struct head head = example(3), ret = example(1);
    struct buf buf = {0};
    head_encode(&head, &buf);
    for (size_t len = 0; len < buf.len; len++)
        cr_expect(eq(int, head_decode((struct slice){buf.data, len}, &ret), ST_ECORRUPT));
    buf_byte(&buf, 0);
    cr_expect(eq(int, head_decode(buf_slice(&buf), &ret), ST_ECORRUPT), "too long");
    buf.data[8] = 3;
    cr_expect(eq(int, head_decode(buf_slice(&buf), &ret), ST_EVERSION), "a newer format");
    cr_expect(eq(sz, ret.n_lanes, 1), "untouched");
    head_done(&head);
    head_done(&ret);
    buf_done(&buf);
}

/* The first format had no `replayed`: 8 bytes behind the fixed part. */
Test(head, the_first_format_is_read)
{
    struct head head = example(3), ret = example(0);
    struct buf buf = {0}, old = {0};
    size_t at = 8 + 4 + 8 + 8 + 4 + 8 + 8 + 8;
    head_encode(&head, &buf);
    buf_append(&old, buf.data, at);
    buf_append(&old, buf.data + at + 8, buf.len - at - 8);
    old.data[8] = 1;
    cr_assert(eq(int, head_decode(buf_slice(&old), &ret), ST_OK));
    cr_expect(eq(i64, ret.replayed, INT64_MIN));
    cr_expect(eq(u64, ret.events, 99));
    cr_expect(eq(sz, ret.n_lanes, 3));
    head_done(&head);
    head_done(&ret);
    buf_done(&buf);
    buf_done(&old);
}

/* More lanes are announced than there are bytes for: nothing may be allocated for them all. */
Test(head, refuses_a_count_of_lanes_out_of_all_bounds)
{
    struct head head = example(0), ret = example(0);
    struct buf buf = {0};
    head_encode(&head, &buf);
    buf.len--;
    buf_varint(&buf, UINT64_MAX);
    cr_expect(eq(int, head_decode(buf_slice(&buf), &ret), ST_ECORRUPT));
    head_done(&ret);
    buf_done(&buf);
}
