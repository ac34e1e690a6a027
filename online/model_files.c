#include "online/model_files.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/number.h"

/* Of what is said about a model, beside the model itself. */
enum { FORMAT = 1 };

static const char suffix[] = ".safetensors";

static void put_number(struct tensors *tensors, const char *key, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    tensors_put_text(tensors, key, text);
}

/* Versions are written with leading zeros: order of names is order of age. */
static enum status put_learner(const struct learner *learner, struct tensors *ret)
{
    TRY(learner->model->ops->save(learner->model, ret));
    if (learner->reservoir)
        reservoir_save(learner->reservoir, ret);
    if (learner->noise)
        noise_save(learner->noise, ret);
    return learner->gate ? gate_save(learner->gate, ret) : ST_OK;
}

enum status model_files_save(const char *dir, const char *name, const struct learner *learner,
                             const struct model_manifest *manifest, char *ret_file,
                             size_t file_size)
{
    char path[PATH_MAX];
    int len = snprintf(ret_file, file_size, "%s-%010" PRIu32 "%s", name, manifest->version, suffix);
    if (len < 0 || (size_t)len >= file_size)
        return ST_EINVAL;
    len = snprintf(path, sizeof path, "%s/%s", dir, ret_file);
    if (len < 0 || (size_t)len >= sizeof path)
        return ST_EINVAL;
    TRY(folder_make(dir));
    struct tensors *tensors = tensors_create();
    if (!tensors)
        return ST_ENOMEM;
    enum status st = put_learner(learner, tensors);
    if (st == ST_OK) {
        put_number(tensors, "freshet.format", FORMAT);
        tensors_put_text(tensors, "freshet.kind", learner->model->ops->name);
        tensors_put_text(tensors, "freshet.model", name);
        put_number(tensors, "freshet.version", manifest->version);
        put_number(tensors, "freshet.cursor", (int64_t)manifest->cursor);
        put_number(tensors, "freshet.published_us", manifest->published);
        put_number(tensors, "freshet.newest_example_us", manifest->newest);
        if (manifest->source > 0)
            put_number(tensors, "freshet.source", manifest->source);
        tensors_put_sum(tensors);
        st = tensors_write(tensors, path);
    }
    tensors_free(tensors);
    return st;
}

void model_files_name(const char *name, uint32_t version, char ret[MODEL_FILE_MAX])
{
    snprintf(ret, MODEL_FILE_MAX, "%.100s-%010" PRIu32 "%s", name, version, suffix);
}

void model_files_kept_name(const char *name, uint32_t version, char ret[MODEL_FILE_MAX])
{
    snprintf(ret, MODEL_FILE_MAX, "%.100s" MODEL_FILE_KEPT "%010" PRIu32 "%s", name, version,
             suffix);
}

enum status model_files_keep(const char *dir, const char *name, uint32_t version)
{
    char file[MODEL_FILE_MAX], from[PATH_MAX], to[PATH_MAX];
    model_files_name(name, version, file);
    snprintf(from, sizeof from, "%s/%s", dir, file);
    model_files_kept_name(name, version, file);
    snprintf(to, sizeof to, "%s/%s", dir, file);
    if (link(from, to) < 0 && errno != EEXIST)
        return errno == ENOENT ? ST_ENOTFOUND : ST_EIO;
    return folder_sync(dir);
}

static bool get_number(const struct tensors *tensors, const char *key, int64_t *ret)
{
    const char *text = tensors_text(tensors, key);
    return text && number_to_int(slice_of(text), ret) == ST_OK;
}

/* Files without a number are of the first format. */
static bool is_newer(const struct tensors *tensors)
{
    int64_t format = FORMAT;
    return tensors_text(tensors, "freshet.format") &&
           (!get_number(tensors, "freshet.format", &format) || format > FORMAT);
}

static enum status read_manifest(const struct tensors *tensors, struct model_manifest *ret)
{
    if (is_newer(tensors))
        return ST_EVERSION;
    int64_t version, cursor, published, newest, source = 0;
    if (!get_number(tensors, "freshet.version", &version) || version < 0 || version > UINT32_MAX ||
        !get_number(tensors, "freshet.cursor", &cursor) || cursor < 0 ||
        !get_number(tensors, "freshet.published_us", &published) ||
        !get_number(tensors, "freshet.newest_example_us", &newest))
        return ST_ECORRUPT;
    if (tensors_text(tensors, "freshet.source") &&
        (!get_number(tensors, "freshet.source", &source) || source < 0 || source > UINT32_MAX))
        return ST_ECORRUPT;
    *ret = (struct model_manifest){(uint32_t)version, (uint64_t)cursor, published, newest,
                                   (uint32_t)source};
    return ST_OK;
}

