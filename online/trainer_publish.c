/* What a trainer does at boundaries and acts: versions are made, judged, tried, served and saved.
 * All items before are learnt. */
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
    uint32_t needed[COMMIT_NEEDED + 1];
    commit_needed_versions(options->commit, options->number, needed);
    needed[COMMIT_NEEDED] = trainer->held_serves > 0 ? trainer->held.version : 0;
    model_files_prune(options->dir, options->name, options->files_kept, needed, COMMIT_NEEDED + 1);
    return ST_OK;
}

/* Beside the version that the gate goes by: one made by hand may still wait to be taken, and the
 * stream has gone past where it could have been. */
static void try_new(struct trainer *trainer, struct model *stable, uint32_t stable_version,
                    uint32_t version)
{
    struct registry *registry = trainer->options.registry;
    struct canary_limits limits = gate_limits(trainer->options.gate);
    if (registry_version(registry) != stable_version)
        registry_publish(registry, stable, stable_version);
    registry_try(registry, trainer->options.model, version, &limits);
}

/* The new version serves, or is tried; at once, or once it is taken. */
static void serve_new(struct trainer *trainer, uint32_t version, bool beside)
{
    struct registry *registry = trainer->options.registry;
    trainer->waits = beside && version > trainer->accepted;
    struct gate *gate = trainer->options.gate;
    uint32_t stable_version = 0;
    struct model *stable = gate ? gate_stable(gate, &stable_version) : NULL;
    if (trainer->waits)
        registry_stage(registry, trainer->options.model, version);
    else if (stable)
        try_new(trainer, stable, stable_version, version);
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
    uint32_t on_trial;
    if (options->gate && by_hand && gate_champion(options->gate, &on_trial))
        registry_end_trial(options->registry, on_trial, false);
    struct decision decision = {.verdict = VERDICT_PROMOTED};
    const struct gate_moment moment = {boundary->version, boundary->time, trainer->cursor,
                                       boundary->tried};
    if (options->gate)
        TRY((by_hand ? gate_promote : gate_judge)(options->gate, options->model, &moment,
                                                  &decision));
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

enum status trainer_publish(struct trainer *trainer, const struct example_boundary *boundary,
                            uint32_t source)
{
    TRY(source > 0 ? take_back(trainer, source) : fit(trainer));
    TRY(judge(trainer, boundary, source > 0));
    trainer->version = boundary->version;
    return save_now_and_then(trainer, boundary, source);
}

/* What a version learnt that was rolled back is not to be known any more. */
static void forget_from(struct trainer *trainer, uint64_t item)
{
    const struct trainer_options *options = &trainer->options;
    if (item < UINT64_MAX && options->reservoir)
        reservoir_forget(options->reservoir, item);
    if (item < UINT64_MAX && options->noise)
        noise_forget(options->noise, item);
}

enum status trainer_end_trial(struct trainer *trainer, const struct act *act, struct slice verdict)
{
    const struct trainer_options *options = &trainer->options;
    struct decision decision;
    uint64_t lost = UINT64_MAX;
    if (verdict.len != sizeof decision)
        return ST_ECORRUPT;
    memcpy(&decision, verdict.data, sizeof decision);
    if (!decision_is_sound(&decision))
        return ST_ECORRUPT;
    if (trainer->recalling || !options->gate)
        return ST_OK;
    uint32_t stable, champion;
    bool on_trial = gate_stable(options->gate, &stable) &&
                    gate_champion(options->gate, &champion) && champion == act->version;
    TRY(gate_end_trial(options->gate, options->model, &decision, &lost));
    forget_from(trainer, lost);
    registry_end_trial(options->registry, act->version, act->kind == ACT_CONFIRM);
    if (on_trial && options->on_decision)
        options->on_decision(options->on_decision_arg, &decision);
    return ST_OK;
}

enum status trainer_act(struct trainer *trainer, const struct act *act, int64_t time)
{
    if (act->kind == ACT_PUBLISH && !trainer->recalling)
        return trainer_publish(
            trainer,
            &(struct example_boundary){.version = act->version, .time = time, .model = act->model},
            act->source);
    if (act->kind == ACT_SERVE && act->version > trainer->accepted)
        trainer->accepted = act->version;
    if (trainer->held_serves > 0 && trainer->held_serves <= trainer->accepted)
        offer_held(trainer);
    return ST_OK;
}
