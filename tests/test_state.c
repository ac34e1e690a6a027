/*
 * Tests of ingest/state.h: records, the digest and families.
 *
 * What is known without running it: a state is a map from (family, id) to bytes, of which zeros are
 * the first; what is logged is what changed; the digest is of all it holds and of nothing else.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "ingest/state.h"
#include "tests/state_fixture.h"

Test(state, obtains_zeros_once)
{
    struct state *state = state_make();
    struct record *rec = state_obtain(state, 5, id_of(1), 100);
    cr_assert(eq(sz, rec->size, 100));
    for (size_t i = 0; i < 100; i++)
        cr_assert(eq(chr, rec->data[i], 0));
    cr_expect(eq(ptr, state_obtain(state, 5, id_of(1), 999), rec), "the size is for a new one");
    cr_expect(eq(sz, rec->size, 100));
    cr_expect(ne(ptr, state_obtain(state, 6, id_of(1), 100), rec), "of another family");
    cr_expect(eq(ptr, state_find(state, 5, id_of(2)), NULL));
    cr_expect(eq(sz, state_count(state), 2));
    cr_expect(eq(sz, (uintptr_t)record_data(rec) % 8, 0), "structs live in it");
    state_free(state);
}

Test(state, reserved_room_is_not_moved_again)
{
    struct state *state = state_make();
    struct record *rec = state_reserve(state, state_obtain(state, 1, id_of(1), 0), 4096);
    struct buf before = sealed(state);
    for (size_t size = 0; size <= 4096; size += 8)
        cr_assert(eq(ptr, state_resize(state, rec, size), rec));
    cr_expect(eq(ptr, state_reserve(state, rec, 100), rec), "there is room");
    buf_done(&before);
    state_free(state);
}

/* What is logged is what changed and little else: the redo value is most of what is written. */
Test(state, logs_the_changed_ends_of_a_large_record_alone)
{
    struct state *state = state_make();
    struct record *rec = state_obtain(state, 1, id_of(1), 100000);
    cr_assert(gt(sz, sealed_bytes(state), 100000));
    cr_assert(eq(sz, sealed_bytes(state), 1), "nothing changed: no drops, no patches");
    state_touch(state, rec, 8, 8);
    state_touch(state, rec, 99000, 16);
    state_touch(state, rec, 99016, 16);
    state_touch(state, rec, 0, 8);
    cr_expect(lt(sz, sealed_bytes(state), 100));
    state_touch(state, rec, 50, 10);
    state_resize(state, rec, 99990);
    cr_expect(lt(sz, sealed_bytes(state), 60));
    state_free(state);
}

/* As labels change a block of waiting events: 24 bytes of each name and size, and some 5 of each
 * change. However many there are, no more is logged than the record has, and all of it comes back.
 */
Test(state, logs_many_changes_of_a_record_each_alone)
{
    enum { APART = 100, CHANGED = 4, MOST = 200 };
    struct state *state = state_make(), *copy = state_make();
    struct record *rec = state_obtain(state, 7, id_of(1), MOST * APART);
    for (uint32_t n = 3; n <= MOST; n = n * 3 / 2) {
        struct buf before = sealed(state);
        cr_assert(eq(int, state_apply_redo(copy, buf_slice(&before)), ST_OK));
        for (uint32_t i = 0; i < n; i++) {
            size_t at = (size_t)(i * 7 % n) * APART;
            memset((char *)record_data(rec) + at, (int)(n + i), CHANGED);
            state_touch(state, rec, at, CHANGED);
        }
        struct buf redo = sealed(state);
        cr_assert(le(sz, redo.len, n <= 64 ? 30 + n * (CHANGED + 5) : (size_t)MOST * APART + 600));
        cr_assert(eq(int, state_apply_redo(copy, buf_slice(&redo)), ST_OK));
        cr_assert(same_digest(copy, state), "%u changes", n);
        buf_done(&before);
        buf_done(&redo);
    }
    state_free(state);
    state_free(copy);
}

Test(state, resizing_to_the_same_size_changes_nothing)
{
    struct state *state = state_make();
    struct record *rec = state_obtain(state, 1, id_of(1), 100);
    sealed_bytes(state);
    state_resize(state, rec, 100);
    cr_expect(eq(sz, sealed_bytes(state), 1));
    state_free(state);
}

/* The digest. */

Test(state, digest_does_not_depend_on_order_but_on_all_else)
{
    struct state *a = state_make(), *b = state_make();
    for (uint32_t i = 0; i < 2000; i++) {
        state_obtain(a, 1, id_of(i), i % 50);
        state_obtain(b, 1, id_of(1999 - i), (1999 - i) % 50);
    }
    cr_expect(same_digest(a, b));
    struct record *rec = state_find(b, 1, id_of(49));
    rec->data[48] = 1;
    cr_expect(not(same_digest(a, b)), "a byte");
    rec->data[48] = 0;
    cr_expect(same_digest(a, b));
    state_obtain(b, 1, id_of(5000), 0);
    cr_expect(not(same_digest(a, b)), "an empty record");
    state_drop(b, state_find(b, 1, id_of(5000)));
    cr_expect(same_digest(a, b));
    state_resize(b, rec, 50);
    cr_expect(not(same_digest(a, b)), "a size");
    state_free(a);
    state_free(b);
}

