/*
 * Tests of ingest/commit.h.
 *
 * What is known without running it: a run that dies at any write, before it or behind it, and goes
 * on from what was stored ends as one that never died: the same state, every row at least once and
 * with the same bytes each time, every example in the log or behind the trainer's cursor. That is
 * held over random runs of a small world whose rows depend on its state. Beside it stand the steps
 * one by one, and what must be refused.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include <stdio.h>
#include <stdlib.h>

#include "ingest/commit.h"
#include "ingest/sink_memory.h"
#include "ingest/store_memory.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
enum { FAMILY = 1 };

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

static struct lane_name name_lane(void *arg, uint32_t lane)
{
    (void)arg;
    return (struct lane_name){lane == 7 ? "seventh" : "other", (int32_t)lane * 10};
}

/* Store, commit and state as one process has them, and an epoch to fill. */
struct process {
    struct store *store; /* outlives the process */
    struct sink *sink;
    struct commit *commit;
    struct state *state;
    struct epoch epoch;
    uint64_t next_item; /* of the example log */
    uint64_t recovered; /* epoch */
};

static enum status start(struct process *p, struct buf *ret_head)
{
    p->sink = sink_memory_create();
    struct commit_options options = {.store = p->store,
                                     .sink = p->sink,
                                     .lane_name = name_lane,
                                     .outbox_rows_max = 20,
                                     .runs_kept = 3};
    cr_assert(eq(int, commit_create(&options, &p->commit), ST_OK));
    cr_assert(eq(int, state_create(&p->state), ST_OK));
    enum status st = commit_recover(p->commit, p->state, ret_head, &p->recovered);
    epoch_reset(&p->epoch, p->recovered + 1);
    return st;
}

static void stop(struct process *p)
{
    commit_free(p->commit);
    state_free(p->state);
    p->sink->ops->free(p->sink);
    epoch_done(&p->epoch);
    p->epoch = (struct epoch){0};
}

static struct process fresh(void)
{
    struct process p = {0};
    struct buf head = {0};
    cr_assert(eq(int, store_open_memory(&p.store), ST_OK));
    cr_assert(eq(int, start(&p, &head), ST_OK));
    cr_assert(eq(u64, p.recovered, 0), "a fresh store has no epoch");
    cr_assert(eq(sz, head.len, 0));
    return p;
}

static void restart(struct process *p)
{
    struct buf head = {0};
    stop(p);
    store_memory_crash(p->store);
    cr_assert(eq(int, start(p, &head), ST_OK));
    buf_done(&head);
}

static void end(struct process *p)
{
    stop(p);
    store_free(p->store);
}

static void put_row(struct process *p, uint32_t lane, int64_t offset, const char *payload)
{
    outbox_put(&p->epoch.outbox, CHANNEL_SCORES, lane, offset, 0, slice_of("key"),
               slice_of(payload), (struct slice){0});
    p->epoch.outbox_rows++;
}

static void put_item(struct process *p, const char *item)
{
    if (p->epoch.examples_n++ == 0)
        p->epoch.examples_first = p->next_item;
    buf_text(&p->epoch.examples, item);
    p->next_item++;
}

static enum status write_epoch(struct process *p)
{
    buf_u64(&p->epoch.head, p->epoch.number);
    if (p->epoch.redo.len == 0)
        state_seal(p->state, &p->epoch.redo);
    enum status st = commit_write(p->commit, &p->epoch);
    epoch_reset(&p->epoch, p->epoch.number + 1);
    return st;
}

static void commit(struct process *p)
{
    cr_assert(eq(int, write_epoch(p), ST_OK));
}

static void produce(struct process *p)
{
    cr_assert(eq(int, commit_produce(p->commit, 0), ST_OK));
}

static enum status tell_key(void *arg, struct slice key, struct slice value)
{
    (void)value;
    buf_printf(arg, "%c%llu ", key.data[0], (unsigned long long)store_key_number(key));
    return ST_OK;
}

/* "r3 r4 ": the numbered keys of a space. */
static const char *keys(struct process *p, enum store_space space)
{
    static struct buf out;
    buf_reset(&out);
    cr_assert(eq(int, store_scan_space(p->store, space, tell_key, &out), ST_OK));
    buf_byte(&out, '\0');
    return out.data;
}

