#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/folder.h"

enum { PIECE = 1 << 20 };

struct file_sum file_sum_of(struct slice bytes)
{
    XXH128_hash_t hash = XXH3_128bits(bytes.data, bytes.len);
    return (struct file_sum){bytes.len, {hash.low64, hash.high64}};
}

enum status file_write_all(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ST_EIO;
        at += n;
        len -= (size_t)n;
    }
    return ST_OK;
}

/* Reads to the end; to: where it is written, or -1. */
static bool pass(int from, int to, XXH3_state_t *hash, uint64_t *size)
{
    char *piece = malloc(PIECE);
    ssize_t n = piece ? 1 : -1;
    while (n > 0) {
        n = read(from, piece, PIECE);
        if (n < 0 && errno == EINTR) {
            n = 1;
            continue;
        }
        if (n <= 0)
            break;
        XXH3_128bits_update(hash, piece, (size_t)n);
        *size += (uint64_t)n;
        if (to >= 0 && file_write_all(to, piece, (size_t)n) < 0)
            n = -1;
    }
    free(piece);
    return n == 0;
}

static enum status pass_all(int from, int to, struct file_sum *ret)
{
    XXH3_state_t *hash = XXH3_createState();
    if (!hash)
        return ST_ENOMEM;
    struct file_sum sum = {0};
    XXH3_128bits_reset(hash);
    bool ok = pass(from, to, hash, &sum.size);
    XXH128_hash_t digest = XXH3_128bits_digest(hash);
    XXH3_freeState(hash);
    if (!ok)
        return ST_EIO;
    sum.hash = (struct key128){digest.low64, digest.high64};
    *ret = sum;
    return ST_OK;
}

static enum status open_to_read(const char *path, int *ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ST_ENOTFOUND : ST_EIO;
    *ret = fd;
    return ST_OK;
}

enum status file_sum(const char *path, struct file_sum *ret)
{
    int fd;
    TRY(open_to_read(path, &fd));
    enum status st = pass_all(fd, -1, ret);
    close(fd);
    return st;
}

/* Ends the writing of a file; one that could not be written is removed, errno as it was. */
static enum status finish(int fd, const char *path, enum status st)
{
    if (st == ST_OK && fsync(fd) < 0)
        st = ST_EIO;
    int cause = errno;
    if (close(fd) < 0 && st == ST_OK) {
        cause = errno;
        st = ST_EIO;
    }
    if (st < 0)
        unlink(path);
    errno = cause;
    return st;
}

enum status file_copy(const char *from, const char *to, struct file_sum *ret)
{
    int source;
    TRY(open_to_read(from, &source));
    int target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    enum status st = ST_EIO;
    if (target >= 0)
        st = finish(target, to, pass_all(source, target, ret));
    int cause = errno;
    close(source);
    errno = cause;
    return st;
}

enum status file_read(const char *path, struct buf *ret)
{
    int fd;
    TRY(open_to_read(path, &fd));
    ssize_t n;
    do {
        n = read(fd, buf_reserve(ret, 1 << 16), 1 << 16);
        ret->len += n > 0 ? (size_t)n : 0;
    } while (n > 0 || (n < 0 && errno == EINTR));
    int cause = errno;
    close(fd);
    errno = cause;
    return n < 0 ? ST_EIO : ST_OK;
}

enum status file_write(const char *path, struct slice bytes)
{
    char part[PATH_MAX];
    int len = snprintf(part, sizeof part, "%s.tmp", path);
    if (len < 0 || (size_t)len >= sizeof part)
        return ST_EIO;
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return ST_EIO;
    TRY(finish(fd, part, file_write_all(fd, bytes.data, bytes.len)));
    if (rename(part, path) < 0)
        return ST_EIO;
    return folder_sync_parent(path);
}
