/* freshet state checkpoint and restore. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/folder.h"
#include "online/checkpoint.h"
#include "online/control.h"
#include "online/readable.h"
#include "online/state_actions.h"

static int failed(const char *action, struct buf *error)
{
    fprintf(stderr, "freshet state %s: %.*s\n", action, (int)error->len,
            error->len ? error->data : "");
    buf_done(error);
    return 1;
}

/* The service that is asked may have another working directory. Parents must be there. */
static bool absolute(const char *path, char *ret, struct buf *error)
{
    char parent[PATH_MAX], copy[PATH_MAX];
    if (strlen(path) >= sizeof copy) {
        buf_printf(error, "too long a name: %s", path);
        return false;
    }
    memcpy(copy, path, strlen(path) + 1);
    for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/';)
        copy[--len] = '\0';
    char *slash = strrchr(copy, '/');
    const char *last = slash ? slash + 1 : copy;
    if (slash)
        *slash = '\0';
    const char *folder = !slash ? "." : copy[0] ? copy : "/";
    if (!realpath(folder, parent)) {
        buf_printf(error, "%s: %s", folder, strerror(errno));
        return false;
    }
    if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0 || strchr(path, '\n') ||
        snprintf(ret, PATH_MAX, "%s/%s", strcmp(parent, "/") == 0 ? "" : parent, last) >=
            PATH_MAX) {
        buf_printf(error, "%s is no name for a new folder", path);
        return false;
    }
    return true;
}

/* Where nothing runs, this process opens the state itself. */
static enum status copy_at_rest(const char *dir, const char *to, struct buf *error)
{
    char path[PATH_MAX], *why = NULL;
    struct store *store = NULL;
    snprintf(path, sizeof path, "%s/db", dir);
    int holder = store_holder(path);
    if (holder > 0) {
        buf_printf(error,
                   "%s: process %d is at work on it and takes no checkpoints: wait for its end",
                   dir, holder);
        return ST_EBUSY;
    }
    struct stat info;
    enum status st = stat(path, &info) < 0 ? ST_ENOTFOUND : store_open_rocks(path, &store, &why);
    if (st < 0)
        buf_printf(error, "%s: no state can be opened there: %s", dir, why ? why : status_text(st));
    else
        st = checkpoint_copy(store, dir, to, error);
    free(why);
    store_free(store);
    return st;
}

static enum status copy(const char *dir, const char *to, struct buf *error)
{
    struct buf line = {0}, reply = {0};
    buf_printf(&line, "checkpoint %s", to);
    buf_byte(&line, '\0');
    enum status st = control_ask(dir, line.data, &reply);
    if (st == ST_EIO)
        buf_printf(error, "%s: the service ended before it was done; try again", dir);
    else if (st < 0 && st != ST_ENOTFOUND)
        buf_printf(error, "%.*s", (int)reply.len, reply.len ? reply.data : "");
    buf_done(&line);
    buf_done(&reply);
    return st == ST_ENOTFOUND ? copy_at_rest(dir, to, error) : st;
}

static void say(const char *what, const char *dir, const struct checkpoint *checkpoint)
{
    printf("%s %s: epoch %" PRIu64 ", %" PRIu64 " records taken, stream time %s, model version "
           "%" PRIu32 ", %zu files, %s\n",
           what, dir, checkpoint->epoch, checkpoint->events, readable_time(checkpoint->time).text,
           checkpoint->version, checkpoint->n,
           readable_bytes((double)checkpoint_bytes(checkpoint)).text);
}

/* A copy that cannot be listed is none, and would only be in the way of the next attempt. */
static enum status list(const struct state_request *request, const char *to, struct checkpoint *ret,
                        struct buf *error)
{
    const char *name = request->settings ? request->settings->name : "-";
    enum status st = checkpoint_list(to, name, ret, error);
    if (st < 0)
        folder_remove(to);
    return st;
}

int state_checkpoint(const struct state_request *request)
{
    char to[PATH_MAX];
    struct buf error = {0};
    struct checkpoint checkpoint;
    if (request->n != 1)
        return command_misused(&cmd_state, "checkpoint to which folder? it must be a new one");
    if (!absolute(request->words[0], to, &error) || copy(request->dir, to, &error) < 0 ||
        list(request, to, &checkpoint, &error) < 0)
        return failed("checkpoint", &error);
    say("checkpoint", request->words[0], &checkpoint);
    checkpoint_done(&checkpoint);
    buf_done(&error);
    return 0;
}

int state_restore(const struct state_request *request)
{
    struct buf error = {0};
    struct checkpoint checkpoint;
    if (request->n != 1)
        return command_misused(&cmd_state, "restore which checkpoint?");
    if (checkpoint_read(request->words[0], &checkpoint, &error) < 0)
        return failed("restore", &error);
    enum status st = checkpoint_restore(request->words[0], &checkpoint, request->dir, &error);
    if (st == ST_OK)
        say("restored", request->dir, &checkpoint);
    checkpoint_done(&checkpoint);
    if (st < 0)
        return failed("restore", &error);
    buf_done(&error);
    return 0;
}
