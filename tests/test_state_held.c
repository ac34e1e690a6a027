/*
 * Tests of ingest/state.h, "a start that does not load all": redo values of records elsewhere.
 *
 * What is known without running it: a start that leaves records where they are must end up with the
 * bytes that one which loads everything has, in whatever order they come, also where the process
 * dies again before all have come; and a record that nobody asks for costs the start nothing.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include "ingest/fetch.h"
#include "tests/state_life.h"

enum { WHOLE = 1 }; /* the family that a cold start loads */

static enum status load_whole(void *arg, struct slice key, struct slice value)
{
    uint16_t family;
    struct key128 id;
    struct slice page = {key.data + 1, key.len - 1};
    state_read_page_key(page, &family, &id);
    return family == WHOLE ? state_load_page(arg, page, value) : ST_OK;
}

static struct state *begun_cold(struct store *store)
{
    struct state *state = state_make();
    state_set_incomplete(state);
    cr_assert(eq(int, store_scan_space(store, STORE_PAGE, load_whole, state), ST_OK));
    state_set_whole(state, WHOLE);
    cr_assert(eq(int, store_scan_space(store, STORE_REDO, load_redo, state), ST_OK));
    state_redone(state);
    return state;
}

static void bring(struct life *life, uint16_t family, uint32_t i)
{
    struct state_missing record = {family, id_of(i)};
    if (!state_find(life->state, family, record.id))
        cr_assert(eq(int, fetch_records(life->store, life->state, &record, 1), ST_OK));
    cr_expect(not(state_holds(life->state, family, record.id)));
}

static void bring_all(struct life *life)
{
    for (uint16_t family = 0; family < FAMILIES; family++)
        for (uint32_t i = 0; i < IDS; i++)
            bring(life, family, i);
    cr_assert(eq(sz, state_held(life->state), 0));
}

static void die(struct life *life)
{
    state_free(life->state);
    life->state = begun_cold(life->store);
    life->sweeping = false;
}

/* The law. After a crash some records are brought in, epochs are sealed and swept, it dies again
 * and so on, until all are brought in and life goes on. */
TheoryDataPoints(held, a_cold_start_comes_to_the_same) = {
    DataPoints(uint64_t, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20),
    DataPoints(uint32_t, 1, 6, 40), /* changes an epoch, at most */
};

Theory((uint64_t seed, uint32_t changes), held, a_cold_start_comes_to_the_same)
{
    struct life life = life_begin(seed);
    for (int epochs = 0; epochs < 100; epochs++) {
        for (uint32_t n = draw(&life.seed, changes + 1); n > 0; n--)
            change_something(&life);
        seal(&life);
        if (draw(&life.seed, 4) > 0)
            continue;
        for (uint32_t deaths = draw(&life.seed, 3); deaths > 0; deaths--) {
            die(&life);
            for (uint32_t n = draw(&life.seed, 10); n > 0; n--) {
                bring(&life, (uint16_t)draw(&life.seed, FAMILIES), draw(&life.seed, IDS));
                seal(&life);
            }
        }
        die(&life);
        bring_all(&life);
        compare_with_shadows(&life, life.state);
    }
    life_end(&life);
}

/* A record in the store, and a change of it that was logged and not swept. */
struct cold {
    struct life life;
    struct key128 id;
};

static struct cold cold_begin(uint16_t family, size_t size, size_t size_after)
{
    struct cold cold = {.life = life_begin(1), .id = id_of(1)};
    struct life *life = &cold.life;
    state_obtain(life->state, family, cold.id, size);
    sweep_to_store(life->state, life->store);
    struct record *rec = state_find(life->state, family, cold.id);
    if (size_after != size)
        rec = state_resize(life->state, rec, size_after);
    rec->data[3] = 'x';
    state_touch(life->state, rec, 3, 1);
    life->seed = 1;
    life->sweeping = true; /* and gets nowhere */
    seal(life);
    die(life);
    return cold;
}

Test(held, it_is_elsewhere_until_it_comes)
{
    struct cold cold = cold_begin(2, 100, 100);
    struct state *state = cold.life.state;
    cr_expect(eq(ptr, state_find(state, 2, cold.id), NULL));
    cr_expect(eq(sz, state_held(state), 1));
    cr_expect(state_holds(state, 2, cold.id));
    cr_expect(not(state_holds(state, 0, cold.id)));
    bring(&cold.life, 2, 1);
    cr_assert(ne(ptr, state_find(state, 2, cold.id), NULL));
    cr_expect(eq(chr, state_find(state, 2, cold.id)->data[3], 'x'));
    cr_expect(eq(sz, state_held(state), 0));
    cr_expect(eq(sz, sealed_bytes(state), 1), "it is logged");
    struct buf pages = swept(state);
    size_t drops;
    cr_expect(eq(sz, count_pages(&pages, &drops), 1), "and not swept");
    life_end(&cold.life);
}

Test(held, of_a_family_loaded_whole_nothing_is)
{
    struct cold cold = cold_begin(WHOLE, 100, 100);
    cr_expect(eq(sz, state_held(cold.life.state), 0));
    cr_expect(eq(chr, state_find(cold.life.state, WHOLE, cold.id)->data[3], 'x'));
    life_end(&cold.life);
}

