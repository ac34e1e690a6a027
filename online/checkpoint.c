#include "online/checkpoint.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "online/checkpoint_paths.h"
#include "online/model_files.h"

bool checkpoint_path(char *ret, const char *dir, const char *a, const char *b)
{
    int len = snprintf(ret, PATH_MAX, "%s/%s%s%s", dir, a, b ? "/" : "", b ? b : "");
    return len >= 0 && len < PATH_MAX;
}

enum status checkpoint_failed(struct buf *error, enum status st, const char *what, const char *path)
{
    const char *why = st == ST_EIO && errno ? strerror(errno) : status_text(st);
    buf_printf(error, "%s %s: %s", what, path, why);
    return st;
}

/* A folder that is being made: TO.part, and TO where it goes once it is whole. */
struct making {
    char part[PATH_MAX];
    const char *to;
};

/* What a broken attempt left behind goes first. */
static enum status begin(struct making *making, const char *to, struct buf *error)
{
    making->to = to;
    int len = snprintf(making->part, sizeof making->part, "%s.part", to);
    if (len < 0 || (size_t)len >= sizeof making->part)
        return checkpoint_failed(error, ST_EINVAL, "too long a name:", to);
    if (rmdir(to) < 0 && errno != ENOENT) {
        buf_printf(error,
                   errno == EBUSY ? "%s is where a disk is mounted: name a folder on it"
                                  : "%s is there already and not an empty folder",
                   to);
        return ST_EINVAL;
    }
    folder_remove(making->part);
    errno = 0;
    enum status st = folder_make(making->part);
    return st < 0 ? checkpoint_failed(error, st, "cannot make", making->part) : ST_OK;
}

/* After that TO is there, or nothing is. */
static enum status end(struct making *making, enum status st, struct buf *error)
{
    if (st == ST_OK) {
        errno = 0;
        st = folder_sync(making->part);
        if (st == ST_OK && rename(making->part, making->to) < 0)
            st = ST_EIO;
        if (st == ST_OK)
            st = folder_sync_parent(making->to);
        if (st < 0)
            checkpoint_failed(error, st, "cannot make", making->to);
    }
    if (st < 0)
        folder_remove(making->part);
    return st;
}

/* Copying. */

struct linking {
    const char *from, *to; /* folders */
    enum status status;
    struct buf *error;
};

/* A model file never changes once it has its name. One that is there already is the same; one that
 * was pruned meanwhile is not needed. */
static void link_file(void *arg, const char *file)
{
    struct linking *linking = arg;
    char from[PATH_MAX], to[PATH_MAX];
    struct file_sum sum;
    if (linking->status < 0 || !checkpoint_path(from, linking->from, file, NULL) ||
        !checkpoint_path(to, linking->to, file, NULL) || link(from, to) == 0 || errno == EEXIST ||
        errno == ENOENT)
        return;
    linking->status = file_copy(from, to, &sum);
    if (linking->status < 0)
        checkpoint_failed(linking->error, linking->status, "cannot copy", from);
}

static enum status link_models(const char *dir, const char *to, struct buf *error)
{
    char from_models[PATH_MAX], to_models[PATH_MAX];
    struct linking linking = {from_models, to_models, ST_OK, error};
    if (!checkpoint_path(from_models, dir, "models", NULL) ||
        !checkpoint_path(to_models, to, "models", NULL) || folder_make(to_models) < 0)
        return checkpoint_failed(error, ST_EIO, "cannot make", to_models);
    enum status st = model_files_each(from_models, NULL, link_file, &linking);
    if (st < 0 && st != ST_ENOTFOUND)
        return checkpoint_failed(error, st, "cannot list", from_models);
    if (linking.status == ST_OK && folder_sync(to_models) < 0)
        return checkpoint_failed(error, ST_EIO, "cannot sync", to_models);
    return linking.status;
}

/* Model files twice: before the store, because an old one may be pruned meanwhile, and behind it,
 * because the store may name one that is new. */
static enum status copy_all(struct store *store, const char *dir, const char *to, struct buf *error)
{
    char db[PATH_MAX];
    if (!checkpoint_path(db, to, "db", NULL))
        return checkpoint_failed(error, ST_EINVAL, "too long a name:", to);
    TRY(link_models(dir, to, error));
    TRY(store->ops->checkpoint(store, db, error));
    return link_models(dir, to, error);
}

enum status checkpoint_copy(struct store *store, const char *dir, const char *to, struct buf *error)
{
    struct making making;
    if (!store->ops->checkpoint) {
        buf_text(error, "this store cannot be copied");
        return ST_EINVAL;
    }
    TRY(begin(&making, to, error));
    return end(&making, copy_all(store, dir, making.part, error), error);
}

/* Checking and restoring. */

static enum status compare(const char *path, const struct file_sum *got,
                           const struct file_sum *listed, struct buf *error)
{
    if (got->size == listed->size && key_eq(got->hash, listed->hash))
        return ST_OK;
    buf_printf(error,
               "%s is not what was written: %s; copy it again from where it came, or use another "
               "checkpoint",
               path, got->size == listed->size ? "its checksum differs" : "its length differs");
    return ST_ECORRUPT;
}

enum status checkpoint_check(const char *dir, const struct checkpoint *checkpoint,
                             struct buf *error)
{
    for (size_t i = 0; i < checkpoint->n; i++) {
        char path[PATH_MAX] = "";
        struct file_sum sum;
        enum status st = checkpoint_path(path, dir, checkpoint->files[i].path, NULL)
                             ? file_sum(path, &sum)
                             : ST_EIO;
        if (st < 0)
            return checkpoint_failed(error, st, "cannot read", path);
        TRY(compare(path, &sum, &checkpoint->files[i].sum, error));
    }
    return ST_OK;
}

static enum status restore_file(const char *from, const char *to,
                                const struct checkpoint_file *file, struct buf *error)
{
    char source[PATH_MAX] = "", target[PATH_MAX];
    struct file_sum sum;
    enum status st = ST_EIO;
    errno = 0;
    if (checkpoint_path(source, from, file->path, NULL) &&
        checkpoint_path(target, to, file->path, NULL))
        st = file_copy(source, target, &sum);
    if (st < 0)
        return checkpoint_failed(error, st, "cannot copy", source);
    return compare(source, &sum, &file->sum, error);
}

static enum status restore_all(const char *from, const struct checkpoint *checkpoint,
                               const char *to, struct buf *error)
{
    static const char *const folders[] = {"db", "models"};
    char path[PATH_MAX];
    for (size_t i = 0; i < 2; i++)
        if (!checkpoint_path(path, to, folders[i], NULL) || folder_make(path) < 0)
            return checkpoint_failed(error, ST_EIO, "cannot make", path);
    for (size_t i = 0; i < checkpoint->n; i++)
        TRY(restore_file(from, to, &checkpoint->files[i], error));
    for (size_t i = 0; i < 2; i++)
        if (!checkpoint_path(path, to, folders[i], NULL) || folder_sync(path) < 0)
            return checkpoint_failed(error, ST_EIO, "cannot sync", path);
    return ST_OK;
}

enum status checkpoint_restore(const char *from, const struct checkpoint *checkpoint,
                               const char *to, struct buf *error)
{
    struct making making;
    TRY(begin(&making, to, error));
    return end(&making, restore_all(from, checkpoint, making.part, error), error);
}
