/*
 * online/trainer.h -- learns from the example log in a thread of its own, on its own copy of the
 * model. Each model has a trainer; all read the same log, and each minds its own boundaries.
 *
 * The state thread hands over blocks of the log as it writes them. A boundary in the log publishes:
 * the version has then learnt exactly the items before it. At boundaries {weights, transforms,
 * optimiser state, cursor} go to one file, fsynced, which the next commit names; after a crash the
 * trainer loads it, reads the durable log from its cursor on, and publishes the same versions
 * again.
 */
#ifndef ONLINE_TRAINER_H
#define ONLINE_TRAINER_H

#include "base/ring.h"
#include "ingest/commit.h"
#include "ingest/layouts.h"
#include "models/auc.h"
#include "models/model.h"
#include "online/gate.h"
#include "online/noise.h"
#include "online/reservoir.h"
#include "online/registry.h"

/* Blocks of examples that may wait to be learnt. */
enum { TRAINER_BLOCKS = 64, TRAINER_BEHIND_BYTES = 256 << 20 };

struct trainer;

struct trainer_options {
    struct model *model; /* the copy that learns; the caller frees it after trainer_free() */
    size_t n_dense;
    struct gate *gate; /* decides on what is published; NULL: all is. The caller frees it after */
    struct reservoir *reservoir; /* of what is learnt again; NULL: nothing. The caller frees it */
    struct noise *noise;         /* what is not to be learnt; NULL: nothing. The caller frees it */
    struct contest *contest; /* nobody waits for it once this trainer failed; NULL: there is none */
    /* Called with each decision, on the thread that learns; NULL: not wanted. */
    void (*on_decision)(void *arg, const struct decision *decision);
    void *on_decision_arg;
    const struct layouts *layouts; /* of what the log holds; NULL: all is laid out as today */
    struct registry *registry;
    struct commit *commit; /* is offered checkpoints; NULL: none are made */
    const char *dir;       /* folder of model files; NULL: none are made */
    const char *name;      /* of the model, in file names */
    uint32_t number;       /* of the model, in the log and the commit: see head.h */
    uint64_t from;         /* the first item that it learns, if no checkpoint is past it */
    /* Versions are made beside the scoring: they are staged, and serve once they are taken. */
    bool beside;
    double cpu;        /* its share of a processor where it works beside; 0: all it can get */
    int64_t cpu_burst; /* us that it may use at once of what it has not used */
    bool may_lag;      /* what it has no room for is kept, up to TRAINER_BEHIND_BYTES */
    uint32_t accepted; /* of such, or of those made by hand, the one taken last in another life */
    bool judge;        /* score each example with the published version before it is learnt */
    int64_t checkpoint_every; /* us of wall time between files, at least */
    size_t files_kept;
};

STATUS_CHECKED enum status trainer_create(const struct trainer_options *options,
                                          struct trainer **ret);
/* Stops the thread first if it runs. */
void trainer_free(struct trainer *trainer);

/* Before the thread starts: loads the named checkpoint and learns what the log holds past it, up to
 * item `until`. ST_ECORRUPT, ST_ENOTFOUND: the file is bad or missing; trainer_error() names it. */
STATUS_CHECKED enum status trainer_recover(struct trainer *trainer, struct store *store,
                                           uint64_t until);
STATUS_CHECKED enum status trainer_start(struct trainer *trainer);
/* Instead of starting the thread: learns one block of what was given; false if there is none. */
bool trainer_step(void *trainer);

/* Gives n items to the trainer (copied). Waits while it is too far behind. False once it failed. */
bool trainer_give(struct trainer *trainer, struct slice items, uint64_t n);
/* Waits until all given is learnt. */
void trainer_drain(struct trainer *trainer);
/* A model that is being made anew is left so, and nothing more is learnt: what is not yet in a
 * checkpoint will be read from the log again. Any thread. Of use only before an end. */
void trainer_cancel(struct trainer *trainer);
/* Its failure, if it had one. */
enum status trainer_status(const struct trainer *trainer);
const char *trainer_error(const struct trainer *trainer);

struct trainer_figures {
    uint64_t learnt;        /* items behind the cursor */
    uint64_t behind;        /* blocks waiting */
    int64_t newest_example; /* release time of the newest item learnt */
    int64_t busy_us;        /* CPU time of the thread */
    uint64_t examples;      /* learnt by this process; items are boundaries, too */
    uint64_t set_aside;     /* of these, taken for noise and not learnt */
};
struct trainer_figures trainer_figures(const struct trainer *trainer);
/* How good the published versions were at examples not yet learnt, in the life of this process;
 * nothing is judged before the first version. Any thread. */
struct score_figures trainer_judged(struct trainer *trainer);

#endif
