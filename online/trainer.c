#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "online/trainer_internal.h"

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
    trainer->accepted = options->accepted;
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
    buf_done(&trainer->overflow);
    ring_free(trainer->full);
    ring_free(trainer->empty);
    free(trainer->dense);
    free(trainer->sparse);
    prequential_free(trainer->judged);
    pthread_mutex_destroy(&trainer->lock);
    free(trainer);
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
        st = trainer_learn(trainer, buf_slice(&block->items), layout_today(trainer), 0);
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

static void push_block(struct trainer *trainer, struct block *block, struct slice items, uint64_t n)
{
    buf_reset(&block->items);
    buf_append(&block->items, items.data, items.len);
    block->n = n;
    bool pushed = ring_push(trainer->full, block);
    assert(pushed);
    (void)pushed;
}

static void push_overflow(struct trainer *trainer, struct block *block)
{
    push_block(trainer, block, buf_slice(&trainer->overflow), trainer->overflow_n);
    buf_reset(&trainer->overflow);
    trainer->overflow_n = 0;
}

void trainer_push(struct trainer *trainer)
{
    struct block *block;
    if (trainer->overflow_n > 0 && (block = ring_pop(trainer->empty)))
        push_overflow(trainer, block);
}

bool trainer_give(struct trainer *trainer, struct slice items, uint64_t n)
{
    trainer->given += n;
    trainer_push(trainer);
    struct block *block = trainer->overflow_n == 0 ? ring_pop(trainer->empty) : NULL;
    if (block) {
        push_block(trainer, block, items, n);
    } else if (trainer->options.may_lag && trainer->overflow.len < TRAINER_BEHIND_BYTES) {
        buf_append(&trainer->overflow, items.data, items.len);
        trainer->overflow_n += n;
    } else {
        if (trainer->overflow_n > 0)
            push_overflow(trainer, take_empty(trainer));
        push_block(trainer, take_empty(trainer), items, n);
    }
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
    if (trainer->overflow_n > 0)
        push_overflow(trainer, take_empty(trainer));
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
