/*
 * base/folder.h -- making folders that are still there after a power cut.
 */
#ifndef BASE_FOLDER_H
#define BASE_FOLDER_H

#include "base/status.h"

/* Makes a folder and its parents, as far as they are missing, and fsyncs what they were made in.
 * Returns ST_EINVAL for an empty or overlong path, ST_EIO (errno says why). */
STATUS_CHECKED enum status folder_make(const char *path);

#endif
