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

static void learn_rows(struct trainer *trainer, struct model *model, const struct example *rows,
                       size_t n)
{
    if (trainer->options.gate)
        gate_learn(trainer->options.gate, model, rows, n);
    else
        model_learn(model, rows, n);
}

/* Behind some rows one of old is learnt again, which judges nothing: it was known before. */
static void learn_with_old(struct trainer *trainer, struct model *model)
{
    struct reservoir *reservoir = trainer->options.reservoir;
    struct example old;
    size_t from = 0;
    for (size_t i = 0; i < trainer->n; i++) {
        if (reservoir_draw(reservoir, trainer->rows[i].item, &old)) {
            learn_rows(trainer, model, trainer->rows + from, i + 1 - from);
            model->ops->learn(model, &old, 1);
            from = i + 1;
        }
        if (!trainer->rows[i].aside)
            reservoir_add(reservoir, &trainer->rows[i]);
    }
    if (trainer->n > from)
        learn_rows(trainer, model, trainer->rows + from, trainer->n - from);
}

static void learn_batch(struct trainer *trainer, struct model *model)
{
    if (trainer->options.judge && trainer->version > 0)
        judge_gathered(trainer);
    if (trainer->options.reservoir)
        learn_with_old(trainer, model);
    else
        learn_rows(trainer, model, trainer->rows, trainer->n);
    trainer->examples += trainer->n;
}

/* What was set aside in another life is so in this one. */
static void set_noise_aside(struct trainer *trainer)
{
    struct noise *noise = trainer->options.noise;
    for (size_t i = 0; i < trainer->n; i++) {
        struct example *row = &trainer->rows[i];
        row->aside = trainer->recalling ? noise_recalls(noise, row->item) : noise_look(noise, row);
    }
    trainer->set_aside = noise_set_aside(noise);
}

