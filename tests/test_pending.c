/*
 * Tests of ingest/pending.h.
 *
 * What is known without running it: an entry is found by its id until the horizon has passed, the
 * newest of an id hides the others, and it reads back as it was put, wherever it lies. The oracle
 * is an array searched from its end. After a recovery all of that is the same.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include <stdio.h>
#include <stdlib.h>

#include "ingest/pending.h"
#include "ingest/fetch.h"
#include "ingest/store_memory.h"
#include "tests/state_copy.h"
#include "tests/state_to_store.h"

enum { N = 1500, KEYS = 2 };

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

/* In three shards, so that each has many entries. */
static struct key128 id_of(uint32_t n)
{
    struct key128 id = hash_event_id((struct slice){(char *)&n, sizeof n});
    return (struct key128){id.lo, id.hi >> 8 | (uint64_t)(n % 3) << 56};
}

struct fixture {
    struct state *state;
    uint16_t family;
    int64_t horizon;
    struct pending_store *store;
    struct store *disk; /* NULL: all stays in memory */
};

static struct fixture begin(int64_t horizon)
{
    struct fixture f = {.horizon = horizon};
    cr_assert(eq(int, state_create(&f.state), ST_OK));
    cr_assert(eq(int, state_family(f.state, "pending", 1, &f.family), ST_OK));
    cr_assert(eq(int, pending_create(f.state, f.family, horizon, &f.store), ST_OK));
    return f;
}

static void end(struct fixture *f)
{
    pending_free(f->store);
    state_free(f->state);
    store_free(f->disk);
}

static void ignore(void *arg, struct pending_ref ref, const struct pending_entry *entry)
{
    (void)arg;
    (void)ref;
    (void)entry;
}

/* The state as a restart finds it, and a new store over it. */
static void restart(struct fixture *f)
{
    struct fixture again = {state_copy(f->state), f->family, f->horizon, NULL, NULL};
    cr_assert(
        eq(int, pending_create(again.state, again.family, again.horizon, &again.store), ST_OK));
    cr_assert(eq(int, pending_recover(again.store, ignore, NULL), ST_OK));
    end(f);
    *f = again;
}

/* Memory that holds next to nothing: what the store lacks is written to it, and all goes. */
static void spill(struct fixture *f)
{
    sweep_to_store(f->state, f->disk);
    for (int i = 0; i <= STATE_TURNS_KEPT + 1; i++)
        state_turn(f->state);
    state_durable(f->state, state_turns(f->state));
    while (state_evict(f->state, 0) + state_evict(f->state, 0) > 0)
        ;
}

/* What an event or a label of that id needs at that time, and nothing else. */
static void bring(struct fixture *f, uint32_t id, int64_t now)
{
    size_t n;
    pending_need_find(f->store, id_of(id));
    pending_need_append(f->store, id_of(id), now);
    const struct state_missing *missing = state_missing(f->state, &n);
    for (size_t i = 0; i < n; i++)
        cr_assert(eq(int, fetch_records(f->disk, f->state, &missing[i], 1), ST_OK));
    state_forget_missing(f->state);
}

/* Entry number n: all of it follows from n and a few numbers. */
struct known {
    uint32_t id;
    int64_t time;
    size_t len, n_keys;
    bool event, there;
};

static struct pending_ref append(struct fixture *f, const struct known *known, uint32_t n)
{
    struct key128 keys[KEYS] = {{n, 1}, {n, 2}};
    char packed[9000];
    memset(packed, (int)n, sizeof packed);
    struct pending_entry entry = {.id = id_of(known->id),
                                  .time = known->time,
                                  .label_offset = n,
                                  .flags = known->event ? PENDING_EVENT : PENDING_LABELLED,
                                  .n_keys = (uint16_t)known->n_keys};
    return pending_append(f->store, &entry, keys, (struct slice){packed, known->len});
}

