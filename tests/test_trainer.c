/*
 * Tests of online/trainer.h; thread_trainer.c is what ThreadSanitizer watches.
 *
 * What is known without running it: a version has learnt exactly the items before its boundary, in
 * order, however the log is cut into blocks; and a trainer that dies and reads the log again
 * publishes the same versions, bit for bit. The fake model's digest tells whether that is so.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include <dirent.h>
#include <unistd.h>

#include "online/trainer.h"
#include "tests/trainer_fixture.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

static void life_begin(struct trainer_life *life, int64_t checkpoint_every)
{
    *life = (struct trainer_life){.dir = "/tmp/freshet-trainer-XXXXXX",
                                  .checkpoint_every = checkpoint_every};
    cr_assert(ne(ptr, mkdtemp(life->dir), NULL));
    cr_assert(eq(int, store_open_memory(&life->store), ST_OK));
    life_open(life);
}

static void life_end(struct trainer_life *life)
{
    char command[128];
    life_close(life);
    store_free(life->store);
    snprintf(command, sizeof command, "rm -rf %s", life->dir);
    cr_assert(eq(int, system(command), 0));
}

static enum status recover(struct trainer_life *life)
{
    return trainer_recover(life->trainer, life->store, life->next_item);
}

static void reopen(struct trainer_life *life)
{
    life_close(life);
    store_memory_crash(life->store);
    life_open(life);
}

static void recover_and_start(struct trainer_life *life)
{
    cr_assert(eq(int, recover(life), ST_OK), "%s", trainer_error(life->trainer));
    uint32_t version = versions_before(life->next_item);
    cr_assert(eq(u64, published_digest(life, version), expected_version_digest(version)));
    cr_assert(eq(int, trainer_start(life->trainer), ST_OK));
}

TheoryDataPoints(trainer, a_version_has_learnt_exactly_what_was_before) = {
    DataPoints(uint64_t, 1, 2, 3), DataPoints(uint32_t, 1, 3, 40, 300), /* items a block, at most */
};

Theory((uint64_t seed, uint32_t most), trainer, a_version_has_learnt_exactly_what_was_before)
{
    struct trainer_life life;
    life_begin(&life, INT64_MAX);
    recover_and_start(&life);
    uint64_t item = 0;
    while (item < 1000) {
        uint64_t until = item + draw(&seed, most + 1);
        cr_assert(life_give(&life, item, until));
        item = until;
        uint32_t version = versions_before(item);
        if (draw(&seed, 2) == 0)
            cr_assert(eq(u64, published_digest(&life, version), expected_version_digest(version)));
    }
    trainer_drain(life.trainer);
    cr_assert(eq(u64, fake_of(life.learner)->digest, expected_digest(item)));
    cr_assert(eq(u64, fake_of(life.learner)->learnt, item - versions_before(item)));
    struct trainer_figures figures = trainer_figures(life.trainer);
    cr_assert(eq(u64, figures.learnt, item));
    cr_assert(eq(u64, figures.behind, 0));
    uint64_t last = item_is_boundary(item - 1) ? item - 2 : item - 1;
    cr_assert(eq(i64, figures.newest_example, (int64_t)last + 1));
    cr_assert(eq(int, trainer_status(life.trainer), ST_OK));
    life_end(&life);
}

/* The trainer is ahead of the commits, as it is in the service; some commits fail. */
TheoryDataPoints(trainer, one_that_died_publishes_the_same_versions) = {
    DataPoints(uint64_t, 1, 2, 3, 4, 5),
    DataPoints(int64_t, 0, INT64_MAX), /* between checkpoints: at each boundary, or at the first */
};

Theory((uint64_t seed, int64_t checkpoint_every), trainer,
       one_that_died_publishes_the_same_versions)
{
    struct trainer_life life;
    life_begin(&life, checkpoint_every);
    recover_and_start(&life);
    uint64_t given = 0;
    while (life.next_item < 400) {
        uint64_t until = given + draw(&seed, 20);
        cr_assert(life_give(&life, given, until));
        given = until;
        if (draw(&seed, 3) == 0)
            trainer_drain(life.trainer);
        uint32_t fate = draw(&seed, 12);
        if (fate < 2)
            store_memory_fail_write(life.store, 1, fate ? STORE_MEMORY_LOST : STORE_MEMORY_KEPT);
        if (life_commit(&life, given) == ST_OK && fate != 2)
            continue;
        reopen(&life);
        given = life.next_item;
        recover_and_start(&life);
    }
    trainer_drain(life.trainer);
    cr_assert(eq(u64, fake_of(life.learner)->digest, expected_digest(given)));
    life_end(&life);
}

