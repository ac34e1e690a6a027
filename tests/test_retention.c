/*
 * Tests of ingest/retention.h.
 *
 * What is known without running it, over random steps of the stream's time: runs of the last `keep`
 * of it are never dropped; those older than 9/8 of it always are, once time has gone on; a restart
 * at any epoch changes nothing; there is always room for the marks. With 0 nothing is recorded.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include "ingest/retention.h"

enum { EPOCHS = 3000 };

struct rig {
    struct store *store;
    struct store_batch *batch;
    struct retention retention;
    struct epoch epoch;
    int64_t clocks[EPOCHS + 1];
};

static void rig_init(struct rig *rig, int64_t keep)
{
    *rig = (struct rig){0};
    cr_assert(eq(int, store_open_memory(&rig->store), ST_OK));
    rig->batch = rig->store->ops->batch_create(rig->store);
    cr_assert(eq(int, retention_recover(&rig->retention, keep, rig->store), ST_OK));
}

static void rig_done(struct rig *rig)
{
    rig->store->ops->batch_free(rig->batch);
    store_free(rig->store);
    epoch_done(&rig->epoch);
}

static void seal(struct rig *rig, uint64_t number, int64_t clock)
{
    epoch_reset(&rig->epoch, number);
    buf_text(&rig->epoch.runs, "run");
    retention_seal(&rig->retention, &rig->epoch, clock);
    rig->clocks[number] = clock;
    if (rig->epoch.runs_marks.len == 0)
        return;
    rig->store->ops->put(rig->batch, slice_of(RETENTION_KEY), buf_slice(&rig->epoch.runs_marks));
    cr_assert(eq(int, rig->store->ops->write(rig->store, rig->batch), ST_OK));
}

static unsigned next_random(uint64_t *seed, unsigned below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*seed >> 33) % below;
}

TheoryDataPoints(retention, keeps_what_it_says) = {
    DataPoints(int64_t, 1, 15, 1000, 100000),
    DataPoints(unsigned, 1, 10, 500, 5000),
    DataPoints(unsigned, 0, 7),
};

Theory((int64_t keep, unsigned step, unsigned restart_every), retention, keeps_what_it_says)
{
    struct rig rig;
    uint64_t rng = step + restart_every, needed = 0;
    int64_t clock = -5000;
    rig_init(&rig, keep);
    for (uint64_t number = 1; number <= EPOCHS; number++) {
        clock += next_random(&rng, step + 1);
        seal(&rig, number, clock);
        needed = rig.epoch.runs_needed > needed ? rig.epoch.runs_needed : needed;
        cr_assert(le(u64, needed, number));
        for (uint64_t old = 1; old < needed; old++)
            cr_assert(ge(i64, clock - rig.clocks[old], keep), "epoch %d of %d", (int)old,
                      (int)number);
        if (restart_every && number % restart_every == 0)
            cr_assert(eq(int, retention_recover(&rig.retention, keep, rig.store), ST_OK));
    }
    for (uint64_t kept = needed > 0 ? needed : 1; kept < EPOCHS; kept++)
        cr_assert(le(i64, clock - rig.clocks[kept + 1], keep + keep / 8 + 2 * step));
    rig_done(&rig);
}

Test(retention, nothing_is_recorded_with_0)
{
    struct rig rig;
    rig_init(&rig, 0);
    seal(&rig, 1, 100);
    cr_expect(zero(sz, rig.epoch.runs.len));
    cr_expect(eq(u64, rig.epoch.runs_needed, 1));
    rig_done(&rig);
}

Test(retention, a_longer_time_finds_room)
{
    struct rig rig;
    uint64_t number = 0;
    rig_init(&rig, 16);
    for (int64_t clock = 0; clock < 40; clock++)
        seal(&rig, ++number, clock);
    cr_assert(eq(int, retention_recover(&rig.retention, INT64_MAX, rig.store), ST_OK));
    for (int64_t i = 0; i < 100; i++)
        seal(&rig, ++number, i % 2 ? INT64_MIN : INT64_MAX);
    cr_expect(le(sz, rig.retention.n, RETENTION_MARKS));
    rig_done(&rig);
}

Test(retention, refuses_marks_that_are_corrupt)
{
    struct rig rig;
    rig_init(&rig, 10);
    rig.store->ops->put(rig.batch, slice_of(RETENTION_KEY), slice_of("\x01"));
    cr_assert(eq(int, rig.store->ops->write(rig.store, rig.batch), ST_OK));
    cr_expect(eq(int, retention_recover(&rig.retention, 10, rig.store), ST_ECORRUPT));
    rig_done(&rig);
}
