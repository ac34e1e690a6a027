#include "ingest/sink_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WRITE_AT = 256 * 1024 };

struct file {
    int fd; /* -1: no file */
    const char *path;
    struct buf buffered;
};

struct sink_files {
    struct sink sink;
    struct file files[CHANNEL_COUNT];
    uint64_t sent;
    char error[512];
};

static enum status failed(struct sink_files *sink, const struct file *file)
{
    snprintf(sink->error, sizeof sink->error, "%s: %s", file->path, strerror(errno));
    return ST_EIO;
}

/* What a full disk has left unwritten stays in the buffer, so that trying again goes on there. */
static enum status drain(struct sink_files *sink, struct file *file)
{
    struct buf *buffered = &file->buffered;
    size_t done = 0;
    ssize_t n = 0;
    while (done < buffered->len && (n >= 0 || errno == EINTR)) {
        n = write(file->fd, buffered->data + done, buffered->len - done);
        done += n > 0 ? (size_t)n : 0;
    }
    buffered->len -= done;
    if (buffered->len == 0)
        return ST_OK;
    memmove(buffered->data, buffered->data + done, buffered->len);
    return failed(sink, file);
}

static enum status files_send(struct sink *base, const struct row *row)
{
    struct sink_files *sink = (struct sink_files *)base;
    struct file *file = &sink->files[row->channel];
    if (file->fd >= 0) {
        if (file->buffered.len >= WRITE_AT)
            TRY(drain(sink,
                      file)); /* before the row is taken, so that a failure does not take it */
        buf_append(&file->buffered, row->payload.data, row->payload.len);
    }
    sink->sent++;
    return ST_OK;
}

static enum status files_flush(struct sink *base)
{
    struct sink_files *sink = (struct sink_files *)base;
    for (size_t i = 0; i < CHANNEL_COUNT; i++)
        if (sink->files[i].fd >= 0)
            TRY(drain(sink, &sink->files[i]));
    return ST_OK;
}

static enum status files_poll(struct sink *base, int64_t timeout_us, uint64_t *ret_acked,
                              uint64_t *ret_refused)
{
    (void)timeout_us;
    TRY(files_flush(base));
    *ret_acked = ((struct sink_files *)base)->sent;
    *ret_refused = 0;
    return ST_OK;
}

static void files_free(struct sink *base)
{
    struct sink_files *sink = (struct sink_files *)base;
    for (size_t i = 0; i < CHANNEL_COUNT; i++) {
        if (sink->files[i].fd > STDERR_FILENO)
            close(sink->files[i].fd);
        buf_done(&sink->files[i].buffered);
    }
    free(sink);
}

static const char *files_error(const struct sink *base)
{
    return ((const struct sink_files *)base)->error;
}

static const struct sink_ops files_ops = {
    .kind = "files",
    .send = files_send,
    .poll = files_poll,
    .flush = files_flush,
    .free = files_free,
    .error = files_error,
};

static enum status open_file(struct sink_files *sink, struct file *file,
                             const struct sink_files_channel *channel)
{
    file->path = channel->path;
    if (!channel->path)
        return ST_OK;
    file->fd = strcmp(channel->path, "-") == 0
                   ? STDOUT_FILENO
                   : open(channel->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file->fd < 0)
        return failed(sink, file);
    buf_append(&file->buffered, channel->header.data, channel->header.len);
    return ST_OK;
}

enum status sink_files_create(const struct sink_files_options *options, struct buf *error,
                              struct sink **ret)
{
    struct sink_files *sink = calloc(1, sizeof *sink);
    if (!sink)
        return ST_ENOMEM;
    sink->sink.ops = &files_ops;
    for (size_t i = 0; i < CHANNEL_COUNT; i++)
        sink->files[i].fd = -1;
    for (size_t i = 0; i < CHANNEL_COUNT; i++) {
        enum status st = open_file(sink, &sink->files[i], &options->channels[i]);
        if (st < 0) {
            buf_text(error, sink->error);
            files_free(&sink->sink);
            return st;
        }
    }
    *ret = &sink->sink;
    return ST_OK;
}
