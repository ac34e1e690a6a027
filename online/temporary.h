/*
 * online/temporary.h -- a folder for state that nobody wants to keep.
 *
 *     struct temporary folder;
 *     TRY(temporary_make(&folder));
 *     ... folder.path ...
 *     temporary_remove(&folder);
 */
#ifndef ONLINE_TEMPORARY_H
#define ONLINE_TEMPORARY_H

#include "base/status.h"

struct temporary {
    char path[64]; /* "" where there is none */
};

/* A new folder under $TMPDIR, or where that is not set or too long, under the system's. Returns
 * ST_EIO (errno says why); path is then "". */
STATUS_CHECKED enum status temporary_make(struct temporary *ret);
/* Removes it with all that it holds. Does nothing for one whose path is "". */
void temporary_remove(struct temporary *folder);

#endif