static enum status get_learner(const struct tensors *tensors, uint32_t version,
                               const struct learner *ret)
{
    TRY(ret->model->ops->load(ret->model, tensors));
    if (ret->reservoir)
        TRY(reservoir_load(ret->reservoir, tensors));
    if (ret->noise)
        TRY(noise_load(ret->noise, tensors));
    return ret->gate ? gate_load(ret->gate, ret->model, version, tensors) : ST_OK;
}

enum status model_files_load(const char *dir, const char *file, const struct learner *learner,
                             struct model_manifest *ret)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/%s", dir, file);
    if (len < 0 || (size_t)len >= sizeof path)
        return ST_ENOTFOUND;
    struct tensors *tensors = NULL;
    TRY(tensors_read(path, &tensors));
    struct model_manifest manifest;
    enum status st = read_manifest(tensors, &manifest);
    const char *kind = tensors_text(tensors, "freshet.kind");
    if (st == ST_OK && (!kind || strcmp(kind, learner->model->ops->name) != 0))
        st = ST_ECORRUPT;
    if (st == ST_OK)
        st = get_learner(tensors, manifest.version, learner);
    if (st == ST_OK)
        *ret = manifest;
    tensors_free(tensors);
    return st;
}

enum status model_files_inspect(const char *path, struct model_manifest *ret, char *kind,
                                size_t kind_size)
{
    struct tensors *tensors = NULL;
    TRY(tensors_read(path, &tensors));
    enum status st = read_manifest(tensors, ret);
    const char *text = tensors_text(tensors, "freshet.kind");
    if (kind)
        snprintf(kind, kind_size, "%s", text ? text : "?");
    tensors_free(tensors);
    return st;
}

static bool is_version(const char *text)
{
    for (int i = 1; i <= 10; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return text[0] == '-';
}

/* NAME-0123456789.safetensors; what else lies in the folder is not ours. */
static bool is_file_of(const char *file, const char *name)
{
    size_t len = strlen(file), end = sizeof suffix - 1 + 11;
    if (len <= end || strcmp(file + len - (sizeof suffix - 1), suffix) != 0 ||
        !is_version(file + len - end))
        return false;
    return !name || (strlen(name) == len - end && strncmp(file, name, len - end) == 0);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

enum status model_files_each(const char *dir, const char *name,
                             void (*fn)(void *arg, const char *file), void *arg)
{
    struct dirent **entries;
    int n = scandir(dir, &entries, NULL, by_name);
    if (n < 0)
        return errno == ENOENT ? ST_ENOTFOUND : ST_EIO;
    for (int i = 0; i < n; i++) {
        if (is_file_of(entries[i]->d_name, name))
            fn(arg, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return ST_OK;
}

struct prune {
    const char *dir;
    size_t left; /* files of the model still to come */
    size_t kept;
    const uint32_t *needed;
    size_t n_needed;
    const char *name;
};

static void count_file(void *arg, const char *file)
{
    (void)file;
    ((struct prune *)arg)->left++;
}

static bool is_needed(const struct prune *prune, const char *file)
{
    char name[MODEL_FILE_MAX];
    for (size_t i = 0; i < prune->n_needed; i++) {
        model_files_name(prune->name, prune->needed[i], name);
        if (strcmp(file, name) == 0)
            return true;
    }
    return false;
}

static void prune_file(void *arg, const char *file)
{
    struct prune *prune = arg;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", prune->dir, file);
    bool old = prune->left-- > prune->kept;
    if (old && !is_needed(prune, file))
        unlink(path);
}

void model_files_prune(const char *dir, const char *name, size_t kept, const uint32_t *needed,
                       size_t n_needed)
{
    struct prune prune = {
        .dir = dir, .kept = kept, .needed = needed, .n_needed = n_needed, .name = name};
    enum status st = model_files_each(dir, name, count_file, &prune);
    if (st == ST_OK)
        st = model_files_each(dir, name, prune_file, &prune);
    (void)st; /* what could not be listed stays */
}
