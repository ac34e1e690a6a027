#include "ingest/input.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

enum { RAW_SIZE = 128 * 1024, MAGIC = 4 };

struct input {
    int fd;
    bool is_pipe;
    bool sniffed;  /* the first bytes were looked at */
    bool eof;      /* of the file itself */
    bool in_frame; /* zstd expects more of a frame */
    int64_t size;
    int64_t read;
    ZSTD_DStream *zstd; /* NULL: plain */
    size_t at, end;     /* bytes of raw not yet used */
    char raw[RAW_SIZE];
};

/* More bytes behind those in raw. */
static enum status read_raw(struct input *input, char *to, size_t cap, size_t *ret_n)
{
    struct pollfd ready = {.fd = input->fd, .events = POLLIN};
    if (input->is_pipe && poll(&ready, 1, 0) == 0)
        return ST_EAGAIN;
    ssize_t n;
    do
        n = read(input->fd, to, cap);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? ST_EAGAIN : ST_EIO;
    if (n == 0) {
        input->eof = true;
        return ST_EEND;
    }
    input->read += n;
    *ret_n = (size_t)n;
    return ST_OK;
}

static enum status fill_raw(struct input *input)
{
    if (input->at == input->end)
        input->at = input->end = 0;
    size_t n;
    TRY(read_raw(input, input->raw + input->end, RAW_SIZE - input->end, &n));
    input->end += n;
    return ST_OK;
}

/* Waits for the magic number's four bytes, or the end. */
static enum status sniff(struct input *input)
{
    static const char magic[MAGIC] = {'\x28', '\xb5', '\x2f', '\xfd'};
    while (input->end < MAGIC && !input->eof) {
        enum status st = fill_raw(input);
        if (st < 0 && st != ST_EEND)
            return st;
    }
    input->sniffed = true;
    if (input->end < MAGIC || memcmp(input->raw, magic, MAGIC) != 0)
        return ST_OK;
    input->zstd = ZSTD_createDStream();
    return input->zstd ? ST_OK : ST_ENOMEM;
}

static enum status read_plain(struct input *input, char *to, size_t cap, size_t *ret_n)
{
    size_t held = input->end - input->at;
    if (held == 0)
        return read_raw(input, to, cap, ret_n);
    *ret_n = held < cap ? held : cap;
    memcpy(to, input->raw + input->at, *ret_n);
    input->at += *ret_n;
    return ST_OK;
}

/* One step; *ret_n may be 0 while zstd has taken bytes and gives none yet. */
static enum status decompress(struct input *input, char *to, size_t cap, size_t *ret_n)
{
    ZSTD_inBuffer in = {input->raw, input->end, input->at};
    ZSTD_outBuffer out = {to, cap, 0};
    size_t hint = ZSTD_decompressStream(input->zstd, &out, &in);
    if (ZSTD_isError(hint))
        return ST_ECORRUPT;
    input->in_frame = hint != 0;
    input->at = in.pos;
    *ret_n = out.pos;
    return ST_OK;
}

/* zstd may still hold output when its input is used up, so that is asked for first. */
static enum status read_zstd(struct input *input, char *to, size_t cap, size_t *ret_n)
{
    size_t n = 0;
    for (;;) {
        if (input->at < input->end || input->in_frame)
            TRY(decompress(input, to, cap, &n));
        if (n > 0)
            break;
        if (input->at < input->end)
            continue;
        enum status st = fill_raw(input);
        if (st == ST_EEND && input->in_frame)
            return ST_ECORRUPT;
        TRY(st);
    }
    *ret_n = n;
    return ST_OK;
}

enum status input_read(struct input *input, char *to, size_t cap, size_t *ret_n)
{
    if (!input->sniffed)
        TRY(sniff(input));
    return input->zstd ? read_zstd(input, to, cap, ret_n) : read_plain(input, to, cap, ret_n);
}

enum status input_open(const char *path, struct input **ret)
{
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ST_ENOTFOUND : ST_EIO;
    struct stat about;
    if (fstat(fd, &about) < 0 || S_ISDIR(about.st_mode)) {
        errno = S_ISDIR(about.st_mode) ? EISDIR : errno;
        close(fd);
        return ST_EIO;
    }
    struct input *input = malloc(sizeof *input);
    if (!input) {
        close(fd);
        return ST_ENOMEM;
    }
    memset(input, 0, offsetof(struct input, raw));
    input->fd = fd;
    input->is_pipe = !S_ISREG(about.st_mode);
    input->size = about.st_size;
    *ret = input;
    return ST_OK;
}

void input_close(struct input *input)
{
    if (!input)
        return;
    ZSTD_freeDStream(input->zstd);
    close(input->fd);
    free(input);
}

void input_wait(struct input *input, int64_t timeout_us)
{
    struct pollfd ready = {.fd = input->fd, .events = POLLIN};
    struct timespec timeout = {timeout_us / 1000000, timeout_us % 1000000 * 1000};
    if (input->is_pipe && !input->eof)
        (void)ppoll(&ready, 1, &timeout, NULL);
}

double input_progress(const struct input *input)
{
    if (input->is_pipe)
        return NAN;
    if (input->eof || input->size <= 0)
        return input->eof ? 1 : 0;
    return fmin(1.0, (double)input->read / (double)input->size);
}
