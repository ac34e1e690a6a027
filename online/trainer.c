#include "online/trainer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ingest/examples.h"
#include "online/model_files.h"

enum { BLOCKS = TRAINER_BLOCKS, LEARN_BATCH = 32 };

struct block {
    struct buf items;
    uint64_t n;
    bool stop;
};

struct trainer {
    struct trainer_options options;
    struct block blocks[BLOCKS];
    struct ring *full, *empty;
    struct bell has_full, has_empty;
    pthread_t thread;
    bool running;
    _Atomic int failed; /* enum status */
    char error[512];
    uint64_t cursor;
    uint64_t recalled; /* items before this one were learnt in another life */
    bool recalling;
    _Atomic bool cancelled;
    uint32_t version;
    int64_t saved_at;
    /* the batch being gathered */
    size_t n;
    struct example rows[LEARN_BATCH];
    struct vector vectors[LEARN_BATCH]; /* of the same, for judging */
    float scores[LEARN_BATCH];
    float *dense;          /* LEARN_BATCH * n_dense */
    struct sparse *sparse; /* LEARN_BATCH * VECTOR_SPARSE_MAX */
    _Atomic uint64_t learnt, given, examples;
    _Atomic int64_t newest, busy_us;
    pthread_mutex_t lock; /* guards judged */
    struct prequential *judged;
};

static int64_t monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

static int64_t thread_cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

enum status trainer_create(const struct trainer_options *options, struct trainer **ret)
{
    struct trainer *trainer = calloc(1, sizeof *trainer);
    if (!trainer)
        return ST_ENOMEM;
    trainer->options = *options;
    trainer->newest = INT64_MIN;
    trainer->cursor = options->from;
    pthread_mutex_init(&trainer->lock, NULL);
    trainer->dense = calloc(LEARN_BATCH * (options->n_dense + 1), sizeof(float));
    trainer->sparse = calloc((size_t)LEARN_BATCH * VECTOR_SPARSE_MAX, sizeof(struct sparse));
    enum status st = trainer->dense && trainer->sparse ? ST_OK : ST_ENOMEM;
    if (st == ST_OK)
        st = prequential_create(&trainer->judged);
    if (st == ST_OK)
        st = ring_create(BLOCKS, &trainer->has_full, NULL, &trainer->full);
    if (st == ST_OK)
        st = ring_create(BLOCKS, &trainer->has_empty, NULL, &trainer->empty);
    if (st < 0) {
        trainer_free(trainer);
        return st;
    }
    for (size_t i = 0; i < BLOCKS; i++)
        ring_push(trainer->empty, &trainer->blocks[i]);
    *ret = trainer;
    return ST_OK;
}

/* Without a thread of its own it learns when it is given too much, and when it is drained. */
static struct block *take_empty(struct trainer *trainer)
{
    for (;;) {
        uint32_t seen = bell_seen(&trainer->has_empty);
        struct block *block = ring_pop(trainer->empty);
        if (block)
            return block;
        if (trainer->running)
            bell_wait(&trainer->has_empty, seen, -1);
        else
            trainer_step(trainer);
    }
}

static void stop(struct trainer *trainer)
{
    struct block *block = take_empty(trainer);
    block->stop = true;
    ring_push(trainer->full, block);
    pthread_join(trainer->thread, NULL);
    trainer->running = false;
}

void trainer_free(struct trainer *trainer)
{
    if (!trainer)
        return;
    trainer_cancel(trainer);
    if (trainer->running)
        stop(trainer);
    for (size_t i = 0; i < BLOCKS; i++)
        buf_done(&trainer->blocks[i].items);
    ring_free(trainer->full);
    ring_free(trainer->empty);
    free(trainer->dense);
    free(trainer->sparse);
    prequential_free(trainer->judged);
    pthread_mutex_destroy(&trainer->lock);
    free(trainer);
}

/* By the version that scores now: what is learnt of these it does not know yet. */
static void judge_gathered(struct trainer *trainer)
{
    struct registry *registry = trainer->options.registry;
    const struct model *model = registry_acquire(registry, 0);
    if (!model)
        return;
    for (size_t i = 0; i < trainer->n; i++)
        trainer->vectors[i] = trainer->rows[i].vector;
    model->ops->score(model, trainer->vectors, trainer->n, trainer->scores);
    registry_release(registry, model);
    pthread_mutex_lock(&trainer->lock);
    for (size_t i = 0; i < trainer->n; i++)
        if (!trainer->rows[i].correction)
            prequential_add(trainer->judged, trainer->scores[i], trainer->rows[i].label);
    pthread_mutex_unlock(&trainer->lock);
}

