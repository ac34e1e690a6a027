#include "online/temporary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/folder.h"

enum { NAME_LEN = sizeof "/freshet-XXXXXX" };

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

void temporary_remove(struct temporary *folder)
{
    if (folder->path[0])
        folder_remove(folder->path);
    folder->path[0] = '\0';
}
