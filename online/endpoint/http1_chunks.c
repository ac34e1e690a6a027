#include "online/endpoint/http1_chunks.h"

#include "online/endpoint/http1.h"

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* SIZE[ ][;EXTENSION] */
static bool read_size(struct slice line, size_t *ret)
{
    size_t size = 0, i = 0;
    for (; i < line.len && hex(line.data[i]) >= 0; i++) {
        if (i == 8)
            return false;
        size = size * 16 + (size_t)hex(line.data[i]);
    }
    if (i == 0)
        return false;
    *ret = size;
    while (i < line.len && (line.data[i] == ' ' || line.data[i] == '\t'))
        i++;
    return i == line.len || line.data[i] == ';';
}

/* The next line, without its end. 0: it is all there; 1: more of it is to come; or the status. */
static int next_line(const char *data, size_t len, struct slice *ret)
{
    size_t most = len < HTTP1_CHUNK_LINE_MAX ? len : HTTP1_CHUNK_LINE_MAX;
    const char *end = memchr(data, '\n', most);
    if (!end)
        return most == HTTP1_CHUNK_LINE_MAX ? 400 : 1;
    if (end == data || end[-1] != '\r' || memchr(data, '\r', (size_t)(end - data - 1)))
        return 400;
    *ret = (struct slice){data, (size_t)(end - data) - 1};
    return 0;
}

/* The bytes of a chunk, and the line end behind them. */
static int pass_over(struct http1_chunks *chunks, const char *data, size_t len)
{
    while (chunks->left > 0 && chunks->at < len) {
        size_t there = len - chunks->at;
        if (chunks->left > 2) {
            size_t n = chunks->left - 2 < there ? chunks->left - 2 : there;
            chunks->left -= n;
            chunks->at += n;
            continue;
        }
        if (data[chunks->at] != (chunks->left == 2 ? '\r' : '\n'))
            return 400;
        chunks->left--;
        chunks->at++;
    }
    return 0;
}

static int take_line(struct http1_chunks *chunks, struct slice line, size_t max)
{
    size_t size;
    chunks->at += line.len + 2;
    if (chunks->in_trailer) {
        chunks->ended = line.len == 0;
        return ++chunks->trailers > HTTP1_TRAILERS_MAX ? 431 : 0;
    }
    if (!read_size(line, &size))
        return 400;
    if (size > max - chunks->length)
        return 413;
    chunks->in_trailer = size == 0;
    chunks->length += size;
    chunks->left = size > 0 ? size + 2 : 0;
    return 0;
}

int http1_chunks_read(struct http1_chunks *chunks, const char *data, size_t len, size_t max)
{
    while (!chunks->ended) {
        int status = pass_over(chunks, data, len);
        if (status > 0)
            return status;
        if (chunks->at > 2 * max + HTTP1_HEAD_MAX)
            return 413;
        if (chunks->at == len)
            return 0;
        struct slice line;
        status = next_line(data + chunks->at, len - chunks->at, &line);
        if (status == 0)
            status = take_line(chunks, line, max);
        if (status > 0)
            return status == 1 ? 0 : status;
    }
    return 0;
}

void http1_chunks_join(struct slice data, struct buf *ret)
{
    struct slice line;
    size_t size;
    while (next_line(data.data, data.len, &line) == 0 && read_size(line, &size) && size > 0) {
        size_t head = line.len + 2, whole = head + size + 2;
        buf_append(ret, data.data + head, size);
        data = (struct slice){data.data + whole, data.len - whole};
    }
}
