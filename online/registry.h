/*
 * online/registry.h -- the model that scores now: published by the trainer, borrowed by readers.
 *
 * A few copies of the model circulate. The trainer brings one that nobody reads up to date and
 * makes it current; readers take the current one once a batch and give it back when the batch is
 * scored. So a version never changes under a reader and a swap waits for nobody.
 *
 *     const struct model *model = registry_acquire(registry, version);   // waits for that version
 *     model->ops->score(model, rows, n, scores);
 *     registry_release(registry, model);
 */
#ifndef ONLINE_REGISTRY_H
#define ONLINE_REGISTRY_H

#include "base/ring.h"
#include "models/model.h"

struct registry;

/* Makes a scoring copy; called up to REGISTRY_COPIES times, early. */
typedef enum status (*registry_make_fn)(void *arg, struct model **ret);

enum { REGISTRY_COPIES = 3 };

/* Version 0, an untrained copy, is current at once. Copies are freed with the registry. */
STATUS_CHECKED enum status registry_create(registry_make_fn make, void *arg, struct registry **ret);
void registry_free(struct registry *registry);

/* The trainer's side: makes a copy score as `from` does and makes it current. Waits if all other
 * copies are being read. */
void registry_publish(struct registry *registry, struct model *from, uint32_t version);

/* The boundary of `version` is passed, and the current model goes on as it is. */
void registry_keep(struct registry *registry, uint32_t version);

/* The current model once the boundary of `version`, or a later one, is passed; waits until then.
 * NULL if the registry was stopped meanwhile. */
const struct model *registry_acquire(struct registry *registry, uint32_t version);
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
