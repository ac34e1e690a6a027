/*
 * Tests of ingest/formats.h.
 *
 * What is known without running it: a store that says nothing is of the first formats; what was put
 * is known afterwards; any single thing in a newer format, or that is not known at all, is refused
 * by its name; a list cut anywhere is refused.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <stdio.h>

#include "ingest/commit.h"
#include "ingest/formats.h"
#include "ingest/store_memory.h"

static void put(struct store *store, struct slice value)
{
    struct store_batch *batch = store->ops->batch_create(store);
    store->ops->put(batch, slice_of("mformats"), value);
    cr_assert(eq(int, store->ops->write(store, batch), ST_OK));
    store->ops->batch_free(batch);
}

Test(formats, what_was_put_is_known)
{
    struct store *store = NULL;
    bool known = true;
    struct buf error = {0};
    cr_assert(eq(int, store_open_memory(&store), ST_OK));
    cr_expect(eq(int, formats_check(store, &known, &error), ST_OK));
    cr_expect(not(known), "an older store says nothing");
    struct store_batch *batch = store->ops->batch_create(store);
    formats_put(store, batch);
    cr_assert(eq(int, store->ops->write(store, batch), ST_OK));
    store->ops->batch_free(batch);
    cr_expect(eq(int, formats_check(store, &known, &error), ST_OK));
    cr_expect(known);
    struct buf value = {0};
    cr_assert(eq(int, store->ops->get(store, slice_of("mformats"), &value), ST_OK));
    for (size_t len = 0; len < value.len; len++) {
        put(store, (struct slice){value.data, len});
        cr_expect(eq(int, formats_check(store, &known, &error), ST_ECORRUPT), "cut to %zu", len);
    }
    cr_expect(eq(sz, error.len > 0, 1));
    buf_done(&value);
    buf_done(&error);
    store_free(store);
}

struct format_case {
    char name[16], text[40];
    uint64_t number;
    int status;
};

ParameterizedTestParameters(formats, newer_ones_are_refused_by_name)
{
    static struct format_case cases[] = {
        {"redo", "redo values", 99, ST_EVERSION},
        {"pages", "pages of records", 99, ST_EVERSION},
        {"runs", "runs of input", 99, ST_EVERSION},
        {"examples", "the example log", 99, ST_EVERSION},
        {"outbox", "rows to be sent", 99, ST_EVERSION},
        {"trainer", "checkpoint", 99, ST_EVERSION},
        {"pending", "waiting events", 99, ST_EVERSION},
        {"graph", "\"graph\"", 1, ST_EVERSION},
        {"redo", "", 1, ST_OK},
    };
    return cr_make_param_array(struct format_case, cases, sizeof cases / sizeof cases[0]);
}

/* Through the recovery of a state, which says why. */
ParameterizedTest(struct format_case *c, formats, newer_ones_are_refused_by_name)
{
    struct store *store = NULL;
    struct commit *commit = NULL;
    struct state *state = NULL;
    struct buf value = {0}, head = {0};
    uint64_t epoch;
    cr_assert(eq(int, store_open_memory(&store), ST_OK));
    cr_assert(eq(int, state_create(&state), ST_OK));
    buf_varint(&value, 1);
    buf_slice_put(&value, slice_of(c->name));
    buf_varint(&value, c->number);
    put(store, buf_slice(&value));
    struct commit_options options = {.store = store};
    cr_assert(eq(int, commit_create(&options, &commit), ST_OK));
    cr_expect(eq(int, commit_recover(commit, state, &head, &epoch), c->status));
    if (c->status < 0)
        cr_expect(strstr(commit_error(commit), c->text) && strstr(commit_error(commit), "newer"),
                  "%s", commit_error(commit));
    commit_free(commit);
    buf_done(&value);
    buf_done(&head);
    state_free(state);
    store_free(store);
}
