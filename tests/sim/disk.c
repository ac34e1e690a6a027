#include "tests/sim/disk.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILES_MAX = 512, OPEN_MAX = 8, NAME_SIZE = 160, FD_FIRST = 1 << 20, FD_FOLDER = 1 << 21 };

struct node {
    struct buf seen, synced;
    unsigned names; /* that it has, in both lists */
};

struct name {
    char path[NAME_SIZE];
    struct node *node;
};

struct folder {
    size_t n;
    struct name names[FILES_MAX];
};

static struct folder seen, synced;
static struct node *opened[OPEN_MAX];
static bool forgetful;

/* Nodes and names. */

static void release(struct node *node)
{
    if (--node->names > 0)
        return;
    buf_done(&node->seen);
    buf_done(&node->synced);
    free(node);
}

static struct name *find(struct folder *folder, const char *path)
{
    for (size_t i = 0; i < folder->n; i++)
        if (strcmp(folder->names[i].path, path) == 0)
            return &folder->names[i];
    return NULL;
}

static void drop(struct folder *folder, struct name *name)
{
    release(name->node);
    *name = folder->names[--folder->n];
}

static void set(struct folder *folder, const char *path, struct node *node)
{
    struct name *name = find(folder, path);
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
        drop(folder, &folder->names[folder->n - 1]);
}

static void copy_folder(struct folder *to, const struct folder *from)
{
    struct folder old = *to;
    to->n = 0;
    for (size_t i = 0; i < from->n; i++)
        set(to, from->names[i].path, from->names[i].node);
    clear(&old);
}

static void copy_bytes(struct buf *to, const struct buf *from)
{
    buf_reset(to);
    buf_append(to, from->data, from->len);
}

void disk_clear(void)
{
    clear(&seen);
    clear(&synced);
    memset(opened, 0, sizeof opened);
    forgetful = false;
}

void disk_forget_fsync(bool forget)
{
    forgetful = forget;
}

void disk_crash(struct world *world)
{
    memset(opened, 0, sizeof opened);
    if (world_chance(world, 2))
        copy_folder(&seen, &synced);
    else
        copy_folder(&synced, &seen);
    for (size_t i = 0; i < seen.n; i++) {
        struct node *node = seen.names[i].node;
        size_t more = node->seen.len - node->synced.len; /* files are only ever appended to */
        size_t kept = more > 0 ? rng_below(&world->rng, more + 1) : 0;
        buf_append(&node->synced, node->seen.data + node->synced.len, kept);
        node->seen.len = node->synced.len;
    }
}

struct slice disk_file(const char *path)
{
    struct name *name = find(&seen, path);
    return name ? buf_slice(&name->node->seen) : (struct slice){0};
}

/* The system calls that the linker sends here. */

static bool is_ours(const char *path)
{
    return the_world && strncmp(path, DISK_DIR, strlen(DISK_DIR)) == 0;
}

static int broken(void)
{
    errno = EIO;
    return -1;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, unsigned mode);
int __wrap_open(const char *path, int flags, unsigned mode)
{
    if (!is_ours(path))
        return __real_open(path, flags, mode);
    if (flags & O_DIRECTORY)
        return FD_FOLDER;
    enum touch touch = world_touch(the_world, "file: open %s", path);
    if (touch == TOUCH_LOST)
        return broken();
    struct node *node = calloc(1, sizeof *node);
    if (!node)
        abort();
    set(&seen, path, node);
    if (touch == TOUCH_UNHEARD)
        return broken();
    for (int i = 0; i < OPEN_MAX; i++)
        if (!opened[i]) {
            opened[i] = node;
            return FD_FIRST + i;
        }
    abort();
}

