/*
 * Tests of ingest/state.h: what it refuses.
 *
 * What is known without running it: whatever bytes are on the disk, they are refused or applied,
 * and nothing breaks.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "ingest/state.h"
#include "tests/state_life.h"

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