static void expect_entry(const struct fixture *f, struct pending_ref ref, const struct known *known,
                         uint32_t n)
{
    const struct pending_entry *entry = pending_get(f->store, ref);
    cr_assert(key_eq(entry->id, id_of(known->id)));
    cr_assert(eq(i64, entry->time, known->time));
    cr_assert(eq(i64, entry->label_offset, n));
    cr_assert(eq(u64, entry->seq, n));
    const struct key128 *keys = pending_keys(entry);
    cr_assert(eq(int, keys != NULL, known->n_keys > 0));
    for (size_t i = 0; i < known->n_keys; i++)
        cr_assert(key_eq(keys[i], (struct key128){n, i + 1}));
    struct slice packed = pending_packed(entry);
    cr_assert(eq(sz, packed.len, known->len));
    for (size_t i = 0; i < packed.len; i++)
        cr_assert(eq(chr, packed.data[i], (char)n));
}

static int newest_of(const struct known *all, uint32_t n, uint32_t id)
{
    for (uint32_t i = n; i > 0; i--)
        if (all[i - 1].id == id)
            return (int)(i - 1);
    return -1;
}

static void expect_found(struct fixture *f, const struct known *all, uint32_t n, uint32_t id,
                         int64_t now)
{
    struct pending_ref ref;
    int at = newest_of(all, n, id);
    if (f->disk)
        bring(f, id, now);
    bool alive = at >= 0 && all[at].time + f->horizon >= now;
    cr_assert(eq(int, pending_find(f->store, id_of(id), now, &ref), alive));
    if (alive)
        expect_entry(f, ref, &all[at], (uint32_t)at);
}

enum { ALL_IN_MEMORY, RESTARTS, SPILLS };

TheoryDataPoints(pending, finds_the_newest_until_its_horizon) = {
    DataPoints(uint32_t, 20, 1000, 1000000), /* ids to draw from */
    DataPoints(uint32_t, 1, 30),             /* time between entries, at most */
    DataPoints(uint32_t, 100, 8000),         /* packed bytes, at most */
    DataPoints(int, ALL_IN_MEMORY, RESTARTS, SPILLS),
};

Theory((uint32_t ids, uint32_t step, uint32_t bytes, int mode), pending,
       finds_the_newest_until_its_horizon)
{
    static struct known all[N];
    struct fixture f = begin(500);
    uint64_t seed = ids + step + bytes;
    int64_t now = 0;
    if (mode == SPILLS)
        cr_assert(eq(int, store_open_memory(&f.disk), ST_OK));
    for (uint32_t n = 0; n < N; n++) {
        now += draw(&seed, step);
        int64_t late = draw(&seed, 10) == 0 ? draw(&seed, 200) : 0;
        all[n] = (struct known){draw(&seed, ids),      now - late,         draw(&seed, bytes),
                                draw(&seed, 2) * KEYS, draw(&seed, 5) > 0, true};
        if (mode == SPILLS)
            bring(&f, all[n].id, now);
        expect_entry(&f, append(&f, &all[n], n), &all[n], n);
        for (int i = 0; i < 2; i++)
            expect_found(&f, all, n + 1, all[draw(&seed, n + 1)].id, now);
        expect_found(&f, all, n + 1, draw(&seed, ids), now);
        if (mode == RESTARTS && draw(&seed, 150) == 0)
            restart(&f);
        if (mode == SPILLS && draw(&seed, 50) == 0)
            spill(&f);
    }
    end(&f);
}

/* Memory. */

