/*
 * Tests of ingest/commit.h: what is stored, and what of it is dropped when.
 *
 * What is known without running it: exact small stories of epochs, whose keys in the store can be
 * counted; a write that fails leaves all of its epoch or nothing; the trainer's checkpoint never
 * names an item that the durable log does not hold.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "ingest/commit.h"
#include "tests/commit_fixture.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* What is dropped, and when. */

Test(commit, redo_values_stay_until_a_sweep_has_covered_them)
{
    struct process p = fresh();
    for (int i = 0; i < 4; i++)
        commit(&p);
    cr_expect(eq(str, (char *)keys(&p, STORE_REDO), "r1 r2 r3 r4 "));
    p.epoch.redo_needed = 3;
    commit(&p);
    cr_expect(eq(str, (char *)keys(&p, STORE_REDO), "r3 r4 r5 "));
    restart(&p);
    commit(&p);
    cr_expect(eq(str, (char *)keys(&p, STORE_REDO), "r3 r4 r5 r6 "));
    p.epoch.redo_needed = 8; /* the sweep's pages are in this very write */
    commit(&p);
    cr_expect(eq(str, (char *)keys(&p, STORE_REDO), ""));
    restart(&p);
    cr_expect(eq(u64, p.recovered, 7));
    commit(&p);
    cr_expect(eq(str, (char *)keys(&p, STORE_REDO), "r8 "));
    end(&p);
}

static size_t stored_bytes(struct process *p, enum store_space space, uint64_t number)
{
    struct store_key key = store_number_key(space, number);
    struct buf value = {0};
    cr_assert(eq(int, p->store->ops->get(p->store, store_key_slice(&key), &value), ST_OK));
    size_t len = value.len;
    buf_done(&value);
    return len;
}

Test(commit, what_was_recovered_is_not_logged_again)
{
    struct process p = fresh();
    state_obtain(p.state, FAMILY, (struct key128){1, 1}, 1000);
    commit(&p);
    restart(&p);
    cr_expect(eq(sz, state_count(p.state), 1));
    commit(&p);
    cr_expect(gt(sz, stored_bytes(&p, STORE_REDO, 1), 1000));
    cr_expect(eq(sz, stored_bytes(&p, STORE_REDO, 2), 1));
    end(&p);
}

Test(commit, runs_are_kept_for_a_while)
{
    struct process p = fresh();
    for (int i = 1; i <= 6; i++) {
        buf_text(&p.epoch.runs, "run");
        p.epoch.runs_needed = i > 3 ? (uint64_t)i - 3 : 0;
        commit(&p);
        if (i == 4)
            restart(&p);
    }
    cr_expect(eq(str, (char *)keys(&p, STORE_RUNS), "n3 n4 n5 n6 "));
    end(&p);
}

/* The trainer's checkpoint. */

Test(commit, a_checkpoint_is_never_named_past_the_durable_log)
{
    struct process p = fresh();
    put_item(&p, "a");
    put_item(&p, "b");
    offer(&p, 3); /* the trainer has learnt from the next epoch already */
    commit(&p);
    cr_expect(eq(i64, named(&p), -1));
    put_item(&p, "c");
    commit(&p);
    cr_expect(eq(i64, named(&p), 3), "with the write that brings its last item");
    cr_expect(eq(str, (char *)keys(&p, STORE_EXAMPLES), ""), "nobody will read what is behind it");

    restart(&p);
    p.next_item = 3;
    offer(&p, 4);
    commit(&p);
    cr_expect(eq(i64, named(&p), 3));
    put_item(&p, "d");
    put_item(&p, "e");
    commit(&p);
    cr_expect(eq(i64, named(&p), 4));
    cr_expect(eq(str, (char *)keys(&p, STORE_EXAMPLES), "x3 "), "item 4 is in that block");
    offer(&p, 5);
    cr_assert(eq(int, commit_tidy(p.commit), ST_OK));
    cr_expect(eq(i64, named(&p), 5));
    cr_expect(eq(str, (char *)keys(&p, STORE_EXAMPLES), ""));
    end(&p);
}

static enum status tell_block(void *arg, uint64_t first, uint64_t n, struct slice block)
{
    buf_printf(arg, "%d+%d:%.*s ", (int)first, (int)n, (int)block.len, block.data);
    return ST_OK;
}

static const char *examples_from(struct process *p, uint64_t cursor)
{
    static struct buf out;
    buf_reset(&out);
    cr_assert(eq(int, commit_read_examples(p->store, cursor, tell_block, &out), ST_OK));
    buf_byte(&out, '\0');
    return out.data;
}

Test(commit, examples_are_read_from_a_cursor)
{
    struct process p = fresh();
    put_item(&p, "a");
    put_item(&p, "b");
    commit(&p);
    commit(&p);
    put_item(&p, "c");
    commit(&p);
    put_item(&p, "d");
    put_item(&p, "e");
    commit(&p);
    cr_expect(eq(str, (char *)examples_from(&p, 0), "0+2:ab 2+1:c 3+2:de "));
    cr_expect(eq(str, (char *)examples_from(&p, 1), "0+2:ab 2+1:c 3+2:de "));
    cr_expect(eq(str, (char *)examples_from(&p, 2), "2+1:c 3+2:de "));
    cr_expect(eq(str, (char *)examples_from(&p, 5), ""));
    end(&p);
}

/* A failed write. */

Test(commit, a_failed_write_leaves_all_or_nothing)
{
    enum store_memory_failure ways[] = {STORE_MEMORY_LOST, STORE_MEMORY_KEPT};
    for (size_t i = 0; i < LEN(ways); i++) {
        struct process p = fresh();
        commit(&p);
        put_row(&p, 0, 0, "x");
        put_item(&p, "item");
        store_memory_fail_write(p.store, 1, ways[i]);
        cr_expect(eq(int, write_epoch(&p), ST_EIO));
        cr_expect(ne(int, commit_error(p.commit)[0], '\0'));
        restart(&p);
        bool kept = ways[i] == STORE_MEMORY_KEPT;
        cr_expect(eq(u64, p.recovered, kept ? 2 : 1));
        cr_expect(eq(u64, commit_outbox_depth(p.commit), kept));
        cr_expect(eq(str, (char *)keys(&p, STORE_EXAMPLES), kept ? "x0 " : ""));
        end(&p);
    }
}

Test(commit, tools_look_without_a_sink)
{
    struct process p = fresh();
    put_row(&p, 0, 0, "row");
    commit(&p);
    struct commit_options options = {.store = p.store};
    struct commit *look = NULL;
    struct state *state = NULL;
    struct buf head = {0};
    uint64_t epoch = 0;
    cr_assert(eq(int, commit_create(&options, &look), ST_OK));
    cr_assert(eq(int, state_create(&state), ST_OK));
    cr_assert(eq(int, commit_recover(look, state, &head, &epoch), ST_OK));
    cr_expect(eq(int, commit_produce(look, 0), ST_OK));
    cr_expect(eq(u64, commit_outbox_depth(look), 1));
    commit_free(look);
    state_free(state);
    buf_done(&head);
    end(&p);
}

Test(commit, free_accepts_null)
{
    commit_free(NULL);
}
