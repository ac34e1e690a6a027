#include "online/registry.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct copy {
    struct model *model;
    unsigned readers;
    bool staged;
    uint32_t version;
    bool leaving; /* is no longer current, and still read */
    int64_t left; /* when that began */
};

struct registry {
    struct copy copies[REGISTRY_COPIES_MAX];
    unsigned n_copies, current;
    int trial; /* the copy that is on trial; -1: none is */
    struct canary_limits limits;
    uint32_t ended; /* the newest version whose trial is over, also if it has yet to begin */
    bool confirmed;
    registry_make_fn make;
    void *make_arg;
    bool keep_staged;
    _Atomic uint32_t staged; /* the newest; 0: none */
    uint32_t passed;         /* boundary */
    uint32_t wanted;         /* the newest that was asked for; nobody will for an older one */
    bool stopped, hurried;
    bool (*work)(void *arg); /* instead of sleeping; NULL: sleep */
    void *work_arg;
    int64_t (*clock)(void);
    void (*swapped)(void *arg, int64_t us); /* NULL: nobody wants to know */
    void *swapped_arg;
    pthread_mutex_t lock; /* taken once a batch and once a publication: never contended for long */
    pthread_cond_t changed;
};

static enum status add_copy(struct registry *registry)
{
    TRY(registry->make(registry->make_arg, &registry->copies[registry->n_copies].model));
    registry->n_copies++;
    return ST_OK;
}

enum status registry_create(registry_make_fn make, void *arg, struct registry **ret)
{
    struct registry *registry = calloc(1, sizeof *registry);
    if (!registry)
        return ST_ENOMEM;
    pthread_mutex_init(&registry->lock, NULL);
    pthread_cond_init(&registry->changed, NULL);
    registry->make = make;
    registry->make_arg = arg;
    registry->trial = -1;
    for (unsigned i = 0; i < REGISTRY_COPIES; i++) {
        enum status st = add_copy(registry);
        if (st < 0) {
            registry_free(registry);
            return st;
        }
    }
    *ret = registry;
    return ST_OK;
}

void registry_free(struct registry *registry)
{
    if (!registry)
        return;
    for (unsigned i = 0; i < registry->n_copies; i++)
        registry->copies[i].model->ops->free(registry->copies[i].model);
    pthread_cond_destroy(&registry->changed);
    pthread_mutex_destroy(&registry->lock);
    free(registry);
}

/* The next in turn that is not current, not read and not kept: in turn, so that each copy is
 * brought up to date over the same few publications. */
static int find_idle(const struct registry *registry)
{
    for (unsigned i = 1; i < registry->n_copies; i++) {
        unsigned at = (registry->current + i) % registry->n_copies;
        if (registry->copies[at].readers == 0 && !registry->copies[at].staged &&
            (int)at != registry->trial)
            return (int)at;
    }
    return -1;
}

static void give_up_staged(struct registry *registry, uint32_t below)
{
    for (unsigned i = 0; i < registry->n_copies; i++)
        if (registry->copies[i].version < below)
            registry->copies[i].staged = false;
}

/* One more copy, where all others are kept. */
static bool grow(struct registry *registry)
{
    return registry->keep_staged && registry->n_copies < REGISTRY_COPIES_MAX &&
           add_copy(registry) == ST_OK;
}

/* Where no more can be kept, and nobody will come for it, or can as things are. Who comes all the
 * same will not find it, and says so. */
static bool give_up_oldest(struct registry *registry)
{
    struct copy *oldest = NULL;
    for (unsigned i = 0; i < registry->n_copies; i++) {
        struct copy *copy = &registry->copies[i];
        if (copy->staged && (!oldest || copy->version < oldest->version))
            oldest = copy;
    }
    if (!oldest || (oldest->version >= registry->wanted && !registry->hurried && !registry->work))
        return false;
    oldest->staged = false;
    return true;
}

/* A copy that scores as `from` does and that nobody else sees yet; -1 once stopped. */
static int fill_copy(struct registry *registry, struct model *from)
{
    int at;
    pthread_mutex_lock(&registry->lock);
    if (!registry->keep_staged)
        give_up_staged(registry, UINT32_MAX);
    atomic_store(&registry->staged, registry->keep_staged ? registry->staged : 0);
    while ((at = find_idle(registry)) < 0 && !registry->stopped)
        if (!grow(registry) && !give_up_oldest(registry))
            pthread_cond_wait(&registry->changed, &registry->lock);
    pthread_mutex_unlock(&registry->lock);
    if (at >= 0)
        from->ops->publish(from, registry->copies[at].model);
    return at;
}