/* What old examples are learnt again behind which follows from their numbers, and what is set aside
 * from what came before: not from blocks, nor from crashes. */
enum lives { REPLAYING, SETTING_ASIDE, SETTING_ASIDE_RECALLING };

static uint64_t digest_of_lives(enum lives lives, uint64_t seed, uint32_t most, uint32_t crashes)
{
    struct trainer_life life = {0};
    life_begin(&life, 0);
    life_close(&life);
    life.replays = lives == REPLAYING;
    life.sets_aside = lives != REPLAYING;
    life.recalls = lives == SETTING_ASIDE_RECALLING;
    life_open(&life);
    cr_assert(eq(int, recover(&life), ST_OK));
    while (life.next_item < 500) {
        uint64_t until = life.next_item + 1 + draw(&seed, most);
        until = until < 500 ? until : 500;
        cr_assert(life_give(&life, life.next_item, until));
        cr_assert(eq(int, life_commit(&life, until), ST_OK));
        if (draw(&seed, 4) >= crashes)
            continue;
        reopen(&life);
        cr_assert(eq(int, recover(&life), ST_OK), "%s", trainer_error(life.trainer));
    }
    trainer_drain(life.trainer);
    uint64_t digest = fake_of(life.learner)->digest;
    uint64_t learnt = fake_of(life.learner)->learnt, examples = 500 - 500 / ITEMS_A_VERSION;
    cr_expect(crashes > 0 || (life.sets_aside ? learnt < examples - 50 : learnt > examples + 50));
    life_end(&life);
    return digest;
}

TheoryDataPoints(trainer, what_is_learnt_again_is_the_same_however_it_came) = {
    DataPoints(uint32_t, 1, 5, 100), DataPoints(uint32_t, 0, 2), /* crashes behind four blocks */
};

Theory((uint32_t most, uint32_t crashes), trainer, what_is_learnt_again_is_the_same_however_it_came)
{
    cr_expect(eq(u64, digest_of_lives(REPLAYING, 3, most, crashes),
                 digest_of_lives(REPLAYING, 4, 30, 0)));
}

TheoryDataPoints(trainer, what_is_set_aside_is_the_same_however_it_came) = {
    DataPoints(uint32_t, SETTING_ASIDE, SETTING_ASIDE_RECALLING),
    DataPoints(uint32_t, 5, 100), /* items a block, at most; crashes behind two of four */
};

Theory((uint32_t lives, uint32_t most), trainer, what_is_set_aside_is_the_same_however_it_came)
{
    cr_expect(eq(u64, digest_of_lives(lives, 3, most, 2), digest_of_lives(lives, 4, 30, 0)));
}

/* It has used up what it may for years, unless somebody waits for it. */
Test(trainer, one_with_a_share_of_the_processor_waits_unless_it_is_waited_for)
{
    struct trainer_life life = {0};
    life_begin(&life, INT64_MAX);
    life_close(&life);
    life.cpu = 1e-12;
    life_open(&life);
    cr_assert(eq(int, recover(&life), ST_OK));
    cr_assert(eq(int, trainer_start(life.trainer), ST_OK));
    cr_assert(life_give(&life, 0, 5));
    while (trainer_figures(life.trainer).learnt < 5)
        usleep(1000);
    cr_assert(life_give(&life, 5, 6));
    usleep(50 * 1000);
    cr_expect(eq(u64, trainer_figures(life.trainer).learnt, 5));
    trainer_drain(life.trainer);
    cr_expect(eq(u64, trainer_figures(life.trainer).learnt, 6));
    life_end(&life);
}

/* With checkpoints the log behind them goes, and a restart learns little again. */
Test(trainer, a_checkpoint_spares_reading_the_log_again)
{
    struct trainer_life life;
    life_begin(&life, 0);
    recover_and_start(&life);
    cr_assert(life_give(&life, 0, 700));
    trainer_drain(life.trainer);
    cr_assert(eq(int, life_commit(&life, 700), ST_OK));
    cr_assert(life_give(&life, 700, 703));
    cr_assert(eq(int, life_commit(&life, 703), ST_OK));
    reopen(&life);
    cr_assert(eq(int, recover(&life), ST_OK));
    cr_expect(eq(u64, fake_of(life.learner)->learnt, 603));
    cr_expect(eq(u64, fake_of(life.learner)->digest, expected_digest(703)));
    cr_expect(eq(u64, fake_of(life.learner)->calls, 1), "three items, in one call");
    cr_expect(eq(u32, registry_version(life.registry), 100));
    life_end(&life);
}