int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
    if (fd >= FD_FIRST && fd < FD_FIRST + OPEN_MAX)
        opened[fd - FD_FIRST] = NULL;
    else if (fd != FD_FOLDER)
        return __real_close(fd);
    return 0;
}

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    if (fd < FD_FIRST)
        return __real_write(fd, data, len);
    if (the_world->dead)
        return broken();
    buf_append(&opened[fd - FD_FIRST]->seen, data, len);
    return (ssize_t)len;
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    if (fd < FD_FIRST)
        return __real_fsync(fd);
    enum touch touch = world_touch(the_world, "file: fsync %s", fd == FD_FOLDER ? "folder" : "");
    if (touch == TOUCH_LOST)
        return broken();
    if (fd == FD_FOLDER)
        copy_folder(&synced, &seen);
    else if (!forgetful)
        copy_bytes(&opened[fd - FD_FIRST]->synced, &opened[fd - FD_FIRST]->seen);
    return touch == TOUCH_UNHEARD ? broken() : 0;
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
    if (!is_ours(from))
        return __real_rename(from, to);
    enum touch touch = world_touch(the_world, "file: rename to %s", to);
    if (touch == TOUCH_LOST)
        return broken();
    set(&seen, to, find(&seen, from)->node);
    drop(&seen, find(&seen, from));
    return touch == TOUCH_UNHEARD ? broken() : 0;
}

int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path)
{
    if (!is_ours(path))
        return __real_unlink(path);
    struct name *name = find(&seen, path);
    if (!name || world_touch(the_world, "file: unlink %s", path) == TOUCH_LOST)
        return broken();
    drop(&seen, name);
    return 0;
}

/* There is one folder, and it is always there. */
int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
    if (!is_ours(path))
        return __real_mkdir(path, mode);
    errno = EEXIST;
    return -1;
}

int __real_stat(const char *path, struct stat *ret);
int __wrap_stat(const char *path, struct stat *ret);
int __wrap_stat(const char *path, struct stat *ret)
{
    if (!is_ours(path))
        return __real_stat(path, ret);
    *ret = (struct stat){.st_mode = S_IFDIR};
    return 0;
}

typedef int (*compare_fn)(const struct dirent **a, const struct dirent **b);

static int compare_entries(const void *a, const void *b)
{
    return strcmp((*(struct dirent *const *)a)->d_name, (*(struct dirent *const *)b)->d_name);
}

int __real_scandir(const char *path, struct dirent ***ret, int (*filter)(const struct dirent *),
                   compare_fn compare);
int __wrap_scandir(const char *path, struct dirent ***ret, int (*filter)(const struct dirent *),
                   compare_fn compare);
int __wrap_scandir(const char *path, struct dirent ***ret, int (*filter)(const struct dirent *),
                   compare_fn compare)
{
    if (!is_ours(path))
        return __real_scandir(path, ret, filter, compare);
    struct dirent **entries = calloc(seen.n + 1, sizeof *entries);
    for (size_t i = 0; entries && i < seen.n; i++) {
        entries[i] = calloc(1, sizeof **entries);
        if (!entries[i])
            abort();
        strcpy(entries[i]->d_name, strrchr(seen.names[i].path, '/') + 1);
    }
    if (entries)
        qsort(entries, seen.n, sizeof *entries, compare_entries);
    *ret = entries;
    return entries ? (int)seen.n : -1;
}

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode)
{
    if (!is_ours(path))
        return __real_fopen(path, mode);
    struct name *name = find(&seen, path);
    if (name && world_touch(the_world, "file: read %s", path) == TOUCH_DONE)
        return fmemopen(name->node->seen.data, name->node->seen.len, "rb");
    errno = name ? EIO : ENOENT;
    return NULL;
}

int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    if (!the_world)
        return __real_clock_gettime(clock, ret);
    ret->tv_sec = the_world->clock / 1000000;
    ret->tv_nsec = the_world->clock % 1000000 * 1000;
    return 0;
}

ssize_t __real_getrandom(void *ret, size_t len, unsigned flags);
ssize_t __wrap_getrandom(void *ret, size_t len, unsigned flags);
ssize_t __wrap_getrandom(void *ret, size_t len, unsigned flags)
{
    if (!the_world)
        return __real_getrandom(ret, len, flags);
    for (size_t i = 0; i < len; i++)
        ((unsigned char *)ret)[i] = (unsigned char)rng_next(&the_world->rng);
    return (ssize_t)len;
}

double disk_real_seconds(void)
{
    struct timespec now;
    __real_clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
