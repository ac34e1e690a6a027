/*
 * tests/commit_fixture.h -- store, commit and state as one process has them, which may die and
 * start again over the same store.
 */
#ifndef TESTS_COMMIT_FIXTURE_H
#define TESTS_COMMIT_FIXTURE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>

#include "ingest/commit.h"
#include "ingest/sink_memory.h"
#include "ingest/store_memory.h"

enum { FAMILY = 1 };

static inline struct lane_name name_lane(void *arg, uint32_t lane)
{
    (void)arg;
    return (struct lane_name){lane % 2 ? "odd" : "even", (int32_t)lane * 10 + 4};
}

struct process {
    struct store *store; /* outlives the process */
    struct sink *sink;
    struct commit *commit;
    struct state *state;
    struct epoch epoch; /* to fill */
    uint64_t next_item; /* of the example log */
    int64_t next[2];    /* where input stands in lanes 0 and 1 */
    uint64_t recovered; /* epoch */
};

static inline enum status start(struct process *p, const struct commit_resumption *resumption,
                                struct buf *ret_head)
{
    p->sink = sink_memory_create();
    struct commit_options options = {
        .store = p->store, .sink = p->sink, .lane_name = name_lane, .outbox_rows_max = 20};
    cr_assert(eq(int, commit_create(&options, &p->commit), ST_OK));
    cr_assert(eq(int, state_create(&p->state), ST_OK));
    enum status st = commit_recover(p->commit, p->state, ret_head, &p->recovered);
    if (resumption && st == ST_OK)
        cr_assert(eq(int, commit_resume(p->commit, resumption), ST_OK));
    epoch_reset(&p->epoch, p->recovered + 1);
    return st;
}

static inline void stop(struct process *p)
{
    commit_free(p->commit);
    state_free(p->state);
    p->sink->ops->free(p->sink);
    epoch_done(&p->epoch);
    p->epoch = (struct epoch){0};
}

static inline struct process fresh(void)
{
    struct process p = {0};
    struct buf head = {0};
    cr_assert(eq(int, store_open_memory(&p.store), ST_OK));
    cr_assert(eq(int, start(&p, NULL, &head), ST_OK));
    cr_assert(eq(u64, p.recovered, 0), "a fresh store has no epoch");
    cr_assert(eq(sz, head.len, 0));
    return p;
}

/* Dies, and starts again from what was stored. */
static inline void restart_with(struct process *p, const struct commit_resumption *resumption)
{
    struct buf head = {0};
    stop(p);
    store_memory_crash(p->store);
    cr_assert(eq(int, start(p, resumption, &head), ST_OK));
    buf_done(&head);
}

static inline void restart(struct process *p)
{
    restart_with(p, NULL);
}

static inline void end(struct process *p)
{
    stop(p);
    store_free(p->store);
}

static inline void put_row(struct process *p, uint32_t lane, int64_t offset, const char *payload)
{
    outbox_put(&p->epoch.outbox, CHANNEL_SCORES, lane, offset, 0, slice_of("key"),
               slice_of(payload), (struct slice){0});
    p->epoch.outbox_rows++;
}

static inline void put_item(struct process *p, const char *item)
{
    if (p->epoch.examples_n++ == 0)
        p->epoch.examples_first = p->next_item;
    buf_text(&p->epoch.examples, item);
    p->next_item++;
}

static inline enum status write_epoch(struct process *p)
{
    buf_u64(&p->epoch.head, p->epoch.number);
    if (p->epoch.redo.len == 0)
        state_seal(p->state, &p->epoch.redo);
    enum status st = commit_write(p->commit, &p->epoch);
    epoch_reset(&p->epoch, p->epoch.number + 1);
    return st;
}

static inline void commit(struct process *p)
{
    cr_assert(eq(int, write_epoch(p), ST_OK));
}

static inline void produce(struct process *p)
{
    cr_assert(eq(int, commit_produce(p->commit, 0), ST_OK));
}

static inline enum status tell_key(void *arg, struct slice key, struct slice value)
{
    (void)value;
    buf_printf(arg, "%c%llu ", key.data[0], (unsigned long long)store_key_number(key));
    return ST_OK;
}

/* "r3 r4 ": the numbered keys of a space. */
static inline const char *keys(struct process *p, enum store_space space)
{
    static struct buf out;
    buf_reset(&out);
    cr_assert(eq(int, store_scan_space(p->store, space, tell_key, &out), ST_OK));
    buf_byte(&out, '\0');
    return out.data;
}

static inline const char *payload_at(struct process *p, size_t i)
{
    static char text[64];
    struct slice payload = sink_memory_row(p->sink, i)->payload;
    snprintf(text, sizeof text, "%.*s", (int)payload.len, payload.data);
    return text;
}

static inline void offer(struct process *p, uint64_t cursor)
{
    struct trainer_checkpoint point = {.cursor = cursor, .version = (uint32_t)cursor + 1};
    snprintf(point.file, sizeof point.file, "model-%d", (int)cursor);
    commit_offer_trainer(p->commit, &point);
}

/* The cursor of the trainer's checkpoint that the store names; -1: none. */
static inline int64_t named(struct process *p)
{
    struct trainer_checkpoints named;
    enum status st = commit_read_trainers(p->store, &named);
    struct trainer_checkpoint point = named.points[0];
    if (st == ST_OK && named.n == 0)
        return -1;
    cr_assert(eq(int, st, ST_OK));
    char file[32];
    snprintf(file, sizeof file, "model-%d", (int)point.cursor);
    cr_expect(eq(str, point.file, file));
    cr_expect(eq(u64, point.version, point.cursor + 1));
    return (int64_t)point.cursor;
}

#endif
