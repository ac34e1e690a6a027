/*
 * base/folder.h -- folders: made so that they are still there after a power cut, and removed.
 */
#ifndef BASE_FOLDER_H
#define BASE_FOLDER_H

#include "base/status.h"

/* Makes a folder and its parents, as far as they are missing, and fsyncs what they were made in.
 * Returns ST_EINVAL for an empty or overlong path, ST_EIO (errno says why). */
STATUS_CHECKED enum status folder_make(const char *path);

/* Makes what was created, renamed or removed in a folder durable. ST_EIO (errno says why). */
STATUS_CHECKED enum status folder_sync(const char *path);
/* The same for the folder that a file or folder is in: after it was created, renamed or removed. */
STATUS_CHECKED enum status folder_sync_parent(const char *path);
/* Removes a folder with all that it holds, as far as that can be removed. */
void folder_remove(const char *path);

#endif
