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

#include <stdio.h>

#include "online/head.h"

enum { MODELS = 3 };

static void add_models(struct head *head)
{
    static const char *const names[MODELS] = {"fraud", "b", "c"};
    uint32_t numbers[MODELS];
    cr_assert(eq(int, head_set_models(head, names, MODELS, numbers), ST_OK));
    head->models[0].version = 7;
    head->models[0].boundary_next = -5;
    head->models[1].examples_published = 12;
    head->models[2].active = false;
    head->models[2].contested = 9;
    head->models[2].settled = 8;
    head->models[2].rival = 1;
    canary_expect(&head->models[1].canary, 5000, &(struct canary_options){3600, 20, 0.5});
    canary_count(&head->models[1].canary, 0.25f, 0.5f);
}

static bool is_same_model(const struct head_model *a, const struct head_model *b)
{
    return strcmp(a->name, b->name) == 0 && a->active == b->active && a->version == b->version &&
           a->boundary_next == b->boundary_next && a->examples_from == b->examples_from &&
           a->examples_published == b->examples_published && a->contested == b->contested &&
           a->settled == b->settled && a->rival == b->rival &&
           memcmp(&a->canary, &b->canary, sizeof a->canary) == 0;
}

static struct head example(size_t n_lanes)
{
    struct head head;
    head_init(&head);
    head.epoch = 300;
    head.clock = 1522540831000000;
    head.examples_next = UINT64_MAX;
    head.examples_end = UINT64_MAX - 1;
    head.events = 99;
    head.replayed = 1522540800000000;
    for (size_t i = 0; i < n_lanes; i++) {
        const char *topics[] = {"transactions", "a topic of \xc3\xa9", ""};
        uint32_t lane = head_lane(&head, topics[i % 3], (int32_t)(i / 3) * 1000);
        cr_assert(eq(u32, lane, (uint32_t)i));
        head.lanes[lane].next = (int64_t)i * 1000000007 - 1;
    }
    add_models(&head);
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
    cr_assert(eq(u64, back.examples_next, head.examples_next));
    cr_assert(eq(u64, back.examples_end, head.examples_end));
    cr_assert(eq(sz, back.n_models, MODELS));
    cr_assert(eq(u32, head_version(&back), 7));
    for (size_t i = 0; i < MODELS; i++)
        cr_assert(is_same_model(&back.models[i], &head.models[i]));
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
    cr_expect(eq(u32, head_version(&head), 0), "nothing scores");
    cr_expect(eq(u32, head_lane(&head, "t", 0), 0));
    cr_expect(eq(i64, head.lanes[0].next, -1), "from the beginning");
    head_done(&head);
}

/* What it would have said is not in the log any more, when it comes back. */
Test(head, a_contest_is_dropped_once_a_model_goes)
{
    static const char *const all[] = {"fraud", "b"};
    struct head head;
    uint32_t numbers[2];
    head_init(&head);
    cr_assert(eq(int, head_set_models(&head, all, 2, numbers), ST_OK));
    head.models[1].contested = 4;
    cr_assert(eq(int, head_set_models(&head, all, 2, numbers), ST_OK));
    cr_expect(eq(u32, head.models[1].settled, 0), "they are as they were");
    cr_assert(eq(int, head_set_models(&head, all + 1, 1, numbers), ST_OK));
    cr_assert(eq(int, head_set_models(&head, all, 2, numbers), ST_OK));
    cr_expect(eq(u32, head.models[1].settled, 4));
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
    buf.data[8] = 7;
    cr_expect(eq(int, head_decode(buf_slice(&buf), &ret), ST_EVERSION), "a newer format");
    cr_expect(eq(sz, ret.n_lanes, 1), "untouched");
    head_done(&head);
    head_done(&ret);
    buf_done(&buf);
}

/* As the first two formats had them: one model, without a name. The first had no `replayed`. */
static struct buf old_head(uint32_t format, const struct head *head)
{
    struct buf old = {0};
    buf_u64(&old, head->epoch);
    buf_u32(&old, format);
    buf_u64(&old, (uint64_t)head->clock);
    buf_u64(&old, (uint64_t)-5);
    buf_u32(&old, 7);
    buf_u64(&old, 1000);
    buf_u64(&old, 12);
    buf_u64(&old, head->events);
    if (format == 2)
        buf_u64(&old, (uint64_t)head->replayed);
    buf_varint(&old, head->n_lanes);
    for (size_t i = 0; i < head->n_lanes; i++) {
        buf_slice_put(&old, slice_of(head->lanes[i].topic));
        buf_varint_signed(&old, head->lanes[i].partition);
        buf_varint_signed(&old, head->lanes[i].next);
    }
    return old;
}

