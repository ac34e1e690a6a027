/*
 * A trainer among its threads, as in the service: one gives it the log and scores with what comes
 * of it, one commits and so names its checkpoints, and one reads the model whenever it likes.
 *
 * Every version is compared with what it must have learnt. Passes with status 0.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "base/ring.h"
#include "online/trainer.h"
#include "tests/trainer_fixture.h"

enum { ITEMS = 3000 };

static struct trainer_life life = {.dir = "/tmp/freshet-trainer-XXXXXX"};
static _Atomic uint64_t given;
static _Atomic bool done;

static void *commit_on(void *arg)
{
    (void)arg;
    while (life.next_item < ITEMS) {
        uint64_t until = given;
        if (until > life.next_item)
            must(life_commit(&life, until) == ST_OK);
    }
    return NULL;
}

static void *look(void *arg)
{
    (void)arg;
    while (!done) {
        const struct model *model = registry_acquire(life.registry, 0);
        uint64_t learnt = fake_of(model)->words[0];
        for (size_t i = 0; i < FAKE_WORDS; i++)
            must(fake_of(model)->words[i] == learnt);
        registry_release(life.registry, model);
        must(trainer_status(life.trainer) == ST_OK);
        must(trainer_figures(life.trainer).learnt <= ITEMS);
    }
    return NULL;
}

int main(void)
{
    pthread_t committer, reader;
    must(mkdtemp(life.dir) && store_open_memory(&life.store) == ST_OK);
    life.checkpoint_every = 20000;
    life_open(&life);
    must(trainer_recover(life.trainer, life.store, 0) == ST_OK);
    must(trainer_start(life.trainer) == ST_OK);
    pthread_create(&committer, NULL, commit_on, NULL);
    pthread_create(&reader, NULL, look, NULL);
    for (uint64_t item = 0; item < ITEMS; item = given) {
        uint64_t until = item + 1 + item * 31 % 60;
        until = until < ITEMS ? until : ITEMS;
        must(life_give(&life, item, until));
        given = until;
        if (item % 4 == 0)
            must(published_digest(&life, versions_before(until)) ==
                 expected_version_digest(versions_before(until)));
    }
    trainer_drain(life.trainer);
    pthread_join(committer, NULL);
    done = true;
    pthread_join(reader, NULL);
    must(fake_of(life.learner)->digest == expected_digest(ITEMS));
    must(commit_tidy(life.commit) == ST_OK);
    life_close(&life);

    life_open(&life); /* and what was committed meanwhile brings it back */
    must(trainer_recover(life.trainer, life.store, ITEMS) == ST_OK);
    must(fake_of(life.learner)->digest == expected_digest(ITEMS));
    life_close(&life);
    store_free(life.store);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", life.dir);
    return system(command);
}