Test(trainer, without_a_folder_it_publishes_all_the_same)
{
    struct trainer_life life;
    life_begin(&life, 0);
    struct trainer *plain = NULL;
    struct trainer_options options = {
        .model = life.learner, .n_dense = FAKE_DENSE, .registry = life.registry};
    trainer_free(life.trainer);
    cr_assert(eq(int, trainer_create(&options, &plain), ST_OK));
    life.trainer = plain;
    cr_assert(eq(int, trainer_start(plain), ST_OK));
    cr_assert(life_give(&life, 0, 14));
    cr_expect(eq(u64, published_digest(&life, 2), expected_version_digest(2)));
    life_end(&life);
}

static enum status note_first(void *arg, struct slice key, struct slice value)
{
    (void)value;
    *(uint64_t *)arg = store_key_number(key);
    return ST_EEND;
}

/* Two models read one log: each publishes at its own boundaries, and the log is kept for the one
 * that needs more of it. */
Test(trainer, minds_only_its_own_boundaries)
{
    struct trainer_life life;
    life_begin(&life, 0);
    struct trainer *other = NULL;
    struct registry *registry = NULL;
    struct model *learner = NULL;
    cr_assert(eq(int, fake_make(NULL, &learner), ST_OK));
    cr_assert(eq(int, registry_create(fake_make, NULL, &registry), ST_OK));
    struct trainer_options options = {.model = learner,
                                      .n_dense = FAKE_DENSE,
                                      .registry = registry,
                                      .name = "other",
                                      .number = 1,
                                      .judge = true};
    cr_assert(eq(int, trainer_create(&options, &other), ST_OK));
    struct buf items = {0};
    for (uint64_t item = 0; item < ITEMS_A_VERSION; item++) /* with a boundary of number 0 */
        put_item(&items, item);
    cr_assert(trainer_give(other, buf_slice(&items), ITEMS_A_VERSION));
    trainer_drain(other);
    cr_expect(eq(u32, registry_version(registry), 0));
    cr_expect(eq(u64, fake_of(learner)->digest, expected_version_digest(1)));
    cr_expect(eq(u64, trainer_judged(other).positives + trainer_judged(other).negatives, 0),
              "before the first version nothing is judged");
    buf_reset(&items);
    examples_put_boundary(&items, &(struct example_boundary){5, 99, 1, false});
    put_item(&items, ITEMS_A_VERSION);
    put_item(&items, ITEMS_A_VERSION + 1);
    cr_assert(trainer_give(other, buf_slice(&items), 3));
    trainer_drain(other);
    cr_expect(eq(u32, registry_version(registry), 5));
    cr_expect(eq(u64, trainer_judged(other).positives, 1));
    cr_expect(eq(u64, trainer_judged(other).negatives, 1));
    buf_done(&items);
    trainer_free(other);
    registry_free(registry);
    learner->ops->free(learner);
    life_end(&life);
}

/* It was not in the configuration while items 14 to 699 came: they are not in its log. */
Test(trainer, one_that_was_away_goes_on_from_its_checkpoint)
{
    struct trainer_life life;
    life_begin(&life, 0);
    recover_and_start(&life);
    cr_assert(life_give(&life, 0, 14));
    trainer_drain(life.trainer);
    cr_assert(eq(int, life_commit(&life, 14), ST_OK));
    cr_assert(eq(int, life_commit(&life, 700), ST_OK));
    reopen(&life);
    trainer_free(life.trainer);
    struct trainer_options options = {.model = life.learner,
                                      .n_dense = FAKE_DENSE,
                                      .registry = life.registry,
                                      .commit = life.commit,
                                      .dir = life.dir,
                                      .name = "fraud",
                                      .from = 700,
                                      .files_kept = 1000};
    commit_keep_examples(life.commit, 0, 700);
    cr_assert(eq(int, trainer_create(&options, &life.trainer), ST_OK));
    cr_assert(eq(int, recover(&life), ST_OK));
    cr_expect(eq(u64, fake_of(life.learner)->digest, expected_version_digest(2)));
    cr_expect(eq(u64, trainer_figures(life.trainer).learnt, 0), "nothing again");
    cr_assert(eq(int, life_commit(&life, 701), ST_OK));
    uint64_t first = UINT64_MAX;
    cr_assert(eq(int, store_scan_space(life.store, STORE_EXAMPLES, note_first, &first), ST_EEND));
    cr_expect(eq(u64, first, 700), "what nobody needs is gone");
    life_end(&life);
}

