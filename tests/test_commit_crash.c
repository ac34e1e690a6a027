/*
 * Tests of ingest/commit.h: crashes.
 *
 * What is known without running it: a run that dies at any write, before it or behind it, and goes
 * on from what was stored ends as one that never died: the same state, every row at least once and
 * with the same bytes each time, every example in the log or behind the trainer's cursor. That is
 * held over random runs of a small world whose rows depend on its state.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include "ingest/commit.h"
#include "tests/commit_fixture.h"

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

/* The law. Event i changes a record and emits a row that tells what the record held before; of some
 * an item goes to the example log. All of it follows from i and the state. */

enum { EVENTS = 400, RECORDS = 12 };

struct world {
    struct process p;
    uint64_t seed; /* of what may differ: epochs, sweeps, crashes, acknowledgements */
    uint32_t crash_every;
    uint64_t next_event;
    bool sweeping;
    uint64_t sweep_floor, redo_needed;
    uint64_t learnt; /* the trainer's cursor */
    char rows[EVENTS][24];
    uint32_t arrived[EVENTS];
};

static void take_event(struct world *w)
{
    uint64_t i = w->next_event++, before = 0;
    struct key128 id = {i * 7919 % RECORDS + 1, 0};
    size_t size = 8 + i * 31 % (3 * STATE_PAGE);
    struct record *rec = state_find(w->p.state, FAMILY, id);
    if (rec)
        memcpy(&before, rec->data, sizeof before);
    if (rec && i % 11 == 0) {
        state_drop(w->p.state, rec);
        rec = NULL;
    }
    rec = rec ? state_resize(w->p.state, rec, size) : state_obtain(w->p.state, FAMILY, id, size);
    uint64_t now = before * 31 + i;
    memcpy(rec->data, &now, sizeof now);
    memcpy(rec->data + size - sizeof now, &now, sizeof now);
    state_touch(w->p.state, rec, 0, sizeof now);
    state_touch(w->p.state, rec, size - sizeof now, sizeof now);

    char text[24];
    snprintf(text, sizeof text, "%d:%llx", (int)i, (unsigned long long)before);
    put_row(&w->p, 0, (int64_t)i, text);
    if (i % 3 == 0) {
        snprintf(text, sizeof text, "%03d", (int)(w->p.next_item));
        put_item(&w->p, text);
    }
}

static void sweep(struct world *w)
{
    struct epoch *epoch = &w->p.epoch;
    state_seal(w->p.state, &epoch->redo);
    state_take_drops(w->p.state, &epoch->pages);
    if (!w->sweeping && draw(&w->seed, 4) == 0) {
        state_sweep_begin(w->p.state);
        w->sweeping = true;
        w->sweep_floor = epoch->number + 1;
    }
    if (w->sweeping && !state_sweep_some(w->p.state, draw(&w->seed, 20000), &epoch->pages)) {
        w->sweeping = false;
        w->redo_needed = w->sweep_floor;
    }
    epoch->redo_needed = w->redo_needed;
}

/* What arrived before the process went is not taken back. */
static void collect_rows(struct world *w)
{
    for (size_t i = 0; i < sink_memory_rows(w->p.sink); i++) {
        int64_t event = sink_memory_row(w->p.sink, i)->offset;
        const char *text = payload_at(&w->p, i);
        if (w->arrived[event]++ == 0)
            snprintf(w->rows[event], sizeof w->rows[event], "%s", text);
        cr_assert(eq(str, w->rows[event], (char *)text), "a repeat has the same bytes");
    }
}

static enum status check_block(void *arg, uint64_t first, uint64_t n, struct slice block)
{
    uint64_t *next = arg;
    cr_assert(le(u64, first, *next), "no item is missing");
    cr_assert(eq(sz, block.len, 3 * n));
    for (uint64_t i = 0; i < n; i++)
        cr_assert(eq(
            int,
            atoi((char[]){block.data[3 * i], block.data[3 * i + 1], block.data[3 * i + 2], '\0'}),
            (int)(first + i)));
    *next = first + n;
    return ST_OK;
}