TheoryDataPoints(head, older_formats_are_read) = {
    DataPoints(uint32_t, 1, 2),
};

Theory((uint32_t format), head, older_formats_are_read)
{
    static const char *const names[] = {"fraud", "new"};
    uint32_t numbers[2];
    struct head head = example(3), ret = example(0);
    struct buf old = old_head(format, &head);
    cr_assert(eq(int, head_decode(buf_slice(&old), &ret), ST_OK));
    cr_expect(eq(i64, ret.replayed, format == 1 ? INT64_MIN : head.replayed));
    cr_expect(eq(u64, ret.events, 99));
    cr_expect(eq(sz, ret.n_lanes, 3));
    cr_expect(eq(u32, head_version(&ret), 7));
    cr_assert(eq(int, head_set_models(&ret, names, 2, numbers), ST_OK));
    cr_expect(eq(u32, numbers[0], 0), "the first asked for is the one that there was");
    cr_expect(eq(i64, ret.models[0].boundary_next, -5));
    cr_expect(eq(u64, ret.models[0].examples_from, 0));
    cr_expect(eq(u64, ret.models[0].examples_published, 12));
    cr_expect(eq(u64, ret.models[1].examples_from, 1000), "it learns from now on");
    head_done(&head);
    head_done(&ret);
    buf_done(&old);
}

Test(head, models_keep_their_numbers_while_others_come_and_go)
{
    static const char *const first[] = {"a", "b"}, *const second[] = {"c", "a"},
                             *const third[] = {"b", "c"};
    uint32_t numbers[2];
    struct head head;
    head_init(&head);
    cr_assert(eq(int, head_set_models(&head, first, 2, numbers), ST_OK));
    cr_expect(numbers[0] == 0 && numbers[1] == 1 && head.champion == 0);
    head.models[1].version = 5;
    head.examples_next = 100;
    cr_assert(eq(int, head_set_models(&head, second, 2, numbers), ST_OK));
    cr_expect(numbers[0] == 2 && numbers[1] == 0 && head.champion == 2);
    cr_expect(not(head.models[1].active));
    cr_expect(eq(u64, head.models[2].examples_from, 100), "a new one learns from now on");
    cr_expect(eq(u64, head.models[0].examples_from, 0), "one that stays, as before");
    head.examples_next = 200;
    cr_assert(eq(int, head_set_models(&head, third, 2, numbers), ST_OK));
    cr_expect(numbers[0] == 1 && numbers[1] == 2);
    cr_expect(eq(u64, head.models[1].examples_from, 200), "one that was away misses what came");
    cr_expect(eq(u32, head_version(&head), 5), "but goes on from its version");
    head_done(&head);
}

Test(head, refuses_one_model_too_many)
{
    struct head head;
    uint32_t number;
    char name[16];
    const char *names[] = {name};
    head_init(&head);
    for (int i = 0; i < HEAD_MODELS_MAX + 1; i++) {
        snprintf(name, sizeof name, "m%d", i);
        cr_expect(eq(int, head_set_models(&head, names, 1, &number),
                     i < HEAD_MODELS_MAX ? ST_OK : ST_EINVAL));
    }
    head_done(&head);
}

/* More are announced than there are bytes for: nothing may be allocated for them all. The last
 * four bytes of an empty head are the number of lanes, the champion, the one intended and the
 * number of models. */
TheoryDataPoints(head, refuses_a_count_out_of_all_bounds) = {
    DataPoints(size_t, 1, 2, 3, 4),
};

Theory((size_t from_end), head, refuses_a_count_out_of_all_bounds)
{
    struct head head, ret = example(0);
    struct buf buf = {0}, end = {0};
    head_init(&head);
    head_encode(&head, &buf);
    buf_append(&end, buf.data + buf.len - from_end + 1, from_end - 1);
    buf.len -= from_end;
    buf_varint(&buf, UINT64_MAX);
    buf_append(&buf, end.data, end.len);
    cr_expect(eq(int, head_decode(buf_slice(&buf), &ret), ST_ECORRUPT));
    head_done(&ret);
    buf_done(&buf);
    buf_done(&end);
}
