/*
 * Tests of ingest/state.h.
 *
 * What is known without running it: a state is a map from (family, id) to bytes, so a plain array
 * of byte strings is its oracle. What left it by sealing and sweeping must bring all of it back,
 * byte for byte, whenever the process dies: that is held over random sequences of all that may be
 * done to records, through the store's memory twin. Then what must be refused.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include <stdio.h>
#include <stdlib.h>

#include "ingest/state.h"
#include "ingest/store.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static struct state *state_make(void)
{
    struct state *state = NULL;
    cr_assert(eq(int, state_create(&state), ST_OK));
    return state;
}

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

static struct key128 id_of(uint32_t n)
{
    return hash_entity(slice_of("kind"), (struct slice){(char *)&n, sizeof n});
}

static bool same_digest(const struct state *a, const struct state *b)
{
    return key_eq(state_digest(a), state_digest(b));
}

/* A state with everything around it: its store, its sweeps, and what it should hold. */

enum { FAMILIES = 3, IDS = 12, PAGE = STATE_PAGE };

struct shadow {
    bool there;
    size_t size;
    char *data;
};

struct life {
    struct state *state;
    struct store *store;
    struct store_batch *batch;
    struct shadow shadows[FAMILIES][IDS];
    uint64_t seed, epoch, redo_first, sweep_floor;
    bool sweeping;
    struct buf redo, pages;
};

static struct life life_begin(uint64_t seed)
{
    struct life life = {.state = state_make(), .seed = seed, .redo_first = 1};
    cr_assert(eq(int, store_open_memory(&life.store), ST_OK));
    life.batch = life.store->ops->batch_create(life.store);
    return life;
}

static void life_end(struct life *life)
{
    for (size_t family = 0; family < FAMILIES; family++)
        for (size_t i = 0; i < IDS; i++)
            free(life->shadows[family][i].data);
    state_free(life->state);
    life->store->ops->batch_free(life->batch);
    store_free(life->store);
    buf_done(&life->redo);
    buf_done(&life->pages);
}

/* Sizes on both sides of pages and of the pages that have a bit of their own. */
static size_t draw_size(uint64_t *seed)
{
    static const size_t sizes[] = {0,    1,        7,        1000,         PAGE - 1,
                                   PAGE, PAGE + 1, 2 * PAGE, 3 * PAGE + 9, 63 * PAGE + 1};
    uint32_t i = draw(seed, 5 * LEN(sizes));
    return i < LEN(sizes) ? sizes[i] : draw(seed, 3 * PAGE);
}

static void write_bytes(struct life *life, struct record *rec, struct shadow *shadow)
{
    if (shadow->size == 0)
        return;
    size_t from = draw(&life->seed, (uint32_t)shadow->size);
    size_t most = shadow->size - from < 300 ? shadow->size - from : 300;
    size_t len = 1 + draw(&life->seed, (uint32_t)most);
    for (size_t i = from; i < from + len; i++)
        rec->data[i] = shadow->data[i] = (char)draw(&life->seed, 256);
    state_touch(life->state, rec, from, len);
}

static void resize_both(struct life *life, struct record *rec, struct shadow *shadow)
{
    size_t size = draw_size(&life->seed);
    if (draw(&life->seed, 4) == 0)
        rec = state_reserve(life->state, rec, draw_size(&life->seed));
    state_resize(life->state, rec, size);
    shadow->data = realloc(shadow->data, size + 1);
    if (size > shadow->size)
        memset(shadow->data + shadow->size, 0, size - shadow->size);
    shadow->size = size;
}

static void obtain_both(struct life *life, uint16_t family, uint32_t i, struct shadow *shadow)
{
    size_t size = draw_size(&life->seed);
    state_obtain(life->state, family, id_of(i), size);
    *shadow = (struct shadow){true, size, calloc(1, size + 1)};
}