static void learn_gathered(struct trainer *trainer)
{
    struct model *model = trainer->options.model;
    if (trainer->n == 0)
        return;
    if (trainer->options.noise)
        set_noise_aside(trainer);
    if (trainer->recalling)
        model_recall(model, trainer->rows, trainer->n);
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

static void offer_held(struct trainer *trainer)
{
    trainer->held.after = trainer->cursor;
    commit_offer_trainer(trainer->options.commit, &trainer->held);
    trainer->held_serves = 0;
}

/* What a start makes of a checkpoint serves at once: so one whose version waits to be taken is held
 * until that is in the log. */
static void offer(struct trainer *trainer, const struct trainer_checkpoint *point)
{
    uint32_t serves = point->version;
    if (trainer->options.gate)
        gate_champion(trainer->options.gate, &serves);
    trainer->held_serves = 0;
    if (trainer->waits && serves > trainer->accepted) {
        trainer->held = *point;
        trainer->held_serves = serves;
    } else {
        commit_offer_trainer(trainer->options.commit, point);
    }
}

/* {weights, optimiser, cursor} as one file; the next commit that may name it does. */
static enum status checkpoint(struct trainer *trainer, const struct example_boundary *boundary,
                              uint32_t source)
{
    const struct trainer_options *options = &trainer->options;
    struct trainer_checkpoint point = {
        .cursor = trainer->cursor, .version = boundary->version, .model = options->number};
    const struct model_ops *ops = options->model->ops;
    uint64_t again = ops->recalls_from ? ops->recalls_from(options->model) : UINT64_MAX;
    if (again < point.cursor)
        point.again = point.cursor - again;
    if (options->noise)
        noise_forget_recalled(options->noise, again < point.cursor ? again : point.cursor);
    enum status st = model_files_save(
        options->dir, options->name,
        &(struct learner){options->model, options->gate, options->reservoir, options->noise},
        &(struct model_manifest){boundary->version, trainer->cursor, boundary->time,
                                 trainer->newest, source},
        point.file, sizeof point.file);
    if (st < 0) {
        snprintf(trainer->error, sizeof trainer->error, "%s: cannot write a model file: %s",
                 options->dir, strerror(errno));
        return st;
    }
    offer(trainer, &point);
    uint32_t needed[2];
    commit_needed_versions(options->commit, options->number, needed);
    model_files_prune(options->dir, options->name, options->files_kept, needed);
    return ST_OK;
}

/* The new version serves; at once, or once it is taken. */
static void serve_new(struct trainer *trainer, uint32_t version, bool beside)
{
    struct registry *registry = trainer->options.registry;
    trainer->waits = beside && version > trainer->accepted;
    if (trainer->waits)
        registry_stage(registry, trainer->options.model, version);
    else
        registry_publish(registry, trainer->options.model, version);
    registry_keep(registry, version);
}

/* The champion goes on serving. One that waits to be taken does from a boundary on that the scoring
 * waits for: the stream has gone past where it could have been. */
static void serve_on(struct trainer *trainer, uint32_t version)
{
    struct registry *registry = trainer->options.registry;
    uint32_t serves;
    if (!trainer->options.beside && registry_staged(registry) > 0) {
        struct model *champion = gate_champion(trainer->options.gate, &serves);
        registry_publish(registry, champion, serves);
        trainer->waits = false;
    }
    registry_keep(registry, version);
}

/* What beside the model came of the examples since the last version that was promoted. */
static void settle(struct trainer *trainer, double verdict)
{
    const struct trainer_options *options = &trainer->options;
    if (options->reservoir && verdict == VERDICT_PROMOTED)
        reservoir_settle(options->reservoir, trainer->cursor);
    if (options->reservoir && verdict == VERDICT_REFUSED)
        reservoir_forget_fresh(options->reservoir);
    if (options->noise && verdict == VERDICT_PROMOTED)
        noise_settle(options->noise, trainer->cursor);
    if (options->noise && verdict == VERDICT_REFUSED)
        noise_forget_fresh(options->noise);
}

/* The learner's version serves from here on, unless the gate decides otherwise. */
static enum status judge(struct trainer *trainer, const struct example_boundary *boundary,
                         bool by_hand)
{
    const struct trainer_options *options = &trainer->options;
    struct decision decision = {.verdict = VERDICT_PROMOTED};
    if (options->gate)
        TRY((by_hand ? gate_promote : gate_judge)(options->gate, options->model, boundary->version,
                                                  boundary->time, &decision));
    if (decision.verdict == VERDICT_PROMOTED)
        serve_new(trainer, boundary->version, options->beside || by_hand);
    else
        serve_on(trainer, boundary->version);
    settle(trainer, decision.verdict);
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

/* The learner becomes what an earlier version was. */
static enum status take_back(struct trainer *trainer, uint32_t source)
{
    const struct trainer_options *options = &trainer->options;
    char file[MODEL_FILE_MAX];
    model_files_kept_name(options->name, source, file);
    struct model_manifest manifest;
    enum status st = model_files_load(options->dir ? options->dir : "", file,
                                      &(struct learner){.model = options->model}, &manifest);
    if (st < 0)
        snprintf(trainer->error, sizeof trainer->error,
                 "model file %s/%s, which was promoted by hand: %s", options->dir, file,
                 status_text(st));
    if (st == ST_OK && options->reservoir)
        reservoir_forget(options->reservoir, manifest.cursor);
    if (st == ST_OK && options->noise)
        noise_forget(options->noise, manifest.cursor);
    return st;
}

/* A checkpoint that was held is no longer, once the scoring has waited for a boundary behind it. */
static enum status save_now_and_then(struct trainer *trainer,
                                     const struct example_boundary *boundary, uint32_t source)
{
    if (!trainer->options.commit || !trainer->options.dir)
        return ST_OK;
    if (trainer->held_serves > 0 && !trainer->waits)
        offer_held(trainer);
    int64_t now = monotonic_us();
    if (source == 0 && trainer->saved_at &&
        now - trainer->saved_at < trainer->options.checkpoint_every)
        return ST_OK;
    trainer->saved_at = now;
    return checkpoint(trainer, boundary, source);
}

/* source: of an earlier version that it is to be; 0: what was learnt. */
static enum status publish(struct trainer *trainer, const struct example_boundary *boundary,
                           uint32_t source)
{
    learn_gathered(trainer);
    TRY(source > 0 ? take_back(trainer, source) : fit(trainer));
    TRY(judge(trainer, boundary, source > 0));
    trainer->version = boundary->version;
    return save_now_and_then(trainer, boundary, source);
}

static enum status act(struct trainer *trainer, const struct act *act, int64_t time)
{
    if (act->kind == ACT_PUBLISH && !trainer->recalling)
        return publish(trainer, &(struct example_boundary){act->version, time, act->model},
                       act->source);
    if (act->kind == ACT_SERVE && act->version > trainer->accepted)
        trainer->accepted = act->version;
    if (trainer->held_serves > 0 && trainer->held_serves <= trainer->accepted)
        offer_held(trainer);
    return ST_OK;
}

/* All before it is judged by, and nothing behind it. */
static enum status meet(struct trainer *trainer, const struct example_item *item)
{
    if (!trainer->options.gate || trainer->recalling)
        return ST_OK;
    learn_gathered(trainer);
    return gate_meet(trainer->options.gate, &item->act, item->boundary.time);
}

/* Of this model and not learnt before. */
static enum status take_moment(struct trainer *trainer, const struct example_item *item)
{
    uint32_t number = trainer->options.number;
    if (item->kind == ITEM_ACT && item->act.kind == ACT_CONTEST)
        return meet(trainer, item);
    if (item->kind == ITEM_ACT)
        return item->act.model == number ? act(trainer, &item->act, item->boundary.time) : ST_OK;
    if (item->boundary.model != number || trainer->recalling)
        return ST_OK;
    return publish(trainer, &item->boundary, 0);
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
        if (item.kind == ITEM_EXAMPLE)
            gather(trainer, &item);
        else
            TRY(take_moment(trainer, &item));
        begin_learning(trainer);
    }
    learn_gathered(trainer);
    trainer->learnt = trainer->cursor;
    return st == ST_EEND ? ST_OK : st;
}
