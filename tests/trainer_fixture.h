/*
 * tests/trainer_fixture.h -- a trainer with all it needs around it, and a log whose items follow
 * from their numbers, so that a test can say what each version must have learnt.
 */
#ifndef TESTS_TRAINER_FIXTURE_H
#define TESTS_TRAINER_FIXTURE_H

#include <stdio.h>

#include "ingest/examples.h"
#include "ingest/pack.h"
#include "ingest/sink_memory.h"
#include "ingest/store_memory.h"
#include "online/trainer.h"
#include "tests/fake_model.h"

/* Every so many items one is a boundary: the versions are 1, 2, ... */
enum { ITEMS_A_VERSION = 7 };

static inline bool item_is_boundary(uint64_t item)
{
    return item % ITEMS_A_VERSION == ITEMS_A_VERSION - 1;
}

static inline uint32_t versions_before(uint64_t item)
{
    return (uint32_t)(item / ITEMS_A_VERSION);
}

static inline void put_item(struct buf *buf, uint64_t item)
{
    if (item_is_boundary(item)) {
        struct example_boundary boundary = {versions_before(item) + 1, (int64_t)item, 0, false};
        examples_put_boundary(buf, &boundary);
        return;
    }
    float dense[FAKE_DENSE] = {(float)item, (float)item / 3};
    struct sparse sparse = {item * 977 + 1, 0, 1};
    struct buf packed = {0};
    pack_vector(&packed, dense, FAKE_DENSE, &sparse, item % 3 == 0);
    struct released example = {.time = (int64_t)item,
                               .released_at = (int64_t)item + 1,
                               .label = (float)(item % 2),
                               .weight = item % 5 ? 1 : 4,
                               .packed = buf_slice(&packed)};
    examples_put(buf, &example);
    buf_done(&packed);
}

/* What a fake model's digest must be once the items before this one are learnt. */
static inline uint64_t expected_digest(uint64_t items)
{
    uint64_t digest = 0;
    for (uint64_t item = 0; item < items; item++) {
        if (item_is_boundary(item))
            continue;
        float dense[FAKE_DENSE] = {(float)item, (float)item / 3};
        struct sparse sparse = {item * 977 + 1, 0, 1};
        struct example row = {.vector = {dense, &sparse, item % 3 == 0},
                              .label = (float)(item % 2),
                              .weight = item % 5 ? 1 : 4,
                              .time = (int64_t)item};
        digest = fake_digest(digest, &row, FAKE_DENSE);
    }
    return digest;
}

static inline uint64_t expected_version_digest(uint32_t version)
{
    return expected_digest((uint64_t)version * ITEMS_A_VERSION);
}

/* One process's life; the store and the folder outlive it. */
struct trainer_life {
    struct store *store;
    char dir[64]; /* of model files */
    int64_t checkpoint_every;
    struct commit *commit;
    struct sink *sink;
    struct state *state;
    struct registry *registry;
    struct model *learner;
    struct trainer *trainer;
    double cpu;   /* share of a processor, of which nothing is saved; 0: all */
    bool replays; /* learns old examples again */
    struct reservoir *reservoir;
    bool sets_aside; /* negatives, as noise */
    struct noise *noise;
    bool recalls;              /* is made anew from all of the log */
    uint64_t epoch, next_item; /* durable */
};

static inline void must(bool good)
{
    if (!good)
        abort();
}

/* A file of such a model holds nothing of what it has learnt. */
static inline enum status load_nothing(struct model *model, const struct tensors *tensors)
{
    (void)tensors;
    fake_of(model)->digest = fake_of(model)->learnt = 0;
    return ST_OK;
}

static inline uint64_t recall_all(const struct model *model)
{
    (void)model;
    return 0;
}

static inline void make_recalling(struct model *model)
{
    static struct model_ops ops;
    ops = *model->ops;
    ops.load = load_nothing;
    ops.recalls_from = recall_all;
    ops.recall = ops.learn;
    model->ops = &ops;
}

