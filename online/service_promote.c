/* What a person may ask of the models while the service runs: checked here, on the asker's thread,
 * done between two events as an act (service_act.c). */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "online/model_files.h"
#include "online/service_internal.h"

static struct service_model *find(struct service *service, const char *name, struct buf *reply)
{
    for (size_t i = 0; i < service->n_models; i++)
        if (strcmp(service->models[i].settings->name, name) == 0)
            return &service->models[i];
    buf_printf(reply, "there is no model \"%s\"; there are:", name);
    for (size_t i = 0; i < service->n_models; i++)
        buf_printf(reply, " %s", service->models[i].settings->name);
    return NULL;
}

/* What the trainer will do with the file is done once before, so that it cannot fail there. */
static enum status try_file(struct service_model *model, const char *file)
{
    struct model *fresh = NULL;
    TRY(service_make_model(model, &fresh));
    struct model_manifest manifest;
    enum status st = model_files_load(model->service->model_dir, file,
                                      &(struct learner){.model = fresh}, &manifest);
    fresh->ops->free(fresh);
    return st;
}

static enum status keep_file(struct service_model *model, uint32_t version, struct buf *reply)
{
    const char *name = model->settings->name;
    char file[MODEL_FILE_MAX];
    model_files_name(name, version, file);
    enum status st = try_file(model, file);
    if (st == ST_OK)
        st = model_files_keep(model->service->model_dir, name, version);
    if (st == ST_ENOTFOUND)
        buf_printf(reply,
                   "there is no file of version %" PRIu32
                   " of %s: freshet model list shows those that there are",
                   version, name);
    else if (st < 0)
        buf_printf(reply, "%s: %s; nothing was changed", file, status_text(st));
    return st;
}

static enum status done(const struct service_model *model, enum status st, const struct act *act,
                        struct buf *reply)
{
    const char *name = model->settings->name;
    if (st < 0) {
        buf_printf(reply, "the service ends, and may not have done it: %s", status_text(st));
        return st;
    }
    if (act->kind == ACT_CHAMPION)
        buf_printf(reply, "the scores of %s leave from now on", name);
    else
        buf_printf(reply,
                   "%s takes over as version %" PRIu32 ", which is what version %" PRIu32 " was",
                   name, act->version, act->source);
    log_info("model.promoted", "model=\"%s\" what=\"%.*s\"", name, (int)reply->len, reply->data);
    return ST_OK;
}

static enum status promote_version(struct service_model *model, uint32_t version, struct buf *reply)
{
    struct act act = {ACT_PUBLISH, model->number, 0, version};
    TRY(keep_file(model, version, reply));
    return done(model, service_act(model->service, &act), &act, reply);
}

static enum status promote_model(struct service_model *model, struct buf *reply)
{
    struct act act = {.kind = ACT_CHAMPION, .model = model->number};
    if (model->settings->role == ROLE_SHADOW) {
        buf_printf(reply, "%s is a shadow, which is only looked at: make it a challenger first",
                   model->settings->name);
        return ST_EINVAL;
    }
    return done(model, service_act(model->service, &act), &act, reply);
}

enum status service_promote(struct service *service, const char *name, uint32_t version,
                            struct buf *reply)
{
    struct service_model *model = find(service, name, reply);
    if (!model)
        return ST_EINVAL;
    return version > 0 ? promote_version(model, version, reply) : promote_model(model, reply);
}

/* Taking back. */

enum { VERSIONS_MAX = 4096 };

struct versions {
    size_t n;
    uint32_t list[VERSIONS_MAX]; /* oldest first */
};

static void note_version(void *arg, const char *file)
{
    struct versions *versions = arg;
    const char *dash = strrchr(file, '-');
    if (dash && versions->n < VERSIONS_MAX)
        versions->list[versions->n++] = (uint32_t)strtoul(dash + 1, NULL, 10);
}

