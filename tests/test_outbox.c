/*
 * Tests of what becomes of rows on their way out: ingest/outbox.h through ingest/commit.h.
 *
 * What is known without running it: the group is told of an epoch only when all its rows went to
 * the sink, and never of less than before; rows that the sink took back come again in their order
 * and with their bytes, whatever was acknowledged; a row refused for good is stored under its
 * origin, once, before the group is told of its epoch; after a start none of the rows that are
 * known to be out is sent, nor one below where the state keeps quiet, and all others are.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include "ingest/commit.h"
#include "tests/commit_fixture.h"

/* An epoch with rows of the next records of a lane; their payload is "LANE.OFFSET". */
static void write_rows(struct process *p, uint32_t lane, int rows)
{
    char text[32];
    for (int i = 0; i < rows; i++) {
        snprintf(text, sizeof text, "%u.%d", lane, (int)p->next[lane]);
        put_row(p, lane, p->next[lane]++, text);
    }
    for (uint32_t i = 0; i < 2; i++)
        positions_put(&p->epoch.positions, i, p->next[i]);
    commit(p);
}

/* "0.0 0.1 ": the payloads that arrived. */
static const char *arrived(const struct process *p)
{
    static char text[4096];
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sink_memory_rows(p->sink); i++) {
        struct slice payload = sink_memory_row(p->sink, i)->payload;
        len += (size_t)snprintf(text + len, sizeof text - len, "%.*s ", (int)payload.len,
                                payload.data);
    }
    return text;
}

static enum status add_parked(void *arg, const struct parked_row *row)
{
    buf_printf(arg, "%.*s(%.*s) ", (int)row->row.payload.len, row->row.payload.data,
               (int)row->why.len, row->why.data);
    return ST_OK;
}

static const char *parked(const struct process *p)
{
    static char text[1024];
    struct buf list = {0};
    cr_assert(eq(int, commit_read_parked(p->store, add_parked, &list), ST_OK));
    snprintf(text, sizeof text, "%.*s", (int)list.len, list.len ? list.data : "");
    buf_done(&list);
    return text;
}

#define SAYS(text, expected) cr_expect(eq(str, (char *)(uintptr_t)(text), (expected)))

/* Marks. */

Test(outbox, an_epoch_is_marked_when_its_rows_are_sent)
{
    struct process p = fresh();
    write_rows(&p, 0, 2);
    sink_memory_script(p.sink)->full_at = 1;
    produce(&p);
    cr_expect(eq(u64, sink_memory_mark(p.sink).epoch, 0), "a row is still here");
    produce(&p);
    struct sink_memory_mark mark = sink_memory_mark(p.sink);
    cr_expect(eq(u64, mark.epoch, 1));
    cr_expect(eq(u64, mark.row, 2));
    cr_assert(eq(sz, mark.n, 2));
    cr_expect(eq(str, mark.positions[0].topic, "even"));
    cr_expect(eq(i32, mark.positions[0].partition, 4));
    cr_expect(eq(i64, mark.positions[0].next, 2));
    cr_expect(eq(str, mark.positions[1].topic, "odd"));
    cr_expect(eq(i64, mark.positions[1].next, 0));
    end(&p);
}

Test(outbox, an_epoch_without_rows_is_marked_behind_those_before_it)
{
    struct process p = fresh();
    write_rows(&p, 0, 2);
    write_rows(&p, 0, 0);
    sink_memory_script(p.sink)->full_at = 1;
    produce(&p);
    cr_expect(eq(u64, sink_memory_mark(p.sink).epoch, 0));
    produce(&p);
    cr_expect(eq(u64, sink_memory_mark(p.sink).epoch, 2));
    produce(&p);
    write_rows(&p, 1, 0);
    produce(&p);
    cr_expect(eq(u64, sink_memory_mark(p.sink).epoch, 3), "nothing is before it");
    end(&p);
}

/* Rows taken back. */

TheoryDataPoints(outbox, rows_taken_back_come_again) = {
    DataPoints(uint64_t, 0, 1, 2, 3, 4, 5), /* rows acknowledged before */
    DataPoints(int, 0, 1, 2),               /* epochs written in between */
    DataPoints(int, 0, 1),                  /* epochs without rows before that */
};