static const char *payload_at(struct process *p, size_t i)
{
    static char text[64];
    struct slice payload = sink_memory_row(p->sink, i)->payload;
    snprintf(text, sizeof text, "%.*s", (int)payload.len, payload.data);
    return text;
}

static enum status count_block(void *arg, uint64_t first, uint64_t n, struct slice block)
{
    uint64_t *next = arg;
    (void)block;
    cr_assert(eq(u64, first, *next));
    *next += n;
    return ST_OK;
}

static void offer(struct process *p, uint64_t cursor)
{
    struct trainer_checkpoint point = {.cursor = cursor, .version = (uint32_t)cursor + 1};
    snprintf(point.file, sizeof point.file, "model-%d", (int)cursor);
    commit_offer_trainer(p->commit, &point);
}

/* Rows. */

Test(commit, rows_are_sent_again_as_stored)
{
    struct process p = fresh();
    put_row(&p, 7, 100, "first");
    put_row(&p, 8, 101, "second");
    commit(&p);
    put_row(&p, 7, 102, "third");
    commit(&p);
    produce(&p);
    cr_expect(eq(sz, sink_memory_rows(p.sink), 3));
    for (int times = 0; times < 2; times++) {
        restart(&p);
        cr_expect(eq(u64, p.recovered, 2));
        cr_expect(eq(u64, commit_outbox_depth(p.commit), 3));
        produce(&p);
        cr_assert(eq(sz, sink_memory_rows(p.sink), 3));
        cr_expect(eq(str, (char *)payload_at(&p, 0), "first"));
        cr_expect(eq(str, (char *)payload_at(&p, 2), "third"));
        const struct row *row = sink_memory_row(p.sink, 1);
        cr_expect(eq(str, (char *)row->topic, "other"));
        cr_expect(eq(i32, row->partition, 80));
        cr_expect(eq(i64, row->offset, 101));
        cr_expect(slice_eq(row->key, slice_of("key")));
        cr_expect(eq(str, (char *)sink_memory_row(p.sink, 0)->topic, "seventh"));
    }
    end(&p);
}

Test(commit, acknowledged_rows_leave_with_the_next_write)
{
    struct process p = fresh();
    sink_memory_script(p.sink)->hold = 0;
    for (int i = 0; i < 3; i++) {
        put_row(&p, 0, i, "a");
        put_row(&p, 0, i, "b");
        commit(&p);
    }
    produce(&p);
    cr_expect(eq(u64, commit_outbox_depth(p.commit), 6));
    sink_memory_script(p.sink)->hold = 3; /* all of the first epoch, half of the second */
    produce(&p);
    cr_expect(eq(u64, commit_outbox_depth(p.commit), 3));
    cr_expect(eq(str, (char *)keys(&p, STORE_OUTBOX), "o1 o2 o3 "), "nothing was written yet");
    commit(&p);
    cr_expect(eq(str, (char *)keys(&p, STORE_OUTBOX), "o2 o3 "));
    sink_memory_script(p.sink)->hold = 6;
    produce(&p);
    cr_assert(eq(int, commit_tidy(p.commit), ST_OK));
    cr_expect(eq(str, (char *)keys(&p, STORE_OUTBOX), ""));
    restart(&p);
    produce(&p);
    cr_expect(eq(sz, sink_memory_rows(p.sink), 0));
    end(&p);
}

Test(commit, waits_where_too_many_rows_do)
{
    struct process p = fresh();
    sink_memory_script(p.sink)->hold = 0;
    for (int i = 0; i < 19; i++)
        put_row(&p, 0, i, "x");
    commit(&p);
    cr_expect(commit_ready(p.commit));
    put_row(&p, 0, 19, "x");
    commit(&p);
    cr_expect(not(commit_ready(p.commit)));
    produce(&p);
    cr_expect(not(commit_ready(p.commit)), "sent is not acknowledged");
    sink_memory_script(p.sink)->hold = 1;
    produce(&p);
    cr_expect(commit_ready(p.commit));
    struct commit_figures figures = commit_figures(p.commit);
    cr_expect(eq(u64, figures.rows_sent, 20));
    cr_expect(eq(u64, figures.rows_acked, 1));
    end(&p);
}