static void end_swap(struct registry *registry, struct copy *copy)
{
    copy->leaving = false;
    if (registry->swapped)
        registry->swapped(registry->swapped_arg, registry->clock() - copy->left);
}

static void begin_swap(struct registry *registry, struct copy *copy)
{
    copy->leaving = true;
    copy->left = registry->swapped ? registry->clock() : 0;
    if (copy->readers == 0)
        end_swap(registry, copy);
}

static void make_current(struct registry *registry, unsigned at)
{
    begin_swap(registry, &registry->copies[registry->current]);
    registry->current = at;
    registry->trial = -1;
    give_up_staged(registry, registry->copies[at].version + 1);
    if (registry->staged <= registry->copies[at].version)
        registry->staged = 0;
    pthread_cond_broadcast(&registry->changed);
}

void registry_publish(struct registry *registry, struct model *from, uint32_t version)
{
    int at = fill_copy(registry, from);
    if (at < 0)
        return;
    pthread_mutex_lock(&registry->lock);
    registry->copies[at].version = version;
    if (version > registry->passed)
        registry->passed = version;
    make_current(registry, (unsigned)at);
    pthread_mutex_unlock(&registry->lock);
}

void registry_stage(struct registry *registry, struct model *from, uint32_t version)
{
    int at = fill_copy(registry, from);
    if (at < 0)
        return;
    pthread_mutex_lock(&registry->lock);
    registry->copies[at].version = version;
    registry->copies[at].staged = true;
    registry->staged = version;
    pthread_cond_broadcast(&registry->changed);
    pthread_mutex_unlock(&registry->lock);
}

/* Trials. */

/* One that is read or current for long needs a copy of its own; without memory for it others wait.
 */
static void make_room(struct registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    bool few = registry->n_copies == REGISTRY_COPIES;
    enum status st = few ? add_copy(registry) : ST_OK;
    (void)st;
    pthread_mutex_unlock(&registry->lock);
}

void registry_try(struct registry *registry, struct model *from, uint32_t version,
                  const struct canary_limits *limits)
{
    make_room(registry);
    int at = fill_copy(registry, from);
    if (at < 0)
        return;
    pthread_mutex_lock(&registry->lock);
    registry->copies[at].version = version;
    registry->limits = *limits;
    if (version != registry->ended)
        registry->trial = at;
    else if (registry->confirmed)
        make_current(registry, (unsigned)at);
    if (version > registry->passed)
        registry->passed = version;
    pthread_cond_broadcast(&registry->changed);
    pthread_mutex_unlock(&registry->lock);
}

void registry_end_trial(struct registry *registry, uint32_t version, bool confirmed)
{
    pthread_mutex_lock(&registry->lock);
    int at = registry->trial;
    if (version > registry->ended) {
        registry->ended = version;
        registry->confirmed = confirmed;
    }
    if (at >= 0 && registry->copies[at].version == version) {
        if (confirmed)
            make_current(registry, (unsigned)at);
        registry->trial = -1;
        pthread_cond_broadcast(&registry->changed);
    }
    pthread_mutex_unlock(&registry->lock);
}

const struct model *registry_acquire_trial(struct registry *registry, uint32_t *ret_version,
                                           struct canary_limits *ret_limits)
{
    const struct model *model = NULL;
    pthread_mutex_lock(&registry->lock);
    if (registry->trial >= 0) {
        struct copy *copy = &registry->copies[registry->trial];
        copy->readers++;
        model = copy->model;
        *ret_version = copy->version;
        *ret_limits = registry->limits;
    }
    pthread_mutex_unlock(&registry->lock);
    return model;
}

bool registry_rolled_back(struct registry *registry, uint32_t version)
{
    pthread_mutex_lock(&registry->lock);
    bool is = registry->ended == version && !registry->confirmed;
    pthread_mutex_unlock(&registry->lock);
    return is;
}

uint32_t registry_on_trial(struct registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    uint32_t version = registry->trial >= 0 ? registry->copies[registry->trial].version : 0;
    pthread_mutex_unlock(&registry->lock);
    return version;
}

