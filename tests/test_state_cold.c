/*
 * Tests of the part of ingest/state.h about records that are in the store alone, and of
 * ingest/fetch.h, which reads them. Known without running the code: what is not in the store as it
 * is in memory, or was needed within STATE_TURNS_KEPT turns, stays; what went and is fetched is
 * what it was; what the state has by the time an answer comes is not replaced by it.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>

#include "ingest/fetch.h"
#include "ingest/store_memory.h"
#include "tests/state_to_store.h"

enum { RECORDS = 40, BIG = 3 * STATE_PAGE + 100 };

struct life {
    struct store *store;
    struct state *state;
    uint16_t family;
    struct bell bell;
    struct fetcher *fetcher;
    struct fetch fetch;
};

static struct key128 id_of(uint32_t i)
{
    return (struct key128){i * UINT64_C(0x9e3779b97f4a7c15) + 1, (uint64_t)(i % 256) << 56 | i};
}

static size_t size_of(uint32_t i)
{
    return i % 10 == 9 ? BIG : 24 + i;
}

static void fill(struct record *rec, uint32_t i)
{
    for (size_t at = 0; at < rec->size; at++)
        rec->data[at] = (char)(i * 7 + at * 13 + at / 251);
}

static struct life begin(void)
{
    struct life life = {0};
    cr_assert(eq(int, store_open_memory(&life.store), ST_OK));
    cr_assert(eq(int, state_create(&life.state), ST_OK));
    cr_assert(eq(int, state_family(life.state, "things", 1, &life.family), ST_OK));
    cr_assert(eq(int, fetcher_create(life.store, &life.bell, 4, &life.fetcher), ST_OK));
    for (uint32_t i = 0; i < RECORDS; i++)
        fill(state_obtain(life.state, life.family, id_of(i), size_of(i)), i);
    return life;
}

static void end(struct life *life)
{
    fetch_done(&life->fetch);
    fetcher_free(life->fetcher);
    state_free(life->state);
    store_free(life->store);
}

static void turns(struct life *life, unsigned n)
{
    while (n-- > 0)
        state_turn(life->state);
}

/* Twice: the hand passes what was used once. */
static size_t evict_all(struct life *life)
{
    return state_evict(life->state, 0) + state_evict(life->state, 0);
}

static void make_old_and_durable(struct life *life)
{
    sweep_to_store(life->state, life->store);
    turns(life, STATE_TURNS_KEPT + 2);
    state_durable(life->state, state_turns(life->state));
}

static size_t here(const struct life *life)
{
    size_t n = 0;
    for (uint32_t i = 0; i < RECORDS; i++)
        n += state_find(life->state, life->family, id_of(i)) != NULL;
    return n;
}

static void expect_as_it_was(const struct life *life, uint32_t i)
{
    struct record *rec = state_find(life->state, life->family, id_of(i));
    cr_assert(rec != NULL, "record %u", i);
    cr_assert(eq(sz, rec->size, size_of(i)));
    char expected[sizeof(struct record) + BIG];
    struct record *model = (struct record *)(void *)expected;
    model->size = rec->size;
    fill(model, i);
    cr_assert(eq(int, memcmp(rec->data, model->data, rec->size), 0), "record %u", i);
}

Test(state_cold, what_the_store_lacks_stays)
{
    struct life life = begin();
    turns(&life, 100);
    state_durable(life.state, 100);
    cr_expect(eq(sz, evict_all(&life), 0));
    sweep_to_store(life.state, life.store); /* written, but not known to be durable */
    turns(&life, 100);
    cr_expect(eq(sz, evict_all(&life), 0));
    cr_expect(state_complete(life.state));
    state_durable(life.state, state_turns(life.state));
    cr_expect(eq(sz, evict_all(&life), RECORDS));
    cr_expect(not(state_complete(life.state)));
    end(&life);
}

Test(state_cold, what_changed_since_it_was_swept_stays)
{
    struct life life = begin();
    make_old_and_durable(&life);
    struct record *rec = state_find(life.state, life.family, id_of(3));
    rec->data[0] ^= 1;
    state_touch(life.state, rec, 0, 1);
    cr_expect(eq(sz, evict_all(&life), RECORDS - 1));
    cr_expect(state_find(life.state, life.family, id_of(3)) == rec);
    struct buf redo = {0};
    state_seal(life.state, &redo); /* logged, but its page is not written */
    turns(&life, 100);
    state_durable(life.state, state_turns(life.state));
    cr_expect(eq(sz, evict_all(&life), 0));
    buf_done(&redo);
    end(&life);
}

Test(state_cold, what_is_needed_soon_stays)
{
    struct life life = begin();
    make_old_and_durable(&life);
    state_need(life.state, life.family, id_of(7));
    state_need(life.state, life.family, id_of(1000));
    size_t n;
    const struct state_missing *missing = state_missing(life.state, &n);
    cr_assert(eq(sz, n, 1));
    cr_expect(key_eq(missing[0].id, id_of(1000)));
    state_forget_missing(life.state);
    turns(&life, STATE_TURNS_KEPT);
    state_durable(life.state, state_turns(life.state));
    evict_all(&life);
    cr_expect(eq(sz, here(&life), 1));
    cr_expect(state_find(life.state, life.family, id_of(7)) != NULL);
    turns(&life, 1);
    state_durable(life.state, state_turns(life.state));
    cr_expect(eq(sz, evict_all(&life), 1));
    end(&life);
}

