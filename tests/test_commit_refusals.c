/*
 * Tests of ingest/commit.h: stores that it refuses to recover from.
 *
 * What is known without running it: what each value is for; one that is unreadable or missing is
 * named.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "ingest/commit.h"
#include "tests/commit_fixture.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct refusal {
    char why[40], key, text[24]; /* text: what the complaint says */
    uint64_t number;
    bool drop; /* the key goes; else it gets three bytes of rubbish */
};

ParameterizedTestParameters(commit, refuses_to_recover_from_what_is_corrupt)
{
    static struct refusal cases[] = {
        {"head too short", STORE_META, "head", 0, false},
        {"redo value", STORE_REDO, "redo value 2", 2, false},
        {"redo value missing", STORE_REDO, "redo value 3", 2, true},
        {"last redo value missing", STORE_REDO, "redo value 3", 3, true},
        {"redo value from the future", STORE_REDO, "redo value 4", 4, false},
        {"page", STORE_PAGE, "page of shard", 0, false},
        {"outbox", STORE_OUTBOX, "outbox 2", 2, false},
        {"example block", STORE_EXAMPLES, "example block 0", 0, false},
        {"trainer's checkpoint", 't', "trainer", 0, false},
    };
    return cr_make_param_array(struct refusal, cases, LEN(cases));
}

static void bend(struct store *store, const struct refusal *c)
{
    struct store_batch *batch = store->ops->batch_create(store);
    struct store_key number = store_number_key((enum store_space)c->key, c->number);
    struct slice key = c->key == STORE_META ? slice_of("mhead")
                       : c->key == 't'      ? slice_of("mtrainers")
                                            : store_key_slice(&number);
    if (c->drop)
        store->ops->drop(batch, key);
    else
        store->ops->put(batch, key, (struct slice){"\xff\xff\xff", 3});
    cr_assert(eq(int, store->ops->write(store, batch), ST_OK));
    store->ops->batch_free(batch);
}

ParameterizedTest(struct refusal *c, commit, refuses_to_recover_from_what_is_corrupt)
{
    struct process p = fresh();
    put_item(&p, "item");
    commit(&p);
    state_obtain(p.state, FAMILY, (struct key128){1, 1}, 10);
    put_row(&p, 0, 0, "row");
    commit(&p);
    commit(&p);
    offer(&p, 0);
    commit_tidy(p.commit) == ST_OK ? (void)0 : abort();
    stop(&p);
    bend(p.store, c);
    struct buf head = {0};
    cr_expect(eq(int, start(&p, NULL, &head), ST_ECORRUPT), "%s", c->why);
    cr_expect(strstr(commit_error(p.commit), c->text) != NULL, "%s: %s", c->why,
              commit_error(p.commit));
    buf_done(&head);
    end(&p);
}