static void change_something(struct life *life)
{
    uint16_t family = (uint16_t)draw(&life->seed, FAMILIES);
    uint32_t i = draw(&life->seed, IDS), what = draw(&life->seed, 10);
    struct shadow *shadow = &life->shadows[family][i];
    struct record *rec = state_find(life->state, family, id_of(i));
    cr_assert(eq(int, rec != NULL, shadow->there));
    if (!rec) {
        obtain_both(life, family, i, shadow);
    } else if (what < 6) {
        write_bytes(life, rec, shadow);
    } else if (what < 8) {
        resize_both(life, rec, shadow);
    } else {
        state_drop(life->state, rec);
        free(shadow->data);
        *shadow = (struct shadow){0};
    }
}

static void put_pages(struct life *life)
{
    struct reader in = reader_of(buf_slice(&life->pages));
    struct slice key, value;
    while (state_next_page(&in, &key, &value)) {
        char at[1 + STATE_PAGE_KEY] = {STORE_PAGE};
        memcpy(at + 1, key.data, key.len);
        if (value.len > 0)
            life->store->ops->put(life->batch, (struct slice){at, sizeof at}, value);
        else
            life->store->ops->drop(life->batch, (struct slice){at, sizeof at});
    }
}

/* As the commit protocol does it, with sweeps that begin and go on at random. */
static void seal(struct life *life)
{
    buf_reset(&life->redo);
    buf_reset(&life->pages);
    life->epoch++;
    state_seal(life->state, &life->redo);
    state_take_drops(life->state, &life->pages);
    if (!life->sweeping && draw(&life->seed, 3) == 0) {
        state_sweep_begin(life->state);
        life->sweeping = true;
        life->sweep_floor = life->epoch + 1;
    }
    bool finished = life->sweeping && draw(&life->seed, 2) == 0 &&
                    !state_sweep_some(life->state, draw(&life->seed, 20 * PAGE), &life->pages);
    put_pages(life);
    struct store_key key = store_number_key(STORE_REDO, life->epoch);
    life->store->ops->put(life->batch, store_key_slice(&key), buf_slice(&life->redo));
    if (finished) {
        struct store_key from = store_number_key(STORE_REDO, 0);
        struct store_key to = store_number_key(STORE_REDO, life->sweep_floor);
        life->store->ops->drop_range(life->batch, store_key_slice(&from), store_key_slice(&to));
        life->sweeping = false;
    }
    cr_assert(eq(int, life->store->ops->write(life->store, life->batch), ST_OK));
}

static enum status load_page(void *arg, struct slice key, struct slice value)
{
    return state_load_page(arg, (struct slice){key.data + 1, key.len - 1}, value);
}

static enum status load_redo(void *arg, struct slice key, struct slice value)
{
    (void)key;
    return state_apply_redo(arg, value);
}

static struct state *recovered(struct store *store)
{
    struct state *state = state_make();
    cr_assert(eq(int, store_scan_space(store, STORE_PAGE, load_page, state), ST_OK));
    cr_assert(eq(int, store_scan_space(store, STORE_REDO, load_redo, state), ST_OK));
    state_redone(state);
    return state;
}

static void compare_with_shadows(const struct life *life, struct state *state)
{
    size_t there = 0;
    for (uint16_t family = 0; family < FAMILIES; family++)
        for (uint32_t i = 0; i < IDS; i++) {
            const struct shadow *shadow = &life->shadows[family][i];
            const struct record *rec = state_find(state, family, id_of(i));
            cr_assert(eq(int, rec != NULL, shadow->there));
            there += shadow->there;
            if (!rec)
                continue;
            cr_assert(eq(sz, rec->size, shadow->size));
            cr_assert(eq(int, memcmp(rec->data, shadow->data, rec->size), 0));
        }
    cr_assert(eq(sz, state_count(state), there));
}

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

/* Exact answers. */

static struct buf sealed(struct state *state)
{
    struct buf redo = {0};
    state_seal(state, &redo);
    return redo;
}

static size_t sealed_bytes(struct state *state)
{
    struct buf redo = sealed(state);
    size_t len = redo.len;
    buf_done(&redo);
    return len;
}

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

