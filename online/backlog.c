#include "online/backlog.h"

struct portion {
    size_t len;
    uint64_t n;
};

void backlog_done(struct backlog *backlog)
{
    buf_done(&backlog->bytes);
    buf_done(&backlog->portions);
    backlog->at = backlog->first = 0;
}

bool backlog_empty(const struct backlog *backlog)
{
    return backlog->first == backlog->portions.len;
}

/* What has left is more than what waits. */
static void close_gap(struct buf *buf, size_t *gap)
{
    if (*gap < buf->len - *gap || *gap == 0)
        return;
    buf->len -= *gap;
    memmove(buf->data, buf->data + *gap, buf->len);
    *gap = 0;
}

void backlog_add(struct backlog *backlog, struct slice items, uint64_t n)
{
    struct portion portion = {items.len, n};
    close_gap(&backlog->bytes, &backlog->at);
    close_gap(&backlog->portions, &backlog->first);
    buf_append(&backlog->bytes, items.data, items.len);
    buf_append(&backlog->portions, &portion, sizeof portion);
}

bool backlog_next(struct backlog *backlog, struct slice *ret, uint64_t *ret_n)
{
    struct portion portion;
    if (backlog_empty(backlog))
        return false;
    memcpy(&portion, backlog->portions.data + backlog->first, sizeof portion);
    *ret = (struct slice){backlog->bytes.data + backlog->at, portion.len};
    *ret_n = portion.n;
    backlog->first += sizeof portion;
    backlog->at += portion.len;
    return true;
}