/* Whether the version of that file once served, and what it was made of. */
static bool look(const struct service_model *model, uint32_t version, uint32_t *ret_source)
{
    char file[MODEL_FILE_MAX], path[PATH_MAX];
    struct model_manifest manifest;
    struct tensors *tensors = NULL;
    const struct decision *decisions;
    size_t n = 0;
    model_files_name(model->settings->name, version, file);
    int len = snprintf(path, sizeof path, "%s/%s", model->service->model_dir, file);
    if (len < 0 || (size_t)len >= sizeof path ||
        model_files_inspect(path, &manifest, NULL, 0) < 0 || tensors_read(path, &tensors) < 0)
        return false;
    bool served = gate_read_decisions(tensors, &decisions, &n) == ST_OK &&
                  (n == 0 || (enum verdict)decisions[n - 1].verdict == VERDICT_PROMOTED);
    tensors_free(tensors);
    *ret_source = manifest.source;
    return served;
}

/* What came of their trials, as the newest file tells. */
static struct versions rolled_back(const struct service_model *model, const struct versions *all)
{
    struct versions gone = {0};
    char file[MODEL_FILE_MAX], path[PATH_MAX];
    struct tensors *tensors = NULL;
    const struct decision *decisions;
    size_t n = 0;
    if (all->n == 0)
        return gone;
    model_files_name(model->settings->name, all->list[all->n - 1], file);
    int len = snprintf(path, sizeof path, "%s/%s", model->service->model_dir, file);
    if (len < 0 || (size_t)len >= sizeof path || tensors_read(path, &tensors) < 0)
        return gone;
    if (gate_read_decisions(tensors, &decisions, &n) < 0)
        n = 0;
    for (size_t i = 0; i < n; i++)
        if (decisions[i].verdict == VERDICT_ROLLED_BACK)
            gone.list[gone.n++] = (uint32_t)decisions[i].version;
    tensors_free(tensors);
    return gone;
}

static bool is_among(const struct versions *versions, uint32_t version)
{
    for (size_t i = 0; i < versions->n; i++)
        if (versions->list[i] == version)
            return true;
    return false;
}

static uint32_t version_before(const struct service_model *model, uint32_t version)
{
    struct versions versions = {0};
    uint32_t source = 0;
    enum status st =
        model_files_each(model->service->model_dir, model->settings->name, note_version, &versions);
    if (st < 0)
        return 0;
    if (look(model, version, &source) && source > 0)
        version = source;
    struct versions gone = rolled_back(model, &versions);
    for (size_t i = versions.n; i-- > 0;)
        if (versions.list[i] < version && !is_among(&gone, versions.list[i]) &&
            !registry_rolled_back(model->registry, versions.list[i]) &&
            look(model, versions.list[i], &source))
            return versions.list[i];
    return 0;
}

static enum status end_trial(struct service_model *model, struct buf *reply)
{
    const char *name = model->settings->name;
    struct act act = {ACT_ROLL_BACK, model->number, 0, 0};
    enum status st = service_act(model->service, &act);
    if (st == ST_OK)
        buf_printf(reply,
                   "version %" PRIu32 " of %s, which was on trial, is rolled back; version %" PRIu32
                   " serves on",
                   act.version, name, act.source);
    else if (st == ST_ENOTFOUND)
        buf_printf(reply, "the trial of %s has just ended; nothing was changed", name);
    else
        buf_printf(reply, "the service ends, and may not have done it: %s", status_text(st));
    return st;
}

enum status service_rollback(struct service *service, const char *name, struct buf *reply)
{
    struct service_model *model = find(service, name, reply);
    if (!model)
        return ST_EINVAL;
    if (registry_on_trial(model->registry) > 0)
        return end_trial(model, reply);
    uint32_t serves = registry_version(model->registry), before = version_before(model, serves);
    if (before > 0)
        return promote_version(model, before, reply);
    buf_printf(reply, "there is no file of a version that served before version %" PRIu32 " of %s",
               serves, name);
    return ST_ENOTFOUND;
}
