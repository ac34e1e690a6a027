/* A start: the checkpoint, then what is in the log behind it, in blocks that may begin before it.
 */
#include <stdio.h>

#include "online/model_files.h"
#include "online/trainer_internal.h"

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
    return trainer_learn(trainer, (struct slice){in.at, reader_left(&in)}, layout,
                         trainer->cursor - first);
}

/* What served when the checkpoint was made. */
static void serve_loaded(struct trainer *trainer)
{
    const struct trainer_options *options = &trainer->options;
    struct model *champion = options->model, *stable = NULL;
    uint32_t version = trainer->version, stable_version = 0;
    if (options->gate) {
        champion = gate_champion(options->gate, &version);
        stable = gate_stable(options->gate, &stable_version);
    }
    if (stable) {
        struct canary_limits limits = gate_limits(options->gate);
        registry_publish(options->registry, stable, stable_version);
        registry_try(options->registry, champion, version, &limits);
    } else {
        registry_publish(options->registry, champion, version);
    }
    registry_keep(options->registry, trainer->version);
}

static enum status load_checkpoint(struct trainer *trainer, const struct trainer_checkpoint *point)
{
    struct model_manifest manifest;
    enum status st =
        model_files_load(trainer->options.dir, point->file,
                         &(struct learner){trainer->options.model, trainer->options.gate,
                                           trainer->options.reservoir, trainer->options.noise},
                         &manifest);
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
    if (trainer->options.noise)
        noise_give_back(trainer->options.noise, trainer->options.model);
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
    registry_hurry(trainer->options.registry, true); /* nobody takes versions yet */
    st = commit_read_examples(store, trainer->cursor, learn_stored, &recovery);
    registry_hurry(trainer->options.registry, false);
    if (st == ST_OK && trainer->cursor != until)
        st = ST_ECORRUPT;
    if (st < 0 && !trainer->error[0])
        snprintf(trainer->error, sizeof trainer->error,
                 "example log: item %llu of %llu cannot be read: %s",
                 (unsigned long long)trainer->cursor, (unsigned long long)until, status_text(st));
    return st;
}
