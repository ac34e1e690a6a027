/* freshet model: the versions in a state directory. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "online/command.h"
#include "online/control.h"
#include "online/model_decisions.h"
#include "online/model_diff.h"
#include "online/model_export.h"
#include "online/model_files.h"
#include "online/noise.h"
#include "online/readable.h"
#include "online/settings.h"

struct listing {
    char dir[4096];
    int n, bad;
};

static void list_file(void *arg, const char *file)
{
    struct listing *listing = arg;
    char path[8192], kind[32];
    struct model_manifest manifest;
    struct stat info = {0};
    snprintf(path, sizeof path, "%s/%s", listing->dir, file);
    stat(path, &info);
    if (listing->n++ == 0)
        printf("%-36s %-5s %8s %-20s %12s %-20s %10s\n", "file", "kind", "version", "published",
               "log items", "newest example", "bytes");
    enum status st = model_files_inspect(path, &manifest, kind, sizeof kind);
    if (st < 0) {
        listing->bad++;
        printf("%-36s %s\n", file, status_text(st));
        return;
    }
    printf("%-36s %-5s %8" PRIu32 " %-20s %12" PRIu64 " %-20s %10lld\n", file, kind,
           manifest.version, readable_time(manifest.published).text, manifest.cursor,
           readable_time(manifest.newest).text, (long long)info.st_size);
}

static int list(const char *dir)
{
    struct listing listing = {0};
    snprintf(listing.dir, sizeof listing.dir, "%s/models", dir);
    enum status st = model_files_each(listing.dir, NULL, list_file, &listing);
    if (st < 0 && st != ST_ENOTFOUND) {
        fprintf(stderr, "freshet model: %s: %s\n", listing.dir, status_text(st));
        return 1;
    }
    if (listing.n == 0)
        printf("%s holds no models yet\n", listing.dir);
    return listing.bad ? 1 : 0;
}

static int list_decisions(const char *dir, bool json)
{
    char models[4096];
    snprintf(models, sizeof models, "%s/models", dir);
    return model_decisions_print(models, json);
}

static int export(const char *file, const char *dir)
{
    struct buf error = {0};
    enum status st = model_export(file, dir, &error);
    if (st < 0)
        fprintf(stderr, "freshet model: %.*s\n", (int)error.len, error.data);
    buf_done(&error);
    return st < 0 ? 1 : 0;
}

static int diff(const char *before, const char *after)
{
    struct buf text = {0}, error = {0};
    enum status st = model_diff(before, after, &text, &error);
    if (st < 0)
        fprintf(stderr, "freshet model: %.*s\n", (int)error.len, error.data);
    else
        printf("%.*s", (int)text.len, text.data);
    buf_done(&text);
    buf_done(&error);
    return st < 0 ? 1 : 0;
}

static int noise(const char *path)
{
    struct tensors *tensors = NULL;
    struct buf text = {0};
    enum status st = tensors_read(path, &tensors);
    if (st == ST_OK)
        st = noise_print(tensors, &text);
    if (st < 0)
        fprintf(stderr, "freshet model: %s: %s\n", path, status_text(st));
    else if (text.len == 0)
        fprintf(stderr, "freshet model: %s: its model sets nothing aside (`noise:`)\n", path);
    else
        fwrite(text.data, 1, text.len, stdout);
    tensors_free(tensors);
    buf_done(&text);
    return st < 0 ? 1 : 0;
}

static const char *type_text(enum tensor_type type)
{
    static const char *const texts[] = {"F32", "F64", "I64", "U64", "U32", "U8"};
    return texts[type];
}

static void show_tensor(const struct tensor *tensor)
{
    printf("  %-32s %-4s [", tensor->name, type_text(tensor->type));
    for (size_t i = 0; i < tensor->n_dims; i++)
        printf("%s%zu", i ? ", " : "", tensor->shape[i]);
    puts("]");
}

static int show(const char *path)
{
    struct tensors *tensors = NULL;
    struct model_manifest manifest;
    char kind[32];
    enum status st = model_files_inspect(path, &manifest, kind, sizeof kind);
    if (st == ST_OK)
        st = tensors_read(path, &tensors);
    if (st < 0) {
        fprintf(stderr, "freshet model: %s: %s\n", path, status_text(st));
        return 1;
    }
    printf("%s\n  kind            %s\n  version         %" PRIu32 "\n  published       %s\n"
           "  log items       %" PRIu64 "\n  newest example  %s\n",
           path, kind, manifest.version, readable_time(manifest.published).text, manifest.cursor,
           readable_time(manifest.newest).text);
    for (size_t i = 0; i < tensors_count(tensors); i++)
        show_tensor(tensors_at(tensors, i));
    tensors_free(tensors);
    return 0;
}

/* Of the service that runs on the directory. */
static int ask(const char *dir, const char *what, const char *name, const char *version)
{
    struct buf request = {0}, reply = {0};
    buf_printf(&request, "%s %s%s%s", what, name, version ? " " : "", version ? version : "");
    buf_byte(&request, 0);
    enum status st = control_ask(dir, request.data, &reply);
    if (st == ST_OK)
        printf("%.*s\n", (int)reply.len, reply.data);
    else if (st == ST_ENOTFOUND)
        fprintf(stderr, "freshet model: no service runs on %s: start it, then ask\n", dir);
    else
        fprintf(stderr, "freshet model: %.*s\n", (int)reply.len,
                reply.len ? reply.data : "the service ended before it answered");
    buf_done(&request);
    buf_done(&reply);
    return st < 0 ? 1 : 0;
}

