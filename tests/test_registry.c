/*
 * Tests of online/registry.h, from one thread; thread_registry.c has many.
 *
 * What is known without running it: whoever takes the current model gets the one published last,
 * and what he holds does not change until he gives it back.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "online/registry.h"
#include "tests/fake_model.h"

struct fixture {
    struct model *learner;
    struct registry *registry;
};

static struct fixture begin(void)
{
    struct fixture f = {0};
    cr_assert(eq(int, fake_make(NULL, &f.learner), ST_OK));
    cr_assert(eq(int, registry_create(fake_make, NULL, &f.registry), ST_OK));
    return f;
}

static void end(struct fixture *f)
{
    registry_free(f->registry);
    f->learner->ops->free(f->learner);
}

static void publish(struct fixture *f, uint32_t version)
{
    fake_of(f->learner)->learnt = version * 10;
    registry_publish(f->registry, f->learner, version);
}

Test(registry, an_untrained_copy_is_current_at_once)
{
    struct fixture f = begin();
    cr_expect(eq(u32, registry_version(f.registry), 0));
    const struct model *model = registry_acquire(f.registry, 0);
    cr_assert(ne(ptr, (void *)model, NULL));
    cr_expect(eq(u64, fake_of(model)->learnt, 0));
    registry_release(f.registry, model);
    end(&f);
}

Test(registry, the_last_one_published_is_current)
{
    struct fixture f = begin();
    for (uint32_t version = 1; version < 10; version++) {
        publish(&f, version);
        cr_expect(eq(u32, registry_version(f.registry), version));
        const struct model *model = registry_acquire(f.registry, version / 2);
        cr_expect(eq(u64, fake_of(model)->learnt, version * 10));
        registry_release(f.registry, model);
    }
    end(&f);
}

Test(registry, what_is_held_does_not_change)
{
    struct fixture f = begin();
    publish(&f, 1);
    const struct model *held = registry_acquire(f.registry, 1);
    const struct model *again = registry_acquire(f.registry, 1);
    cr_expect(eq(ptr, (void *)held, (void *)again), "readers share it");
    registry_release(f.registry, again);
    for (uint32_t version = 2; version < 10; version++) {
        publish(&f, version);
        cr_expect(eq(u64, fake_of(held)->words[FAKE_WORDS - 1], 10));
        const struct model *model = registry_acquire(f.registry, version);
        cr_expect(ne(ptr, (void *)model, (void *)held));
        registry_release(f.registry, model);
    }
    registry_release(f.registry, held);
    end(&f);
}

static enum status make_two(void *arg, struct model **ret)
{
    return (*(int *)arg)++ < 2 ? fake_make(NULL, ret) : ST_ENOMEM;
}

Test(registry, a_copy_that_cannot_be_made_fails_all)
{
    struct registry *registry = NULL;
    int made = 0;
    cr_expect(eq(int, registry_create(make_two, &made, &registry), ST_ENOMEM));
    cr_expect(eq(ptr, registry, NULL));
}

Test(registry, a_stopped_one_lets_nobody_wait)
{
    struct fixture f = begin();
    publish(&f, 1);
    registry_stop(f.registry);
    cr_expect(eq(ptr, (void *)registry_acquire(f.registry, 2), NULL), "it will never come");
    const struct model *model = registry_acquire(f.registry, 1);
    cr_expect(ne(ptr, (void *)model, NULL), "this one is there");
    registry_release(f.registry, model);
    end(&f);
}

Test(registry, free_accepts_null)
{
    registry_free(NULL);
}

static void stage(struct fixture *f, uint32_t version)
{
    fake_of(f->learner)->learnt = version * 10;
    registry_stage(f->registry, f->learner, version);
}

static uint64_t current(struct fixture *f)
{
    const struct model *model = registry_acquire(f->registry, 0);
    uint64_t learnt = fake_of(model)->learnt;
    registry_release(f->registry, model);
    return learnt;
}

Test(registry, what_is_staged_serves_once_it_is_taken)
{
    struct fixture f = begin();
    publish(&f, 1);
    cr_expect(eq(u32, registry_take(f.registry, 0), 0), "nothing is staged");
    stage(&f, 2);
    cr_expect(eq(u32, registry_staged(f.registry), 2));
    cr_expect(eq(u64, current(&f), 10));
    cr_expect(eq(u32, registry_take(f.registry, 0), 2));
    cr_expect(eq(u64, current(&f), 20));
    cr_expect(eq(u32, registry_version(f.registry), 2));
    cr_expect(eq(u32, registry_staged(f.registry), 0));
    end(&f);
}

Test(registry, what_is_staged_later_takes_the_place_of_what_waits)
{
    struct fixture f = begin();
    for (uint32_t version = 1; version < 10; version++)
        stage(&f, version);
    cr_expect(eq(u64, current(&f), 0));
    cr_expect(eq(u32, registry_take(f.registry, 0), 9));
    stage(&f, 10);
    publish(&f, 11);
    cr_expect(eq(u32, registry_take(f.registry, 0), 0), "passed by");
    cr_expect(eq(u64, current(&f), 110));
    end(&f);
}

Test(registry, where_the_order_was_recorded_each_can_be_taken)
{
    struct fixture f = begin();
    registry_keep_staged(f.registry);
    for (uint32_t version = 1; version < 10; version++)
        stage(&f, version);
    for (uint32_t version = 2; version < 10; version += 3) {
        cr_expect(eq(u32, registry_take(f.registry, version), version));
        cr_expect(eq(u64, current(&f), version * 10));
    }
    cr_expect(eq(u32, registry_staged(f.registry), 9));
    end(&f);
}

Test(registry, more_than_can_be_kept_are_missed_and_not_waited_for)
{
    struct fixture f = begin();
    registry_keep_staged(f.registry);
    registry_hurry(f.registry, true);
    for (uint32_t version = 1; version <= 2 * REGISTRY_COPIES_MAX; version++)
        stage(&f, version);
    cr_expect(eq(u32, registry_take(f.registry, 1), 0), "given up");
    cr_expect(eq(u32, registry_take(f.registry, 2 * REGISTRY_COPIES_MAX), 2 * REGISTRY_COPIES_MAX));
    end(&f);
}

/* Swap times. */

