/* The system calls that the linker sends here. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/disk_internal.h"

static void copy_bytes(struct buf *to, const struct buf *from)
{
    buf_reset(to);
    buf_append(to, from->data, from->len);
}

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
    folder_set(&the_disk.seen, path, node);
    if (touch == TOUCH_UNHEARD)
        return broken();
    for (int i = 0; i < OPEN_MAX; i++)
        if (!the_disk.opened[i]) {
            the_disk.opened[i] = node;
            return FD_FIRST + i;
        }
    abort();
}

int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
    if (fd >= FD_FIRST && fd < FD_FIRST + OPEN_MAX)
        the_disk.opened[fd - FD_FIRST] = NULL;
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
    buf_append(&the_disk.opened[fd - FD_FIRST]->seen, data, len);
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
        folder_copy(&the_disk.synced, &the_disk.seen);
    else if (!the_disk.forgetful)
        copy_bytes(&the_disk.opened[fd - FD_FIRST]->synced, &the_disk.opened[fd - FD_FIRST]->seen);
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
    folder_set(&the_disk.seen, to, folder_find(&the_disk.seen, from)->node);
    folder_drop(&the_disk.seen, folder_find(&the_disk.seen, from));
    return touch == TOUCH_UNHEARD ? broken() : 0;
}

int __real_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to)
{
    if (!is_ours(from))
        return __real_link(from, to);
    struct name *name = folder_find(&the_disk.seen, from);
    enum touch touch = world_touch(the_world, "file: link %s", to);
    if (touch == TOUCH_LOST)
        return broken();
    if (!name || folder_find(&the_disk.seen, to)) {
        errno = name ? EEXIST : ENOENT;
        return -1;
    }
    folder_set(&the_disk.seen, to, name->node);
    return touch == TOUCH_UNHEARD ? broken() : 0;
}

int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path)
{
    if (!is_ours(path))
        return __real_unlink(path);
    struct name *name = folder_find(&the_disk.seen, path);
    if (!name || world_touch(the_world, "file: unlink %s", path) == TOUCH_LOST)
        return broken();
    folder_drop(&the_disk.seen, name);
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
    struct dirent **entries = calloc(the_disk.seen.n + 1, sizeof *entries);
    for (size_t i = 0; entries && i < the_disk.seen.n; i++) {
        entries[i] = calloc(1, sizeof **entries);
        if (!entries[i])
            abort();
        strcpy(entries[i]->d_name, strrchr(the_disk.seen.names[i].path, '/') + 1);
    }
    if (entries)
        qsort(entries, the_disk.seen.n, sizeof *entries, compare_entries);
    *ret = entries;
    return entries ? (int)the_disk.seen.n : -1;
}

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode)
{
    if (!is_ours(path))
        return __real_fopen(path, mode);
    struct name *name = folder_find(&the_disk.seen, path);
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
