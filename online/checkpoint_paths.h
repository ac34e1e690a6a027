/*
 * online/checkpoint_paths.h -- what checkpoint.c and checkpoint_list.c share. Nobody else includes
 * it.
 */
#ifndef ONLINE_CHECKPOINT_PATHS_H
#define ONLINE_CHECKPOINT_PATHS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"

#define CHECKPOINT_LIST "CHECKPOINT"

/* DIR/a/b, or DIR/a, into PATH_MAX bytes; false if it is too long. */
bool checkpoint_path(char *ret, const char *dir, const char *a, const char *b);
/* "cannot read PATH: WHY"; returns st. */
enum status checkpoint_failed(struct buf *error, enum status st, const char *what,
                              const char *path);

#endif
