#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "online/allowance.h"
#include "online/contest.h"
#include "online/trainer_internal.h"

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

/* Somebody waits for the trainer: it must not wait for anything itself. */
static void hurry(struct trainer *trainer, bool hurried)
{
    registry_hurry(trainer->options.registry, hurried);
    trainer->hurried = hurried;
    bell_ring(&trainer->pace);
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
    pthread_mutex_init(&trainer->give_lock, NULL);
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
static struct block *wait_for_empty(struct trainer *trainer)
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

/* Meanwhile nobody takes versions: the trainer must not wait for that. */
static struct block *take_empty(struct trainer *trainer)
{
    struct block *block = ring_pop(trainer->empty);
    if (block)
        return block;
    hurry(trainer, true);
    block = wait_for_empty(trainer);
    hurry(trainer, false);
    return block;
}

static void stop(struct trainer *trainer)
{
    pthread_mutex_lock(&trainer->give_lock);
    backlog_done(&trainer->backlog);
    pthread_mutex_unlock(&trainer->give_lock);
    struct block *block = take_empty(trainer);
    block->stop = true;
    hurry(trainer, true);
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
    backlog_done(&trainer->backlog);
    ring_free(trainer->full);
    ring_free(trainer->empty);
    free(trainer->dense);
    free(trainer->sparse);
    prequential_free(trainer->judged);
    pthread_mutex_destroy(&trainer->lock);
    pthread_mutex_destroy(&trainer->give_lock);
    free(trainer);
}

/* The thread. */

static unsigned layout_today(const struct trainer *trainer)
{
    return trainer->options.layouts ? layouts_current(trainer->options.layouts) : 0;
}

static void fill_block(struct block *block, struct slice items, uint64_t n)
{
    buf_reset(&block->items);
    buf_append(&block->items, items.data, items.len);
    block->n = n;
}

static void push_full(struct trainer *trainer, struct block *block)
{
    bool pushed = ring_push(trainer->full, block);
    assert(pushed);
    (void)pushed;
}

/* The block takes what waits, a portion at a time: where one ends a version may end, and somebody
 * may be waiting for it. */
static void done_with(struct trainer *trainer, struct block *block)
{
    struct slice items;
    uint64_t n;
    pthread_mutex_lock(&trainer->give_lock);
    if (backlog_next(&trainer->backlog, &items, &n)) {
        fill_block(block, items, n);
        push_full(trainer, block);
        bell_ring(&trainer->has_empty); /* there is room in the backlog */
    } else {
        ring_push(trainer->empty, block);
    }
    pthread_mutex_unlock(&trainer->give_lock);
}

static void learn_given(struct trainer *trainer, struct block *block)
{
    enum status st = trainer->failed;
    if (st == ST_OK && !trainer->cancelled)
        st = trainer_learn(trainer, buf_slice(&block->items), layout_today(trainer), 0);
    if (st < 0 && !trainer->cancelled) {
        trainer->failed = st; /* blocks are still taken, so that nobody waits for ever */
        registry_stop(trainer->options.registry);
        if (trainer->options.contest)
            contest_stop(trainer->options.contest);
    }
    trainer->busy_us = clock_us(CLOCK_THREAD_CPUTIME_ID);
    done_with(trainer, block);
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

/* Versions that the scoring does not wait for are made when nothing else is to be done. */
static void yield_to_others(void)
{
    struct sched_param param = {0};
    pthread_setschedparam(pthread_self(), SCHED_IDLE, &param);
}

/* Keeps to its share of the processor; what comes meanwhile waits in the backlog. */
static void keep_pace(struct trainer *trainer, struct allowance *allowance)
{
    uint32_t seen = bell_seen(&trainer->pace);
    int64_t until, now = clock_us(CLOCK_MONOTONIC);
    until = now + allowance_wait(allowance, now, clock_us(CLOCK_THREAD_CPUTIME_ID));
    while (now < until && !trainer->hurried) {
        bell_wait(&trainer->pace, seen, until - now);
        seen = bell_seen(&trainer->pace);
        now = clock_us(CLOCK_MONOTONIC);
    }
}

static void *run(void *arg)
{
    struct trainer *trainer = arg;
    double share = trainer->options.beside ? trainer->options.cpu : 0;
    struct allowance allowance =
        allowance_of(share, trainer->options.cpu_burst, clock_us(CLOCK_MONOTONIC), 0);
    pthread_setname_np(pthread_self(), "trainer");
    if (trainer->options.beside)
        yield_to_others();
    for (;;) {
        struct block *block = take_full(trainer);
        if (block->stop)
            return NULL;
        learn_given(trainer, block);
        if (share > 0)
            keep_pace(trainer, &allowance);
    }
}

enum status trainer_start(struct trainer *trainer)
{
    if (pthread_create(&trainer->thread, NULL, run, trainer) != 0)
        return ST_ENOMEM;
    trainer->running = true;
    return ST_OK;
}

/* False: there is no room. */
static bool try_give(struct trainer *trainer, struct slice items, uint64_t n)
{
    pthread_mutex_lock(&trainer->give_lock);
    struct backlog *backlog = &trainer->backlog;
    struct block *block = backlog_empty(backlog) ? ring_pop(trainer->empty) : NULL;
    bool kept = !block && trainer->options.may_lag && backlog_bytes(backlog) < TRAINER_BEHIND_BYTES;
    if (block) {
        fill_block(block, items, n);
        push_full(trainer, block);
    } else if (kept) {
        backlog_add(backlog, items, n);
    }
    pthread_mutex_unlock(&trainer->give_lock);
    return block || kept;
}

static void wait_and_give(struct trainer *trainer, struct slice items, uint64_t n)
{
    for (;;) {
        uint32_t seen = bell_seen(&trainer->has_empty);
        if (try_give(trainer, items, n))
            return;
        if (trainer->running)
            bell_wait(&trainer->has_empty, seen, -1);
        else
            trainer_step(trainer);
    }
}

bool trainer_give(struct trainer *trainer, struct slice items, uint64_t n)
{
    trainer->given += n;
    if (!try_give(trainer, items, n)) {
        hurry(trainer, true);
        wait_and_give(trainer, items, n);
        hurry(trainer, false);
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
    hurry(trainer, true);
    while (ring_depth(trainer->empty) < BLOCKS) {
        uint32_t seen = bell_seen(&trainer->has_empty);
        if (!trainer->running)
            trainer_step(trainer);
        else if (ring_depth(trainer->empty) < BLOCKS)
            bell_wait(&trainer->has_empty, seen, -1);
    }
    hurry(trainer, false);
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
    return (struct trainer_figures){trainer->learnt,   ring_depth(trainer->full),
                                    trainer->newest,   trainer->busy_us,
                                    trainer->examples, trainer->set_aside};
}