/* Everything but the recovery of the trainer. The head of this world is {epoch, next item}. */
static inline void life_open(struct trainer_life *life)
{
    struct buf head = {0};
    life->sink = sink_memory_create();
    struct commit_options commit = {
        .store = life->store, .sink = life->sink, .outbox_rows_max = 1000};
    must(commit_create(&commit, &life->commit) == ST_OK && state_create(&life->state) == ST_OK);
    must(commit_recover(life->commit, life->state, &head, &life->epoch) == ST_OK);
    struct reader in = reader_of(buf_slice(&head));
    if (head.len > 0)
        read_u64(&in);
    life->next_item = head.len > 0 ? read_u64(&in) : 0;
    buf_done(&head);
    must(fake_make(NULL, &life->learner) == ST_OK);
    if (life->recalls)
        make_recalling(life->learner);
    must(registry_create(fake_make, NULL, &life->registry) == ST_OK);
    struct reservoir_options replay = {
        .n_dense = FAKE_DENSE, .rows = 10, .share = 0.3, .half_life = 100, .seed = 1};
    must(!life->replays || reservoir_create(&replay, &life->reservoir) == ST_OK);
    static const char *const names[FAKE_DENSE] = {"a", "b"};
    static const struct vector_schema schema = {.n_dense = FAKE_DENSE, .dense = names};
    struct noise_options aside = {
        .schema = &schema, .share = 0.5, .rows = 10, .window = 7, .recalls = life->recalls};
    must(!life->sets_aside || noise_create(&aside, &life->noise) == ST_OK);
    struct trainer_options options = {.model = life->learner,
                                      .reservoir = life->reservoir,
                                      .noise = life->noise,
                                      .beside = life->cpu > 0,
                                      .cpu = life->cpu,
                                      .n_dense = FAKE_DENSE,
                                      .registry = life->registry,
                                      .commit = life->commit,
                                      .dir = life->dir,
                                      .name = "fraud",
                                      .checkpoint_every = life->checkpoint_every,
                                      .files_kept = 1000};
    must(trainer_create(&options, &life->trainer) == ST_OK);
}

static inline void life_close(struct trainer_life *life)
{
    trainer_free(life->trainer);
    reservoir_free(life->reservoir);
    noise_free(life->noise);
    registry_free(life->registry);
    life->learner->ops->free(life->learner);
    commit_free(life->commit);
    state_free(life->state);
    life->sink->ops->free(life->sink);
}

/* Commits items [next_item, until) as one epoch. */
static inline enum status life_commit(struct trainer_life *life, uint64_t until)
{
    struct epoch epoch = {0};
    epoch_reset(&epoch, life->epoch + 1);
    epoch.examples_first = life->next_item;
    epoch.examples_n = until - life->next_item;
    for (uint64_t item = life->next_item; item < until; item++)
        put_item(&epoch.examples, item);
    buf_u64(&epoch.head, epoch.number);
    buf_u64(&epoch.head, until);
    buf_varint(&epoch.redo, 0); /* the state did not change */
    enum status st = commit_write(life->commit, &epoch);
    if (st == ST_OK) {
        life->epoch++;
        life->next_item = until;
    }
    epoch_done(&epoch);
    return st;
}

static inline bool life_give(struct trainer_life *life, uint64_t from, uint64_t until)
{
    struct buf items = {0};
    for (uint64_t item = from; item < until; item++)
        put_item(&items, item);
    bool given = trainer_give(life->trainer, buf_slice(&items), until - from);
    buf_done(&items);
    return given;
}

/* The digest of the version that scores now, which must be this one. */
static inline uint64_t published_digest(struct trainer_life *life, uint32_t version)
{
    const struct model *model = registry_acquire(life->registry, version);
    must(model && registry_version(life->registry) == version);
    uint64_t digest = fake_of(model)->digest;
    registry_release(life->registry, model);
    return digest;
}

#endif
