/* The list of a checkpoint: lines of text, the last of them a checksum of those before it. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/number.h"
#include "ingest/commit.h"
#include "online/checkpoint.h"
#include "online/checkpoint_paths.h"
#include "online/head.h"

enum { FORMAT = 1 };

static const char title[] = "freshet checkpoint ";

void checkpoint_done(struct checkpoint *checkpoint)
{
    for (size_t i = 0; i < checkpoint->n; i++)
        free(checkpoint->files[i].path);
    free(checkpoint->files);
    *checkpoint = (struct checkpoint){0};
}

uint64_t checkpoint_bytes(const struct checkpoint *checkpoint)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < checkpoint->n; i++)
        bytes += checkpoint->files[i].sum.size;
    return bytes;
}

bool checkpoint_is(const char *dir)
{
    char path[PATH_MAX];
    struct stat info;
    return checkpoint_path(path, dir, CHECKPOINT_LIST, NULL) && stat(path, &info) == 0;
}

static void add_file(struct checkpoint *checkpoint, const char *path, size_t len,
                     struct file_sum sum)
{
    checkpoint->files = realloc(checkpoint->files, (checkpoint->n + 1) * sizeof *checkpoint->files);
    char *copy = strndup(path, len);
    if (!checkpoint->files || !copy)
        abort();
    checkpoint->files[checkpoint->n++] = (struct checkpoint_file){copy, sum};
}

/* Writing. */

/* RocksDB's diaries and its lock are no part of what it stores. */
static int is_content(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && strncmp(entry->d_name, "LOG", 3) != 0 &&
           strcmp(entry->d_name, "LOCK") != 0;
}

static enum status sum_file(const char *dir, const char *folder, const char *name,
                            struct checkpoint *ret, struct buf *error)
{
    char path[PATH_MAX], within[PATH_MAX];
    struct file_sum sum;
    enum status st = ST_EIO;
    if (checkpoint_path(path, dir, folder, name) && checkpoint_path(within, folder, name, NULL))
        st = file_sum(path, &sum);
    if (st < 0)
        return checkpoint_failed(error, st, "cannot read", path);
    add_file(ret, within, strlen(within), sum);
    return ST_OK;
}

static enum status sum_folder(const char *dir, const char *folder, struct checkpoint *ret,
                              struct buf *error)
{
    char path[PATH_MAX] = "";
    struct dirent **entries;
    int n = checkpoint_path(path, dir, folder, NULL)
                ? scandir(path, &entries, is_content, alphasort)
                : -1;
    if (n < 0)
        return errno == ENOENT ? ST_OK : checkpoint_failed(error, ST_EIO, "cannot list", path);
    enum status st = ST_OK;
    for (int i = 0; i < n; i++) {
        if (st == ST_OK)
            st = sum_file(dir, folder, entries[i]->d_name, ret, error);
        free(entries[i]);
    }
    free(entries);
    return st;
}

static void write_list(const struct checkpoint *checkpoint, struct buf *ret)
{
    buf_printf(ret,
               "%s%d\nname %s\nepoch %" PRIu64 "\nevents %" PRIu64 "\ntime %" PRId64
               "\nversion %" PRIu32 "\n",
               title, FORMAT, checkpoint->name, checkpoint->epoch, checkpoint->events,
               checkpoint->time, checkpoint->version);
    for (size_t i = 0; i < checkpoint->n; i++) {
        const struct file_sum *sum = &checkpoint->files[i].sum;
        buf_printf(ret, "file %016" PRIx64 "%016" PRIx64 " %" PRIu64 " %s\n", sum->hash.hi,
                   sum->hash.lo, sum->size, checkpoint->files[i].path);
    }
    struct file_sum all = file_sum_of(buf_slice(ret));
    buf_printf(ret, "sum %016" PRIx64 "%016" PRIx64 "\n", all.hash.hi, all.hash.lo);
}

static enum status find_model_files(const char *dir, struct store *store, struct buf *error)
{
    struct trainer_checkpoints named;
    char path[PATH_MAX] = "";
    struct stat info;
    enum status st = commit_read_trainers(store, &named);
    for (size_t i = 0; st == ST_OK && i < named.n; i++)
        if (!checkpoint_path(path, dir, "models", named.points[i].file) || stat(path, &info) < 0)
            st = ST_ENOTFOUND;
    return st < 0 ? checkpoint_failed(error, st, "the model file is missing:", path) : ST_OK;
}

/* The head of the copy, and that the model files it needs came along. */
static enum status read_store(const char *dir, struct store *store, struct checkpoint *ret,
                              struct buf *error)
{
    struct buf bytes = {0};
    struct head head;
    head_init(&head);
    enum status st = store->ops->get(store, slice_of("mhead"), &bytes);
    if (st == ST_OK)
        st = head_decode(buf_slice(&bytes), &head);
    buf_done(&bytes);
    if (st < 0)
        return checkpoint_failed(error, st,
                                 "nothing was committed there, or it is unreadable:", dir);
    ret->epoch = head.epoch;
    ret->events = head.events;
    ret->time = head.clock;
    ret->version = head_version(&head);
    head_done(&head);
    return find_model_files(dir, store, error);
}

static enum status look_into(const char *dir, struct checkpoint *ret, struct buf *error)
{
    char path[PATH_MAX] = "", *why = NULL;
    struct store *store = NULL;
    enum status st = checkpoint_path(path, dir, "db", NULL)
                         ? store_open_rocks_to_read(path, &store, &why)
                         : ST_EIO;
    if (st < 0)
        buf_printf(error, "%s: %s", path, why ? why : status_text(st));
    free(why);
    if (st == ST_OK)
        st = read_store(dir, store, ret, error);
    store_free(store);
    return st;
}

