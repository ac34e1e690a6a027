/*
 * online/checkpoint.h -- copies of a state directory: taken while it is used, checked, restored.
 *
 *     TO/CHECKPOINT    what the copy is, and each file's length and checksum
 *     TO/db/           the store, as it is between two commits
 *     TO/models/       model files, the one among them that the store names
 *
 * A copy is made in two steps. checkpoint_copy() is for the process that has the store open; what
 * no longer changes is linked, so it takes moments where the copy is on the same disk.
 * checkpoint_list() may be another process's: it reads the whole copy and writes its list, which
 * makes it a checkpoint. Without a list nothing is restored.
 *
 * A directory is made as DIR.part and then renamed: DIR is whole or not there. error gets one line
 * without a line end, wherever a status says that something failed.
 */
#ifndef ONLINE_CHECKPOINT_H
#define ONLINE_CHECKPOINT_H

#include "base/file.h"
#include "ingest/store.h"

struct checkpoint_file {
    char *path; /* within the copy */
    struct file_sum sum;
};

/* What a list says. */
struct checkpoint {
    char name[128]; /* of the pipeline */
    uint64_t epoch, events;
    int64_t time; /* the stream's, us */
    uint32_t version;
    size_t n;
    struct checkpoint_file *files;
};

/* The figures of one, for people. */
uint64_t checkpoint_bytes(const struct checkpoint *checkpoint);
void checkpoint_done(struct checkpoint *checkpoint);

/* Is there one? A service does not run on a checkpoint: it would no longer be what its list says.
 */
bool checkpoint_is(const char *dir);

/* Copies the store and the model files of state directory dir to folder `to`, which must not exist
 * or be empty. Any thread may. Returns ST_EINVAL (`to` holds something), ST_EIO. */
STATUS_CHECKED enum status checkpoint_copy(struct store *store, const char *dir, const char *to,
                                           struct buf *error);
/* Writes the list of a copy, once its head can be read and the model file that it names is there.
 * Returns ST_ECORRUPT, ST_ENOTFOUND, ST_EIO. */
STATUS_CHECKED enum status checkpoint_list(const char *dir, const char *name,
                                           struct checkpoint *ret, struct buf *error);
/* Reads the list. Returns ST_ENOTFOUND: dir is no checkpoint; ST_ECORRUPT, ST_EVERSION. */
STATUS_CHECKED enum status checkpoint_read(const char *dir, struct checkpoint *ret,
                                           struct buf *error);
/* Reads every file and compares. ST_ECORRUPT: error names the first that differs. */
STATUS_CHECKED enum status checkpoint_check(const char *dir, const struct checkpoint *checkpoint,
                                            struct buf *error);
/* Copies all files of a checkpoint to folder `to`, which must not exist or be empty, comparing each
 * on the way. The result is a state directory of its own. */
STATUS_CHECKED enum status checkpoint_restore(const char *from, const struct checkpoint *checkpoint,
                                              const char *to, struct buf *error);

#endif
