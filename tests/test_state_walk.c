/*
 * Tests of online/state_walk.h.
 *
 * What is known without running it: the sum of a store's records is that of a state that holds them
 * all, however few are in memory at a time; a record that is known otherwise counts as it is known,
 * and one that the store lacks counts too. A page that does not fit is corrupt, and its shard
 * named.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include <stdio.h>

#include "online/state_walk.h"
#include "tests/state_to_store.h"

enum { RECORDS = 400 };

struct rig {
    struct state *state;
    struct store *store;
    uint64_t rng;
};

static unsigned draw(struct rig *rig, unsigned below)
{
    rig->rng = rig->rng * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(rig->rng >> 33) % below;
}

static struct key128 id_of(unsigned number)
{
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    return hash_entity(slice_of("kind"), slice_of(text));
}

/* Of up to three pages. */
static void put_record(struct rig *rig, struct state *state, unsigned number)
{
    size_t size = draw(rig, 3 * STATE_PAGE);
    struct record *rec = state_obtain(state, (uint16_t)(number % 3 + 1), id_of(number), size);
    if (rec->size != size)
        rec = state_resize(state, rec, size);
    char *data = record_data(rec);
    for (size_t i = 0; i < size; i++)
        data[i] = (char)draw(rig, 256);
    state_touch(state, rec, 0, size);
}

static void rig_init(struct rig *rig)
{
    *rig = (struct rig){.rng = 5};
    cr_assert(eq(int, state_create(&rig->state), ST_OK));
    cr_assert(eq(int, store_open_memory(&rig->store), ST_OK));
    for (unsigned i = 0; i < RECORDS; i++)
        put_record(rig, rig->state, i);
    sweep_to_store(rig->state, rig->store);
}

static void rig_done(struct rig *rig)
{
    state_free(rig->state);
    store_free(rig->store);
}

TheoryDataPoints(state_walk, counts_all_records_once) = {
    DataPoints(size_t, 0, 1, 50000, SIZE_MAX),
    DataPoints(unsigned, 0, 1, 70, RECORDS + 30),
};

/* The first `changed` of the records are known otherwise, some of them as new ones. */
Theory((size_t bytes_max, unsigned changed), state_walk, counts_all_records_once)
{
    struct rig rig;
    struct state *known = NULL;
    struct state_sum sum;
    unsigned shard;
    rig_init(&rig);
    cr_assert(eq(int, state_create(&known), ST_OK));
    for (unsigned i = 0; i < changed; i++) {
        uint64_t rng = rig.rng;
        put_record(&rig, known, i);
        rig.rng = rng; /* the same again */
        put_record(&rig, rig.state, i);
    }
    struct key128 digest = state_digest(rig.state);
    cr_expect(eq(int, state_walk(rig.store, known, bytes_max, &sum, &shard), ST_OK));
    cr_expect(eq(u64, sum.records, state_count(rig.state)));
    cr_expect(eq(u64, sum.digest.lo, digest.lo));
    cr_expect(eq(u64, sum.digest.hi, digest.hi));
    state_free(known);
    rig_done(&rig);
}

Test(state_walk, a_page_that_does_not_fit_is_corrupt)
{
    struct rig rig;
    struct state *known = NULL;
    struct state_sum sum;
    unsigned shard = 0;
    rig_init(&rig);
    cr_assert(eq(int, state_create(&known), ST_OK));
    struct key128 id = id_of(RECORDS);
    char key[1 + STATE_PAGE_KEY] = {STORE_PAGE};
    state_page_key(1, id, 0, key + 1);
    struct store_batch *batch = rig.store->ops->batch_create(rig.store);
    rig.store->ops->put(batch, (struct slice){key, sizeof key}, slice_of("x"));
    cr_assert(eq(int, rig.store->ops->write(rig.store, batch), ST_OK));
    rig.store->ops->batch_free(batch);
    cr_expect(eq(int, state_walk(rig.store, known, 0, &sum, &shard), ST_ECORRUPT));
    cr_expect(eq(uint, shard, hash_shard(id)));
    state_free(known);
    rig_done(&rig);
}