struct swaps {
    unsigned n;
    int64_t last;
};

static int64_t now_us;

static int64_t read_clock(void)
{
    return now_us;
}

static void note(void *arg, int64_t us)
{
    struct swaps *swaps = arg;
    swaps->n++;
    swaps->last = us;
}

Test(registry, a_swap_lasts_until_nobody_reads_what_it_replaced)
{
    struct fixture f = begin();
    struct swaps swaps = {0};
    registry_watch_swaps(f.registry, read_clock, note, &swaps);
    now_us = 100;
    publish(&f, 1);
    cr_expect(eq(u32, swaps.n, 1), "nobody read it");
    cr_expect(eq(i64, swaps.last, 0));
    const struct model *one = registry_acquire(f.registry, 1),
                       *again = registry_acquire(f.registry, 1);
    now_us = 200;
    publish(&f, 2);
    const struct model *two = registry_acquire(f.registry, 2);
    now_us = 250;
    registry_release(f.registry, two);
    registry_release(f.registry, one);
    cr_expect(eq(u32, swaps.n, 1), "one reads it still");
    now_us = 270;
    publish(&f, 3); /* meanwhile there is another */
    cr_expect(eq(u32, swaps.n, 2));
    cr_expect(eq(i64, swaps.last, 0));
    now_us = 330;
    registry_release(f.registry, again);
    cr_expect(eq(u32, swaps.n, 3));
    cr_expect(eq(i64, swaps.last, 130), "since it was replaced");
    end(&f);
}

