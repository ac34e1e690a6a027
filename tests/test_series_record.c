/*
 * Tests of features/series.h: an entity's record.
 *
 * What is known without running it: what may be dropped and what a record costs follows from the
 * layout: 16 bytes an entry, a window's worth of entries, and nothing else dirtied by one more. Its
 * bytes are a function of the entries observed, and all that changes is told.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include "features/series.h"
#include "tests/series_past.h"

/* What an entity's windows are does not depend on what is asked in between, nor on what else the
 * state holds: they are a function of the entries observed. */
Test(series, equal_entries_leave_equal_bytes)
{
    struct fixture a = {0}, b = {0};
    begin(&a, SERIES_VALUE, (int64_t[]){DAY_US}, 1, 0, HOUR);
    begin(&b, SERIES_VALUE, (int64_t[]){DAY_US}, 1, 0, HOUR);
    uint64_t seed = 9;
    struct buf redo = {0};
    for (int64_t i = 0, now = 0; i < 2000; i++) {
        now += (int64_t)(noise(&seed) * HOUR / 4);
        struct slot entry = slot_of_value(event_time(now, HOUR, &seed), noise(&seed));
        series_observe(&a.series, a.state, card, &entry);
        series_observe(&b.series, b.state, card, &entry);
        if (i % 7 == 0)
            state_seal(b.state, &redo);
    }
    struct key128 da = state_digest(a.state), db = state_digest(b.state);
    cr_expect(key_eq(da, db));
    buf_done(&redo);
    end(&a);
    end(&b);
}

/* Whatever an observe or a label changes must be touched: redo values alone rebuild the state. */
static void observe_and_follow(struct fixture *f, int64_t lateness, size_t n)
{
    struct state *follower;
    cr_assert(eq(int, state_create(&follower), ST_OK));
    struct past *past = past_create();
    uint64_t seed = 21;
    int64_t now = 0;
    for (size_t i = 0; i < n; i++) {
        now += next_step((enum pattern)(i / 300 % PATTERNS), i, &seed) / 16;
        struct slot entry =
            random_entry(f->series.entry, event_time(now, lateness, &seed), (uint32_t)i, &seed);
        series_observe(&f->series, f->state, card, &entry);
        past_add(past, &entry);
        label_some(f, past, &seed);
        struct buf redo = {0};
        state_seal(f->state, &redo);
        cr_assert(eq(int, state_apply_redo(follower, buf_slice(&redo)), ST_OK));
        buf_done(&redo);
        cr_assert(key_eq(state_digest(f->state), state_digest(follower)), "after %zu", i);
    }
    free(past);
    state_free(follower);
}

TheoryDataPoints(series, all_that_changes_is_touched) = {
    DataPoints(int, SERIES_VALUE, SERIES_LABEL, SERIES_HASH),
    DataPoints(unsigned, 100, 1 << 20), /* entries_max */
    DataPoints(int64_t, 0, HOUR),       /* lateness */
};

Theory((int entry, unsigned entries_max, int64_t lateness), series, all_that_changes_is_touched)
{
    struct fixture f = {0};
    f.series.entries_max = entries_max;
    begin(&f, (enum series_entry)entry, (int64_t[]){2 * HOUR, DAY_US}, 2, 0, lateness);
    observe_and_follow(&f, lateness, 2000);
    end(&f);
}

/* Costs. */

static size_t sealed_bytes(struct fixture *f)
{
    struct buf redo = {0};
    state_seal(f->state, &redo);
    size_t n = redo.len;
    buf_done(&redo);
    return n;
}

/* 18 bytes name the record and about 7 say which of its bytes follow. */
Test(series, one_more_entry_dirties_its_slot_alone)
{
    struct fixture f = {0};
    begin(&f, SERIES_VALUE, (int64_t[]){DAY_US}, 1, 0, 0);
    int64_t now = 0;
    for (; now < 4 * DAY_US; now += 10 * MINUTE) {
        struct slot entry = slot_of_value(now, 1);
        series_observe(&f.series, f.state, card, &entry);
    }
    sealed_bytes(&f);
    size_t total = 0, n = 0, typical = 0;
    for (; now < 30 * DAY_US; now += 10 * MINUTE, n++) {
        struct slot entry = slot_of_value(now, 1);
        series_observe(&f.series, f.state, card, &entry);
        size_t bytes = sealed_bytes(&f);
        total += bytes - 26;
        typical += bytes <= 16 + 26;
    }
    cr_expect(gt(sz, typical, n * 9 / 10), "%zu of %zu", typical, n);
    cr_expect(lt(sz, total / n, 40), "%zu bytes an entry", total / n);
    end(&f);
}