Test(pending, blocks_go_once_all_of_them_is_past_the_horizon)
{
    struct fixture f = begin(100);
    struct known known = {0, 0, 50, KEYS, true, true};
    for (uint32_t n = 0; n < 100000; n++) {
        known.id = n;
        known.time = n / 100;
        append(&f, &known, n);
    }
    /* Of 144 bytes each, 10100 are within the horizon; a shard keeps the rest of two blocks. */
    enum { MOST = 10100 + 3 * 2 * PENDING_BLOCK / 144 };
    cr_expect(ge(sz, pending_count(f.store), 10100));
    cr_expect(le(sz, pending_count(f.store), MOST));
    cr_expect(eq(sz, pending_entry_bytes(f.store), pending_count(f.store) * 144));
    cr_expect(lt(sz, state_bytes(f.state), MOST * 160 + 100000));
    cr_expect(eq(sz, pending_index_bytes(f.store), 16384 * 12));
    end(&f);
}

/* The figures count ids and, of these, labels that still wait. */
Test(pending, an_event_takes_its_labels_place)
{
    struct fixture f = begin(100);
    struct known label = {1, 0, 0, 0, false, true}, event = {1, 0, 10, 0, true, true};
    append(&f, &label, 0);
    cr_expect(eq(sz, pending_count(f.store), 1));
    cr_expect(eq(sz, pending_labels(f.store), 1));
    append(&f, &event, 1);
    cr_expect(eq(sz, pending_count(f.store), 1));
    cr_expect(eq(sz, pending_labels(f.store), 0));
    restart(&f);
    cr_expect(eq(sz, pending_count(f.store), 1));
    cr_expect(eq(sz, pending_labels(f.store), 0));
    label.id = 2;
    append(&f, &label, 2);
    label.time = 150; /* the one before has expired, in a block that has not gone */
    append(&f, &label, 3);
    cr_expect(eq(sz, pending_count(f.store), 2));
    cr_expect(eq(sz, pending_labels(f.store), 1));
    end(&f);
}

Test(pending, changes_are_logged_and_come_back)
{
    struct fixture f = begin(100);
    struct known known = {1, 0, 10, KEYS, true, true};
    struct pending_ref ref = append(&f, &known, 0);
    restart(&f);
    cr_assert(pending_find(f.store, id_of(1), 0, &ref));
    pending_change(f.store, ref, PENDING_SCORE)->score = 0.25f;
    restart(&f);
    cr_assert(pending_find(f.store, id_of(1), 0, &ref));
    cr_expect(eq(flt, pending_get(f.store, ref)->score, 0.25f));
    expect_entry(&f, ref, &known, 0);
    end(&f);
}

/* Refusals: a block that does not hold what its entries say is corrupt. */

static struct record *only_block;

static void note_block(void *arg, struct record *rec)
{
    (void)arg;
    if (rec->size > 8)
        only_block = rec;
}

static enum status recover_bent(size_t at, char byte, size_t cut)
{
    struct fixture f = begin(100);
    struct known known = {1, 0, 16, KEYS, true, true};
    append(&f, &known, 0);
    state_each(f.state, f.family, note_block, NULL);
    only_block->data[at] = byte;
    only_block->size -= (uint32_t)cut;
    pending_free(f.store);
    cr_assert(eq(int, pending_create(f.state, f.family, 100, &f.store), ST_OK));
    enum status st = pending_recover(f.store, ignore, NULL);
    end(&f);
    return st;
}

Test(pending, refuses_corrupt_blocks)
{
    size_t n_keys = offsetof(struct pending_entry, n_keys);
    size_t len = offsetof(struct pending_entry, len);
    cr_expect(eq(int, recover_bent(n_keys, KEYS, 0), ST_OK), "not bent at all");
    cr_expect(eq(int, recover_bent(n_keys, KEYS, 8), ST_ECORRUPT), "cut off");
    cr_expect(eq(int, recover_bent(n_keys, KEYS, 80), ST_ECORRUPT), "cut off in the fixed part");
    cr_expect(eq(int, recover_bent(n_keys, KEYS + 1, 0), ST_ECORRUPT), "too many keys");
    cr_expect(eq(int, recover_bent(len + 1, 1, 0), ST_ECORRUPT), "too long");
    cr_expect(eq(int, recover_bent(15, 2, 0), ST_ECORRUPT), "in another's shard");
}
