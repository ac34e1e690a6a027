#include "online/row_line.h"

#include <inttypes.h>

#include "online/rows.h"

static const char *const channels[CHANNEL_COUNT] = {
    [CHANNEL_SCORES] = "scores", [CHANNEL_DEAD] = "dead_letters", [CHANNEL_FEATURES] = "features"};

static void put_text(struct buf *line, const char *name, struct slice text)
{
    buf_printf(line, ",\"%s\":", name);
    rows_json_text(line, text);
}

void row_line_put(struct buf *ret, const struct row *row, struct slice why)
{
    buf_printf(ret, "{\"source\":\"%s:%" PRId32 ":%" PRId64 ":%" PRIu32 "\",\"to\":\"%s\"",
               row->topic, row->partition, row->offset, row->ordinal, channels[row->channel]);
    if (why.len > 0)
        put_text(ret, "why", why);
    put_text(ret, "key", row->key);
    if (row->channel == CHANNEL_DEAD)
        put_text(ret, "reason", row->reason);
    put_text(ret, "payload", row->payload);
    buf_text(ret, "}\n");
}