Test(series, a_record_grows_with_its_window_and_shrinks_again)
{
    struct fixture f = {0};
    begin(&f, SERIES_VALUE, (int64_t[]){DAY_US}, 1, 0, 0);
    struct slot entry = slot_of_value(0, 1);
    series_observe(&f.series, f.state, card, &entry);
    cr_expect(le(sz, record_size(&f), 80));
    int64_t now = 0;
    for (size_t i = 0; i < 3000; i++, now += 10 * SECOND_US) {
        entry = slot_of_value(now, 1);
        series_observe(&f.series, f.state, card, &entry);
    }
    size_t full = record_size(&f);
    cr_expect(ge(sz, full, 3000 * 16));
    cr_expect(le(sz, full, 3000 * 16 * 2));
    for (size_t i = 0; i < 200; i++, now += HOUR) {
        entry = slot_of_value(now, 1);
        series_observe(&f.series, f.state, card, &entry);
    }
    cr_expect(le(sz, record_size(&f), 1600), "%zu bytes for 24 entries", record_size(&f));
    now += 30 * DAY_US;
    entry = slot_of_value(now, 1);
    series_observe(&f.series, f.state, card, &entry);
    cr_expect(le(sz, record_size(&f), 80));
    end(&f);
}

Test(series, what_no_window_can_see_is_not_taken)
{
    struct fixture f = {0};
    begin(&f, SERIES_VALUE, (int64_t[]){DAY_US}, 1, 0, HOUR);
    struct slot now = slot_of_value(50 * DAY_US, 1), old = slot_of_value(10 * DAY_US, 1);
    series_observe(&f.series, f.state, card, &now);
    series_observe(&f.series, f.state, card, &old);
    struct series_figures figures =
        series_figures(&f.series, series_find(&f.series, f.state, card));
    cr_expect(eq(u64, figures.slots, 1));
    end(&f);
}

/* However often they repeat, 40 values are 40 entries and what `settle` needs. */
Test(series, repeats_cost_no_memory)
{
    struct fixture f = {0};
    begin(&f, SERIES_HASH, (int64_t[]){DAY_US}, 1, 0, 0);
    for (int64_t i = 0; i < 20000; i++) {
        struct slot entry = slot_of_hash(i * SECOND_US, 1 + (uint64_t)i % 40);
        series_observe(&f.series, f.state, card, &entry);
    }
    cr_expect(le(sz, record_size(&f), 4096), "%zu", record_size(&f));
    end(&f);
}

/* A record of garbage (a disk that lied) is read as something, not beyond its end. */
Test(series, any_bytes_can_be_read)
{
    for (int entry = SERIES_VALUE; entry <= SERIES_HASH; entry++) {
        struct fixture f = {0};
        begin(&f, (enum series_entry)entry, (int64_t[]){HOUR, DAY_US}, 2, 0, HOUR);
        uint64_t seed = 99;
        for (int i = 0; i < 3000; i++) {
            struct key128 id = {(uint64_t)i + 1, 0};
            struct record *rec =
                state_obtain(f.state, f.series.family, id, (size_t)(noise(&seed) * 3000));
            for (size_t k = 0; k < rec->size; k++)
                rec->data[k] = (char)(noise(&seed) < 0.4 ? 0 : noise(&seed) * 256);
            if (rec->size > 4)
                memset(rec->data + 1, 0, 3);
            struct aggregate got[2];
            int64_t previous;
            series_read(&f.series, rec, (int64_t)seed, NULL, got, &previous);
            series_figures(&f.series, rec);
            struct slot slot = slot_of_value((int64_t)seed, 1);
            series_observe(&f.series, f.state, id, &slot);
            series_label(&f.series, f.state, id, (int64_t)seed, 0, 1);
        }
        end(&f);
    }
}
