/*
 * Tests of ingest/commit.h: the way of rows to the sink.
 *
 * What is known without running it: rows are sent in their order and as they were stored, again
 * after a crash, until they are acknowledged; then they leave the store with the next write.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "ingest/commit.h"
#include "tests/commit_fixture.h"

static enum status count_block(void *arg, uint64_t first, uint64_t n, struct slice block)
{
    uint64_t *next = arg;
    (void)block;
    cr_assert(eq(u64, first, *next));
    *next += n;
    return ST_OK;
}

Test(commit, rows_are_sent_again_as_stored)
{
    struct process p = fresh();
    put_row(&p, 7, 100, "first");
    put_row(&p, 8, 101, "second");
    commit(&p);
    put_row(&p, 7, 102, "third");
    commit(&p);
    produce(&p);
    cr_expect(eq(sz, sink_memory_rows(p.sink), 3));
    for (int times = 0; times < 2; times++) {
        restart(&p);
        cr_expect(eq(u64, p.recovered, 2));
        cr_expect(eq(u64, commit_outbox_depth(p.commit), 3));
        produce(&p);
        cr_assert(eq(sz, sink_memory_rows(p.sink), 3));
        cr_expect(eq(str, (char *)payload_at(&p, 0), "first"));
        cr_expect(eq(str, (char *)payload_at(&p, 2), "third"));
        const struct row *row = sink_memory_row(p.sink, 1);
        cr_expect(eq(str, (char *)row->topic, "even"));
        cr_expect(eq(i32, row->partition, 84));
        cr_expect(eq(i64, row->offset, 101));
        cr_expect(slice_eq(row->key, slice_of("key")));
        cr_expect(eq(str, (char *)sink_memory_row(p.sink, 0)->topic, "odd"));
    }
    end(&p);
}

Test(commit, acknowledged_rows_leave_with_the_next_write)
{
    struct process p = fresh();
    sink_memory_script(p.sink)->hold = 0;
    for (int i = 0; i < 3; i++) {
        put_row(&p, 0, i, "a");
        put_row(&p, 0, i, "b");
        commit(&p);
    }
    produce(&p);
    cr_expect(eq(u64, commit_outbox_depth(p.commit), 6));
    sink_memory_script(p.sink)->hold = 3; /* all of the first epoch, half of the second */
    produce(&p);
    cr_expect(eq(u64, commit_outbox_depth(p.commit), 3));
    cr_expect(eq(str, (char *)keys(&p, STORE_OUTBOX), "o1 o2 o3 "), "nothing was written yet");
    commit(&p);
    cr_expect(eq(str, (char *)keys(&p, STORE_OUTBOX), "o2 o3 "));
    sink_memory_script(p.sink)->hold = 6;
    produce(&p);
    cr_assert(eq(int, commit_tidy(p.commit), ST_OK));
    cr_expect(eq(str, (char *)keys(&p, STORE_OUTBOX), ""));
    restart(&p);
    produce(&p);
    cr_expect(eq(sz, sink_memory_rows(p.sink), 0));
    end(&p);
}

Test(commit, waits_where_too_many_rows_do)
{
    struct process p = fresh();
    sink_memory_script(p.sink)->hold = 0;
    for (int i = 0; i < 19; i++)
        put_row(&p, 0, i, "x");
    commit(&p);
    cr_expect(commit_ready(p.commit));
    put_row(&p, 0, 19, "x");
    commit(&p);
    cr_expect(not(commit_ready(p.commit)));
    produce(&p);
    cr_expect(not(commit_ready(p.commit)), "sent is not acknowledged");
    sink_memory_script(p.sink)->hold = 1;
    produce(&p);
    cr_expect(commit_ready(p.commit));
    struct commit_figures figures = commit_figures(p.commit);
    cr_expect(eq(u64, figures.rows_sent, 20));
    cr_expect(eq(u64, figures.rows_acked, 1));
    end(&p);
}

/* A sink that takes few rows at a time gets all of them in order, however epochs and calls fall. */
Test(commit, a_full_sink_gets_the_rest_later)
{
    struct process p = fresh();
    char text[16];
    int sent = 0;
    for (int round = 0; round < 40; round++) {
        sink_memory_script(p.sink)->full_at = 1 + (uint64_t)round % 4;
        for (int i = 0; i < round % 5; i++, sent++) {
            snprintf(text, sizeof text, "%d", sent);
            put_row(&p, 0, sent, text);
        }
        commit(&p);
        produce(&p);
    }
    while (commit_outbox_depth(p.commit) > 0)
        produce(&p);
    cr_assert(eq(sz, sink_memory_rows(p.sink), (size_t)sent));
    for (int i = 0; i < sent; i++) {
        snprintf(text, sizeof text, "%d", i);
        cr_assert(eq(str, (char *)payload_at(&p, (size_t)i), text));
    }
    end(&p);
}

/* Epochs and blocks of the log go round in arrays, which grow while they are not empty. */
Test(commit, many_epochs_wait_behind_some_that_are_done)
{
    struct process p = fresh();
    char expected[8];
    for (int i = 0; i < 1000; i++) {
        sink_memory_script(p.sink)->hold = i < 5 ? (uint64_t)i : i < 700 ? 5 : UINT64_MAX;
        snprintf(expected, sizeof expected, "%d", i);
        put_row(&p, 0, i, expected);
        put_item(&p, expected);
        if (i == 100)
            offer(&p, 90);
        commit(&p);
        produce(&p);
    }
    commit(&p);
    cr_expect(eq(str, (char *)keys(&p, STORE_OUTBOX), ""));
    uint64_t next = 90;
    cr_assert(eq(sz, strlen(keys(&p, STORE_EXAMPLES)), 10 * 4 + 900 * 5));
    cr_expect(eq(int, commit_read_examples(p.store, 0, count_block, &next), ST_OK));
    cr_expect(eq(u64, next, 1000));
    offer(&p, 1000);
    commit(&p);
    cr_expect(eq(str, (char *)keys(&p, STORE_EXAMPLES), ""));
    for (size_t i = 0; i < 1000; i++) {
        snprintf(expected, sizeof expected, "%d", (int)i);
        cr_assert(eq(str, (char *)payload_at(&p, i), expected));
    }
    end(&p);
}

Test(commit, a_broken_sink_is_told)
{
    struct process p = fresh();
    put_row(&p, 0, 0, "x");
    commit(&p);
    sink_memory_script(p.sink)->broken = ST_EIO;
    cr_expect(eq(int, commit_produce(p.commit, 0), ST_EIO));
    sink_memory_script(p.sink)->broken = ST_OK;
    produce(&p);
    cr_expect(eq(sz, sink_memory_rows(p.sink), 1));
    end(&p);
}