enum status checkpoint_list(const char *dir, const char *name, struct checkpoint *ret,
                            struct buf *error)
{
    struct checkpoint made = {0};
    char path[PATH_MAX];
    snprintf(made.name, sizeof made.name, "%s", name);
    enum status st = look_into(dir, &made, error);
    if (st == ST_OK)
        st = sum_folder(dir, "db", &made, error);
    if (st == ST_OK)
        st = sum_folder(dir, "models", &made, error);
    struct buf text = {0};
    write_list(&made, &text);
    if (st == ST_OK) {
        st = checkpoint_path(path, dir, CHECKPOINT_LIST, NULL) ? file_write(path, buf_slice(&text))
                                                               : ST_EIO;
        if (st < 0)
            checkpoint_failed(error, st, "cannot write", path);
    }
    buf_done(&text);
    if (st < 0)
        checkpoint_done(&made);
    else
        *ret = made;
    return st;
}

/* Reading. */

/* The rest of the line behind a word; false where the line is another one. */
static bool take_line(struct slice *text, const char *word, struct slice *ret)
{
    size_t len = strlen(word);
    const char *end = memchr(text->data, '\n', text->len);
    if (!end || (size_t)(end - text->data) < len || memcmp(text->data, word, len) != 0)
        return false;
    *ret = (struct slice){text->data + len, (size_t)(end - text->data) - len};
    text->len -= (size_t)(end + 1 - text->data);
    text->data = end + 1;
    return true;
}

static bool take_number(struct slice *text, const char *word, int64_t *ret)
{
    struct slice value;
    return take_line(text, word, &value) && number_to_int(value, ret) == ST_OK;
}

static bool read_hash(const char *at, struct key128 *ret)
{
    uint64_t halves[2] = {0};
    for (int i = 0; i < 32; i++) {
        const char *digits = "0123456789abcdef", *digit = at[i] ? strchr(digits, at[i]) : NULL;
        if (!digit)
            return false;
        halves[i / 16] = halves[i / 16] << 4 | (uint64_t)(digit - digits);
    }
    *ret = (struct key128){halves[1], halves[0]};
    return true;
}

/* Nothing outside the folder, whatever the list says. */
static bool is_within(struct slice path)
{
    bool known = (path.len > 3 && memcmp(path.data, "db/", 3) == 0) ||
                 (path.len > 7 && memcmp(path.data, "models/", 7) == 0);
    const char *slash = known ? memrchr(path.data, '/', path.len) : NULL;
    return known && slash == memchr(path.data, '/', path.len) && slash[1] != '.' &&
           !memchr(path.data, 0, path.len);
}

static bool read_file_line(struct slice line, struct checkpoint *ret)
{
    struct file_sum sum;
    if (line.len < 34 || !read_hash(line.data, &sum.hash) || line.data[32] != ' ')
        return false;
    struct slice rest = {line.data + 33, line.len - 33};
    const char *space = memchr(rest.data, ' ', rest.len);
    int64_t size;
    if (!space || number_to_int((struct slice){rest.data, (size_t)(space - rest.data)}, &size) < 0)
        return false;
    struct slice path = {space + 1, (size_t)(rest.data + rest.len - space - 1)};
    sum.size = (uint64_t)size;
    if (size < 0 || !is_within(path))
        return false;
    add_file(ret, path.data, path.len, sum);
    return true;
}

static bool read_sum(struct slice all, struct slice rest)
{
    struct slice value;
    struct key128 hash;
    struct slice before = {all.data, all.len - rest.len};
    return take_line(&rest, "sum ", &value) && rest.len == 0 && value.len == 32 &&
           read_hash(value.data, &hash) && key_eq(hash, file_sum_of(before).hash);
}

static enum status parse(struct slice all, struct checkpoint *ret)
{
    struct slice text = all, value;
    int64_t format, epoch, events, version;
    if (!take_number(&text, title, &format))
        return ST_ECORRUPT;
    if (format != FORMAT)
        return ST_EVERSION;
    if (!take_line(&text, "name ", &value) || value.len >= sizeof ret->name)
        return ST_ECORRUPT;
    memcpy(ret->name, value.data, value.len);
    if (!take_number(&text, "epoch ", &epoch) || !take_number(&text, "events ", &events) ||
        !take_number(&text, "time ", &ret->time) || !take_number(&text, "version ", &version))
        return ST_ECORRUPT;
    ret->epoch = (uint64_t)epoch;
    ret->events = (uint64_t)events;
    ret->version = (uint32_t)version;
    while (take_line(&text, "file ", &value))
        if (!read_file_line(value, ret))
            return ST_ECORRUPT;
    return read_sum(all, text) ? ST_OK : ST_ECORRUPT;
}

enum status checkpoint_read(const char *dir, struct checkpoint *ret, struct buf *error)
{
    char path[PATH_MAX] = "";
    struct checkpoint found = {0};
    struct buf text = {0};
    enum status st =
        checkpoint_path(path, dir, CHECKPOINT_LIST, NULL) ? file_read(path, &text) : ST_EIO;
    if (st == ST_OK)
        st = parse(buf_slice(&text), &found);
    buf_done(&text);
    if (st == ST_ENOTFOUND)
        buf_printf(error, "%s is no whole checkpoint: it has no list %s", dir, CHECKPOINT_LIST);
    else if (st == ST_EVERSION)
        buf_printf(error, "%s was written by a newer freshet: restore it with that one", path);
    else if (st < 0)
        checkpoint_failed(error, st, "cannot read", path);
    if (st < 0)
        checkpoint_done(&found);
    else
        *ret = found;
    return st;
}