Test(registry, a_version_that_is_taken_is_a_swap_and_one_that_is_kept_is_none)
{
    struct fixture f = begin();
    struct swaps swaps = {0};
    registry_watch_swaps(f.registry, read_clock, note, &swaps);
    registry_stage(f.registry, f.learner, 1);
    registry_keep(f.registry, 1);
    cr_expect(eq(u32, swaps.n, 0));
    cr_expect(eq(u32, registry_take(f.registry, 1), 1));
    cr_expect(eq(u32, swaps.n, 1));
    end(&f);
}

/* ---- trials */

static const struct canary_limits limits = {0.005, 0.5, 4};

static void try_version(struct fixture *f, uint32_t version)
{
    fake_of(f->learner)->learnt = version * 10;
    registry_try(f->registry, f->learner, version, &limits);
}

static uint64_t learnt_on_trial(struct fixture *f, uint32_t *ret_version)
{
    struct canary_limits found;
    const struct model *model = registry_acquire_trial(f->registry, ret_version, &found);
    uint64_t learnt = model ? fake_of(model)->learnt : 0;
    if (model)
        registry_release(f->registry, model);
    return learnt;
}

static void expect_current(struct fixture *f, uint32_t version)
{
    const struct model *model = registry_acquire(f->registry, 0);
    cr_expect(eq(u64, fake_of(model)->learnt, version * 10));
    cr_expect(eq(u32, registry_version(f->registry), version));
    registry_release(f->registry, model);
}

Test(registry, a_version_on_trial_is_current_for_nobody_else)
{
    struct fixture f = begin();
    uint32_t version = 0;
    publish(&f, 1);
    cr_expect(eq(u64, learnt_on_trial(&f, &version), 0));
    try_version(&f, 2);
    cr_expect(eq(u64, learnt_on_trial(&f, &version), 20));
    cr_expect(eq(u32, version, 2));
    expect_current(&f, 1);
    end(&f);
}

Test(registry, confirmed_it_is_current_and_rolled_back_it_is_gone)
{
    struct fixture f = begin();
    uint32_t version;
    publish(&f, 1);
    for (uint32_t i = 1; i < 20; i++) {
        bool confirmed = i % 3 > 0;
        uint32_t before = registry_version(f.registry), tried = before + 1 + i % 2;
        try_version(&f, tried);
        registry_end_trial(f.registry, tried + 1, true); /* of another version */
        cr_expect(eq(u64, learnt_on_trial(&f, &version), tried * 10));
        registry_end_trial(f.registry, tried, confirmed);
        registry_end_trial(f.registry, tried, !confirmed); /* it is over */
        cr_expect(eq(u64, learnt_on_trial(&f, &version), 0));
        expect_current(&f, confirmed ? tried : before);
        publish(&f, tried + 2);
    }
    end(&f);
}

/* Whoever ends it may be ahead of whoever begins it. */
Test(registry, a_trial_that_is_over_before_it_begins)
{
    struct fixture f = begin();
    uint32_t version;
    publish(&f, 1);
    registry_end_trial(f.registry, 2, true);
    expect_current(&f, 1);
    try_version(&f, 2);
    cr_expect(eq(u64, learnt_on_trial(&f, &version), 0));
    expect_current(&f, 2);
    registry_end_trial(f.registry, 3, false);
    try_version(&f, 3);
    cr_expect(eq(u64, learnt_on_trial(&f, &version), 0));
    expect_current(&f, 2);
    end(&f);
}

Test(registry, what_is_read_while_its_trial_ends_stays_as_it_is)
{
    struct fixture f = begin();
    struct canary_limits found;
    uint32_t version;
    publish(&f, 1);
    try_version(&f, 2);
    const struct model *held = registry_acquire_trial(f.registry, &version, &found);
    cr_expect(eq(dbl, found.psi_max, limits.psi_max));
    registry_end_trial(f.registry, 2, false);
    for (uint32_t i = 3; i < 12; i++) {
        publish(&f, i);
        cr_expect(eq(u64, fake_of(held)->learnt, 20));
    }
    registry_release(f.registry, held);
    end(&f);
}
