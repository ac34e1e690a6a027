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