Test(state, resizing_to_the_same_size_changes_nothing)
{
    struct state *state = state_make();
    struct record *rec = state_obtain(state, 1, id_of(1), 100);
    sealed_bytes(state);
    state_resize(state, rec, 100);
    cr_expect(eq(sz, sealed_bytes(state), 1));
    state_free(state);
}

static struct buf swept(struct state *state)
{
    struct buf pages = {0};
    state_take_drops(state, &pages);
    state_sweep_begin(state);
    cr_assert(not(state_sweep_some(state, SIZE_MAX / 2, &pages)));
    cr_assert(eq(sz, state_sweep_left(state), 0));
    return pages;
}

static size_t count_pages(struct buf *pages, size_t *ret_drops)
{
    struct reader in = reader_of(buf_slice(pages));
    struct slice key, value;
    size_t puts = 0;
    for (*ret_drops = 0; state_next_page(&in, &key, &value);) {
        puts += value.len > 0;
        *ret_drops += value.len == 0;
    }
    buf_done(pages);
    return puts;
}

struct pages_case {
    char name[40];
    uint32_t size, from, len, resize; /* a clean record of size; touched or, if not 0, resized */
    uint32_t puts, drops;
};

ParameterizedTestParameters(state, sweeps_the_pages_that_changed)
{
    static struct pages_case cases[] = {
        {"one byte", 4 * PAGE + 99, 0, 1, 0, 1, 0},
        {"last byte of a page", 4 * PAGE + 99, PAGE - 1, 1, 0, 1, 0},
        {"two bytes across pages", 4 * PAGE + 99, PAGE - 1, 2, 0, 2, 0},
        {"all", 4 * PAGE + 99, 0, 4 * PAGE + 99, 0, 5, 0},
        {"last, short page", 4 * PAGE + 99, 4 * PAGE + 98, 1, 0, 1, 0},
        {"page 62 has its own bit", 80 * PAGE, 62 * PAGE, 1, 0, 1, 0},
        {"page 70 takes all from 63", 80 * PAGE, 70 * PAGE, 1, 0, 17, 0},
        {"grown within its page: its size", 100, 0, 0, 200, 1, 0},
        {"grown by a page: that and the first", 3 * PAGE - 9, 0, 0, 3 * PAGE + 9, 3, 0},
        {"shrunk within its page", 200, 0, 0, 100, 1, 0},
        {"shrunk by two pages", 3 * PAGE - 9, 0, 0, PAGE - 9, 1, 2},
        {"shrunk to a page's end", 3 * PAGE - 9, 0, 0, 2 * PAGE, 1, 1},
    };
    return cr_make_param_array(struct pages_case, cases, LEN(cases));
}

ParameterizedTest(struct pages_case *c, state, sweeps_the_pages_that_changed)
{
    struct state *state = state_make();
    struct record *rec = state_obtain(state, 1, id_of(1), c->size);
    sealed_bytes(state);
    size_t drops;
    struct buf pages = swept(state);
    cr_expect(eq(sz, count_pages(&pages, &drops), (c->size + PAGE - 1) / PAGE), "%s: first",
              c->name);
    if (c->resize)
        state_resize(state, rec, c->resize);
    else
        state_touch(state, rec, c->from, c->len);
    sealed_bytes(state);
    pages = swept(state);
    cr_expect(eq(sz, count_pages(&pages, &drops), c->puts), "%s", c->name);
    cr_expect(eq(sz, drops, c->drops), "%s", c->name);
    pages = swept(state);
    cr_expect(eq(sz, count_pages(&pages, &drops), 0), "%s: clean", c->name);
    state_free(state);
}