/* A sink that takes few rows at a time gets all of them in order, however epochs and calls fall. */
Test(commit, a_full_sink_gets_the_rest_later)
{
    struct process p = fresh();
    char text[16];
    int sent = 0;
    for (int round = 0; round < 40; round++) {
        sink_memory_script(p.sink)->full_at = 1 + (uint64_t)round % 4;
        for (int i = 0; i < round % 5; i++, sent++) {
            snprintf(text, sizeof text, "%d", sent);
            put_row(&p, 0, sent, text);
        }
        commit(&p);
        produce(&p);
    }
    while (commit_outbox_depth(p.commit) > 0)
        produce(&p);
    cr_assert(eq(sz, sink_memory_rows(p.sink), (size_t)sent));
    for (int i = 0; i < sent; i++) {
        snprintf(text, sizeof text, "%d", i);
        cr_assert(eq(str, (char *)payload_at(&p, (size_t)i), text));
    }
    end(&p);
}

/* Epochs and blocks of the log go round in arrays, which grow while they are not empty. */
Test(commit, many_epochs_wait_behind_some_that_are_done)
{
    struct process p = fresh();
    char expected[8];
    for (int i = 0; i < 1000; i++) {
        sink_memory_script(p.sink)->hold = i < 5 ? (uint64_t)i : i < 700 ? 5 : UINT64_MAX;
        snprintf(expected, sizeof expected, "%d", i);
        put_row(&p, 0, i, expected);
        put_item(&p, expected);
        if (i == 100)
            offer(&p, 90);
        commit(&p);
        produce(&p);
    }
    commit(&p);
    cr_expect(eq(str, (char *)keys(&p, STORE_OUTBOX), ""));
    uint64_t next = 90;
    cr_assert(eq(sz, strlen(keys(&p, STORE_EXAMPLES)), 10 * 4 + 900 * 5));
    cr_expect(eq(int, commit_read_examples(p.store, 0, count_block, &next), ST_OK));
    cr_expect(eq(u64, next, 1000));
    offer(&p, 1000);
    commit(&p);
    cr_expect(eq(str, (char *)keys(&p, STORE_EXAMPLES), ""));
    for (size_t i = 0; i < 1000; i++) {
        snprintf(expected, sizeof expected, "%d", (int)i);
        cr_assert(eq(str, (char *)payload_at(&p, i), expected));
    }
    end(&p);
}

Test(commit, a_broken_sink_is_told)
{
    struct process p = fresh();
    put_row(&p, 0, 0, "x");
    commit(&p);
    sink_memory_script(p.sink)->broken = ST_EIO;
    cr_expect(eq(int, commit_produce(p.commit, 0), ST_EIO));
    sink_memory_script(p.sink)->broken = ST_OK;
    produce(&p);
    cr_expect(eq(sz, sink_memory_rows(p.sink), 1));
    end(&p);
}

/* What is dropped, and when. */

Test(commit, redo_values_stay_until_a_sweep_has_covered_them)
{
    struct process p = fresh();
    for (int i = 0; i < 4; i++)
        commit(&p);
    cr_expect(eq(str, (char *)keys(&p, STORE_REDO), "r1 r2 r3 r4 "));
    p.epoch.redo_needed = 3;
    commit(&p);
    cr_expect(eq(str, (char *)keys(&p, STORE_REDO), "r3 r4 r5 "));
    restart(&p);
    commit(&p);
    cr_expect(eq(str, (char *)keys(&p, STORE_REDO), "r3 r4 r5 r6 "));
    p.epoch.redo_needed = 8; /* the sweep's pages are in this very write */
    commit(&p);
    cr_expect(eq(str, (char *)keys(&p, STORE_REDO), ""));
    restart(&p);
    cr_expect(eq(u64, p.recovered, 7));
    commit(&p);
    cr_expect(eq(str, (char *)keys(&p, STORE_REDO), "r8 "));
    end(&p);
}

static size_t stored_bytes(struct process *p, enum store_space space, uint64_t number)
{
    struct store_key key = store_number_key(space, number);
    struct buf value = {0};
    cr_assert(eq(int, p->store->ops->get(p->store, store_key_slice(&key), &value), ST_OK));
    size_t len = value.len;
    buf_done(&value);
    return len;
}