/* Families. */

Test(state, families_are_numbered_once_and_named)
{
    struct state *state = state_make(), *again = state_make();
    uint16_t first = 0, second = 0, same = 0;
    cr_assert(eq(int, state_family(state, "first", 11, &first), ST_OK));
    cr_assert(eq(int, state_family(state, "second", 22, &second), ST_OK));
    cr_assert(eq(int, state_family(state, "first", 11, &same), ST_OK));
    cr_expect(eq(u16, first, same));
    cr_expect(ne(u16, first, second));
    struct buf redo = sealed(state);
    cr_assert(eq(int, state_apply_redo(again, buf_slice(&redo)), ST_OK));
    cr_assert(eq(int, state_family(again, "second", 22, &same), ST_OK));
    cr_expect(eq(u16, second, same));
    cr_expect(eq(int, state_family(again, "second", 23, &same), ST_EVERSION));
    cr_expect(eq(int, state_family(again, "secon", 23, &same), ST_OK), "another name");

    size_t len = 0;
    const char *name = state_family_name(again, second, &len);
    cr_assert(ne(ptr, (char *)name, NULL));
    cr_expect(slice_eq((struct slice){name, len}, slice_of("second")));
    cr_expect(eq(ptr, (char *)state_family_name(again, 0, &len), NULL));
    cr_expect(eq(ptr, (char *)state_family_name(again, 4, &len), NULL), "there are three");
    buf_done(&redo);
    state_free(state);
    state_free(again);
}

static void count_one(void *arg, struct record *rec)
{
    *(size_t *)arg += rec->size;
}

Test(state, each_visits_a_family)
{
    struct state *state = state_make();
    for (uint32_t i = 0; i < 10; i++)
        state_obtain(state, (uint16_t)(i % 2), id_of(i), 1u << i);
    size_t sum = 0;
    state_each(state, 1, count_one, &sum);
    cr_expect(eq(sz, sum, 2 + 8 + 32 + 128 + 512));
    state_free(state);
}

Test(state, bytes_are_given_back)
{
    struct state *state = state_make();
    size_t empty = state_bytes(state);
    state_resize(state, state_obtain(state, 1, id_of(1), 10), 5000);
    cr_expect(gt(sz, state_bytes(state), empty + 5000));
    state_resize(state, state_find(state, 1, id_of(1)), 10);
    cr_expect(lt(sz, state_bytes(state), empty + 500));
    state_drop(state, state_find(state, 1, id_of(1)));
    cr_expect(eq(sz, state_bytes(state), empty));
    state_free(state);
}

/* Families that are retired: their names are free at once, their records go, then their numbers. */

static struct key128 nth(uint64_t i)
{
    return (struct key128){i * UINT64_C(0x9e3779b97f4a7c15) + 1, i * UINT64_C(0xd6e8feb86659fd93)};
}

Test(state, retired_families_go_and_their_numbers_are_given_again)
{
    struct state *state = NULL;
    uint16_t a, b, again, next;
    struct buf gone = {0};
    enum { N = 3000 };
    cr_assert(eq(int, state_create(&state), ST_OK));
    cr_assert(eq(int, state_family(state, "a", 7, &a), ST_OK));
    cr_assert(eq(int, state_family(state, "b", 8, &b), ST_OK));
    for (uint64_t i = 0; i < N; i++) {
        state_obtain(state, a, nth(i), 16);
        state_obtain(state, b, nth(i), 16);
    }
    state_family_retire(state, a);
    cr_assert(eq(int, state_family(state, "a", 9, &again), ST_OK),
              "another shape is no matter now");
    cr_expect(again != a && again != b);
    cr_assert(state_expire_some(state, 100));
    cr_expect(gt(sz, state_count(state), 2 * N - 100), "at most so many at a time");
    state_families_settle(state, &gone);
    cr_expect(eq(sz, gone.len, 0), "there are some left");
    while (state_expire_some(state, 100))
        state_obtain(state, b, nth(N + state_count(state)), 8); /* the table changes meanwhile */
    for (uint64_t i = 0; i < N; i++)
        cr_assert(state_find(state, a, nth(i)) == NULL && state_find(state, b, nth(i)) != NULL);
    state_families_settle(state, &gone);
    cr_assert(eq(sz, gone.len, 2));
    cr_expect(eq(int, (int)(unsigned char)gone.data[0], (int)a));
    cr_assert(eq(int, state_family(state, "c", 1, &next), ST_OK));
    cr_expect(eq(u16, next, a), "its number is free");
    size_t len;
    cr_expect(slice_eq((struct slice){state_family_name(state, b, &len), len}, slice_of("b")));
    buf_done(&gone);
    state_free(state);
}

Test(state, free_accepts_null)
{
    state_free(NULL);
}
