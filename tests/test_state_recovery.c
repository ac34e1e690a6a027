/*
 * Tests of ingest/state.h: what is stored and comes back.
 *
 * What is known without running it: a state is a map from (family, id) to bytes, so a plain array
 * of byte strings is its oracle. What left it by sealing and sweeping must bring all of it back,
 * byte for byte, whenever the process dies: that is held over random sequences of all that may be
 * done to records, through the store's memory twin.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include "ingest/state.h"
#include "tests/state_life.h"

/* The law. After a crash the recovered state goes on in place of the one that died. */
TheoryDataPoints(state, comes_back_from_pages_and_redo_values) = {
    DataPoints(uint64_t, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20),
    DataPoints(uint32_t, 1, 6, 40), /* changes an epoch, at most */
};

Theory((uint64_t seed, uint32_t changes), state, comes_back_from_pages_and_redo_values)
{
    struct life life = life_begin(seed);
    for (int epochs = 0; epochs < 100; epochs++) {
        for (uint32_t n = draw(&life.seed, changes + 1); n > 0; n--)
            change_something(&life);
        seal(&life);
        if (draw(&life.seed, 4) > 0)
            continue;
        struct state *again = recovered(life.store);
        compare_with_shadows(&life, again);
        cr_assert(same_digest(again, life.state), "epoch %d", epochs);
        if (draw(&life.seed, 2) == 0) {
            state_free(again);
            continue;
        }
        state_free(life.state);
        life.state = again;
        life.sweeping = false;
    }
    compare_with_shadows(&life, life.state);
    life_end(&life);
}

Test(state, redo_applied_twice_is_redo_applied_once)
{
    struct life life = life_begin(77);
    struct state *copy = state_make();
    for (int epochs = 0; epochs < 200; epochs++) {
        for (uint32_t n = draw(&life.seed, 20); n > 0; n--)
            change_something(&life);
        seal(&life);
        for (int times = 0; times < 2; times++)
            cr_assert(eq(int, state_apply_redo(copy, buf_slice(&life.redo)), ST_OK));
        cr_assert(same_digest(copy, life.state));
    }
    state_free(copy);
    life_end(&life);
}

/* In the first format a patch had two ranges, neither of them told by a number. */
Test(state, redo_of_the_first_format_is_read)
{
    struct state *state = state_make();
    struct buf redo = {0};
    buf_varint(&redo, 0);
    buf_u16(&redo, 7);
    buf_u64(&redo, 0x1111);
    buf_u64(&redo, 0x2222);
    buf_varint(&redo, 8);
    buf_varint(&redo, 0);
    buf_slice_put(&redo, slice_of("ab"));
    buf_varint(&redo, 6);
    buf_slice_put(&redo, slice_of("yz"));
    cr_assert(eq(int, state_apply_redo(state, buf_slice(&redo)), ST_OK));
    struct record *rec = state_find(state, 7, (struct key128){0x1111, 0x2222});
    cr_assert(ne(ptr, rec, NULL));
    cr_assert(eq(u32, rec->size, 8));
    cr_assert(eq(int, memcmp(record_data(rec), "ab\0\0\0\0yz", 8), 0));
    buf_done(&redo);
    state_free(state);
}

/* A record that is dropped and made again within an epoch leaves old pages and brings new ones: the
 * store must hold the new ones after a batch that does both. */
Test(state, pages_of_a_record_made_again_outlive_those_dropped)
{
    struct life life = life_begin(1);
    state_obtain(life.state, 1, id_of(1), 3 * PAGE);
    sealed_bytes(life.state);
    life.pages = swept(life.state);
    state_put_pages(life.store, life.batch, &life.pages);
    buf_done(&life.pages);
    state_drop(life.state, state_find(life.state, 1, id_of(1)));
    memset(state_obtain(life.state, 1, id_of(1), PAGE + 500)->data, 7, PAGE + 500);
    sealed_bytes(life.state);
    life.pages = swept(life.state);
    state_put_pages(life.store, life.batch, &life.pages);
    cr_assert(eq(int, life.store->ops->write(life.store, life.batch), ST_OK));
    struct state *again = recovered(life.store);
    cr_expect(same_digest(again, life.state));
    state_free(again);
    life_end(&life);
}

Test(state, what_was_recovered_is_swept_but_not_logged_again)
{
    struct state *state = state_make(), *again = state_make();
    state_obtain(state, 1, id_of(1), 100);
    state_obtain(state, 1, id_of(2), 100);
    state_drop(state, state_find(state, 1, id_of(2)));
    struct buf redo = sealed(state);
    cr_assert(eq(int, state_apply_redo(again, buf_slice(&redo)), ST_OK));
    state_redone(again);
    cr_expect(eq(sz, sealed_bytes(again), 1));
    struct buf pages = swept(again);
    size_t drops;
    cr_expect(eq(sz, count_pages(&pages, &drops), 1));
    cr_expect(eq(sz, drops, 0), "they went with the redo value");
    buf_done(&redo);
    state_free(state);
    state_free(again);
}

Test(state, loading_is_clean)
{
    struct life life = life_begin(3);
    for (int i = 0; i < 100; i++)
        change_something(&life);
    sealed_bytes(life.state);
    life.pages = swept(life.state);
    state_put_pages(life.store, life.batch, &life.pages);
    cr_assert(eq(int, life.store->ops->write(life.store, life.batch), ST_OK));
    struct state *again = recovered(life.store);
    cr_expect(same_digest(again, life.state));
    cr_expect(eq(sz, sealed_bytes(again), 1));
    struct buf pages = swept(again);
    cr_expect(eq(sz, pages.len, 0));
    state_free(again);
    life_end(&life);
}