uint32_t registry_staged(const struct registry *registry)
{
    return atomic_load_explicit(&registry->staged, memory_order_relaxed);
}

void registry_keep_staged(struct registry *registry)
{
    registry->keep_staged = true;
}

void registry_keep(struct registry *registry, uint32_t version)
{
    pthread_mutex_lock(&registry->lock);
    registry->passed = version;
    pthread_cond_broadcast(&registry->changed);
    pthread_mutex_unlock(&registry->lock);
}

void registry_watch_swaps(struct registry *registry, int64_t (*clock)(void),
                          void (*swapped)(void *arg, int64_t us), void *arg)
{
    registry->clock = clock;
    registry->swapped = swapped;
    registry->swapped_arg = arg;
}

void registry_set_work(struct registry *registry, bool (*work)(void *arg), void *arg)
{
    registry->work = work;
    registry->work_arg = arg;
}

/* False if no version will come any more. */
static bool wait_for_change(struct registry *registry)
{
    if (registry->stopped)
        return false;
    if (!registry->work) {
        pthread_cond_wait(&registry->changed, &registry->lock);
        return !registry->stopped;
    }
    pthread_mutex_unlock(&registry->lock);
    bool worked = registry->work(registry->work_arg);
    pthread_mutex_lock(&registry->lock);
    return worked && !registry->stopped;
}

void registry_hurry(struct registry *registry, bool hurry)
{
    pthread_mutex_lock(&registry->lock);
    registry->hurried = hurry;
    pthread_cond_broadcast(&registry->changed);
    pthread_mutex_unlock(&registry->lock);
}

/* Tells a trainer that may be waiting until something is taken. */
static void want(struct registry *registry, uint32_t version)
{
    if (version <= registry->wanted)
        return;
    registry->wanted = version;
    pthread_cond_broadcast(&registry->changed);
}

const struct model *registry_acquire(struct registry *registry, uint32_t version)
{
    const struct model *model = NULL;
    pthread_mutex_lock(&registry->lock);
    bool waits = !registry->stopped;
    want(registry, version);
    while (registry->passed < version && waits)
        waits = wait_for_change(registry);
    if (registry->passed >= version) {
        struct copy *copy = &registry->copies[registry->current];
        copy->readers++;
        model = copy->model;
    }
    pthread_mutex_unlock(&registry->lock);
    return model;
}

static int find_staged(const struct registry *registry, uint32_t version)
{
    if (version == 0)
        version = registry->staged;
    for (unsigned i = 0; i < registry->n_copies; i++)
        if (registry->copies[i].staged && registry->copies[i].version == version)
            return (int)i;
    return -1;
}

uint32_t registry_take(struct registry *registry, uint32_t version)
{
    int at;
    pthread_mutex_lock(&registry->lock);
    want(registry, version);
    while ((at = find_staged(registry, version)) < 0 && registry->staged < version &&
           wait_for_change(registry))
        continue;
    uint32_t taken = at >= 0 ? registry->copies[at].version : 0;
    if (at >= 0)
        make_current(registry, (unsigned)at);
    pthread_mutex_unlock(&registry->lock);
    return taken;
}

void registry_release(struct registry *registry, const struct model *model)
{
    pthread_mutex_lock(&registry->lock);
    for (unsigned i = 0; i < registry->n_copies; i++) {
        struct copy *copy = &registry->copies[i];
        if (copy->model != model || --copy->readers > 0)
            continue;
        if (copy->leaving)
            end_swap(registry, copy);
        pthread_cond_broadcast(&registry->changed);
    }
    pthread_mutex_unlock(&registry->lock);
}

uint32_t registry_version(struct registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    uint32_t version = registry->copies[registry->current].version;
    pthread_mutex_unlock(&registry->lock);
    return version;
}

/* A copy that is read is not published to: its version stays. */
uint32_t registry_version_of(struct registry *registry, const struct model *model)
{
    uint32_t version = 0;
    for (unsigned i = 0; i < registry->n_copies; i++)
        if (registry->copies[i].model == model)
            version = registry->copies[i].version;
    return version;
}

void registry_stop(struct registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    registry->stopped = true;
    pthread_cond_broadcast(&registry->changed);
    pthread_mutex_unlock(&registry->lock);
}