Test(commit, what_was_recovered_is_not_logged_again)
{
    struct process p = fresh();
    state_obtain(p.state, FAMILY, (struct key128){1, 1}, 1000);
    commit(&p);
    restart(&p);
    cr_expect(eq(sz, state_count(p.state), 1));
    commit(&p);
    cr_expect(gt(sz, stored_bytes(&p, STORE_REDO, 1), 1000));
    cr_expect(eq(sz, stored_bytes(&p, STORE_REDO, 2), 1));
    end(&p);
}

Test(commit, runs_are_kept_for_a_while)
{
    struct process p = fresh();
    for (int i = 1; i <= 6; i++) {
        buf_text(&p.epoch.runs, "run");
        commit(&p);
        if (i == 4)
            restart(&p);
    }
    cr_expect(eq(str, (char *)keys(&p, STORE_RUNS), "n3 n4 n5 n6 "));
    end(&p);
}

/* The trainer's checkpoint. */

/* -1: none is named. */
static int64_t named(struct process *p)
{
    struct trainer_checkpoint point;
    enum status st = commit_read_trainer(p->store, &point);
    if (st == ST_ENOTFOUND)
        return -1;
    cr_assert(eq(int, st, ST_OK));
    char file[32];
    snprintf(file, sizeof file, "model-%d", (int)point.cursor);
    cr_expect(eq(str, point.file, file));
    cr_expect(eq(u64, point.version, point.cursor + 1));
    return (int64_t)point.cursor;
}

Test(commit, a_checkpoint_is_never_named_past_the_durable_log)
{
    struct process p = fresh();
    put_item(&p, "a");
    put_item(&p, "b");
    offer(&p, 3); /* the trainer has learnt from the next epoch already */
    commit(&p);
    cr_expect(eq(i64, named(&p), -1));
    put_item(&p, "c");
    commit(&p);
    cr_expect(eq(i64, named(&p), 3), "with the write that brings its last item");
    cr_expect(eq(str, (char *)keys(&p, STORE_EXAMPLES), ""), "nobody will read what is behind it");

    restart(&p);
    p.next_item = 3;
    offer(&p, 4);
    commit(&p);
    cr_expect(eq(i64, named(&p), 3));
    put_item(&p, "d");
    put_item(&p, "e");
    commit(&p);
    cr_expect(eq(i64, named(&p), 4));
    cr_expect(eq(str, (char *)keys(&p, STORE_EXAMPLES), "x3 "), "item 4 is in that block");
    offer(&p, 5);
    cr_assert(eq(int, commit_tidy(p.commit), ST_OK));
    cr_expect(eq(i64, named(&p), 5));
    cr_expect(eq(str, (char *)keys(&p, STORE_EXAMPLES), ""));
    end(&p);
}

static enum status tell_block(void *arg, uint64_t first, uint64_t n, struct slice block)
{
    buf_printf(arg, "%d+%d:%.*s ", (int)first, (int)n, (int)block.len, block.data);
    return ST_OK;
}

static const char *examples_from(struct process *p, uint64_t cursor)
{
    static struct buf out;
    buf_reset(&out);
    cr_assert(eq(int, commit_read_examples(p->store, cursor, tell_block, &out), ST_OK));
    buf_byte(&out, '\0');
    return out.data;
}

Test(commit, examples_are_read_from_a_cursor)
{
    struct process p = fresh();
    put_item(&p, "a");
    put_item(&p, "b");
    commit(&p);
    commit(&p);
    put_item(&p, "c");
    commit(&p);
    put_item(&p, "d");
    put_item(&p, "e");
    commit(&p);
    cr_expect(eq(str, (char *)examples_from(&p, 0), "0+2:ab 2+1:c 3+2:de "));
    cr_expect(eq(str, (char *)examples_from(&p, 1), "0+2:ab 2+1:c 3+2:de "));
    cr_expect(eq(str, (char *)examples_from(&p, 2), "2+1:c 3+2:de "));
    cr_expect(eq(str, (char *)examples_from(&p, 5), ""));
    end(&p);
}

/* A failed write. */

