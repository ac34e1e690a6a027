/*
 * base/file.h -- whole files: copied, hashed and written so that they are there after a power cut.
 *
 *     struct file_sum sum;
 *     TRY(file_copy("a/000012.sst", "b/000012.sst", &sum));   // read once, hashed on the way
 *     TRY(folder_sync("b"));
 *
 * Functions return ST_ENOTFOUND or ST_EIO, and errno says why.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/hash.h"
#include "base/status.h"

/* Length and XXH3 (128 bits) of a file's content. */
struct file_sum {
    uint64_t size;
    struct key128 hash;
};

struct file_sum file_sum_of(struct slice bytes);
STATUS_CHECKED enum status file_sum(const char *path, struct file_sum *ret);
/* To a new file, which is fsynced; its folder is not. Where that fails it is removed. */
STATUS_CHECKED enum status file_copy(const char *from, const char *to, struct file_sum *ret);
/* Appends all of it. */
STATUS_CHECKED enum status file_read(const char *path, struct buf *ret);
/* All of it, however often the write is interrupted. */
STATUS_CHECKED enum status file_write_all(int fd, const void *data, size_t len);
/* To path.tmp, fsync, rename, fsync of the folder: after ST_OK the file is there, whole. */
STATUS_CHECKED enum status file_write(const char *path, struct slice bytes);

#endif