static bool is_version(const char *text)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && v > 0 && v <= UINT32_MAX;
}

/* words: behind the command's name. -1: not one that is asked of a service. */
static int ask_words(const char *dir, char **words, int n)
{
    bool promote = n >= 2 && strcmp(words[0], "promote") == 0;
    bool rollback = n == 2 && strcmp(words[0], "rollback") == 0;
    if (promote && n == 3 && !is_version(words[2]))
        return command_misused(&cmd_model, "\"%s\" is no version; it is a whole number", words[2]);
    if (rollback || (promote && n <= 3))
        return ask(dir, words[0], words[1], n == 3 ? words[2] : NULL);
    return -1;
}

static bool is_asked(const char *what)
{
    return strcmp(what, "promote") == 0 || strcmp(what, "rollback") == 0;
}

static int run(int argc, char **argv)
{
    const char *config = NULL, *dir = NULL;
    if (!command_state_options(argc, argv, &config, &dir))
        return 2;
    const char *what = optind < argc ? argv[optind] : "";
    if (strcmp(what, "show") == 0 && optind + 1 < argc)
        return show(argv[optind + 1]);
    if (strcmp(what, "noise") == 0 && optind + 1 < argc)
        return noise(argv[optind + 1]);
    if (strcmp(what, "export") == 0 && optind + 2 < argc)
        return export(argv[optind + 1], argv[optind + 2]);
    if (strcmp(what, "diff") == 0 && optind + 2 < argc)
        return diff(argv[optind + 1], argv[optind + 2]);
    bool decisions = strcmp(what, "decisions") == 0;
    if ((strcmp(what, "list") != 0 && !decisions && !is_asked(what)) || (!config && !dir))
        return command_misused(&cmd_model,
                               "list, decisions, promote MODEL [VERSION] or rollback MODEL (with "
                               "-c or --state), show FILE, noise FILE, diff FILE FILE, or "
                               "export FILE DIR?");
    struct settings *settings = NULL;
    if (!dir && settings_load(config, stderr, &settings) < 0)
        return 1;
    dir = dir ? dir : settings->state.dir;
    bool json = optind + 1 < argc && strcmp(argv[optind + 1], "json") == 0;
    int status = is_asked(what) ? ask_words(dir, argv + optind, argc - optind)
                 : decisions    ? list_decisions(dir, json)
                                : list(dir);
    settings_free(settings);
    return status >= 0 ? status : command_misused(&cmd_model, "which model?");
}

const struct command cmd_model = {
    "model",
    "list | decisions [json] | promote MODEL [VERSION] | rollback MODEL (-c CONFIG | --state DIR) "
    "| "
    "show FILE | noise FILE | diff FILE FILE | export FILE DIR",
    "the model versions in a state directory\n"
    "\n"
    "  list       each file: version, when it was published, how much of the example log it has "
    "learnt\n"
    "  decisions  of the newest 500 versions of each model, what the gate kept back and why; with "
    "json\n"
    "             all that it decided, with every figure, a line each\n"
    "  promote MODEL [VERSION]  asks the service that runs on the directory: with a version, the\n"
    "             model is what that version was, from its file, and learns on from there; "
    "without,\n"
    "             its scores leave instead of the champion's\n"
    "  rollback MODEL  likewise: the model is what the version was that served before\n"
    "  show FILE  one of them, with its tensors (any safetensors reader opens it too)\n"
    "  noise FILE  as CSV, the newest examples that it took for noise and did not learn, with "
    "their\n"
    "             features\n"
    "  diff FILE FILE  two versions of one kind: what they have learnt, the gate's figures, and "
    "the\n"
    "             features that moved furthest from the first to the second\n"
    "  export FILE DIR  the version that served when the file was made, as a folder of its own:\n"
    "             model.safetensors and manifest.json\n",
    run,
};
