#include "base/huge.h"

#include <pthread.h>
#include <stdlib.h>

#if __has_include(<jemalloc/jemalloc.h>)
#include <jemalloc/jemalloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* NULL in a program that jemalloc is not linked to. */
#pragma weak mallctl
#pragma weak mallocx
#pragma weak rallocx
#pragma weak dallocx

/* jemalloc reads this when it starts. By default it does not take a small block out of free memory
 * more than 64 times its size. Ours is never given back, so that it lies there in long stretches:
 * as records come and go, memory would grow without end. */
const char *malloc_conf = "lg_extent_max_active_fit:16";

enum { HUGE_PAGE = 2 << 20 };

static extent_hooks_t *common, hooks;
static int flags; /* 0: no arena */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Extents begin where huge pages do. */
static void *extent_alloc(extent_hooks_t *self, void *at, size_t size, size_t alignment, bool *zero,
                          bool *commit, unsigned arena)
{
    (void)self;
    if (size >= HUGE_PAGE && alignment < HUGE_PAGE)
        alignment = HUGE_PAGE;
    void *extent = common->alloc(common, at, size, alignment, zero, commit, arena);
    if (extent && size >= HUGE_PAGE)
        madvise(extent, size, MADV_HUGEPAGE);
    return extent;
}

static void make_arena(void)
{
    unsigned arena;
    size_t len = sizeof arena, hooks_len = sizeof common;
    char name[64], setting[64];
    if (!mallctl || mallctl("arenas.create", &arena, &len, NULL, 0) != 0)
        return;
    snprintf(name, sizeof name, "arena.%u.extent_hooks", arena);
    if (mallctl(name, &common, &hooks_len, NULL, 0) != 0)
        return;
    /* Giving back single small pages would take huge ones apart. */
    ssize_t never = -1;
    snprintf(setting, sizeof setting, "arena.%u.dirty_decay_ms", arena);
    if (mallctl(setting, NULL, NULL, &never, sizeof never) != 0)
        return;
    hooks = *common;
    hooks.alloc = extent_alloc;
    extent_hooks_t *ours = &hooks;
    if (mallctl(name, NULL, NULL, &ours, sizeof ours) == 0)
        flags = MALLOCX_ARENA(arena) | MALLOCX_TCACHE_NONE;
}

static void *allocate(void *block, size_t size, int more)
{
    pthread_once(&once, make_arena);
    if (flags)
        return block ? rallocx(block, size, flags) : mallocx(size, flags | more);
    return block ? realloc(block, size) : more ? calloc(1, size) : malloc(size);
}

static void release(void *block)
{
    if (flags)
        dallocx(block, MALLOCX_TCACHE_NONE);
    else
        free(block);
}
#define ZEROED MALLOCX_ZERO
#else
static void *allocate(void *block, size_t size, int zeroed)
{
    return zeroed ? calloc(1, size) : realloc(block, size);
}

static void release(void *block)
{
    free(block);
}
#define ZEROED 1
#endif

static void *or_abort(void *block)
{
    if (!block)
        abort();
    return block;
}

void *huge_calloc(size_t size)
{
    return or_abort(allocate(NULL, size, ZEROED));
}

void *huge_realloc(void *block, size_t size)
{
    return or_abort(allocate(block, size, 0));
}

void huge_free(void *block)
{
    if (block)
        release(block);
}