/* A share stops at about the bytes asked for; what changes behind it waits for the next sweep. */
Test(state, sweeps_in_shares)
{
    struct state *state = state_make();
    for (uint32_t i = 0; i < 100; i++)
        state_obtain(state, 1, id_of(i), 1000);
    sealed_bytes(state);
    struct buf pages = {0};
    state_sweep_begin(state);
    size_t shares = 1;
    while (state_sweep_some(state, 10000, &pages)) {
        cr_assert(lt(sz, pages.len, shares * 12000));
        cr_assert(eq(sz, state_sweep_left(state), 100 - shares * 10));
        shares++;
        state_obtain(state, 2, id_of((uint32_t)shares), 1000);
        sealed_bytes(state);
    }
    cr_expect(eq(sz, shares, 10));
    size_t drops;
    cr_expect(eq(sz, count_pages(&pages, &drops), 100));
    state_sweep_begin(state);
    cr_expect(eq(sz, state_sweep_left(state), 9), "those made meanwhile");
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
    put_pages(&life);
    buf_done(&life.pages);
    state_drop(life.state, state_find(life.state, 1, id_of(1)));
    memset(state_obtain(life.state, 1, id_of(1), PAGE + 500)->data, 7, PAGE + 500);
    sealed_bytes(life.state);
    life.pages = swept(life.state);
    put_pages(&life);
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
    put_pages(&life);
    cr_assert(eq(int, life.store->ops->write(life.store, life.batch), ST_OK));
    struct state *again = recovered(life.store);
    cr_expect(same_digest(again, life.state));
    cr_expect(eq(sz, sealed_bytes(again), 1));
    struct buf pages = swept(again);
    cr_expect(eq(sz, pages.len, 0));
    state_free(again);
    life_end(&life);
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

/* Refusals: whatever bytes are on the disk, they are refused or applied, and nothing breaks. */

static struct buf redo_of(uint64_t drops, uint64_t size, uint64_t from, uint64_t len, size_t cut)
{
    struct buf redo = {0};
    buf_varint(&redo, drops);
    buf_u16(&redo, 1);
    buf_u64(&redo, 1);
    buf_u64(&redo, 2);
    buf_varint(&redo, size);
    buf_varint(&redo, from);
    buf_varint(&redo, len);
    for (uint64_t i = 0; i < len && i < 100; i++)
        buf_byte(&redo, 1);
    buf_varint(&redo, 0);
    buf_varint(&redo, 0);
    redo.len -= cut;
    return redo;
}

struct redo_case {
    char why[32];
    uint64_t drops, size, from, len;
    size_t cut;
    int status;
};

ParameterizedTestParameters(state, refuses_a_corrupt_redo_value)
{
    static struct redo_case cases[] = {
        {"good", 0, 100, 10, 20, 0, ST_OK},
        {"good: at the end", 0, 100, 80, 20, 0, ST_OK},
        {"cut off in the ranges", 0, 100, 10, 20, 1, ST_ECORRUPT},
        {"cut off in the bytes", 0, 100, 10, 20, 5, ST_ECORRUPT},
        {"cut off in the identity", 0, 100, 10, 20, 40, ST_ECORRUPT},
        {"past its end", 0, 100, 81, 20, 0, ST_ECORRUPT},
        {"begins past its end", 0, 100, 101, 0, 0, ST_ECORRUPT},
        {"wraps around", 0, 100, UINT64_MAX, 20, 0, ST_ECORRUPT},
        {"too large", 0, UINT64_C(1) << 31, 0, 1, 0, ST_ECORRUPT},
        {"more bytes than there are", 0, 1000, 0, 500, 0, ST_ECORRUPT},
        {"more drops than there are", 1000000000000, 100, 0, 1, 0, ST_ECORRUPT},
    };
    return cr_make_param_array(struct redo_case, cases, LEN(cases));
}

ParameterizedTest(struct redo_case *c, state, refuses_a_corrupt_redo_value)
{
    struct state *state = state_make();
    struct buf redo = redo_of(c->drops, c->size, c->from, c->len, c->cut);
    cr_expect(eq(int, state_apply_redo(state, buf_slice(&redo)), c->status), "%s", c->why);
    buf_done(&redo);
    state_free(state);
}

struct page_case {
    char why[40];
    uint32_t shard_off, key_len, page, size, len; /* len: of the value without its size */
    int status;
};

/* Behind a good first page of a record of two pages and 952 bytes comes this one. */
enum { SIZE = 2 * PAGE + 952 };

ParameterizedTestParameters(state, refuses_a_corrupt_page)
{
    static struct page_case cases[] = {
        {"good", 0, 23, 1, SIZE, PAGE, ST_OK},
        {"good: the last", 0, 23, 2, SIZE, 952, ST_OK},
        {"good: left over from a longer one", 0, 23, 2, SIZE + 50, 1002, ST_OK},
        {"key too short", 0, 22, 1, SIZE, PAGE, ST_ECORRUPT},
        {"of another shard", 1, 23, 1, SIZE, PAGE, ST_ECORRUPT},
        {"a second first page", 0, 23, 0, SIZE, PAGE, ST_ECORRUPT},
        {"past the record", 0, 23, 3, SIZE, 100, ST_ECORRUPT},
        {"far past the record", 0, 23, UINT32_MAX, SIZE, 100, ST_ECORRUPT},
        {"too short", 0, 23, 1, SIZE, PAGE - 1, ST_ECORRUPT},
        {"the last too short", 0, 23, 2, SIZE, 951, ST_ECORRUPT},
        {"too long", 0, 23, 1, SIZE, PAGE + 1, ST_ECORRUPT},
        {"size too large", 0, 23, 1, UINT32_MAX, PAGE, ST_ECORRUPT},
    };
    return cr_make_param_array(struct page_case, cases, LEN(cases));
}

static enum status load(struct state *state, uint32_t shard_off, uint32_t key_len, uint32_t page,
                        uint32_t size, uint32_t len)
{
    struct key128 id = id_of(1);
    unsigned char key[STATE_PAGE_KEY] = {(unsigned char)(hash_shard(id) + shard_off), 0, 1};
    memcpy(key + 3, &id.hi, 8);
    memcpy(key + 11, &id.lo, 8);
    for (int i = 0; i < 4; i++)
        key[19 + i] = (unsigned char)(page >> (24 - 8 * i));
    char value[4 + 2 * STATE_PAGE] = {0};
    memcpy(value, &size, 4);
    return state_load_page(state, (struct slice){(char *)key, key_len},
                           (struct slice){value, 4 + len});
}

ParameterizedTest(struct page_case *c, state, refuses_a_corrupt_page)
{
    struct state *state = state_make();
    cr_assert(eq(int, load(state, 0, 23, 0, SIZE, PAGE), ST_OK));
    cr_expect(eq(int, load(state, c->shard_off, c->key_len, c->page, c->size, c->len), c->status),
              "%s", c->why);
    state_free(state);
}

Test(state, refuses_a_page_without_its_first)
{
    struct state *state = state_make();
    cr_expect(eq(int, load(state, 0, 23, 1, SIZE, PAGE), ST_ECORRUPT));
    cr_expect(eq(int, state_load_page(state, (struct slice){0}, (struct slice){0}), ST_ECORRUPT));
    state_free(state);
}

Test(state, survives_any_flipped_bytes)
{
    struct life life = life_begin(5);
    for (int i = 0; i < 60; i++)
        change_something(&life);
    state_seal(life.state, &life.redo);
    for (uint64_t i = 0; i < 2000; i++) {
        struct buf copy = {0};
        buf_append(&copy, life.redo.data, life.redo.len);
        for (uint32_t n = 1 + draw(&life.seed, 4); n > 0; n--)
            copy.data[draw(&life.seed, (uint32_t)copy.len)] = (char)draw(&life.seed, 256);
        struct state *state = state_make();
        enum status st = state_apply_redo(state, buf_slice(&copy));
        cr_assert(st == ST_OK || st == ST_ECORRUPT);
        state_free(state);
        buf_done(&copy);
    }
    life_end(&life);
}

Test(state, free_accepts_null)
{
    state_free(NULL);
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