/* As a process that begins: everything from the store, the trainer up to the end of the log. */
static void world_start(struct world *w)
{
    struct buf head = {0};
    cr_assert(eq(int, start(&w->p, NULL, &head), ST_OK));
    struct reader in = reader_of(buf_slice(&head));
    if (head.len > 0)
        read_u64(&in);
    w->next_event = head.len > 0 ? read_u64(&in) : 0;
    w->p.next_item = head.len > 0 ? read_u64(&in) : 0;
    buf_done(&head);
    w->sweeping = false;
    w->redo_needed = 0;
    w->learnt = named(&w->p) < 0 ? 0 : (uint64_t)named(&w->p);
    cr_assert(le(u64, w->learnt, w->p.next_item), "named past the durable log");
    cr_assert(eq(int, commit_read_examples(w->p.store, w->learnt, check_block, &w->learnt), ST_OK));
    cr_assert(eq(u64, w->learnt, w->p.next_item));
    sink_memory_script(w->p.sink)->hold = draw(&w->seed, 100);
}

static void world_crash(struct world *w)
{
    collect_rows(w);
    stop(&w->p);
    store_memory_crash(w->p.store);
    world_start(w);
}

/* One epoch. False if the process died in it. */
static bool take_epoch(struct world *w)
{
    for (uint32_t n = draw(&w->seed, 8); n > 0 && w->next_event < EVENTS; n--)
        take_event(w);
    w->learnt += draw(&w->seed, (uint32_t)(w->p.next_item - w->learnt) + 1);
    if (draw(&w->seed, 3) == 0)
        offer(&w->p, w->learnt); /* perhaps past what is durable */
    buf_u64(&w->p.epoch.head, w->p.epoch.number);
    buf_u64(&w->p.epoch.head, w->next_event);
    buf_u64(&w->p.epoch.head, w->p.next_item);
    sweep(w);
    uint32_t fate = w->crash_every ? draw(&w->seed, 3 * w->crash_every) : 3;
    if (fate < 2)
        store_memory_fail_write(w->p.store, 1, fate ? STORE_MEMORY_LOST : STORE_MEMORY_KEPT);
    if (commit_write(w->p.commit, &w->p.epoch) < 0)
        return false;
    epoch_reset(&w->p.epoch, w->p.epoch.number + 1);
    if (draw(&w->seed, 3) > 0)
        produce(&w->p);
    sink_memory_script(w->p.sink)->hold += draw(&w->seed, 12);
    return fate != 2;
}

static void world_run(struct world *w)
{
    cr_assert(eq(int, store_open_memory(&w->p.store), ST_OK));
    world_start(w);
    while (w->next_event < EVENTS)
        if (!take_epoch(w))
            world_crash(w);
    w->crash_every = 0;
    sink_memory_script(w->p.sink)->hold = UINT64_MAX;
    for (int i = 0; i < 40; i++) /* the last rows and a last sweep */
        take_epoch(w);
    produce(&w->p);
    cr_assert(eq(int, commit_tidy(w->p.commit), ST_OK));
    collect_rows(w);
}

TheoryDataPoints(commit, a_run_that_dies_ends_as_one_that_does_not) = {
    DataPoints(uint64_t, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
    DataPoints(uint32_t, 2, 10), /* epochs between crashes, about */
};

Theory((uint64_t seed, uint32_t crash_every), commit, a_run_that_dies_ends_as_one_that_does_not)
{
    static struct world steady, dying;
    steady = (struct world){.seed = 1};
    dying = (struct world){.seed = seed, .crash_every = crash_every};
    world_run(&steady);
    world_run(&dying);
    cr_assert(key_eq(state_digest(steady.p.state), state_digest(dying.p.state)));
    cr_assert(eq(u64, steady.p.next_item, dying.p.next_item));
    for (int i = 0; i < EVENTS; i++) {
        cr_assert(eq(u32, steady.arrived[i], 1));
        cr_assert(ge(u32, dying.arrived[i], 1), "row %d never came", i);
        cr_assert(eq(str, dying.rows[i], steady.rows[i]));
    }
    cr_assert(eq(str, (char *)keys(&dying.p, STORE_OUTBOX), ""));
    end(&steady.p);
    end(&dying.p);
}