static void learn_batch(struct trainer *trainer, struct model *model)
{
    if (trainer->options.judge && trainer->version > 0)
        judge_gathered(trainer);
    if (trainer->options.gate)
        gate_learn(trainer->options.gate, model, trainer->rows, trainer->n);
    else
        model->ops->learn(model, trainer->rows, trainer->n);
    trainer->examples += trainer->n;
}

static void learn_gathered(struct trainer *trainer)
{
    struct model *model = trainer->options.model;
    if (trainer->n == 0)
        return;
    if (trainer->recalling)
        model->ops->recall(model, trainer->rows, trainer->n);
    else
        learn_batch(trainer, model);
    trainer->n = 0;
}

static void gather(struct trainer *trainer, const struct example_item *item)
{
    size_t i = trainer->n++;
    trainer->rows[i] = (struct example){
        .vector = {trainer->dense + i * trainer->options.n_dense,
                   trainer->sparse + i * VECTOR_SPARSE_MAX, item->n_sparse},
        .label = item->label,
        .weight = item->weight,
        .time = item->time,
        .item = trainer->cursor - 1,
        .correction = item->correction,
    };
    trainer->newest = item->released_at;
    if (trainer->n == LEARN_BATCH)
        learn_gathered(trainer);
}

/* {weights, optimiser, cursor} as one file; the next commit that may name it does. */
static enum status checkpoint(struct trainer *trainer, const struct example_boundary *boundary)
{
    const struct trainer_options *options = &trainer->options;
    struct trainer_checkpoint point = {
        .cursor = trainer->cursor, .version = boundary->version, .model = options->number};
    const struct model_ops *ops = options->model->ops;
    uint64_t again = ops->recalls_from ? ops->recalls_from(options->model) : UINT64_MAX;
    if (again < point.cursor)
        point.again = point.cursor - again;
    enum status st = model_files_save(options->dir, options->name, options->model,
                                      &(struct model_manifest){boundary->version, trainer->cursor,
                                                               boundary->time, trainer->newest},
                                      options->gate, point.file, sizeof point.file);
    if (st < 0) {
        snprintf(trainer->error, sizeof trainer->error, "%s: cannot write a model file: %s",
                 options->dir, strerror(errno));
        return st;
    }
    commit_offer_trainer(options->commit, &point);
    model_files_prune(options->dir, options->name, options->files_kept);
    return ST_OK;
}

/* The learner's version serves from here on, unless the gate decides otherwise. */
static enum status judge(struct trainer *trainer, const struct example_boundary *boundary)
{
    const struct trainer_options *options = &trainer->options;
    struct decision decision = {.verdict = VERDICT_PROMOTED};
    if (options->gate)
        TRY(gate_judge(options->gate, options->model, boundary->version, boundary->time,
                       &decision));
    if (decision.verdict == VERDICT_PROMOTED)
        registry_publish(options->registry, options->model, boundary->version);
    else
        registry_keep(options->registry, boundary->version);
    if (options->gate && options->on_decision)
        options->on_decision(options->on_decision_arg, &decision);
    return ST_OK;
}

static enum status fit(struct trainer *trainer)
{
    struct model *model = trainer->options.model;
    struct buf why = {0};
    enum status st = model->ops->fit ? model->ops->fit(model, &why) : ST_OK;
    if (st < 0 && st != ST_ESTOPPED)
        snprintf(trainer->error, sizeof trainer->error, "the model cannot be made: %.*s",
                 (int)why.len, why.data ? why.data : "");
    buf_done(&why);
    return st;
}

static enum status publish(struct trainer *trainer, const struct example_boundary *boundary)
{
    learn_gathered(trainer);
    TRY(fit(trainer));
    TRY(judge(trainer, boundary));
    trainer->version = boundary->version;
    if (!trainer->options.commit || !trainer->options.dir)
        return ST_OK;
    int64_t now = monotonic_us();
    if (trainer->saved_at && now - trainer->saved_at < trainer->options.checkpoint_every)
        return ST_OK;
    trainer->saved_at = now;
    return checkpoint(trainer, boundary);
}

