#include "online/temporary.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDERS_OPEN_MAX = 16, NAME_LEN = sizeof "/freshet-XXXXXX" };

enum status temporary_make(struct temporary *ret)
{
    const char *base = getenv("TMPDIR");
    if (!base || !*base || strlen(base) > sizeof ret->path - NAME_LEN)
        base = "/tmp";
    snprintf(ret->path, sizeof ret->path, "%s/freshet-XXXXXX", base);
    if (mkdtemp(ret->path))
        return ST_OK;
    ret->path[0] = '\0';
    return ST_EIO;
}

static int remove_entry(const char *path, const struct stat *info, int flag, struct FTW *walk)
{
    (void)info;
    (void)flag;
    (void)walk;
    return remove(path);
}

void temporary_remove(struct temporary *folder)
{
    if (folder->path[0])
        nftw(folder->path, remove_entry, FOLDERS_OPEN_MAX, FTW_DEPTH | FTW_PHYS);
    folder->path[0] = '\0';
}
