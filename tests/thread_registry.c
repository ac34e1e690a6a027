/*
 * Threads at one registry: a publisher and readers, some of whom wait for versions to come.
 *
 * Each reader checks that what it holds is one version through and through, not older than it asked
 * for and never older than what it saw before. Where an order was recorded, each
 * version that was taken then is still there when its turn comes, however far ahead the publisher
 * would be. Passes with status 0.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "online/registry.h"
#include "tests/fake_model.h"

enum { READERS = 3, VERSIONS = 2000 };

static struct registry *registry;
static _Atomic int failures;

static void check(bool good, const char *what)
{
    if (!good && failures++ < 10)
        fprintf(stderr, "%s\n", what);
}

static void *read_on(void *arg)
{
    bool waits = *(const bool *)arg;
    uint32_t seen = 0;
    while (seen < VERSIONS) {
        const struct model *model = registry_acquire(registry, waits ? seen + 1 : seen);
        if (!model)
            break;
        const struct fake_model *fake = fake_of(model);
        uint64_t version = fake->words[0];
        for (size_t i = 0; i < FAKE_WORDS; i++)
            check(fake->words[i] == version, "a copy changed under its reader");
        check(version >= seen + waits, "an older version than asked for");
        seen = (uint32_t)version;
        registry_release(registry, model);
    }
    check(seen == VERSIONS, "the last version was not seen");
    return NULL;
}

static void *wait_for_ever(void *arg)
{
    (void)arg;
    check(registry_acquire(registry, VERSIONS + 1) == NULL, "a version that never was");
    return NULL;
}

static void *stage_all(void *arg)
{
    for (uint32_t version = 1; version <= VERSIONS; version++) {
        fake_of(arg)->learnt = version;
        registry_stage(registry, arg, version);
    }
    return NULL;
}

/* One that is taken late, then the next, then one far behind it. */
static void take_recorded(struct model *learner)
{
    static const uint32_t taken[] = {1, 2, 70, 71, 300, 1000, 1001, VERSIONS - 1};
    pthread_t staging;
    if (registry_create(fake_make, NULL, &registry) < 0)
        abort();
    registry_keep_staged(registry);
    pthread_create(&staging, NULL, stage_all, learner);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        check(registry_take(registry, taken[i]) == taken[i], "a recorded version is not there");
        check(registry_version(registry) == taken[i], "another version serves");
    }
    pthread_join(staging, NULL);
    registry_free(registry);
}

int main(void)
{
    static const bool waits[READERS] = {false, true, true};
    pthread_t readers[READERS], waiting;
    struct model *learner;
    if (fake_make(NULL, &learner) < 0 || registry_create(fake_make, NULL, &registry) < 0)
        return 1;
    for (int i = 0; i < READERS; i++)
        pthread_create(&readers[i], NULL, read_on, (void *)(uintptr_t)&waits[i]);
    pthread_create(&waiting, NULL, wait_for_ever, NULL);
    for (uint32_t version = 1; version <= VERSIONS; version++) {
        fake_of(learner)->learnt = version;
        registry_publish(registry, learner, version);
    }
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    registry_stop(registry);
    pthread_join(waiting, NULL);
    registry_free(registry);
    take_recorded(learner);
    learner->ops->free(learner);
    return failures ? 1 : 0;
}
