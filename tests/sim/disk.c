#include "tests/sim/disk_internal.h"

#include <assert.h>
#include <stdlib.h>

struct disk the_disk;

/* Nodes and names. */

static void release(struct node *node)
{
    if (--node->names > 0)
        return;
    buf_done(&node->seen);
    buf_done(&node->synced);
    free(node);
}

struct name *folder_find(struct folder *folder, const char *path)
{
    for (size_t i = 0; i < folder->n; i++)
        if (strcmp(folder->names[i].path, path) == 0)
            return &folder->names[i];
    return NULL;
}

void folder_drop(struct folder *folder, struct name *name)
{
    release(name->node);
    *name = folder->names[--folder->n];
}

void folder_set(struct folder *folder, const char *path, struct node *node)
{
    struct name *name = folder_find(folder, path);
    node->names++;
    if (name) {
        release(name->node);
    } else {
        assert(folder->n < FILES_MAX && strlen(path) < NAME_SIZE);
        name = &folder->names[folder->n++];
        strcpy(name->path, path);
    }
    name->node = node;
}

static void clear(struct folder *folder)
{
    while (folder->n > 0)
        folder_drop(folder, &folder->names[folder->n - 1]);
}

void folder_copy(struct folder *to, const struct folder *from)
{
    struct folder old = *to;
    to->n = 0;
    for (size_t i = 0; i < from->n; i++)
        folder_set(to, from->names[i].path, from->names[i].node);
    clear(&old);
}

void disk_clear(void)
{
    clear(&the_disk.seen);
    clear(&the_disk.synced);
    memset(the_disk.opened, 0, sizeof the_disk.opened);
    the_disk.forgetful = false;
}

void disk_clear_but(const char *part)
{
    folder_copy(&the_disk.synced, &the_disk.seen);
    for (size_t i = the_disk.seen.n; i-- > 0;)
        if (!strstr(the_disk.seen.names[i].path, part)) {
            folder_drop(&the_disk.synced, &the_disk.synced.names[i]);
            folder_drop(&the_disk.seen, &the_disk.seen.names[i]);
        }
    memset(the_disk.opened, 0, sizeof the_disk.opened);
    the_disk.forgetful = false;
}

const char *disk_find(const char *part, size_t i)
{
    for (; i < the_disk.seen.n; i++)
        if (strstr(the_disk.seen.names[i].path, part))
            return the_disk.seen.names[i].path;
    return NULL;
}

void disk_forget_fsync(bool forget)
{
    the_disk.forgetful = forget;
}

void disk_crash(struct world *world)
{
    memset(the_disk.opened, 0, sizeof the_disk.opened);
    if (world_chance(world, 2))
        folder_copy(&the_disk.seen, &the_disk.synced);
    else
        folder_copy(&the_disk.synced, &the_disk.seen);
    for (size_t i = 0; i < the_disk.seen.n; i++) {
        struct node *node = the_disk.seen.names[i].node;
        size_t more = node->seen.len - node->synced.len; /* files are only ever appended to */
        size_t kept = more > 0 ? rng_below(&world->rng, more + 1) : 0;
        buf_append(&node->synced, node->seen.data + node->synced.len, kept);
        node->seen.len = node->synced.len;
    }
}

struct slice disk_file(const char *path)
{
    struct name *name = folder_find(&the_disk.seen, path);
    return name ? buf_slice(&name->node->seen) : (struct slice){0};
}