Test(held, nothing_is_of_a_record_told_whole)
{
    struct life life = life_begin(1);
    memset(state_obtain(life.state, 2, id_of(1), 50)->data, 7, 50);
    life.sweeping = true;
    seal(&life);
    die(&life);
    cr_expect(eq(sz, state_held(life.state), 0));
    cr_assert(ne(ptr, state_find(life.state, 2, id_of(1)), NULL));
    life_end(&life);
}

Test(held, what_was_dropped_is_forgotten)
{
    struct cold cold = cold_begin(2, 100, 100);
    struct life *life = &cold.life;
    bring(life, 2, 1);
    state_drop(life->state, state_find(life->state, 2, cold.id));
    life->sweeping = true;
    life->seed = 1;
    seal(life);
    die(life);
    cr_expect(eq(sz, state_held(life->state), 0));
    bring(life, 2, 1);
    cr_expect(eq(ptr, state_find(life->state, 2, cold.id), NULL));
    life_end(life);
}

/* The cut took its last pages from the store, whose first page still tells the old size. */
Test(held, a_record_that_was_cut_lacks_pages)
{
    struct cold cold = cold_begin(2, 3 * PAGE, 10);
    bring(&cold.life, 2, 1);
    struct record *rec = state_find(cold.life.state, 2, cold.id);
    cr_assert(ne(ptr, rec, NULL));
    cr_expect(eq(u32, rec->size, 10));
    cr_expect(eq(chr, rec->data[3], 'x'));
    struct buf dropped = {0};
    state_take_drops(cold.life.state, &dropped);
    cr_expect(eq(sz, dropped.len, 0), "they have gone already");
    buf_done(&dropped);
    life_end(&cold.life);
}

Test(held, the_rest_comes_in_the_order_of_pages)
{
    struct life life = life_begin(5);
    for (uint32_t i = 0; i < 100; i++)
        state_obtain(life.state, (uint16_t)(i % 2 * 2), id_of(i), 20);
    sweep_to_store(life.state, life.store);
    for (uint32_t i = 0; i < 100; i++)
        state_touch(life.state, state_find(life.state, (uint16_t)(i % 2 * 2), id_of(i)), 0, 1);
    life.sweeping = true;
    seal(&life);
    die(&life);
    struct state_missing records[7];
    char key[STATE_PAGE_KEY], before[STATE_PAGE_KEY] = {0};
    size_t all = 0, n;
    for (size_t at = 0; (n = state_held_next(life.state, &at, records, LEN(records))) > 0; all += n)
        for (size_t i = 0; i < n; i++, memcpy(before, key, sizeof key)) {
            state_page_key(records[i].family, records[i].id, 0, key);
            cr_assert(gt(int, memcmp(key, before, sizeof key), 0));
        }
    cr_expect(eq(sz, all, 100));
    life_end(&life);
}

/* It came for an event, was changed, swept and evicted, all while it was read: what was read then
 * is not what the store has now. */
Test(held, what_has_been_here_meanwhile_is_not_brought_back_as_it_was)
{
    struct cold cold = cold_begin(2, 100, 100);
    struct life *life = &cold.life;
    struct bell bell = {0};
    struct fetcher *fetcher;
    struct fetch fetch = {0};
    cr_assert(eq(int, fetcher_create(life->store, &bell, 1, &fetcher), ST_OK));
    fetch_begin(&fetch);
    fetch.held_only = true;
    fetch_want(&fetch, 2, cold.id);
    fetcher_ask(fetcher, &fetch);
    cr_assert(eq(int, fetcher_step(fetcher), ST_OK));
    bring(life, 2, 1);
    sweep_to_store(life->state, life->store);
    for (int i = 0; i < 100; i++)
        state_turn(life->state);
    state_durable(life->state, state_turns(life->state));
    cr_assert(eq(sz, state_evict(life->state, 0) + state_evict(life->state, 0), 1));
    cr_assert(eq(int, fetch_install(&fetch, life->state), ST_OK));
    cr_expect(eq(ptr, state_find(life->state, 2, cold.id), NULL));
    fetch_done(&fetch);
    fetcher_free(fetcher);
    life_end(life);
}

/* The number of a family that was retired is not given again while anything of it may come. */
Test(held, a_retired_family_with_records_is_not_settled)
{
    struct life life = life_begin(1);
    struct buf gone = {0};
    uint16_t family;
    cr_assert(eq(int, state_family(life.state, "whole", 1, &family), ST_OK));
    cr_assert(eq(int, state_family(life.state, "old", 1, &family), ST_OK));
    state_obtain(life.state, family, id_of(1), 20);
    sweep_to_store(life.state, life.store);
    state_family_retire(life.state, family);
    state_touch(life.state, state_find(life.state, family, id_of(1)), 0, 1);
    life.sweeping = true;
    seal(&life);
    die(&life);
    struct state_missing names[8];
    size_t at = 0, n = state_held_next(life.state, &at, names, LEN(names));
    for (size_t i = 0; i < n; i++)
        if (names[i].family == 0)
            cr_assert(eq(int, fetch_records(life.store, life.state, &names[i], 1), ST_OK));
    cr_assert(state_holds(life.state, family, id_of(1)));
    state_families_settle(life.state, &gone);
    cr_expect(eq(sz, gone.len, 0));
    buf_done(&gone);
    life_end(&life);
}