Test(commit, a_failed_write_leaves_all_or_nothing)
{
    enum store_memory_failure ways[] = {STORE_MEMORY_LOST, STORE_MEMORY_KEPT};
    for (size_t i = 0; i < LEN(ways); i++) {
        struct process p = fresh();
        commit(&p);
        put_row(&p, 0, 0, "x");
        put_item(&p, "item");
        store_memory_fail_write(p.store, 1, ways[i]);
        cr_expect(eq(int, write_epoch(&p), ST_EIO));
        cr_expect(ne(int, commit_error(p.commit)[0], '\0'));
        restart(&p);
        bool kept = ways[i] == STORE_MEMORY_KEPT;
        cr_expect(eq(u64, p.recovered, kept ? 2 : 1));
        cr_expect(eq(u64, commit_outbox_depth(p.commit), kept));
        cr_expect(eq(str, (char *)keys(&p, STORE_EXAMPLES), kept ? "x0 " : ""));
        end(&p);
    }
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
    cr_assert(eq(int, start(&w->p, &head), ST_OK));
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

/* Refusals: what is unreadable is named. */

struct refusal {
    char why[40], key, text[24]; /* text: what the complaint says */
    uint64_t number;
    bool drop; /* the key goes; else it gets three bytes of rubbish */
};

ParameterizedTestParameters(commit, refuses_to_recover_from_what_is_corrupt)
{
    static struct refusal cases[] = {
        {"head too short", STORE_META, "head", 0, false},
        {"redo value", STORE_REDO, "redo value 2", 2, false},
        {"redo value missing", STORE_REDO, "redo value 3", 2, true},
        {"last redo value missing", STORE_REDO, "redo value 3", 3, true},
        {"redo value from the future", STORE_REDO, "redo value 4", 4, false},
        {"page", STORE_PAGE, "page of shard", 0, false},
        {"outbox", STORE_OUTBOX, "outbox 2", 2, false},
        {"example block", STORE_EXAMPLES, "example block 0", 0, false},
        {"trainer's checkpoint", 't', "trainer", 0, false},
    };
    return cr_make_param_array(struct refusal, cases, LEN(cases));
}

static void bend(struct store *store, const struct refusal *c)
{
    struct store_batch *batch = store->ops->batch_create(store);
    struct store_key number = store_number_key((enum store_space)c->key, c->number);
    struct slice key = c->key == STORE_META ? slice_of("mhead")
                       : c->key == 't'      ? slice_of("mtrainer")
                                            : store_key_slice(&number);
    if (c->drop)
        store->ops->drop(batch, key);
    else
        store->ops->put(batch, key, (struct slice){"\xff\xff\xff", 3});
    cr_assert(eq(int, store->ops->write(store, batch), ST_OK));
    store->ops->batch_free(batch);
}

ParameterizedTest(struct refusal *c, commit, refuses_to_recover_from_what_is_corrupt)
{
    struct process p = fresh();
    put_item(&p, "item");
    commit(&p);
    state_obtain(p.state, FAMILY, (struct key128){1, 1}, 10);
    put_row(&p, 0, 0, "row");
    commit(&p);
    commit(&p);
    offer(&p, 0);
    commit_tidy(p.commit) == ST_OK ? (void)0 : abort();
    stop(&p);
    bend(p.store, c);
    struct buf head = {0};
    cr_expect(eq(int, start(&p, &head), ST_ECORRUPT), "%s", c->why);
    cr_expect(strstr(commit_error(p.commit), c->text) != NULL, "%s: %s", c->why,
              commit_error(p.commit));
    buf_done(&head);
    end(&p);
}

Test(commit, tools_look_without_a_sink)
{
    struct process p = fresh();
    put_row(&p, 0, 0, "row");
    commit(&p);
    struct commit_options options = {.store = p.store};
    struct commit *look = NULL;
    struct state *state = NULL;
    struct buf head = {0};
    uint64_t epoch = 0;
    cr_assert(eq(int, commit_create(&options, &look), ST_OK));
    cr_assert(eq(int, state_create(&state), ST_OK));
    cr_assert(eq(int, commit_recover(look, state, &head, &epoch), ST_OK));
    cr_expect(eq(int, commit_produce(look, 0), ST_OK));
    cr_expect(eq(u64, commit_outbox_depth(look), 1));
    commit_free(look);
    state_free(state);
    buf_done(&head);
    end(&p);
}

Test(commit, free_accepts_null)
{
    commit_free(NULL);
}
