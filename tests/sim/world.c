#include "tests/sim/world.h"

#include <inttypes.h>
#include <stdarg.h>

struct world *the_world;

static void tell(struct world *world, const char *what, va_list args, const char *end)
{
    if (!world->trace)
        return;
    fprintf(world->trace, "%u.%04" PRIu64 " %10.6fs  ", world->life, world->steps,
            (double)world->clock / 1e6);
    vfprintf(world->trace, what, args);
    fputs(end, world->trace);
}

void world_tell(struct world *world, const char *what, ...)
{
    va_list args;
    va_start(args, what);
    tell(world, what, args, "\n");
    va_end(args);
}

static const char *note_of(const struct world *world, enum touch touch)
{
    if (touch == TOUCH_DONE)
        return "\n";
    if (world->dead)
        return touch == TOUCH_UNHEARD ? "   <- dies here, it happened\n"
                                      : "   <- dies here, it did not happen\n";
    return touch == TOUCH_UNHEARD ? "   <- fails, but it happened\n" : "   <- fails\n";
}

enum touch world_touch(struct world *world, const char *what, ...)
{
    if (world->dead)
        return TOUCH_LOST;
    world->touches++;
    world->dead = world->touches == world->dies_at;
    world->failed = world->failed || world->touches == world->fails_at;
    enum touch touch = TOUCH_DONE;
    if (world->dead || world->touches == world->fails_at)
        touch = world_chance(world, 2) ? TOUCH_UNHEARD : TOUCH_LOST;
    va_list args;
    va_start(args, what);
    tell(world, what, args, note_of(world, touch));
    va_end(args);
    return touch;
}

void world_begin_life(struct world *world, uint64_t dies_at, uint64_t fails_at)
{
    world->dead = world->failed = false;
    world->touches = 0;
    world->dies_at = dies_at;
    world->fails_at = fails_at;
    world->life++;
    world->steps = 0;
    world->clock += (int64_t)rng_below(&world->rng, 60) * 1000000;
}

bool world_chance(struct world *world, unsigned n)
{
    return rng_below(&world->rng, n) == 0;
}

void world_pass_time(struct world *world)
{
    static const int64_t most_us[] = {1000, 1000, 1000, 10000, 10000, 50000, 200000, 3000000};
    int64_t most = most_us[rng_below(&world->rng, 8)];
    if (world->slow)
        most = 500;
    else if (world_chance(world, 100))
        most = 60 * 1000000; /* the process was stopped, or the machine */
    world->clock += (int64_t)rng_below(&world->rng, (uint64_t)most);
}
