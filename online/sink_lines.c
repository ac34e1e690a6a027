#include "online/sink_lines.h"

#include <stdlib.h>

#include "online/row_line.h"

struct sink_lines {
    struct sink sink;
    FILE *to;
    const char *key;
    uint64_t sent, written;
    struct buf line;
};

static enum status lines_send(struct sink *base, const struct row *row)
{
    struct sink_lines *sink = (struct sink_lines *)base;
    sink->sent++;
    if (sink->key && !slice_eq(row->key, slice_of(sink->key)))
        return ST_OK;
    buf_reset(&sink->line);
    row_line_put(&sink->line, row, (struct slice){0});
    fwrite(sink->line.data, 1, sink->line.len, sink->to);
    sink->written++;
    return ST_OK;
}

static enum status lines_poll(struct sink *base, int64_t timeout_us, uint64_t *ret_acked,
                              uint64_t *ret_refused)
{
    struct sink_lines *sink = (struct sink_lines *)base;
    (void)timeout_us;
    if (fflush(sink->to) != 0 || ferror(sink->to))
        return ST_EIO;
    *ret_acked = sink->sent;
    *ret_refused = 0;
    return ST_OK;
}

static void lines_free(struct sink *base)
{
    struct sink_lines *sink = (struct sink_lines *)base;
    buf_done(&sink->line);
    free(sink);
}

static const char *lines_error(const struct sink *base)
{
    (void)base;
    return "the rows cannot be written";
}

static const struct sink_ops lines_ops = {
    .kind = "lines",
    .send = lines_send,
    .poll = lines_poll,
    .free = lines_free,
    .error = lines_error,
};

enum status sink_lines_create(FILE *to, const char *key, struct sink **ret)
{
    struct sink_lines *sink = calloc(1, sizeof *sink);
    if (!sink)
        return ST_ENOMEM;
    sink->sink.ops = &lines_ops;
    sink->to = to;
    sink->key = key;
    *ret = &sink->sink;
    return ST_OK;
}

uint64_t sink_lines_written(const struct sink *sink)
{
    return ((const struct sink_lines *)sink)->written;
}
