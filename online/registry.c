#include "online/registry.h"

#include <pthread.h>
#include <stdlib.h>

struct copy {
    struct model *model;
    unsigned readers;
    uint32_t version;
};

struct registry {
    struct copy copies[REGISTRY_COPIES];
    unsigned current;
    uint32_t passed; /* boundary */
    bool stopped;
    bool (*work)(void *arg); /* instead of sleeping; NULL: sleep */
    void *work_arg;
    pthread_mutex_t lock; /* taken once a batch and once a publication: never contended for long */
    pthread_cond_t changed;
};

enum status registry_create(registry_make_fn make, void *arg, struct registry **ret)
{
    struct registry *registry = calloc(1, sizeof *registry);
    if (!registry)
        return ST_ENOMEM;
    pthread_mutex_init(&registry->lock, NULL);
    pthread_cond_init(&registry->changed, NULL);
    for (unsigned i = 0; i < REGISTRY_COPIES; i++) {
        enum status st = make(arg, &registry->copies[i].model);
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
    for (unsigned i = 0; i < REGISTRY_COPIES; i++)
        if (registry->copies[i].model)
            registry->copies[i].model->ops->free(registry->copies[i].model);
    pthread_cond_destroy(&registry->changed);
    pthread_mutex_destroy(&registry->lock);
    free(registry);
}

/* The next in turn that is not current and not read: in turn, so that each copy is brought up to
 * date over the same few publications. */
static int idle_copy(const struct registry *registry)
{
    for (unsigned i = 1; i < REGISTRY_COPIES; i++) {
        unsigned at = (registry->current + i) % REGISTRY_COPIES;
        if (registry->copies[at].readers == 0)
            return (int)at;
    }
    return -1;
}

void registry_publish(struct registry *registry, struct model *from, uint32_t version)
{
    pthread_mutex_lock(&registry->lock);
    int at;
    while ((at = idle_copy(registry)) < 0 && !registry->stopped)
        pthread_cond_wait(&registry->changed, &registry->lock);
    pthread_mutex_unlock(&registry->lock);
    if (at < 0)
        return;
    from->ops->publish(from, registry->copies[at].model); /* nobody else sees this copy now */
    pthread_mutex_lock(&registry->lock);
    registry->current = (unsigned)at;
    registry->copies[at].version = registry->passed = version;
    pthread_cond_broadcast(&registry->changed);
    pthread_mutex_unlock(&registry->lock);
}

void registry_keep(struct registry *registry, uint32_t version)
{
    pthread_mutex_lock(&registry->lock);
    registry->passed = version;
    pthread_cond_broadcast(&registry->changed);
    pthread_mutex_unlock(&registry->lock);
}

void registry_set_work(struct registry *registry, bool (*work)(void *arg), void *arg)
{
    registry->work = work;
    registry->work_arg = arg;
}

/* False if no version will come any more. */
static bool wait_for_change(struct registry *registry)
{
    if (!registry->work) {
        pthread_cond_wait(&registry->changed, &registry->lock);
        return !registry->stopped;
    }
    pthread_mutex_unlock(&registry->lock);
    bool worked = registry->work(registry->work_arg);
    pthread_mutex_lock(&registry->lock);
    return worked && !registry->stopped;
}

const struct model *registry_acquire(struct registry *registry, uint32_t version)
{
    const struct model *model = NULL;
    pthread_mutex_lock(&registry->lock);
    bool waits = !registry->stopped;
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

void registry_release(struct registry *registry, const struct model *model)
{
    pthread_mutex_lock(&registry->lock);
    for (unsigned i = 0; i < REGISTRY_COPIES; i++)
        if (registry->copies[i].model == model && --registry->copies[i].readers == 0)
            pthread_cond_broadcast(&registry->changed);
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
    for (unsigned i = 0; i < REGISTRY_COPIES; i++)
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
