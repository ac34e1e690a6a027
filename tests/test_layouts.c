/*
 * Tests of ingest/layouts.h.
 *
 * What is known without running it: names say where a column is, so a vector packed under one
 * layout reads under another as a lookup by name does, for any two lists of names; what only one of
 * them has is NaN, or left out. A layout that was there before keeps its number. What is not whole
 * is refused.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include <math.h>
#include <stdio.h>

#include "base/rng.h"
#include "ingest/layouts.h"
#include "ingest/pack.h"

/* One letter a name. */
struct named {
    const char *names[3][16]; /* dense, sparse, keys */
    struct vector_schema schema;
    size_t n_keys;
};

static const char *letters[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};

static size_t put_letters(const char *text, const char **ret)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        ret[i] = letters[text[i] - 'a'];
    return n;
}

static struct layouts *open_named(struct state *state, struct named *named, const char *dense,
                                  const char *sparse, const char *keys)
{
    struct layouts *layouts = NULL;
    named->schema.n_dense = put_letters(dense, named->names[0]);
    named->schema.n_sparse = put_letters(sparse, named->names[1]);
    named->n_keys = put_letters(keys, named->names[2]);
    named->schema.dense = named->names[0];
    named->schema.sparse = named->names[1];
    cr_assert(eq(int, layouts_open(state, &named->schema, named->names[2], named->n_keys, &layouts),
                 ST_OK));
    return layouts;
}

Test(layouts, count_up_and_are_known_again)
{
    struct state *state = NULL;
    struct named named = {0};
    static const struct {
        const char *dense, *sparse, *keys;
        unsigned number;
    } turns[] = {{"ab", "c", "", 0}, {"ab", "c", "", 0}, {"ba", "c", "", 1}, {"ab", "c", "d", 2},
                 {"ab", "", "", 3},  {"abc", "", "", 4}, {"ab", "c", "", 0}, {"ab", "c", "d", 2}};
    cr_assert(eq(int, state_create(&state), ST_OK));
    for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++) {
        struct layouts *layouts =
            open_named(state, &named, turns[i].dense, turns[i].sparse, turns[i].keys);
        cr_expect(eq(uint, layouts_current(layouts), turns[i].number), "turn %zu", i);
        layouts_free(layouts);
    }
    state_free(state);
}

/* A random text of different letters. */
static void random_letters(struct rng *rng, char *ret)
{
    for (char c = 'a'; c <= 'l'; c++)
        if (rng_below(rng, 2))
            *ret++ = c;
    *ret = '\0';
}

static void shuffle(struct rng *rng, char *text)
{
    for (size_t i = strlen(text); i > 1; i--) {
        size_t j = rng_below(rng, (uint32_t)i);
        char c = text[i - 1];
        text[i - 1] = text[j];
        text[j] = c;
    }
}

/* What belongs to a letter, by its place in the text. */
static float value_of(char letter)
{
    return (float)letter * 1.5f;
}

TheoryDataPoints(layouts, read_as_a_lookup_by_name) = {
    DataPoints(uint64_t, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20),
};

Theory((uint64_t seed), layouts, read_as_a_lookup_by_name)
{
    struct rng rng = rng_of(seed);
    struct state *state = NULL;
    struct named before = {0}, after = {0};
    char old[3][16], new[3][16];
    cr_assert(eq(int, state_create(&state), ST_OK));
    for (int i = 0; i < 3; i++) {
        random_letters(&rng, old[i]);
        random_letters(&rng, new[i]);
        shuffle(&rng, old[i]);
        shuffle(&rng, new[i]);
    }
    layouts_free(open_named(state, &before, old[0], old[1], old[2]));
    struct layouts *layouts = open_named(state, &after, new[0], new[1], new[2]);

    float dense[16] = {0}, got[16] = {0};
    struct sparse sparse[VECTOR_SPARSE_MAX];
    struct key128 keys[16] = {{0}}, mapped[16];
    size_t n_sparse = strlen(old[1]), n_got;
    for (size_t i = 0; old[0][i]; i++)
        dense[i] = value_of(old[0][i]);
    for (uint32_t i = 0; old[1][i]; i++)
        sparse[i] = (struct sparse){(uint64_t)old[1][i], i, 1};
    for (size_t i = 0; old[2][i]; i++)
        keys[i].lo = (uint64_t)old[2][i];
    struct buf packed = {0}, again = {0};
    pack_vector(&packed, dense, before.schema.n_dense, sparse, n_sparse);
    cr_assert(eq(int, layouts_repack(layouts, 0, buf_slice(&packed), &again), ST_OK));
    struct reader in = reader_of(buf_slice(&again));
    cr_assert(eq(int, layouts_unpack(layouts, layouts_current(layouts), &in, got, sparse, &n_got),
                 ST_OK));
    cr_assert(reader_done(&in));
    for (size_t i = 0; new[0][i]; i++)
        cr_assert(strchr(old[0], new[0][i]) ? got[i] == value_of(new[0][i]) : isnan(got[i]));
    size_t common = 0;
    for (size_t i = 0; old[1][i]; i++)
        common += strchr(new[1], old[1][i]) != NULL;
    cr_assert(eq(sz, n_got, common));
    for (size_t i = 0; i < n_got; i++)
        cr_assert(eq(u64, sparse[i].hash, (uint64_t) new[1][sparse[i].field]));
    layouts_map_keys(layouts, 0, keys, before.n_keys, mapped);
    for (size_t i = 0; new[2][i]; i++)
        cr_assert(eq(u64, mapped[i].lo, strchr(old[2], new[2][i]) ? (uint64_t) new[2][i] : 0));
    buf_done(&packed);
    buf_done(&again);
    layouts_free(layouts);
    state_free(state);
}

Test(layouts, what_is_not_whole_is_refused)
{
    struct state *state = NULL;
    struct named named = {0};
    float dense[16];
    struct sparse sparse[VECTOR_SPARSE_MAX];
    size_t n_sparse;
    struct buf packed = {0};
    cr_assert(eq(int, state_create(&state), ST_OK));
    layouts_free(open_named(state, &named, "ab", "c", ""));
    struct layouts *layouts = open_named(state, &named, "b", "", "");
    pack_vector(&packed, (float[]){1, 2}, 2, &(struct sparse){7, 1, 1}, 1);
    struct reader in = reader_of(buf_slice(&packed));
    cr_expect(eq(int, layouts_unpack(layouts, 0, &in, dense, sparse, &n_sparse), ST_ECORRUPT),
              "there is one hashed field, not two");
    in = reader_of(buf_slice(&packed));
    cr_expect(eq(int, layouts_unpack(layouts, 9, &in, dense, sparse, &n_sparse), ST_ECORRUPT));
    cr_expect(eq(int, layouts_unpack(layouts, 999, &in, dense, sparse, &n_sparse), ST_ECORRUPT));
    in = reader_of((struct slice){0});
    cr_expect(eq(int, layouts_unpack(layouts, 0, &in, dense, sparse, &n_sparse), ST_ECORRUPT));
    layouts_free(layouts);
    struct record *rec = state_find(state, 1, (struct key128){1, 0});
    cr_assert(ne(ptr, rec, NULL));
    rec->data[0] = 2;
    cr_expect(
        eq(int, layouts_open(state, &named.schema, named.names[2], 0, &layouts), ST_EVERSION));
    rec->data[0] = 1;
    rec->data[1] = 99;
    cr_expect(
        eq(int, layouts_open(state, &named.schema, named.names[2], 0, &layouts), ST_ECORRUPT));
    buf_done(&packed);
    state_free(state);
}