/* Where the vectors of a block go as they are read: behind those gathered. */
static enum status next_item(struct trainer *trainer, struct reader *in, unsigned layout,
                             struct example_item *ret)
{
    const struct trainer_options *options = &trainer->options;
    float *dense = trainer->dense + trainer->n * options->n_dense;
    struct sparse *sparse = trainer->sparse + trainer->n * VECTOR_SPARSE_MAX;
    return options->layouts ? examples_next_of(options->layouts, layout, in, dense, sparse, ret)
                            : examples_next(in, options->n_dense, dense, sparse, ret);
}

/* Up to the checkpoint items were learnt before: the model is only shown them again. What is
 * gathered of them is not to be mixed with what comes next. */
static void begin_learning(struct trainer *trainer)
{
    if (!trainer->recalling || trainer->cursor < trainer->recalled)
        return;
    learn_gathered(trainer);
    trainer->recalling = false;
}

static enum status learn_items(struct trainer *trainer, struct slice items, unsigned layout,
                               uint64_t skip)
{
    struct reader in = reader_of(items);
    struct example_item item;
    enum status st;
    while ((st = next_item(trainer, &in, layout, &item)) == ST_OK) {
        if (skip > 0) {
            skip--;
            continue;
        }
        trainer->cursor++;
        if (!item.is_boundary)
            gather(trainer, &item);
        else if (item.boundary.model == trainer->options.number && !trainer->recalling)
            TRY(publish(trainer, &item.boundary));
        begin_learning(trainer);
    }
    learn_gathered(trainer);
    trainer->learnt = trainer->cursor;
    return st == ST_EEND ? ST_OK : st;
}

/* Recovery: what is in the log behind the checkpoint, in blocks that may begin before it. */

struct recovery {
    struct trainer *trainer;
    uint64_t until;
};

static enum status learn_stored(void *arg, uint64_t first, uint64_t n, struct slice block)
{
    struct recovery *recovery = arg;
    struct trainer *trainer = recovery->trainer;
    if (first > trainer->cursor || first + n > recovery->until)
        return ST_ECORRUPT; /* items are missing */
    struct reader in = reader_of(block);
    unsigned layout;
    TRY(examples_read_layout(&in, &layout));
    return learn_items(trainer, (struct slice){in.at, reader_left(&in)}, layout,
                       trainer->cursor - first);
}

/* What served when the checkpoint was made. */
static void serve_loaded(struct trainer *trainer)
{
    const struct trainer_options *options = &trainer->options;
    struct model *champion = options->model;
    uint32_t version = trainer->version;
    if (options->gate)
        champion = gate_champion(options->gate, &version);
    registry_publish(options->registry, champion, version);
    registry_keep(options->registry, trainer->version);
}

static enum status load_checkpoint(struct trainer *trainer, const struct trainer_checkpoint *point)
{
    struct model_manifest manifest;
    enum status st = model_files_load(trainer->options.dir, point->file, trainer->options.model,
                                      trainer->options.gate, &manifest);
    if (st == ST_OK && (manifest.cursor != point->cursor || manifest.version != point->version))
        st = ST_ECORRUPT;
    if (st < 0) {
        snprintf(
            trainer->error, sizeof trainer->error, "model file %s/%s: %s", trainer->options.dir,
            point->file,
            st == ST_EVERSION
                ? "a newer freshet wrote it: start that one, or restore a checkpoint from before"
            : st == ST_ECORRUPT || st == ST_ENOTFOUND
                ? "it is damaged or missing: restore it, or the state directory, from a "
                  "checkpoint"
                : status_text(st));
        return st;
    }
    /* What came while the model was away, behind its checkpoint, is not in the log any more. */
    uint64_t again = point->cursor - point->again;
    trainer->recalled = point->cursor;
    trainer->recalling = trainer->cursor < point->cursor && point->again > 0 &&
                         trainer->options.model->ops->recall != NULL;
    if (trainer->recalling && trainer->cursor < again)
        trainer->cursor = again;
    else if (!trainer->recalling && trainer->cursor < point->cursor)
        trainer->cursor = point->cursor;
    trainer->version = point->version;
    serve_loaded(trainer);
    return ST_OK;
}

