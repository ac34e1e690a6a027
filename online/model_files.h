/*
 * online/model_files.h -- a model's checkpoints as files: DIR/NAME-VERSION.safetensors.
 *
 * Each holds all of the learner (weights, transforms, optimiser state) and says in its metadata
 * which version it is, how far in the example log it has learnt, and the event time of its
 * publication.
 */
#ifndef ONLINE_MODEL_FILES_H
#define ONLINE_MODEL_FILES_H

#include "models/model.h"
#include "online/gate.h"
#include "online/noise.h"
#include "online/reservoir.h"

struct model_manifest {
    uint32_t version;
    uint64_t cursor;   /* items [0, cursor) of the example log are learnt */
    int64_t published; /* event time, us */
    int64_t newest;    /* release time of the newest example learnt, us; INT64_MIN: none */
    uint32_t source;   /* made by hand of this version; 0: learnt */
};

/* All that goes into a file and comes out of it. */
struct learner {
    struct model *model;
    struct gate *gate;           /* NULL: none */
    struct reservoir *reservoir; /* NULL: none */
    struct noise *noise;         /* NULL: none */
};

/* Writes the file whole (temporary, fsync, rename) and its name to ret_file. Makes the folder. */
STATUS_CHECKED enum status model_files_save(const char *dir, const char *name,
                                            const struct learner *learner,
                                            const struct model_manifest *manifest, char *ret_file,
                                            size_t file_size);
/* Returns ST_ENOTFOUND, ST_EIO, or ST_ECORRUPT for a file that is not whole or not of this kind. */
STATUS_CHECKED enum status model_files_load(const char *dir, const char *file,
                                            const struct learner *learner,
                                            struct model_manifest *ret);
enum { MODEL_FILE_MAX = 160 };
#define MODEL_FILE_KEPT ".kept-"
/* The name of a version's file, and of the one under which it is kept for good once it was promoted
 * by hand: who takes the same input again will need it. */
void model_files_name(const char *name, uint32_t version, char ret[MODEL_FILE_MAX]);
void model_files_kept_name(const char *name, uint32_t version, char ret[MODEL_FILE_MAX]);
/* Keeps the version's file; it may be kept already. ST_ENOTFOUND: it is not there (any more). */
STATUS_CHECKED enum status model_files_keep(const char *dir, const char *name, uint32_t version);
/* Only its manifest and kind; kind may be NULL. */
STATUS_CHECKED enum status model_files_inspect(const char *path, struct model_manifest *ret,
                                               char *kind, size_t kind_size);
/* Removes all but the newest `kept`, and the versions that are needed all the same; 0: none. */
void model_files_prune(const char *dir, const char *name, size_t kept, const uint32_t *needed,
                       size_t n_needed);
/* Calls fn with the name of each file of the model, oldest version first. name NULL: of all. */
STATUS_CHECKED enum status model_files_each(const char *dir, const char *name,
                                            void (*fn)(void *arg, const char *file), void *arg);

#endif