Theory((uint64_t acked, int between, int bare), outbox, rows_taken_back_come_again)
{
    struct process p = fresh();
    write_rows(&p, 0, 2);
    write_rows(&p, 1, 3);
    for (int i = 0; i < bare; i++)
        write_rows(&p, 1, 0);
    sink_memory_script(p.sink)->hold = acked;
    produce(&p);
    cr_assert(eq(u64, commit_outbox_depth(p.commit), 5 - acked));
    for (int i = 0; i < between; i++)
        write_rows(&p, 0, 1);
    sink_memory_script(p.sink)->take_back = true;
    produce(&p);
    size_t before = sink_memory_rows(p.sink);
    cr_assert(eq(u64, commit_outbox_depth(p.commit), 5 - acked + (uint64_t)between));
    sink_memory_script(p.sink)->hold = UINT64_MAX;
    produce(&p);
    cr_expect(eq(u64, commit_outbox_depth(p.commit), 0));
    uint64_t epoch = acked == 5 && between == 0 ? 0 : 2 + (uint64_t)(bare + between);
    cr_expect(eq(u64, sink_memory_mark(p.sink).epoch, epoch), "told again, unless all is settled");
    cr_expect(eq(sz, sink_memory_rows(p.sink) - before, 5 - acked + (size_t)between));
    static const char *const payloads[] = {"0.0", "0.1", "1.0", "1.1", "1.2", "0.2", "0.3"};
    for (size_t i = before; i < sink_memory_rows(p.sink); i++) {
        struct slice got = sink_memory_row(p.sink, i)->payload;
        cr_expect(slice_eq(got, slice_of(payloads[acked + i - before])), "%.*s", (int)got.len,
                  got.data);
    }
    commit_tidy(p.commit) == ST_OK ? (void)0 : abort();
    restart(&p);
    cr_expect(eq(u64, commit_outbox_depth(p.commit), 0), "all left the store");
    end(&p);
}

/* Refused rows. */

TheoryDataPoints(outbox, a_refused_row_is_parked_before_the_group_hears_of_it) = {
    DataPoints(uint64_t, 0, 1, 2, 3),
};

Theory((uint64_t refused), outbox, a_refused_row_is_parked_before_the_group_hears_of_it)
{
    struct process p = fresh();
    char expected[64], row[8];
    write_rows(&p, 0, 2);
    write_rows(&p, 1, 2);
    sink_memory_script(p.sink)->refuse = refused;
    produce(&p);
    snprintf(row, sizeof row, "%d.%d", (int)refused / 2, (int)refused % 2);
    snprintf(expected, sizeof expected, "%s(refused by the test) ", row);
    SAYS(parked(&p), expected);
    cr_expect(le(u64, sink_memory_mark(p.sink).epoch, refused / 2), "the group knows too much");
    produce(&p);
    cr_expect(eq(u64, sink_memory_mark(p.sink).epoch, 2));
    cr_expect(eq(sz, sink_memory_rows(p.sink), 3));
    cr_expect(strstr(arrived(&p), row) == NULL);
    cr_expect(eq(u64, commit_figures(p.commit).rows_refused, 1));
    SAYS(commit_refusal(p.commit), "refused by the test");

    restart(&p); /* no write came since: all are sent and refused again */
    sink_memory_script(p.sink)->refuse = refused;
    produce(&p);
    produce(&p);
    SAYS(parked(&p), expected);
    end(&p);
}

/* Starts. */

Test(outbox, what_is_out_already_is_not_sent_again)
{
    struct process p = fresh();
    write_rows(&p, 0, 2);
    write_rows(&p, 1, 1);
    write_rows(&p, 0, 1);
    struct buf positions = {0};
    positions_put(&positions, 0, 3);
    struct commit_resumption resumption = {
        .life = 9, .sent_epoch = 2, .positions = buf_slice(&positions)};
    restart_with(&p, &resumption);
    cr_expect(eq(u64, commit_outbox_depth(p.commit), 1));
    produce(&p);
    SAYS(arrived(&p), "0.2 ");
    struct sink_memory_mark mark = sink_memory_mark(p.sink);
    cr_expect(eq(u64, mark.epoch, 3), "where input stands is told at once");
    cr_expect(eq(u64, mark.life, 9));
    cr_expect(eq(i64, mark.positions[0].next, 3));
    restart(&p);
    cr_expect(eq(u64, commit_outbox_depth(p.commit), 1), "the others have left the store");
    buf_done(&positions);
    end(&p);
}

Test(outbox, nothing_is_sent_below_where_the_state_keeps_quiet)
{
    struct process p = fresh();
    write_rows(&p, 0, 2);
    write_rows(&p, 1, 2);
    const int64_t quiet_below[] = {3, 1};
    struct buf positions = {0};
    positions_put(&positions, 0, 2);
    positions_put(&positions, 1, 2);
    struct commit_resumption resumption = {
        .quiet_below = quiet_below, .n_quiet = 2, .positions = buf_slice(&positions)};
    restart_with(&p, &resumption);
    produce(&p);
    SAYS(arrived(&p), "1.1 ");
    struct sink_memory_mark mark = sink_memory_mark(p.sink);
    cr_expect(eq(i64, mark.positions[0].next, 3), "the group must not go back");
    cr_expect(eq(i64, mark.positions[1].next, 2));
    write_rows(&p, 0, 3); /* records 2, 3, 4 */
    write_rows(&p, 1, 1);
    produce(&p);
    SAYS(arrived(&p), "1.1 0.3 0.4 1.2 ");
    cr_expect(eq(i64, sink_memory_mark(p.sink).positions[0].next, 5));
    buf_done(&positions);
    end(&p);
}