enum status trainer_recover(struct trainer *trainer, struct store *store, uint64_t until)
{
    struct trainer_checkpoints named;
    TRY(commit_read_trainers(store, &named));
    const struct trainer_checkpoint *point = trainer_checkpoint_of(&named, trainer->options.number);
    enum status st = point ? load_checkpoint(trainer, point) : ST_OK;
    if (st < 0)
        return st;
    struct recovery recovery = {trainer, until};
    st = commit_read_examples(store, trainer->cursor, learn_stored, &recovery);
    if (st == ST_OK && trainer->cursor != until)
        st = ST_ECORRUPT;
    if (st < 0 && !trainer->error[0])
        snprintf(trainer->error, sizeof trainer->error,
                 "example log: item %llu of %llu cannot be read: %s",
                 (unsigned long long)trainer->cursor, (unsigned long long)until, status_text(st));
    return st;
}

/* The thread. */

static unsigned layout_today(const struct trainer *trainer)
{
    return trainer->options.layouts ? layouts_current(trainer->options.layouts) : 0;
}

static void learn_given(struct trainer *trainer, struct block *block)
{
    enum status st = trainer->failed;
    if (st == ST_OK && !trainer->cancelled)
        st = learn_items(trainer, buf_slice(&block->items), layout_today(trainer), 0);
    if (st < 0 && !trainer->cancelled) {
        trainer->failed = st; /* blocks are still taken, so that nobody waits for ever */
        registry_stop(trainer->options.registry);
    }
    trainer->busy_us = thread_cpu_us();
    ring_push(trainer->empty, block);
}

bool trainer_step(void *arg)
{
    struct trainer *trainer = arg;
    struct block *block = ring_pop(trainer->full);
    if (block)
        learn_given(trainer, block);
    return block != NULL;
}

static struct block *take_full(struct trainer *trainer)
{
    for (;;) {
        uint32_t seen = bell_seen(&trainer->has_full);
        struct block *block = ring_pop(trainer->full);
        if (block)
            return block;
        bell_wait(&trainer->has_full, seen, -1);
    }
}

static void *run(void *arg)
{
    struct trainer *trainer = arg;
    pthread_setname_np(pthread_self(), "trainer");
    for (;;) {
        struct block *block = take_full(trainer);
        if (block->stop)
            return NULL;
        learn_given(trainer, block);
    }
}

enum status trainer_start(struct trainer *trainer)
{
    if (pthread_create(&trainer->thread, NULL, run, trainer) != 0)
        return ST_ENOMEM;
    trainer->running = true;
    return ST_OK;
}

bool trainer_give(struct trainer *trainer, struct slice items, uint64_t n)
{
    struct block *block = take_empty(trainer);
    buf_reset(&block->items);
    buf_append(&block->items, items.data, items.len);
    block->n = n;
    trainer->given += n;
    bool pushed = ring_push(trainer->full, block);
    assert(pushed);
    (void)pushed;
    return trainer->failed == ST_OK;
}

void trainer_cancel(struct trainer *trainer)
{
    struct model *model = trainer->options.model;
    if (!model->ops->cancel)
        return;
    trainer->cancelled = true;
    model->ops->cancel(model);
}

/* All blocks back in the ring of empty ones: nothing is being learnt. */
void trainer_drain(struct trainer *trainer)
{
    while (ring_depth(trainer->empty) < BLOCKS) {
        uint32_t seen = bell_seen(&trainer->has_empty);
        if (!trainer->running)
            trainer_step(trainer);
        else if (ring_depth(trainer->empty) < BLOCKS)
            bell_wait(&trainer->has_empty, seen, -1);
    }
}

enum status trainer_status(const struct trainer *trainer)
{
    return trainer->failed;
}

const char *trainer_error(const struct trainer *trainer)
{
    return trainer->error;
}

struct score_figures trainer_judged(struct trainer *trainer)
{
    pthread_mutex_lock(&trainer->lock);
    struct score_figures figures = prequential_figures(trainer->judged);
    pthread_mutex_unlock(&trainer->lock);
    return figures;
}

struct trainer_figures trainer_figures(const struct trainer *trainer)
{
    return (struct trainer_figures){trainer->learnt, ring_depth(trainer->full), trainer->newest,
                                    trainer->busy_us, trainer->examples};
}
