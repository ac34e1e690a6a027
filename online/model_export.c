#include "online/model_export.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/folder.h"
#include "online/gate.h"
#include "online/model_files.h"
#include "online/readable.h"
#include "online/rows.h"

struct export
{
    struct tensors *file, *champion, *out;
    struct model_manifest manifest;
    char kind[32];
    const char *model;
    uint32_t version; /* of what is exported */
    const struct decision *decisions;
    size_t n_decisions;
};

/* Texts that the champion's own tensors lack. */
static void put_origin(struct export *export)
{
    char version[16];
    snprintf(version, sizeof version, "%" PRIu32, export->version);
    tensors_put_text(export->out, "freshet.kind", export->kind);
    tensors_put_text(export->out, "freshet.model", export->model);
    tensors_put_text(export->out, "freshet.version", version);
}

static enum status gather(struct export *export)
{
    const struct tensor *champion = tensors_get(export->file, "gate.champion");
    TRY(gate_read_decisions(export->file, &export->decisions, &export->n_decisions));
    export->version = export->manifest.version;
    export->out = tensors_create();
    if (!champion) {
        tensors_put_others(export->out, export->file, "gate.");
    } else {
        TRY(tensors_parse((struct slice){champion->data, champion->n}, &export->champion));
        tensors_put_others(export->out, export->champion, "gate.");
        if (export->n_decisions > 0)
            export->version = (uint32_t) export->decisions[export->n_decisions - 1].champion;
        put_origin(export);
    }
    tensors_put_sum(export->out);
    return ST_OK;
}

static enum status open_export(const char *file, struct export *export)
{
    TRY(model_files_inspect(file, &export->manifest, export->kind, sizeof export->kind));
    TRY(tensors_read(file, &export->file));
    export->model = tensors_text(export->file, "freshet.model");
    return export->model ? gather(export) : ST_ECORRUPT;
}

static void render_manifest(const struct export *export, struct buf *ret)
{
    buf_text(ret, "{\n  \"model\": ");
    rows_json_text(ret, slice_of(export->model));
    buf_printf(ret, ",\n  \"kind\": \"%s\",\n  \"version\": %" PRIu32, export->kind,
               export->version);
    buf_printf(ret, ",\n  \"checkpoint\": %" PRIu32 ",\n  \"log_items\": %" PRIu64,
               export->manifest.version, export->manifest.cursor);
    buf_printf(ret, ",\n  \"published\": \"%s\"", readable_time(export->manifest.published).text);
    buf_printf(ret, ",\n  \"newest_example\": \"%s\"", readable_time(export->manifest.newest).text);
    buf_text(ret, ",\n  \"decision\": ");
    if (export->n_decisions > 0)
        decision_render_json(&export->decisions[export->n_decisions - 1], ret);
    else
        buf_text(ret, "null");
    buf_text(ret, "\n}\n");
}

static enum status write_text(const char *path, const struct buf *text)
{
    FILE *out = fopen(path, "w");
    if (!out)
        return ST_EIO;
    bool written = fwrite(text->data, 1, text->len, out) == text->len && fflush(out) == 0 &&
                   fsync(fileno(out)) == 0;
    return fclose(out) == 0 && written ? ST_OK : ST_EIO;
}

/* Beside the folder first, under another name. */
static enum status write_folder(const struct export *export, const char *dir)
{
    char begun[PATH_MAX - 32], path[PATH_MAX];
    struct buf manifest = {0};
    int len = snprintf(begun, sizeof begun, "%s.begun", dir);
    if (len < 0 || (size_t)len >= sizeof begun)
        return ST_EINVAL;
    folder_remove(begun); /* of one that was cut short */
    TRY(folder_make(begun));
    snprintf(path, sizeof path, "%s/model.safetensors", begun);
    TRY(tensors_write(export->out, path));
    render_manifest(export, &manifest);
    snprintf(path, sizeof path, "%s/manifest.json", begun);
    enum status st = write_text(path, &manifest);
    buf_done(&manifest);
    if (st == ST_OK)
        st = folder_sync(begun);
    if (st == ST_OK && rename(begun, dir) != 0)
        st = ST_EIO;
    return st == ST_OK ? folder_sync_parent(dir) : st;
}

enum status model_export(const char *file, const char *dir, struct buf *error)
{
    struct export export = {0};
    if (access(dir, F_OK) == 0) {
        buf_printf(error, "%s is there already", dir);
        return ST_EINVAL;
    }
    enum status st = open_export(file, &export);
    if (st < 0) {
        buf_printf(error, "%s: %s", file, status_text(st));
    } else {
        st = write_folder(&export, dir);
        if (st < 0)
            buf_printf(error, "%s: cannot be written: %s", dir, strerror(errno));
    }
    tensors_free(export.file);
    tensors_free(export.champion);
    tensors_free(export.out);
    return st;
}
