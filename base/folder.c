#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum status folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ST_EIO;
    enum status st = fsync(fd) == 0 ? ST_OK : ST_EIO;
    close(fd);
    return st;
}

enum status folder_sync_parent(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    return folder_sync(folder);
}

/* end: where the folder's path ends in `path`; slash: the last one before that, or NULL. */
static enum status make_one(char *path, char *end, char *slash)
{
    struct stat info;
    char kept = *end;
    *end = '\0';
    enum status st = ST_OK;
    if (mkdir(path, 0777) == 0) {
        if (slash)
            *slash = '\0';
        st = folder_sync(!slash ? "." : slash == path ? "/" : path);
        if (slash)
            *slash = '/';
    } else if (errno != EEXIST || stat(path, &info) < 0) {
        st = ST_EIO;
    } else if (!S_ISDIR(info.st_mode)) {
        errno = ENOTDIR;
        st = ST_EIO;
    }
    *end = kept;
    return st;
}

enum status folder_make(const char *path)
{
    char copy[PATH_MAX], *slash = NULL;
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof copy)
        return ST_EINVAL;
    memcpy(copy, path, len + 1);
    for (char *at = copy + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        bool names_one = at[-1] != '/';
        if (names_one)
            TRY(make_one(copy, at, slash));
        if (*at == '\0')
            return ST_OK;
        slash = names_one ? at : slash;
    }
}

static int remove_entry(const char *path, const struct stat *info, int flag, struct FTW *walk)
{
    (void)info;
    (void)flag;
    (void)walk;
    return remove(path);
}

void folder_remove(const char *path)
{
    enum { FOLDERS_OPEN_MAX = 16 };
    nftw(path, remove_entry, FOLDERS_OPEN_MAX, FTW_DEPTH | FTW_PHYS);
}