/* Refusals. A log of two committed epochs, items 0-699 behind the checkpoint and 700-719; then
 * something goes wrong with it. */

struct refusal {
    char why[40], command[64], text[40]; /* command: in the folder of files */
    uint64_t until, dropped;             /* dropped: the block that goes; 0: none */
    bool bent;                           /* the block is there, but not readable */
    int status;
};

ParameterizedTestParameters(trainer, refuses_to_recover)
{
    static struct refusal cases[] = {
        {"good", "true", "", 720, 0, false, ST_OK},
        {"file missing", "rm *", "fraud-0000000100.safetensors", 720, 0, false, ST_ENOTFOUND},
        {"file cut off", "truncate -s -1 *100.*", "fraud-0000000100.safetensors", 720, 0, false,
         ST_ECORRUPT},
        {"another version's file", "cp *-0000000099.* fraud-0000000100.safetensors",
         "fraud-0000000100.safetensors", 720, 0, false, ST_ECORRUPT},
        {"items missing", "true", "item 700 of 720", 720, 700, false, ST_ECORRUPT},
        {"items missing in the middle", "true", "item 710 of 720", 720, 710, false, ST_ECORRUPT},
        {"a block bent", "true", "item 7", 720, 710, true, ST_ECORRUPT},
        {"fewer items than the head says", "true", "item 720 of 721", 721, 0, false, ST_ECORRUPT},
        {"more items than the head says", "true", "of 719", 719, 0, false, ST_ECORRUPT},
    };
    return cr_make_param_array(struct refusal, cases, LEN(cases));
}

static void bend(struct store *store, const struct refusal *c)
{
    struct store_batch *batch = store->ops->batch_create(store);
    struct store_key key = store_number_key(STORE_EXAMPLES, c->dropped);
    if (c->bent)
        store->ops->put(batch, store_key_slice(&key), (struct slice){"\x0a\xff\xff", 3});
    else if (c->dropped)
        store->ops->drop(batch, store_key_slice(&key));
    cr_assert(eq(int, store->ops->write(store, batch), ST_OK));
    store->ops->batch_free(batch);
}

ParameterizedTest(struct refusal *c, trainer, refuses_to_recover)
{
    struct trainer_life life;
    life_begin(&life, 0);
    recover_and_start(&life);
    cr_assert(life_give(&life, 0, 700));
    trainer_drain(life.trainer);
    cr_assert(eq(int, life_commit(&life, 700), ST_OK));
    cr_assert(eq(int, life_commit(&life, 710), ST_OK));
    cr_assert(eq(int, life_commit(&life, 720), ST_OK));
    reopen(&life);
    bend(life.store, c);
    char command[192];
    snprintf(command, sizeof command, "cd %s && %s", life.dir, c->command);
    cr_assert(eq(int, system(command), 0));
    cr_expect(eq(int, trainer_recover(life.trainer, life.store, c->until), c->status), "%s",
              c->why);
    cr_expect(strstr(trainer_error(life.trainer), c->text) != NULL, "%s: %s", c->why,
              trainer_error(life.trainer));
    life_end(&life);
}

Test(trainer, one_that_cannot_write_says_so_and_lets_nobody_wait)
{
    struct trainer_life life;
    life_begin(&life, 0);
    recover_and_start(&life);
    cr_assert(eq(int, rmdir(life.dir), 0));
    fclose(fopen(life.dir, "w"));
    bool given = true;
    for (uint64_t item = 0; item < 10000 && given; item += 7)
        given = life_give(&life, item, item + 7);
    cr_expect(not(given));
    cr_expect(eq(int, trainer_status(life.trainer), ST_EIO));
    cr_expect(strstr(trainer_error(life.trainer), life.dir) != NULL);
    cr_expect(eq(ptr, (void *)registry_acquire(life.registry, 5000), NULL));
    trainer_drain(life.trainer);
    life_end(&life);
}

Test(trainer, free_accepts_null)
{
    trainer_free(NULL);
}
