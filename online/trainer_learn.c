/* Examples are gathered, learnt in batches, and at boundaries published and saved. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "online/model_files.h"
#include "online/trainer_internal.h"

static int64_t monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_US + now.tv_nsec / 1000;
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

enum status trainer_learn(struct trainer *trainer, struct slice items, unsigned layout,
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
