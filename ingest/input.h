/*
 * ingest/input.h -- the bytes of a file or a pipe, decompressed where they are zstd.
 *
 * Compression is told by the first bytes, not by the name, so that it works on a pipe too. Memory
 * is two of zstd's buffers, whatever the file's size.
 *
 *     TRY(input_open("events.csv.zst", &input));
 *     while ((st = input_read(input, data, sizeof data, &n)) == ST_OK)
 *         use(data, n);
 */
#ifndef INGEST_INPUT_H
#define INGEST_INPUT_H

#include <stdint.h>
#include <stddef.h>

#include "base/status.h"

struct input;

/* "-": standard input. Returns ST_ENOTFOUND or ST_EIO, with errno as open() left it. */
STATUS_CHECKED enum status input_open(const char *path, struct input **ret);
void input_close(struct input *input);

/* 1 to cap bytes. ST_EAGAIN: a pipe has nothing now; ST_EEND; ST_EIO with errno; ST_ECORRUPT: not
 * zstd any more, or it ends inside a frame. */
STATUS_CHECKED enum status input_read(struct input *input, char *to, size_t cap, size_t *ret_n);

/* Sleeps until a pipe may have something; returns at once for a file. */
void input_wait(struct input *input, int64_t timeout_us);

/* The share in [0, 1] of the file's own bytes that were read; NaN for a pipe. */
double input_progress(const struct input *input);

#endif