Test(state_cold, no_more_goes_than_has_to)
{
    struct life life = begin();
    make_old_and_durable(&life);
    size_t bytes = state_bytes(life.state) - 5000;
    while (state_bytes(life.state) > bytes)
        state_evict(life.state, bytes);
    cr_expect(lt(sz, state_bytes(life.state), bytes + 1));
    cr_expect(gt(sz, state_bytes(life.state), bytes - sizeof(struct record) - BIG - 64));
    end(&life);
}

static bool keep_some(void *arg, struct record *rec)
{
    return rec != state_find(*(struct state **)arg, rec->family, id_of(11));
}

Test(state_cold, its_family_may_keep_a_record)
{
    struct life life = begin();
    make_old_and_durable(&life);
    state_on_evict(life.state, life.family, keep_some, &life.state);
    evict_all(&life);
    cr_expect(eq(sz, here(&life), 1));
    end(&life);
}

Test(fetch, what_went_comes_back_as_it_was)
{
    struct life life = begin();
    struct key128 digest = state_digest(life.state);
    make_old_and_durable(&life);
    evict_all(&life);
    fetch_begin(&life.fetch);
    for (uint32_t i = 0; i < RECORDS + 5; i++)
        cr_expect(fetch_want(&life.fetch, life.family, id_of(i)));
    for (uint32_t i = 0; i < RECORDS + 5; i++)
        cr_expect(not(fetch_want(&life.fetch, life.family, id_of(i))));
    fetcher_ask(life.fetcher, &life.fetch);
    cr_expect(not(fetch_arrived(&life.fetch)));
    cr_assert(eq(int, fetcher_step(life.fetcher), ST_OK));
    cr_expect(eq(int, fetcher_step(life.fetcher), ST_EAGAIN));
    cr_assert(fetch_arrived(&life.fetch));
    cr_assert(eq(int, fetch_install(&life.fetch, life.state), ST_OK));
    for (uint32_t i = 0; i < RECORDS; i++)
        expect_as_it_was(&life, i);
    cr_expect(key_eq(digest, state_digest(life.state)));
    cr_expect(eq(sz, state_unswept(life.state), 0));
    end(&life);
}

/* The second look asks for what it adds alone. */
Test(fetch, asks_in_rounds)
{
    struct life life = begin();
    make_old_and_durable(&life);
    evict_all(&life);
    fetch_begin(&life.fetch);
    for (uint32_t i = 0; i < RECORDS; i += 20) {
        fetch_want(&life.fetch, life.family, id_of(i));
        fetcher_ask(life.fetcher, &life.fetch);
        cr_assert(eq(int, fetcher_step(life.fetcher), ST_OK));
        cr_assert(eq(int, fetch_install(&life.fetch, life.state), ST_OK));
        cr_expect(eq(sz, here(&life), i / 20 + 1));
    }
    end(&life);
}

Test(fetch, does_not_replace_what_is_here)
{
    struct life life = begin();
    sweep_to_store(life.state, life.store);
    struct record *rec = state_find(life.state, life.family, id_of(5));
    rec->data[2] = 'x';
    state_touch(life.state, rec, 2, 1);
    fetch_begin(&life.fetch);
    fetch_want(&life.fetch, life.family, id_of(5));
    fetcher_ask(life.fetcher, &life.fetch);
    cr_assert(eq(int, fetcher_step(life.fetcher), ST_OK));
    cr_assert(eq(int, fetch_install(&life.fetch, life.state), ST_OK));
    cr_expect(state_find(life.state, life.family, id_of(5)) == rec);
    cr_expect(eq(chr, rec->data[2], 'x'));
    end(&life);
}

static void spoil(struct life *life, uint32_t i, uint32_t page, struct slice value)
{
    char key[1 + STATE_PAGE_KEY] = {STORE_PAGE};
    state_page_key(life->family, id_of(i), page, key + 1);
    struct store_batch *batch = life->store->ops->batch_create(life->store);
    if (value.data)
        life->store->ops->put(batch, (struct slice){key, sizeof key}, value);
    else
        life->store->ops->drop(batch, (struct slice){key, sizeof key});
    cr_assert(eq(int, life->store->ops->write(life->store, batch), ST_OK));
    life->store->ops->batch_free(batch);
}

struct spoilt {
    const char *what;
    uint32_t record, page;
    const char *data;
    size_t len;
};

static const struct spoilt spoilt_pages[] = {
    {"no size", 0, 0, "ab", 2},
    {"an impossible size", 0, 0, "\xff\xff\xff\xff", 4},
    {"fewer bytes than its size", 0, 0, "\x20\0\0\0abc", 7},
    {"a page in the middle is gone", 9, 2, NULL, 0},
};

Test(fetch, refuses_what_is_not_whole)
{
    for (size_t i = 0; i < sizeof spoilt_pages / sizeof spoilt_pages[0]; i++) {
        const struct spoilt *spoilt = &spoilt_pages[i];
        struct life life = begin();
        make_old_and_durable(&life);
        evict_all(&life);
        spoil(&life, spoilt->record, spoilt->page, (struct slice){spoilt->data, spoilt->len});
        cr_expect(eq(int,
                     fetch_records(life.store, life.state,
                                   &(struct state_missing){life.family, id_of(spoilt->record)}, 1),
                     ST_ECORRUPT),
                  "%s", spoilt->what);
        end(&life);
    }
}
