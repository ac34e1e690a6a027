/*
 * online/registry.h -- the model that scores now: published by the trainer, borrowed by readers.
 *
 * A few copies of the model circulate. The trainer brings one that nobody reads up to date and
 * makes it current; readers take the current one once a batch and give it back when the batch is
 * scored. So a version never changes under a reader and a swap waits for nobody.
 *
 * A version that is made beside the scoring is staged: complete, but not current until the thread
 * that decides where in the stream it begins takes it.
 *
 *     const struct model *model = registry_acquire(registry, version);   // waits for that version
 *     model->ops->score(model, rows, n, scores);
 *     registry_release(registry, model);
 */
#ifndef ONLINE_REGISTRY_H
#define ONLINE_REGISTRY_H

#include "base/ring.h"
#include "models/model.h"
#include "online/canary.h"

struct registry;

/* Makes a scoring copy; called REGISTRY_COPIES times, early, and later for what
 * registry_keep_staged() keeps. */
typedef enum status (*registry_make_fn)(void *arg, struct model **ret);

enum { REGISTRY_COPIES = 3, REGISTRY_COPIES_MAX = 64 };

/* Version 0, an untrained copy, is current at once. Copies are freed with the registry. */
STATUS_CHECKED enum status registry_create(registry_make_fn make, void *arg, struct registry **ret);
void registry_free(struct registry *registry);

/* The trainer's side: makes a copy score as `from` does and makes it current. Waits if all other
 * copies are being read. */
void registry_publish(struct registry *registry, struct model *from, uint32_t version);

/* Instead: the copy waits for registry_take(); one that waits already is given up, and so is each
 * that waits once a version is published. */
void registry_stage(struct registry *registry, struct model *from, uint32_t version);
/* The newest version that waits; 0: none. Any thread; costs a load. */
uint32_t registry_staged(const struct registry *registry);
/* Makes the staged version current, and waits until it is staged; version 0: the one that is staged
 * now, if any. Returns which; 0: none, or it will not come. */
uint32_t registry_take(struct registry *registry, uint32_t version);
/* For an order that was recorded: staged versions are kept until they, or later ones, are taken.
 * Where no more can be kept, staging waits until one is. */
void registry_keep_staged(struct registry *registry);
/* Whoever takes versions waits for the trainer, and takes none meanwhile: instead of waiting,
 * staging gives up the oldest. Any thread but the trainer's. */
void registry_hurry(struct registry *registry, bool hurry);

/* As registry_publish(), but the copy is on trial: it is current for nobody but who asks for it,
 * and the current model stays. The trial of another version before it is given up. */
void registry_try(struct registry *registry, struct model *from, uint32_t version,
                  const struct canary_limits *limits);
/* Ends the trial of that version, also if it has yet to begin: it becomes current, or goes. Any
 * thread. */
void registry_end_trial(struct registry *registry, uint32_t version, bool confirmed);
/* What is on trial, to be released; NULL: nothing is. Never waits. */
const struct model *registry_acquire_trial(struct registry *registry, uint32_t *ret_version,
                                           struct canary_limits *ret_limits);
/* Its version; 0: there is none. */
uint32_t registry_on_trial(struct registry *registry);
/* Whether that is how the newest trial of all ended. */
bool registry_rolled_back(struct registry *registry, uint32_t version);

/* The boundary of `version` is passed, and the current model goes on as it is. */
void registry_keep(struct registry *registry, uint32_t version);

/* The current model once the boundary of `version`, or a later one, is passed; waits until then.
 * NULL if the registry was stopped meanwhile. */
const struct model *registry_acquire(struct registry *registry, uint32_t version);
/* Each swap from now on: swapped is told how many us it took from the switch until nobody read the
 * copy that had been current any more; 0: nobody did. It is called under the registry's lock, on
 * whichever thread ended it. Before others know the registry. */
void registry_watch_swaps(struct registry *registry, int64_t (*clock)(void),
                          void (*swapped)(void *arg, int64_t us), void *arg);
/* What an acquired model was published as. */
uint32_t registry_version_of(struct registry *registry, const struct model *model);
/* For a trainer without a thread of its own: instead of sleeping, acquire calls work until the
 * version is there; once it returns false, acquire gives NULL. */
void registry_set_work(struct registry *registry, bool (*work)(void *arg), void *arg);
void registry_release(struct registry *registry, const struct model *model);
/* The version that is current. */
uint32_t registry_version(struct registry *registry);
/* Wakes all who wait; from now on they get NULL. */
void registry_stop(struct registry *registry);

#endif
